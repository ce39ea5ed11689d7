"""Adds EchoGen to the desktop's menu: a .desktop file, a Start-menu shortcut, or a small .app."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

APP_ID = "io.github.echogen.Desktop"
NAME = "EchoGen"
COMMENT = "Your subject, from one photo, in any scene you can describe"


def install_entry(root: Path, python: Path, home: Path | None = None) -> Path:
    """Write the entry for the current user and return its path.

    Args:
        root: the folder of the program.
        python: the environment's interpreter.
        home: the user's home folder; tests pass their own.
    """
    home = home or Path.home()
    if sys.platform == "win32":
        return _start_menu_shortcut(root, python)
    if sys.platform == "darwin":
        return _application_bundle(root, python, home)
    return _desktop_file(root, python, home)


def _desktop_file(root: Path, python: Path, home: Path) -> Path:
    import subprocess

    share = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    icons = share / "icons" / "hicolor" / "scalable" / "apps"
    icons.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(root / "resources" / "icons" / "echogen.svg", icons / f"{APP_ID}.svg")
    entry = share / "applications" / f"{APP_ID}.desktop"
    entry.parent.mkdir(parents=True, exist_ok=True)
    temporary = entry.with_suffix(".tmp")
    temporary.write_text(desktop_entry(f"env {_quote(python)} -I {_quote(root / 'main.py')}"), encoding="utf-8")
    temporary.replace(entry)
    update = shutil.which("update-desktop-database")
    if update:
        subprocess.run([update, str(entry.parent)], capture_output=True)
    return entry


def desktop_entry(command: str) -> str:
    """The text of a .desktop file that opens photos with a command, quoted already."""
    lines = [
        "[Desktop Entry]",
        "Type=Application",
        "Version=1.4",
        f"Name={NAME}",
        f"Comment={COMMENT}",
        f"Exec={command} %F",
        f"Icon={APP_ID}",
        "Terminal=false",
        "Categories=Graphics;2DGraphics;",
        "MimeType=image/x-echogen+png;image/png;image/jpeg;image/webp;image/tiff;",
        f"StartupWMClass={APP_ID}",
        "",
    ]
    return "\n".join(lines)


def _quote(path: Path) -> str:
    """Quote for Exec= (desktop entry specification): reserved characters get a backslash, percent signs are doubled.

    Every value of the file is unescaped once more, so that each backslash is written twice. A program's own name must not
    hold a percent sign for GLib, an argument may: that is why ``env`` starts it.
    """
    text = str(path)
    for character in '\\"`$':
        text = text.replace(character, "\\" + character)
    return '"' + text.replace("%", "%%").replace("\\", "\\\\") + '"'


def _start_menu_shortcut(root: Path, python: Path) -> Path:
    import subprocess

    menu = Path(os.environ["APPDATA"]) / "Microsoft" / "Windows" / "Start Menu" / "Programs"
    link = menu / f"{NAME}.lnk"
    # pythonw opens no console window. The values travel in the environment: no quoting, nothing to inject.
    script = (
        "$s=(New-Object -ComObject WScript.Shell).CreateShortcut($env:EG_LINK);$s.TargetPath=$env:EG_PYTHON;"
        "$s.Arguments='-I \"'+$env:EG_MAIN+'\"';$s.WorkingDirectory=$env:EG_ROOT;$s.IconLocation=$env:EG_ICON;$s.Save()"
    )
    environment = {
        **os.environ,
        "EG_LINK": str(link),
        "EG_PYTHON": str(python.with_name("pythonw.exe")),
        "EG_MAIN": str(root / "main.py"),
        "EG_ROOT": str(root),
        "EG_ICON": str(root / "resources" / "icons" / "echogen.ico"),
    }
    subprocess.run(["powershell", "-NoProfile", "-Command", script], env=environment, check=True)
    return link


def _application_bundle(root: Path, python: Path, home: Path) -> Path:
    import plistlib

    bundle = home / "Applications" / f"{NAME}.app"
    programs = bundle / "Contents" / "MacOS"
    resources = bundle / "Contents" / "Resources"
    for folder in (programs, resources):
        folder.mkdir(parents=True, exist_ok=True)
    icon = root / "resources" / "icons" / "echogen.icns"
    if icon.exists():
        shutil.copyfile(icon, resources / icon.name)
    start = programs / NAME
    start.write_text(f'#!/bin/sh\nexec {_shell(python)} -I {_shell(root / "main.py")} "$@"\n', encoding="utf-8")
    start.chmod(0o755)
    information = {
        "CFBundleIdentifier": APP_ID,
        "CFBundleName": NAME,
        "CFBundleExecutable": NAME,
        "CFBundlePackageType": "APPL",
        "CFBundleIconFile": "echogen.icns",
        "NSHighResolutionCapable": True,
        "CFBundleDocumentTypes": [{"CFBundleTypeRole": "Viewer", "LSItemContentTypes": ["public.image"]}],
    }
    (bundle / "Contents" / "Info.plist").write_bytes(plistlib.dumps(information))
    return bundle


def _shell(path: Path) -> str:
    return "'" + str(path).replace("'", "'\\''") + "'"
