"""Ways a photo comes in: the file dialog, the clipboard, a drop."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication, QMimeData, QObject, Signal, Slot
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog, QWidget

from app.subject.photo_drops import photos_in
from app.system.places import pictures_folder

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
        files = ask_for_photos(self._window, self.tr("Open photo"))
        if files:
            self.filesGiven.emit(files)

    @Slot()
    def paste(self) -> None:
        """Take what is on the clipboard."""
        if not self.take(QGuiApplication.clipboard().mimeData()):
            self.notice.emit(self.tr("The clipboard holds no picture"))

    def take(self, data: QMimeData | None) -> bool:
        """Take what was dropped or pasted; False when it holds no picture."""
        given = photos_in(data)
        if given and isinstance(given[0], QImage):
            self.imageGiven.emit(given[0], pasted_title())
        elif given:
            self.filesGiven.emit(given)
        return bool(given)


def ask_for_photo(window: QWidget, title: str) -> Path | None:
    """Ask for one photo, of every kind that can be read; None where nobody chose one."""
    name, _ = QFileDialog.getOpenFileName(window, title, str(pictures_folder()), _kinds())
    return Path(name) if name else None


def ask_for_photos(window: QWidget, title: str) -> list[Path]:
    """The same for any number of photos."""
    names, _ = QFileDialog.getOpenFileNames(window, title, str(pictures_folder()), _kinds())
    return [Path(name) for name in names]


def pasted_title() -> str:
    """The title of a picture without a file."""
    return QCoreApplication.translate("PhotoSources", "Pasted picture")


def _kinds() -> str:
    translate = QCoreApplication.translate
    pictures, everything = translate("PhotoSources", "Pictures"), translate("PhotoSources", "All files")
    return f"{pictures} ({_SUFFIXES});;{everything} (*)"
