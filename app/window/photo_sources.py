"""Ways a photo comes in: the file dialog, the clipboard, a drop."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication, QMimeData, QObject, Signal, Slot
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog, QWidget

from app.system.places import pictures_folder
from app.system.sharing import local_file

_SUFFIXES = (
    "*.png *.jpg *.jpeg *.jfif *.webp *.tif *.tiff *.gif *.bmp *.avif *.heic *.heif "
    "*.dng *.cr2 *.cr3 *.nef *.arw *.orf *.raf *.rw2 *.pef"
)


class PhotoSources(QObject):
    """Takes files and pictures and hands them on.

    Args:
        window: owner of the file dialog.

    Signals:
        filesGiven(object): list of paths.
        imageGiven(object, str): a ``QImage`` without a file, and what to call it.
        notice(str): a sentence for a toast.
    """

    filesGiven = Signal(object)
    imageGiven = Signal(object, str)
    notice = Signal(str)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window

    @Slot()
    def choose(self) -> None:
        """Ask for photos."""
        names, _ = QFileDialog.getOpenFileNames(self._window, self.tr("Open photo"), str(pictures_folder()), _kinds())
        if names:
            self.filesGiven.emit([Path(name) for name in names])

    @Slot()
    def paste(self) -> None:
        """Take what is on the clipboard."""
        if not self.take(QGuiApplication.clipboard().mimeData()):
            self.notice.emit(self.tr("The clipboard holds no picture"))

    def take(self, data: QMimeData | None) -> bool:
        """Take what was dropped or pasted; False when it holds no picture."""
        files = local_files(data)
        if files:
            self.filesGiven.emit(files)
            return True
        if data is not None and data.hasImage():
            image = QImage(data.imageData())
            if not image.isNull():
                self.imageGiven.emit(image, self.tr("Pasted picture"))
                return True
        return False


def ask_for_photo(window: QWidget, title: str) -> Path | None:
    """Ask for one photo, of every kind that can be read; None where nobody chose one."""
    name, _ = QFileDialog.getOpenFileName(window, title, str(pictures_folder()), _kinds())
    return Path(name) if name else None


def _kinds() -> str:
    translate = QCoreApplication.translate
    pictures, everything = translate("PhotoSources", "Pictures"), translate("PhotoSources", "All files")
    return f"{pictures} ({_SUFFIXES});;{everything} (*)"


def holds_picture(data: QMimeData) -> bool:
    """Return True if a drop may hold a picture."""
    return bool(local_files(data)) or data.hasImage()


def local_files(data: QMimeData | None) -> list[Path]:
    """Files on this computer in a drop or on the clipboard."""
    if data is None or not data.hasUrls():
        return []
    return [local_file(url) for url in data.urls() if url.isLocalFile()]
