"""A small picture of a cut-out, as the model is shown it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.look.pixels import to_image
from app.look.theme import notifier, radius, theme

if TYPE_CHECKING:
    import numpy as np


class CutOutView(QWidget):
    """The cut-out on white in a rounded frame."""

    def __init__(self, side: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picture = QImage()
        self._side = side
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        notifier.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(self._side, self._side)

    def set_pixels(self, pixels: np.ndarray | None) -> None:
        """RGB uint8 (S, S, 3), or None for an empty frame."""
        self._picture = QImage() if pixels is None else to_image(pixels)
        self.update()

    def has_picture(self) -> bool:
        return not self._picture.isNull()

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        rect = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        path = QPainterPath()
        path.addRoundedRect(rect, radius("control"), radius("control"))
        painter.fillPath(path, Qt.GlobalColor.white if self.has_picture() else theme().color("surface-sunken"))
        if self.has_picture():
            painter.setClipPath(path)
            wanted = self.size() * self.devicePixelRatioF()
            scaled = self._picture.scaled(
                wanted, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
            )
            painter.drawImage(QRectF(self.rect()), scaled)
            painter.setClipping(False)
        painter.setPen(QPen(theme().color("border"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(path)
