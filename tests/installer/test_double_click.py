"""The downloads for Linux as a person meets them: double-clicked in a file manager, installed, opened, drawn with, removed, nothing
left but pictures. One chain each for the ``.deb`` and for the archive, in a copy of this system that is thrown away.

Needs what ``test_installed.py`` needs, and Debian's packages from the network: the desktop's programs are installed in the copy alone.
Screenshots of every step lie in ECHOGEN_SHOTS where that names a folder. One thing stands for a person: the administrator's
password, which a rule gives.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from installer import make_packages
from tests.installer.machine import DATA, ENTRY, HOME, LONG, Copy, Screen, finished_pictures, the_program

pytestmark = [*LONG, pytest.mark.skipif(not shutil.which("apt-get"), reason="needs Debian's packages")]
COMMON = ("xdg-utils", "zenity", "dbus-x11", "desktop-file-utils", "shared-mime-info", "adwaita-icon-theme")
RULE = 'polkit.addRule(function(action, subject) { if (subject.user == "person") return polkit.Result.YES; });\n'
INSTALLER = "Package Installer"


def install_desktop(copy: Copy, *programs: str) -> None:
    """Install programs of a desktop in the copy."""
    options = ["--yes", "--no-install-recommends"]
    copy.root("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", *options, *COMMON, *programs)


def give_password(copy: Copy) -> None:
    """The rule that stands for the administrator's password, and what asks for it."""
    copy.root("mount", "-t", "tmpfs", "none", "/run")
    copy.root("mkdir", "/run/dbus")
    copy.root("sh", "-c", f"echo '{RULE}' >/etc/polkit-1/rules.d/10-person.rules")
    copy.root("dbus-daemon", "--system", "--fork")
    copy.root("sh", "-c", "/usr/lib/polkit-1/polkitd --no-debug >/dev/null 2>&1 &")


def download(copy: Copy, made: Path) -> str:
    """Put a file among the user's downloads, as a browser does: it may not be executed. Returns its path."""
    folder = copy.home / "Downloads"
    folder.mkdir(exist_ok=True)
    shutil.copyfile(made, folder / made.name)
    copy.root("chown", "-R", "person:person", f"{HOME}/Downloads")
    return f"{HOME}/Downloads/{made.name}"


def is_installed(copy: Copy) -> bool:
    command = [*copy.enter, "dpkg-query", "--show", "--showformat", "${Status}", "echogen"]
    return subprocess.run(command, capture_output=True, text=True).stdout == "install ok installed"


def press_button(screen: Screen, from_top: int, holds: Callable[[], bool]) -> None:
    """Click a button of the system's installer until it does what it says: it hears nothing while it reads the package."""
    for _ in range(8):
        time.sleep(3)
        screen.click(INSTALLER, from_right=72, from_top=from_top)
        if screen.comes(holds, 25):
            return
    raise AssertionError("the installer does nothing")


def set_up_and_draw(copy: Copy, screen: Screen) -> None:
    """What is to be seen from the double-click to the first picture, and closing."""
    screen.wait("set-up window", lambda windows: "EchoGen is being set up" in windows, 120)
    time.sleep(2)
    screen.wait("it is being set up", lambda windows: "EchoGen is being set up" in windows, 1)
    screen.wait("program", the_program, 600)
    time.sleep(15)  # a person looks at it first; a key is not heard while the window is coming
    screen.press("^EchoGen$", "ctrl+Return")
    screen.wait("a picture is drawn", lambda _: finished_pictures(copy) > 0, 600)
    time.sleep(3)
    screen.wait("the picture", the_program, 1)
    screen.press("EchoGen$", "ctrl+q")
    screen.wait("closed", lambda windows: not any(name.endswith("EchoGen") for name in windows), 60)


def nothing_but_pictures(copy: Copy) -> None:
    """All that is left in the user's home is the user's, or other programs'."""
    left = [path.relative_to(copy.home).as_posix() for path in copy.home.rglob("*") if "echogen" in path.name.lower()]
    assert sorted(left) == sorted(name for name in left if name.startswith(("Pictures/EchoGen", "Downloads/"))), left
    assert len(list((copy.home / "Pictures" / "EchoGen").glob("*.png"))) == 1
    assert not (copy.home / DATA).exists() and not (copy.home / ".local/opt").exists()


def test_the_deb(copy, screen, downloads, uv):
    install_desktop(copy, "gdebi", "pkexec", "polkitd")
    give_password(copy)
    file = download(copy, make_packages.make_deb(downloads, uv))
    screen.run("xdg-open", file)
    screen.wait("the system's installer", lambda windows: any(INSTALLER in name for name in windows), 60)
    press_button(screen, 49, lambda: is_installed(copy))  # "Install Package"
    screen.wait("installed", lambda _: is_installed(copy), 1)
    time.sleep(5)
    screen.end(INSTALLER)
    screen.open(f"/usr/share/applications/{ENTRY}")
    screen.wait("first sign", lambda windows: "EchoGen" in windows, 30)
    set_up_and_draw(copy, screen)
    copy.run("echogen", "--remove", "--all")
    screen.run("xdg-open", file)
    screen.wait("the installer once more", lambda windows: any(INSTALLER in name for name in windows), 60)
    press_button(screen, 89, lambda: not is_installed(copy))  # "Remove Package"
    screen.wait("removed", lambda _: not is_installed(copy), 1)
    time.sleep(2)
    nothing_but_pictures(copy)
    gone = subprocess.run([*copy.enter, "ls", "/usr/bin/echogen", "/opt/echogen"], capture_output=True, text=True)
    assert gone.stdout == ""


def test_the_archive(copy, screen, downloads, uv):
    install_desktop(copy, "engrampa", "thunar")
    file = download(copy, make_packages.make_archive(downloads, uv))
    screen.run("xdg-open", file)
    screen.wait("the archive", lambda windows: any("echogen-" in name for name in windows), 60)
    time.sleep(2)
    screen.press("echogen-", "ctrl+e")
    screen.wait("where to", lambda windows: "Extract" in windows, 30)
    screen.press("^Extract$", "Return")
    entry = copy.home / "Downloads" / "EchoGen" / "Install EchoGen.desktop"
    screen.wait("unpacked", lambda _: entry.exists(), 60)
    time.sleep(2)
    screen.run("thunar", f"{HOME}/Downloads/EchoGen")
    screen.wait("the folder", lambda windows: any("Thunar" in name for name in windows), 60)
    time.sleep(2)
    screen.press("Thunar", "End")  # the second of two files
    screen.press("Thunar", "Return")
    screen.wait("first sign", lambda windows: "EchoGen" in windows, 60)
    set_up_and_draw(copy, screen)
    assert (copy.home / ".local/share/applications" / ENTRY).is_file()
    copy.run(f"{HOME}/.local/opt/echogen/uninstall.sh", "--all")
    nothing_but_pictures(copy)
