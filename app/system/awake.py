"""Keeps the computer from going to sleep while something is worked on. Where a system has no way for that, nothing happens.

Linux: ``systemd-inhibit``; macOS: ``caffeinate``; Windows: ``SetThreadExecutionState``. None of them outlives the program, not even
after a crash: the helper on Linux ends when the pipe to it closes, that on macOS watches the program's process.
"""

from __future__ import annotations

import ctypes
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Protocol

log = logging.getLogger(__name__)

_CONTINUOUS, _SYSTEM_REQUIRED = 0x80000000, 0x00000001


class Inhibitor(Protocol):
    """Keeps the computer awake between ``hold`` and ``release``."""

    def hold(self) -> None: ...

    def release(self) -> None: ...


class CommandInhibitor:
    """A helper program that keeps the computer awake as long as it runs.

    Args:
        command: ends by itself when its standard input closes, or when it is terminated.
        start: starts a process; tests give their own.
    """

    def __init__(self, command: Sequence[str], start: Callable[..., subprocess.Popen] = subprocess.Popen) -> None:
        self._command, self._start = list(command), start
        self._process: subprocess.Popen | None = None

    def hold(self) -> None:
        if self._process is None:
            try:
                self._process = self._start(
                    self._command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                )
            except OSError:
                log.info("%s could not be started", self._command[0], exc_info=True)

    def release(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        process.terminate()
        try:
            process.wait(2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class WindowsInhibitor:
    """The flag of the calling thread: to be used from one thread.

    Args:
        set_state: the system's ``SetThreadExecutionState``.
    """

    def __init__(self, set_state: Callable[[int], object]) -> None:
        self._set_state = set_state

    def hold(self) -> None:
        self._set_state(_CONTINUOUS | _SYSTEM_REQUIRED)

    def release(self) -> None:
        self._set_state(_CONTINUOUS)


def inhibitor_of(platform: str = sys.platform) -> Inhibitor | None:
    """The way this system is kept awake, or None when it offers none."""
    if platform == "win32":
        windll = getattr(ctypes, "windll", None)
        return WindowsInhibitor(windll.kernel32.SetThreadExecutionState) if windll is not None else None
    if platform == "darwin":
        command = ["caffeinate", "-i", "-w", str(os.getpid())]
    else:
        who = ["--who=EchoGen", "--why=A picture is being drawn"]
        command = ["systemd-inhibit", "--what=idle:sleep", *who, "--mode=block", "cat"]
    return CommandInhibitor(command) if shutil.which(command[0]) else None
