"""PySide does not read the sources of what is imported after it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
_READ = """
import linecache, sys
import {first}
import tomllib
print(tomllib.__file__ in linecache.cache)
"""


def _read_after(first: str) -> str:
    """ "True" when the source of a module was read that was imported after ``first``."""
    command = [sys.executable, "-c", _READ.format(first=first)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def test_nothing_is_read_that_the_window_imports():
    assert _read_after("app") == "False"


def test_and_pyside_alone_would_read_it():
    """Once PySide reads no sources any more, what undoes it is to go."""
    assert _read_after("PySide6.QtCore") == "True"
