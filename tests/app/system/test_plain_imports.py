"""PySide does not read the sources of what is imported after it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
_READ = """
import linecache
import tomllib
print(tomllib.__file__ in linecache.cache)
"""
_MAIN = """
import sys, types
sys.modules["app.run"] = types.SimpleNamespace(run=lambda arguments: 0)  # no window is needed
import main
main.main([])
"""


def _read_after(beginning: str) -> str:
    """ "True" when the source of a module was read that was imported after ``beginning``."""
    command = [sys.executable, "-c", beginning + _READ]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def test_nothing_is_read_that_the_program_imports():
    assert _read_after(_MAIN) == "False"


def test_and_pyside_alone_would_read_it():
    """Once PySide reads no sources any more, what undoes it is to go."""
    assert _read_after("import PySide6.QtCore") == "True"
