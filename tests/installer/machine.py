"""A copy of this system that is thrown away, with one fresh user, and an X server to see the user's windows on."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

TOOLS = ("unshare", "nsenter", "dpkg-deb", "Xvfb", "openbox", "xdotool", "gio", "dbus-run-session", "setpriv")
LONG = [
    pytest.mark.long,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(
        sys.platform != "linux" or os.geteuid() != 0 or not all(map(shutil.which, TOOLS)),
        reason="needs root on Linux, and the tools of a desktop",
    ),
]
ENTRY = "io.github.echogen.Desktop.desktop"
DISPLAY = ":87"
HOME = "/home/Jürgen's 100% 日本"
DATA = ".local/share/echogen-desktop"
KEPT = ("Pictures", ".config/echogen-desktop", ".local/state/echogen-desktop", DATA)
"""What stays after removing: pictures, settings, the log, history."""

COPY = """
set -e
mount -t tmpfs none {scratch}
for name in opt usr var etc; do
    mkdir -p {scratch}/$name/up {scratch}/$name/work
    mount -t overlay overlay -o lowerdir=/$name,upperdir={scratch}/$name/up,workdir={scratch}/$name/work /$name
done
mount --bind {homes} /home
useradd --create-home --home-dir {home} --shell /bin/sh person
echo ready
exec sleep infinity
"""


def tell(text: str) -> None:
    """Print what is measured, for ``pytest -s``."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Copy:
    """This system with a layer over it, and one fresh user. Nothing of the system itself is changed.

    Args:
        folder: for the layer's mount point and the user's home.
        network: False has no route to anywhere.
    """

    def __init__(self, folder: Path, *, network: bool = True) -> None:
        self.home = folder / "homes" / HOME.rpartition("/")[2]
        scratch, homes = folder / "scratch", folder / "homes"
        for place in (scratch, homes):
            place.mkdir()
        script = COPY.format(scratch=shlex.quote(str(scratch)), homes=shlex.quote(str(homes)), home=shlex.quote(HOME))
        spaces = ["--mount", "--pid", *([] if network else ["--net"])]
        first = ["unshare", *spaces, "--fork", "--kill-child", "--mount-proc", "sh", "-c", script]
        self._holder = subprocess.Popen(first, stdout=subprocess.PIPE, text=True)
        assert self._holder.stdout is not None and self._holder.stdout.readline() == "ready\n"
        (inside,) = Path(f"/proc/{self._holder.pid}/task/{self._holder.pid}/children").read_text().split()
        self.enter = ["nsenter", f"--target={inside}", *spaces]

    def close(self) -> None:
        """End all that runs in it."""
        self._holder.kill()
        self._holder.communicate()

    def root(self, *command: str) -> str:
        """Run a command as root. Returns what it printed."""
        return subprocess.run([*self.enter, *command], check=True, capture_output=True, text=True, timeout=300).stdout

    def user(self, *command: str) -> list[str]:
        """A command as the user gives it: nothing of this test's environment but where packages come from."""
        given = {name: os.environ[name] for name in ("ECHOGEN_TORCH", "ECHOGEN_PACKAGES") if name in os.environ}
        clean = {
            "HOME": HOME,
            "USER": "person",
            "LANG": "C.UTF-8",
            "PATH": "/usr/bin:/bin",
            "DISPLAY": DISPLAY,
            **given,
        }
        person = ["setpriv", "--reuid=person", "--regid=person", "--init-groups"]
        return [
            *(*self.enter, *person, "env", "-i", *(f"{name}={value}" for name, value in clean.items())),
            *("sh", "-c", 'cd && exec "$@"', "sh", *command),
        ]

    def run(self, *command: str) -> str:
        """Run a command as the user. Returns what it printed."""
        done = subprocess.run(self.user(*command), capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return done.stdout

    def left(self) -> list[str]:
        """Files in the user's home that are not the user's own."""
        files = (file.relative_to(self.home).as_posix() for file in self.home.rglob("*") if file.is_file())
        return [
            name
            for name in files
            if not name.startswith((*KEPT, ".bash", ".profile", ".cache/", ".config/openbox"))
            or f"{DATA}/program" in name
        ]


class Screen:
    """An X server with a window manager, and a watch that runs since the double-click."""

    def __init__(self, copy: Copy) -> None:
        self._copy = copy
        self._processes = [
            subprocess.Popen(["Xvfb", DISPLAY, "-screen", "0", "1280x860x24"], stderr=subprocess.DEVNULL)
        ]
        self._environment = {**os.environ, "DISPLAY": DISPLAY}
        answers = ["xdotool", "getmouselocation"]
        assert self.comes(lambda: subprocess.run(answers, **self._quiet()).returncode == 0, 20)
        self._processes.append(subprocess.Popen(["openbox"], **self._quiet()))
        self.began = self.clock = 0.0

    def _quiet(self) -> dict:
        return {"env": self._environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

    def open(self, entry: str, *files: str) -> None:
        """A double-click on an entry of the menu, or on files that it opens."""
        self.run("gio", "launch", entry, *files)

    def run(self, *command: str) -> None:
        """Start a program of the desktop, which may leave others behind. The watch begins here."""
        command = tuple(self._copy.user("dbus-run-session", "sh", "-c", '"$@"; sleep 600', "sh", *command))
        self.began, self.clock = time.monotonic(), time.time()
        self._processes.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def windows(self) -> set[str]:
        found = self._xdotool("search", "--onlyvisible", "--name", ".").split()
        return {self._xdotool("getwindowname", one).strip() for one in found} - {"Openbox", ""}

    def wait(self, what: str, holds: Callable[[set[str]], object], seconds: float) -> float:
        """Wait until something holds for the names of the windows. Returns the seconds since the double-click."""
        assert self.comes(lambda: holds(self.windows()), seconds), f"{what} does not come"
        took = time.monotonic() - self.began
        tell(f"{took:7.1f} s  {what}: {', '.join(sorted(self.windows()))}")
        if folder := os.environ.get("ECHOGEN_SHOTS"):
            time.sleep(0.3)
            name = Path(folder) / f"{took:05.1f}-{what.replace(' ', '-')}.png"
            subprocess.run(["import", "-window", "root", str(name)], env=self._environment)
        return took

    def press(self, window: str, key: str) -> None:
        self._xdotool("windowfocus", "--sync", self._find(window))
        self._xdotool("key", key)
        # A window that goes at the press hears of no release, and the server would repeat the key for whoever comes next.
        self._xdotool(*(word for part in key.split("+") for word in ("keyup", part)))

    def click(self, window: str, *, from_right: int, from_top: int) -> None:
        one = self._find(window)
        width = re.search(r"WIDTH=(\d+)", self._xdotool("getwindowgeometry", "--shell", one))
        assert width
        place = (str(int(width[1]) - from_right), str(from_top))
        self._xdotool("mousemove", "--window", one, *place, "click", "1")

    def end(self, window: str) -> None:
        self._xdotool("windowclose", self._find(window))

    def _find(self, window: str) -> str:
        (one, *_) = self._xdotool("search", "--onlyvisible", "--name", window).split()
        return one

    def close(self) -> None:
        for process in reversed(self._processes):
            process.terminate()
            process.wait(20)

    def _xdotool(self, *arguments: str) -> str:
        command = ["xdotool", *arguments]
        return subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=30).stdout

    @staticmethod
    def comes(holds: Callable[[], bool], seconds: float) -> bool:
        """Whether something holds within some seconds."""
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end:
                return False
            time.sleep(0.1)
        return True


def the_program(windows: set[str]) -> bool:
    return any(name.endswith("EchoGen") for name in windows) and "EchoGen is being set up" not in windows


def finished_pictures(copy: Copy) -> int:
    """Pictures in the history, by a reader of its own."""
    file = (copy.home / DATA / "history.sqlite").as_uri()
    with contextlib.closing(sqlite3.connect(f"{file}?mode=ro", uri=True)) as history:
        return history.execute("select count(*) from pictures").fetchone()[0]
