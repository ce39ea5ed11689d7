"""Folders of the user's own in which a file dialog begins: without one it would begin in the folder of the program."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QStandardPaths

from engine import is_folder


def pictures_folder() -> Path:
    """Return the system's folder for photos and pictures."""
    return _folder(QStandardPaths.StandardLocation.PicturesLocation)


def documents_folder() -> Path:
    """Return the system's folder for other files."""
    return _folder(QStandardPaths.StandardLocation.DocumentsLocation)


def existing(folder: Path) -> Path:
    """Return the folder, or the home folder where it is not there: a dialog that begins nowhere begins in the program's own
    folder, and Qt's takes the name of the missing one for that of a file."""
    return folder if is_folder(folder) else Path.home()


def _folder(kind: QStandardPaths.StandardLocation) -> Path:
    return existing(Path(QStandardPaths.writableLocation(kind) or Path.home()))
