"""Removing what the launcher set up. Pictures, history and settings stay; models go only when the user says so."""

from __future__ import annotations

import shutil
import sys

from app.language.say import say
from installer.launcher.folders import remove_left, remove_own
from installer.launcher.places import Places, config_folder, data_folder

MODELS = "bundles"  # as in engine/bundle/library.py; a folder that the user chose for models is never touched


def remove(places: Places, *, models: bool | None = None) -> int:
    """Remove the set-up.

    Args:
        models: whether downloaded models go, too; None asks on a terminal and keeps them without one.

    Returns:
        the exit code.
    """
    remove_left(places.folder)
    remove_own(places.folder)
    for name in ("program-folder", "network.json"):
        (config_folder() / name).unlink(missing_ok=True)
    folder = data_folder() / MODELS
    if folder.is_dir():
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e9
        if models is None:
            models = _ask(say("Remove the downloaded models too ({0:.1f} GB in {1})? [y/N] ", size, folder))
        if models:
            shutil.rmtree(folder, ignore_errors=True)
    print(say("EchoGen's set-up is removed. Pictures, history and settings are kept in {0}.", data_folder()))
    return 0


def _ask(question: str) -> bool:
    if not sys.stdin or not sys.stdin.isatty():
        return False
    return input(question).strip().lower() in ("y", "yes")
