"""Removing what the launcher set up. Pictures stay; models, history and settings go only when the user says so."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from pathlib import Path

from app.language.say import say
from installer.launcher.folders import remove_left, remove_own
from installer.launcher.places import APP_NAME, MARKER, Places, config_folder, data_folder

MODELS = "bundles"  # as in engine/bundle/library.py; a folder that the user chose for models is never touched
# As in app/store/paths.py. Pictures that could not be saved lie beside them, and stay.
_DATA = (MODELS, "assets", "drafts", "history.sqlite*", "instance.lock", "list.json*", "session.json*")
_SETTINGS = ("settings.json*", "presets.json*", "downloads.json*", "models-folder")


def remove(places: Places, *, models: bool | None = None, everything: bool = False) -> int:
    """Remove the set-up.

    Args:
        models: whether downloaded models go, too; None asks on a terminal and keeps them without one.
        everything: models, history, settings and the log go, too: pictures alone stay.

    Returns:
        the exit code: 1 where something could not be removed.
    """
    remove_left(places.folder)
    remove_own(places.folder)
    if (places.folder / MARKER).exists():  # as on Windows while the program is open
        print(say("Files in {0} are in use. Close EchoGen and remove it again.", places.folder), file=sys.stderr)
        return 1
    for name in ("program-folder", "network.json"):
        (config_folder() / name).unlink(missing_ok=True)
    if everything:
        for folder, names in ((data_folder(), _DATA), (config_folder(), _SETTINGS), (_log_folder(), ("*.log*",))):
            _remove(folder, names)
        print(say("EchoGen's set-up, history and settings are removed. Pictures are kept."))
        return 0
    folder = data_folder() / MODELS
    if folder.is_dir():
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e9
        if models is None:
            models = _ask(say("Remove the downloaded models too ({0:.1f} GB in {1})? [y/N] ", size, folder))
        if models:
            shutil.rmtree(folder, ignore_errors=True)
    print(say("EchoGen's set-up is removed. Pictures, history and settings are kept in {0}.", data_folder()))
    return 0


def _remove(folder: Path, names: tuple[str, ...]) -> None:
    """Remove files and folders of these names, and then the folder where nothing else lies in it."""
    for path in [path for name in names for path in folder.glob(name)]:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()
        if folder.name == "log":
            folder.parent.rmdir()


def _log_folder() -> Path:
    """The folder of the program's log by the rules of the system."""
    if sys.platform == "win32":
        return data_folder() / "Logs"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Logs" / APP_NAME
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / APP_NAME / "log"


def _ask(question: str) -> bool:
    if not sys.stdin or not sys.stdin.isatty():
        return False
    return input(question).strip().lower() in ("y", "yes")
