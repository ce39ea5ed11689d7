"""Folders of the user's own in which a file dialog begins: without one it would begin in the folder of the program."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QStandardPaths


def pictures_folder() -> Path:
    """Return the system's folder for photos and pictures."""
    return _folder(QStandardPaths.StandardLocation.PicturesLocation)


def documents_folder() -> Path:
    """Return the system's folder for other files."""
    return _folder(QStandardPaths.StandardLocation.DocumentsLocation)


def _folder(kind: QStandardPaths.StandardLocation) -> Path:
    return Path(QStandardPaths.writableLocation(kind) or Path.home())
