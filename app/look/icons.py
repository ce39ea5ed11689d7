"""Lucide icons, tinted from the tokens.

Widgets of ``controls`` paint icons by name and follow the theme by themselves. A ``QIcon`` from ``icon`` carries the colours
of the moment it was made; whoever keeps one makes it anew on ``theme.notifier.changed``.
"""

from __future__ import annotations

import math
from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QWidget

from app.look.theme import theme, tokens
from app.resources import resource


def icon(name: str, color: str = "text", size: int = 18) -> QIcon:
    """An icon by its Lucide name. ``color``: a token of the theme. Raises ``FileNotFoundError`` for an unknown name."""
    result = QIcon()
    for mode, token in ((QIcon.Mode.Normal, color), (QIcon.Mode.Disabled, "text-disabled")):
        for ratio in (1.0, 2.0, 3.0):
            result.addPixmap(pixmap(name, theme().color(token), size, ratio), mode)
    return result


def paint_icon(
    painter: QPainter, name: str, rect: QRectF, color: QColor | str, *, angle: float = 0.0, filled: bool = False
) -> None:
    """Paint an icon into the middle of a rectangle.

    Args:
        rect: where; the icon takes the shorter side.
        color: a colour, or a token of the theme.
        angle: turned clockwise by this many degrees (the spinner).
        filled: the shape is filled too (the star of a starred picture).
    """
    tint = theme().color(color) if isinstance(color, str) else color
    side = min(rect.width(), rect.height())
    device = painter.device()
    ratio = device.devicePixelRatioF() if device is not None else 1.0
    image = pixmap(name, tint, math.ceil(side), ratio, filled)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.translate(rect.center())
    if angle:
        painter.rotate(angle)
    painter.drawPixmap(QRectF(-side / 2, -side / 2, side, side), image, QRectF(image.rect()))
    painter.restore()


def paint_doubt(widget: QWidget) -> None:
    """Paint a triangle at the lower right corner of a small picture: something of it is not as it should be."""
    side = 18
    badge = QRectF(widget.width() - side - 2, widget.height() - side - 2, side, side)
    painter = QPainter(widget)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme().color("surface"))
    painter.drawEllipse(badge)
    paint_icon(painter, "triangle-alert", badge.adjusted(2, 2, -2, -2), "warning")


def pixmap(name: str, color: QColor, size: int, ratio: float = 1.0, filled: bool = False) -> QPixmap:
    """An icon as pixels, ``size`` device-independent pixels a side."""
    return _render(name, color.rgba(), size, ratio, filled)


@lru_cache(maxsize=1024)
def _render(name: str, rgba: int, size: int, ratio: float, filled: bool) -> QPixmap:
    color = QColor.fromRgba(rgba)
    stroke = color.name()
    text = _source(name).replace("currentColor", stroke)
    text = text.replace('stroke-width="2"', f'stroke-width="{tokens()["icon"]["stroke"]}"')
    if filled:
        text = text.replace('fill="none"', f'fill="{stroke}"', 1)
    renderer = QSvgRenderer(QByteArray(text.encode()))
    image = QPixmap(round(size * ratio), round(size * ratio))
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setOpacity(color.alphaF())
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    return image


@lru_cache(maxsize=128)
def _source(name: str) -> str:
    return resource("icons", f"{name}.svg").read_text(encoding="utf-8")
