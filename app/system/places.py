"""Folders of the user's own in which a file dialog begins: without one it would begin in the folder of the program."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QStandardPaths


def pictures_folder() -> Path:
    """Where photos and pictures lie."""
    return _folder(QStandardPaths.StandardLocation.PicturesLocation)


def documents_folder() -> Path:
    """Where other files lie."""
    return _folder(QStandardPaths.StandardLocation.DocumentsLocation)


def _folder(kind: QStandardPaths.StandardLocation) -> Path:
    return Path(QStandardPaths.writableLocation(kind) or Path.home())
