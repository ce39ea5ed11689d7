"""The real downloads for Linux with their real packages, in a copy of this system that is thrown away: made, installed, opened on an X
server, drawn with, killed, repaired, removed.

Needs root (for the copy), an X server's and a desktop's tools, and a package index: minutes, and some gigabytes in the temporary folder.
ECHOGEN_TORCH names a folder with torch's build for the processor where PyTorch's own index cannot be reached. What each stage took
is printed (``pytest -m long -s tests/installer/test_installed.py``), and screenshots lie in ECHOGEN_SHOTS where that names a folder.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from uv import find_uv_bin

from installer import make_offline, make_packages
from installer.launcher.locks import read_lock
from installer.launcher.opening import VARIABLE
from installer.make_locks import LOCKS

TOOLS = ("unshare", "nsenter", "dpkg-deb", "Xvfb", "openbox", "xdotool", "gio", "dbus-run-session", "setpriv")
pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(
        sys.platform != "linux" or os.geteuid() != 0 or not all(map(shutil.which, TOOLS)),
        reason="needs root on Linux, and the tools of a desktop",
    ),
]
ENTRY = "io.github.echogen.Desktop.desktop"
LIST = "linux-x86_64-cpu"
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
        self._enter = ["nsenter", f"--target={inside}", *spaces]

    def close(self) -> None:
        """End all that runs in it."""
        self._holder.kill()
        self._holder.communicate()

    def root(self, *command: str) -> str:
        """Run a command as root. Returns what it printed."""
        return subprocess.run([*self._enter, *command], check=True, capture_output=True, text=True, timeout=300).stdout

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
            *(*self._enter, *person, "env", "-i", *(f"{name}={value}" for name, value in clean.items())),
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


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Copy]:
    copy = Copy(tmp_path)
    yield copy
    copy.close()


@pytest.fixture(scope="module")
def uv() -> Path:
    return Path(find_uv_bin())


@pytest.fixture(scope="module")
def downloads() -> Iterator[Path]:
    """A folder that every user can read; pytest's own are for this one alone, and the next run of pytest sees to that."""
    with tempfile.TemporaryDirectory(prefix="echogen-downloads-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


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
        command = self._copy.user("dbus-run-session", "sh", "-c", 'gio launch "$@"; sleep 600', "sh", entry, *files)
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
        (one, *_) = self._xdotool("search", "--onlyvisible", "--name", window).split()
        self._xdotool("windowfocus", "--sync", one)
        self._xdotool("key", key)

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


@pytest.fixture
def screen(copy: Copy) -> Iterator[Screen]:
    screen = Screen(copy)
    yield screen
    screen.close()


def the_program(windows: set[str]) -> bool:
    return any(name.endswith("EchoGen") for name in windows) and "EchoGen is being set up" not in windows


def finished_pictures(copy: Copy) -> int:
    """Pictures in the history, by a reader of its own."""
    file = (copy.home / DATA / "history.sqlite").as_uri()
    with contextlib.closing(sqlite3.connect(f"{file}?mode=ro", uri=True)) as history:
        return history.execute("select count(*) from pictures").fetchone()[0]


def test_the_deb_by_double_click(copy, screen, downloads, uv):
    made = make_packages.make_deb(downloads, uv)
    copy.root("dpkg", "--install", str(made))
    assert "install ok installed" in copy.root("dpkg", "--status", "echogen")
    screen.open(f"/usr/share/applications/{ENTRY}")
    screen.wait("first sign", lambda windows: windows, 30)
    screen.wait("set-up window", lambda windows: "EchoGen is being set up" in windows, 120)
    screen.wait("program", the_program, 600)
    time.sleep(15)  # a person looks at it first; a key is not heard while the window is coming
    screen.press("EchoGen", "ctrl+Return")
    screen.wait("it draws", lambda windows: any("% – EchoGen" in name for name in windows), 300)
    screen.wait("a picture is drawn", lambda _: finished_pictures(copy) > 0, 600)
    screen.press("EchoGen", "ctrl+q")
    screen.wait("closed", lambda windows: not windows, 60)
    tell_stages(copy, screen)
    newer_versions(copy, downloads)
    assert "Damaged: –" in copy.run("echogen", "--repair")
    copy.run("echogen", "--remove")
    copy.root("dpkg", "--remove", "echogen")
    assert not copy.left()
    assert finished_pictures(copy) > 0, "what was drawn stays"
    gone = subprocess.run([*copy._enter, "ls", "/usr/bin/echogen", "/opt/echogen"], capture_output=True, text=True)
    assert gone.stdout == ""


def tell_stages(copy: Copy, screen: Screen) -> None:
    """Print what the log says was begun and done when, in seconds since the double-click."""
    for line in (copy.home / DATA / "program/setup.log").read_text(encoding="utf-8").splitlines():
        if re.match(r"\d{4}-\d\d-\d\d ", line):
            at = time.mktime(time.strptime(line[:19], "%Y-%m-%d %H:%M:%S"))
            tell(f"{at - screen.clock:7.0f} s  {' '.join(line[20:].split()[:4])}")


def test_the_run_file_killed_at_twenty_moments(copy, downloads, uv, tmp_path):
    """The set-up with its real packages, killed with all it started, goes on at every next start and is whole in the end."""
    made = make_packages.make_run(downloads, uv)
    copy.run("sh", str(made), "--no-start")
    start = f"{HOME}/.local/opt/echogen/installer/launcher/start.sh"
    chance, began, killed = random.Random(19), time.monotonic(), 0
    while killed < 20:
        process = subprocess.Popen(
            copy.user(start, "--set-up"),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        time.sleep(chance.uniform(0.3, 15))
        if process.poll() is not None:  # it was whole before: from nothing once more
            assert process.wait() == 0 and "Damaged: –" in copy.run(start, "--repair")
            copy.run(start, "--remove")
            process.communicate()
            continue
        os.killpg(process.pid, signal.SIGKILL)
        lines = process.communicate()[0].splitlines()
        killed += 1
        tell(f"{time.monotonic() - began:7.1f} s  kill {killed} at: {lines[-1] if lines else 'the start'}")
    copy.run(start, "--set-up")
    tell(f"{time.monotonic() - began:7.1f} s  whole after {killed} kills")
    assert "Damaged: –" in copy.run(start, "--repair")
    draw(copy, f"{HOME}/.local/opt/echogen", start)
    copy.run(f"{HOME}/.local/opt/echogen/uninstall.sh")
    assert copy.left() == ["example.png"]


def newer_versions(copy: Copy, downloads: Path) -> None:
    """One that does not open: the version before comes back. Then one that does, which is used from then on."""
    shown, output = copy.home / "shown", downloads / "output"
    for version, ending in (("98.0", "raise SystemExit(1)\n"), ("99.0", "")):
        tree = downloads / f"echogen-{version}"
        make_packages.put_program(tree, None)
        (tree / "engine/version.py").write_text(f'__version__ = "{version}"\n', encoding="utf-8")
        (tree / "main.py").write_text(ending + (tree / "main.py").read_text(encoding="utf-8"), encoding="utf-8")
        archive = downloads / f"echogen-{version}.tar.gz"
        with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
            tar.add(tree, tree.name)
        copy.run("echogen", "--update", str(archive))
        began = time.monotonic()
        command = copy.user("env", "-u", "DISPLAY", "QT_QPA_PLATFORM=offscreen", f"{VARIABLE}={HOME}/shown", "echogen")
        with output.open("wb") as stream, subprocess.Popen(command, stdout=stream, stderr=stream) as process:
            assert Screen.comes(lambda process=process: shown.exists() or process.poll() is not None, 300)
            running = copy.root("pgrep", "--full", "--list-full", "main.py")
            copy.root("pkill", "--full", "main.py")
        words = output.read_text(encoding="utf-8")
        tell(f"{time.monotonic() - began:7.1f} s  {version}: {words.strip()[-90:]} {running.split()[-1]}")
        assert ("versions/99.0/main.py" in running) == (not ending)
        assert ("The one before is used again" in words) == bool(ending)
        shown.unlink(missing_ok=True)


def test_the_archive_without_a_network(downloads, uv, tmp_path):
    made = make_offline.make_offline(read_lock(LOCKS / f"{LIST}.txt"), downloads, uv)
    tell(f"{made.stat().st_size / 1e6:.0f} MB  {made.name}")
    copy = Copy(tmp_path, network=False)
    try:
        assert copy.root("ip", "route") == ""
        copy.run("tar", "-xf", str(made))
        start = f"{HOME}/echogen/installer/launcher/start.sh"
        began = time.monotonic()
        copy.run(start, "--set-up")
        tell(f"{time.monotonic() - began:7.1f} s  set up without a network")
        draw(copy, f"{HOME}/echogen", start)
        copy.run(start, "--remove")
        assert not [name for name in copy.left() if not name.startswith(("echogen/", "example.png"))]
    finally:
        copy.close()


def draw(copy: Copy, root: str, start: str) -> None:
    """What the workflow does with an installed program: set it up, open its window, draw the example."""
    trying = f"{root}/installer/try_installed.py"
    tell(copy.run("/usr/bin/python3", trying, "--root", root, "--out", f"{HOME}/example.png", "--", start)[-300:])
    assert (copy.home / "example.png").stat().st_size > 20_000
