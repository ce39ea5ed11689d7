"""Photos that are dropped onto one place in the window, which takes them for itself; elsewhere the window takes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, Qt
from PySide6.QtGui import QDropEvent, QImage
from PySide6.QtWidgets import QWidget

from app.system.sharing import local_file


class PhotoDrops(QObject):
    """Makes a widget take photos. What it does not take goes to the widget around it.

    Args:
        may_take: whether it takes any now.
        take: called with a list of paths, or of one ``QImage`` that has no file.
        show: whether photos are over the widget.
    """

    def __init__(
        self,
        widget: QWidget,
        may_take: Callable[[], bool],
        take: Callable[[list[Path | QImage]], object],
        show: Callable[[bool], object],
    ) -> None:
        super().__init__(widget)
        self._may_take, self._take, self._show = may_take, take, show
        widget.setAcceptDrops(True)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        match event.type():
            case QEvent.Type.DragEnter | QEvent.Type.DragMove:
                assert isinstance(event, QDropEvent)
                data = event.mimeData()
                takes = holds_picture(data) and not holds_folders_only(data) and self._may_take()
                if event.source() is not None or not takes:
                    return False
                self._show(True)
                event.setDropAction(Qt.DropAction.CopyAction)
                event.accept()
                return True
            case QEvent.Type.DragLeave:
                self._show(False)
            case QEvent.Type.Drop:
                assert isinstance(event, QDropEvent)
                self._show(False)
                given = photos_in(event.mimeData())
                if event.source() is not None or not given or not self._may_take():
                    return False
                event.setDropAction(Qt.DropAction.CopyAction)
                event.accept()
                self._take(given)
                return True
        return False


def holds_picture(data: QMimeData) -> bool:
    """Return True if a drop may hold a picture."""
    return bool(local_files(data)) or data.hasImage()


def holds_folders_only(data: QMimeData) -> bool:
    """Return True if a drop is of folders, with no file beside them."""
    files = local_files(data)
    return bool(files) and all(file.is_dir() for file in files)


def is_for_text(data: QMimeData) -> bool:
    """Return True if a picture is only the look of words, as office programs add one to the text they copy."""
    return data.hasFormat("text/plain") and not data.hasUrls()


def local_files(data: QMimeData | None) -> list[Path]:
    """Files on this computer in a drop or on the clipboard."""
    if data is None or not data.hasUrls():
        return []
    return [local_file(url) for url in data.urls() if url.isLocalFile()]


def photos_in(data: QMimeData | None) -> list[Path | QImage]:
    """The contents of a drop or of the clipboard: files, else a picture without one; empty for neither."""
    files = local_files(data)
    if files or data is None or not data.hasImage():
        return [*files]
    image = QImage(data.imageData())
    return [] if image.isNull() else [image]
