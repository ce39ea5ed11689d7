"""A picture to other programs: by dragging or over the clipboard, as a file and as pixels; a file in the file manager."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote_to_bytes

from PySide6.QtCore import QMimeData, QPoint, QRectF, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QDrag, QGuiApplication, QImage, QPainter, QPixmap
from PySide6.QtWidgets import QWidget

from app.look.pixels import ScaledPicture
from app.look.theme import radius

_PREVIEW = 96


def file_url(file: Path) -> QUrl:
    """The address of a file or folder. Names in another encoding keep their bytes, which Qt's own strings cannot hold."""
    return QUrl.fromEncoded(file.absolute().as_uri().encode())


def local_file(url: QUrl) -> Path:
    """The file that an address of this computer means, byte for byte."""
    if os.name == "nt":
        return Path(url.toLocalFile())
    return Path(os.fsdecode(unquote_to_bytes(url.path(QUrl.ComponentFormattingOption.FullyEncoded))))


def mime_data(files: Sequence[Path], image: QImage | None = None) -> QMimeData:
    """File URLs for file managers and mail, pixels for editors and chats; each program takes what it likes."""
    data = QMimeData()
    if files:
        data.setUrls([file_url(file) for file in files])
    if image is not None and not image.isNull():
        data.setImageData(image)
    return data


def copy_picture(image: QImage, file: Path | None = None) -> None:
    """Put a picture on the clipboard."""
    QGuiApplication.clipboard().setMimeData(mime_data([file] if file else [], image))


def drag_out(source: QWidget, files: Sequence[Path], image: QImage | None, preview: QImage) -> bool:
    """Drag pictures out of the window; returns whether something took them. Always a copy: the original stays."""
    drag = QDrag(source)
    drag.setMimeData(mime_data(files, image))
    picture = _preview(preview, source.devicePixelRatioF())
    drag.setPixmap(picture)
    drag.setHotSpot(QPoint(_PREVIEW // 2, _PREVIEW // 2))
    return drag.exec(Qt.DropAction.CopyAction) != Qt.DropAction.IgnoreAction


def _preview(image: QImage, ratio: float) -> QPixmap:
    result = QPixmap(round(_PREVIEW * ratio), round(_PREVIEW * ratio))
    result.setDevicePixelRatio(ratio)
    result.fill(Qt.GlobalColor.transparent)
    if image.isNull():
        return result
    scale = _PREVIEW / max(image.width(), image.height())
    width, height = image.width() * scale, image.height() * scale
    painter = QPainter(result)
    painter.setOpacity(0.9)
    rect = QRectF((_PREVIEW - width) / 2, (_PREVIEW - height) / 2, width, height)
    ScaledPicture(image).paint(painter, rect, radius("picture"))
    painter.end()
    return result


# Show a file in the system's file manager.


log = logging.getLogger(__name__)


def reveal(file: Path) -> None:
    """Open the folder with the file selected where the system can, else the folder alone."""
    import subprocess

    try:
        if sys.platform == "win32":
            subprocess.Popen(["explorer", "/select,", str(file)])
            return
        if sys.platform == "darwin":
            subprocess.Popen(["open", "-R", str(file)])
            return
    except OSError:
        log.warning("the file manager could not be started", exc_info=True)
    QDesktopServices.openUrl(file_url(file.parent))
