"""The real downloads for Linux with their real packages, in a copy of this system that is thrown away: made, installed, opened on an X
server, drawn with, killed, repaired, removed.

Needs root (for the copy), an X server's and a desktop's tools, and a package index: minutes, and some gigabytes in the temporary folder.
ECHOGEN_TORCH names a folder with torch's build for the processor where PyTorch's own index cannot be reached. What each stage took
is printed (``pytest -m long -s tests/installer/test_installed.py``), and screenshots lie in ECHOGEN_SHOTS where that names a folder.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import tarfile
import time
from pathlib import Path

from installer import make_offline, make_packages
from installer.launcher.locks import read_lock
from installer.launcher.opening import VARIABLE
from installer.make_locks import LOCKS
from tests.installer.machine import DATA, ENTRY, HOME, LONG, Copy, Screen, finished_pictures, tell, the_program

pytestmark = LONG
LIST = "linux-x86_64-cpu"


def test_the_deb_from_the_menu(copy, screen, downloads, uv):
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
    gone = subprocess.run([*copy.enter, "ls", "/usr/bin/echogen", "/opt/echogen"], capture_output=True, text=True)
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
