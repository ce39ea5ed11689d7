"""This machine's target: which list of packages fits, and whether EchoGen can run here at all."""

from __future__ import annotations

import os
import platform
import shutil
import struct
import subprocess
import sys
import sysconfig
from pathlib import Path

from app.language.say import say
from installer.launcher.errors import SetupFailed

OLDEST_GLIBC, OLDEST_MAC, OLDEST_WINDOWS = (2, 34), (14, 0), (10, 0, 17763)  # those of Qt's and torch's files
QUIET: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)
"""For ``creationflags``: on Windows no console window opens for a program; elsewhere none ever does."""
MAKERS = {"cuda": "NVIDIA", "rocm": "AMD", "xpu": "Intel"}
"""Kind of card → who makes it."""
_MACHINES = {"amd64": "x86_64", "x86_64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}
_SYSTEMS = {"linux": "linux", "win32": "windows", "darwin": "macos"}


def check_system() -> None:
    """Say what is too old before anything is fetched.

    Raises:
        SetupFailed: this system or processor is not one that Qt and torch are made for.
    """
    if struct.calcsize("P") != 8:
        raise SetupFailed(say("EchoGen needs a 64-bit system, and this one has 32 bits."))
    if sys.platform == "linux":
        library, version = platform.libc_ver()
        if library == "glibc" and _numbers(version) < OLDEST_GLIBC:
            raise SetupFailed(
                say("This Linux is too old for EchoGen: its C library is {0}, and 2.34 is needed.", version),
                say("Ubuntu 22.04, Debian 12, Fedora 35 and newer have it."),
            )
    if sys.platform == "darwin" and _numbers(platform.mac_ver()[0]) < OLDEST_MAC:
        raise SetupFailed(say("EchoGen needs macOS 14 or newer."))
    if sys.platform == "win32" and _numbers(platform.version()) < OLDEST_WINDOWS:
        raise SetupFailed(say("EchoGen needs Windows 10 (1809) or newer."))


def find_backend() -> str:
    """The kind of card in this machine: "cuda", "rocm", "xpu", "mps" or "cpu". Nothing but the system is asked.

    ``ECHOGEN_BACKEND`` decides where it is set.
    """
    given = os.environ.get("ECHOGEN_BACKEND")
    if given:
        return given
    if sys.platform == "darwin":
        return "mps" if platform.machine() == "arm64" else "cpu"
    if _answers(["nvidia-smi", "-L"]):
        return "cuda"
    if sys.platform == "linux":
        if Path("/dev/kfd").exists():
            return "rocm"
        if Path("/sys/module/xe").exists():
            return "xpu"
    return "cpu"


def list_name(backend: str) -> str:
    """The name of this machine's list for a kind of card, "linux-x86_64-cpu"."""
    return f"{_system()}-{_machine()}-{backend}"


def choose_lock(folder: Path, backend: str) -> Path:
    """The list for this machine; the one for its processor where there is none for its card.

    Raises:
        SetupFailed: there is none at all.
    """
    for wanted in (backend, "cpu", "mps"):
        file = folder / f"{list_name(wanted)}.txt"
        if file.is_file():
            return file
    raise SetupFailed(
        say("There is no list of packages for this computer ({0}, {1}).", _system(), _machine()),
        say("Developers can set it up by hand, see the README."),
    )


def _system() -> str:
    return _SYSTEMS.get(sys.platform, sys.platform)


def _machine() -> str:
    """The processor of the packages. On Windows it is this Python's: computers with ARM run the one for Intel that comes along."""
    name = sysconfig.get_platform().rpartition("-")[2] if sys.platform == "win32" else platform.machine()
    return _MACHINES.get(name.lower(), name.lower())


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())


def _answers(command: list[str]) -> bool:
    """Return True if a program is there and finds something. A driver that hangs is none."""
    if shutil.which(command[0]) is None:
        return False
    try:
        result = subprocess.run(command, capture_output=True, timeout=10, creationflags=QUIET)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return result.returncode == 0 and bool(result.stdout.strip())
