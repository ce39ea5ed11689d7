"""Freed memory stays with the process, in bounds."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

_WHERE = """
import ctypes, sys
from engine.device.devices import keep_memory

class Usage(ctypes.Structure):
    names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in names.split()]

library = ctypes.CDLL(None)
library.mallinfo2.restype = Usage
library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
library.free.argtypes = [ctypes.c_void_p]
if sys.argv[1] == "keep":
    assert keep_memory()
before = library.mallinfo2()
blocks = [library.malloc(20 * 2**20) for _ in range(4)]
mapped = library.mallinfo2().hblks - before.hblks
for block in blocks:
    library.free(block)
print(mapped, library.mallinfo2().fordblks - before.fordblks)
"""


def _usage(how: str) -> tuple[int, int]:
    """Blocks that were asked of the system one by one, and bytes that were kept when they were freed."""
    done = subprocess.run([sys.executable, "-c", _WHERE, how], capture_output=True, text=True, check=True, timeout=60)
    mapped, kept = done.stdout.split()
    return int(mapped), int(kept)


def _tells() -> bool:
    return sys.platform.startswith("linux") and hasattr(ctypes.CDLL(None), "mallinfo2")


@pytest.mark.skipif(not _tells(), reason="only newer versions of glibc tell")
def test_freed_blocks_are_kept():
    mapped, kept = _usage("keep")
    assert mapped == 0
    assert kept > 70 * 2**20
    mapped, kept = _usage("leave it")
    assert mapped == 4
    assert kept < 70 * 2**20


def test_elsewhere_nothing_happens(monkeypatch):
    from engine.device import devices

    monkeypatch.setattr(devices.sys, "platform", "win32")
    assert devices.keep_memory() is False
