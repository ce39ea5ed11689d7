"""Choosing the folder of the set-up, and removing what the launcher made in one: no file of anybody else."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from pathlib import Path

from app.language.say import say
from installer.launcher.errors import SetupFailed
from installer.launcher.places import MARKER, Places, config_folder, reachable, write

_OWN = re.compile(
    r"environments|cache|wheels|python|versions|updates|backend|python-path|state\.json|setup\.log|setup\.lock|damaged"
    r"|(window|program)\.txt|[0-9a-f]{16}-(window|program)\.pylock\.toml"
)
"""Names of all that the launcher makes in its folder; what is being written has a point before and an ending behind."""

_SYNCED = {
    "OneDrive": r"OneDrive\b",
    "Dropbox": r"Dropbox\b",
    "Google Drive": r"Google ?Drive\b",
    "iCloud Drive": r"iCloud ?Drive\b|Mobile Documents$",
}
"""Services by the beginnings of their folders' names."""


def choose_folder(parent: Path) -> str:
    """Set up in a folder inside of this one from now on: "EchoGen", or a longer name where somebody else's files lie there.

    Returns:
        the folder before, where a set-up was begun in it; ``remove_left`` removes that later. Else "".

    Raises:
        SetupFailed: the folder is kept in the cloud.
    """
    service = synced_by(parent)
    if service:
        raise SetupFailed(
            say("{0} is kept in {1}, which would send the whole program there and lock its files.", parent, service),
            say("Choose a folder that stays on this computer."),
            "disk",
        )
    folder = parent / "EchoGen"
    if _is_someone_elses(folder):  # as the folder of finished pictures
        folder = parent / "EchoGen program"
    before = Places.standard(Path()).folder
    config_folder().mkdir(parents=True, exist_ok=True)
    left = before != folder and (before / MARKER).is_file()
    if left:
        write(_left_file(), "".join(f"{one}\n" for one in dict.fromkeys([*left_folders(), before])))
    # A plain line of text: the start script reads it, too.
    write(config_folder() / "program-folder", f"{folder}\n")
    return str(before) if left else ""


def synced_by(folder: Path) -> str:
    """Return the service that keeps a folder in the cloud, as "OneDrive"; "" for one that stays on this computer."""
    for name in ("OneDrive", "OneDriveConsumer", "OneDriveCommercial"):
        if os.environ.get(name) and folder.is_relative_to(os.environ[name]):
            return "OneDrive"
    for part in folder.parts:
        for service, pattern in _SYNCED.items():
            if re.match(pattern, part, re.IGNORECASE):
                return service
    return ""


def left_folders() -> list[Path]:
    """Return the folders in which a set-up was begun before another one was chosen."""
    try:
        return [Path(line) for line in _left_file().read_text(encoding="utf-8").splitlines() if line]
    except (OSError, ValueError):
        return []


def remove_left(used: Path) -> None:
    """Remove what was begun in other folders than the one in use, which has to be whole by then."""
    for folder in left_folders():
        if folder != used:
            remove_own(folder)
    _left_file().unlink(missing_ok=True)


def remove_own(folder: Path) -> None:
    """Remove what the launcher made in a folder, and the folder itself where nothing else lies in it."""
    if not (folder / MARKER).is_file():
        return
    for path in folder.iterdir():
        name = re.sub(r"^\.(.+)\.\d+\.part$", r"\1", path.name)
        if not _OWN.fullmatch(name):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(reachable(path), ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
    if any(_OWN.fullmatch(path.name) for path in folder.iterdir()):
        return  # what could not be removed keeps the sign of whose it is
    with contextlib.suppress(OSError):  # the folder stays where somebody else's files lie in it
        (folder / MARKER).unlink()
        folder.rmdir()


def _left_file() -> Path:
    return config_folder() / "program-folders-left"


def _is_someone_elses(folder: Path) -> bool:
    try:
        return not (folder / MARKER).is_file() and any(folder.iterdir())
    except OSError:
        return folder.exists()
