"""Arrays to Qt pictures, and the soft shadow under them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QColorSpace, QImage, QPainter, QPen, QPixmap, QTransform

from app.look.theme import radius, theme, tokens

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np


def to_image(pixels: np.ndarray) -> QImage:
    """uint8 (H, W, 3) or (H, W, 4) → a picture that owns its memory (a view would outlive the array)."""
    import numpy as np

    pixels = np.ascontiguousarray(pixels)
    height, width, channels = pixels.shape
    kind = QImage.Format.Format_RGB888 if channels == 3 else QImage.Format.Format_RGBA8888
    view = QImage(pixels.data, width, height, channels * width, kind)
    # Another format is another picture, with memory of its own.
    return view.convertToFormat(
        QImage.Format.Format_RGB32 if channels == 3 else QImage.Format.Format_ARGB32_Premultiplied
    )


def read_image(file: Path) -> QImage:
    """A picture's file in sRGB, whatever colours it is in; a null picture where it cannot be read."""
    return in_srgb(QImage(str(file)))


def in_srgb(image: QImage) -> QImage:
    """A picture that Qt read, which keeps the numbers of its file, in sRGB."""
    srgb = QColorSpace(QColorSpace.NamedColorSpace.SRgb)
    if not image.isNull() and image.colorSpace().isValid() and image.colorSpace() != srgb:
        image.convertToColorSpace(srgb)
    return image


def to_array(image: QImage) -> np.ndarray:
    """A picture → RGB uint8 (H, W, 3)."""
    import numpy as np

    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def on_chequers(rgb: np.ndarray, alpha: np.ndarray, step: int, left: int = 0, top: int = 0) -> np.ndarray:
    """A transparent picture as one sees it: over a chequerboard, which shows where it is clear.

    Args:
        rgb: uint8 (H, W, 3), straight. alpha: uint8 (H, W).
        step: side of a square in pixels.
        left, top: where on an endless board the picture lies, so that squares stay where they are while a part of it is made.

    Returns:
        RGB uint8 (H, W, 3).
    """
    import numpy as np

    rows, columns = np.ogrid[top : top + alpha.shape[0], left : left + alpha.shape[1]]
    ground = np.where((rows // step + columns // step) % 2 == 0, 255, 214).astype(np.float32)[..., None]
    share = alpha[..., None].astype(np.float32) / 255
    return (ground + (rgb - ground) * share + 0.5).astype(np.uint8)


class ScaledPicture:
    """A picture with a copy at the size it is shown at, scaled once and smoothly."""

    def __init__(self, image: QImage) -> None:
        self.image = image
        self._scaled: QPixmap | None = None

    def paint(self, painter: QPainter, rect: QRectF, corner: float) -> None:
        """Fill a rectangle with rounded corners. Only the part inside the painter's window costs anything."""
        device = painter.device()
        ratio = device.devicePixelRatioF() if device is not None else 1.0
        wanted = QSize(max(1, round(rect.width() * ratio)), max(1, round(rect.height() * ratio)))
        shrunk = wanted.width() < self.image.width() or wanted.height() < self.image.height()
        if shrunk or wanted.width() * wanted.height() <= 2**22:
            if self._scaled is None or self._scaled.size() != wanted:
                self._scaled = QPixmap.fromImage(
                    self.image.scaled(
                        wanted, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
                    )
                )
            texture = QBrush(self._scaled)
            steps = (rect.width() / wanted.width(), rect.height() / wanted.height())
        else:
            texture = QBrush(self.image)
            steps = (rect.width() / self.image.width(), rect.height() / self.image.height())
        texture.setTransform(QTransform.fromTranslate(rect.x(), rect.y()).scale(*steps))
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(texture)
        painter.drawRoundedRect(rect, corner, corner)


def paint_shadow(painter: QPainter, rect: QRectF, name: str) -> None:
    """The shadow ("picture", "float") of a rectangle, before the rectangle itself is painted."""
    offset, blur, color = theme().shadow(name)
    image = _shadow(round(rect.width()), round(rect.height()), blur, color.rgba())
    painter.drawPixmap(QPointF(rect.x() - blur, rect.y() - blur + offset), image)


@lru_cache(maxsize=8)
def _shadow(width: int, height: int, blur: int, rgba: int) -> QPixmap:
    """A rectangle with soft edges, ``blur`` pixels larger on every side. The blur of a rectangle is a product of two
    profiles, one per axis."""
    import numpy as np

    def profile(length: int) -> np.ndarray:
        at = np.arange(length + 2 * blur) + 0.5 - blur
        sigma = blur / 2
        edge = lambda x: 0.5 * (1 + np.tanh(1.2 * x / sigma))  # noqa: E731
        return (edge(at) - edge(at - length)).clip(0, 1).astype(np.float32)

    color = QColor.fromRgba(rgba)
    alpha = np.rint(np.outer(profile(height), profile(width)) * (color.alphaF() * 255)).astype(np.uint8)
    levels = np.arange(256, dtype=np.uint32)
    red, green, blue = ((part * levels + 127) // 255 for part in (color.red(), color.green(), color.blue()))
    pixels = (levels << 24 | red << 16 | green << 8 | blue)[alpha]
    rows, columns = pixels.shape
    view = QImage(pixels.data, columns, rows, 4 * columns, QImage.Format.Format_ARGB32_Premultiplied)
    return QPixmap.fromImage(view.copy())


def paint_dashed(painter: QPainter, rect: QRectF, corner: float, color: str = "outline", width: float = 1.5) -> None:
    """A dashed box: something will be here."""
    pen = QPen(theme().color(color), width)
    pen.setDashPattern([7 / width, 4 / width] if width > 1 else [3, 3])
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(rect.adjusted(width / 2, width / 2, -width / 2, -width / 2), corner, corner)
    painter.restore()


def paint_focus_ring(painter: QPainter, rect: QRectF) -> None:
    """The focus ring of a widget that draws it inside itself."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(theme().color("focus"), tokens()["stroke"]["focus"]))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(rect, radius("control"), radius("control"))
    painter.restore()
