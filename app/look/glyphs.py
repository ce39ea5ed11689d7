"""Icons as widgets of their own."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Slot
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from app.look import icons
from app.look import type as type_
from app.look.theme import notifier, radius, theme


class Glyph(QWidget):
    """An icon that only shows, beside words.

    Args:
        name: a Lucide icon. color: a token of the theme. side: of the icon, in pixels.
        tile: side of a soft rounded ground for it; 0 for none. Both grow with the text.
    """

    def __init__(
        self, name: str, color: str = "text-muted", side: int = 16, *, tile: int = 0, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._name, self._color, self._icon, self._tile = name, color, side, tile
        self._resize()
        notifier.changed.connect(self.update)
        notifier.textScaled.connect(self._resize)

    @Slot()
    def _resize(self) -> None:
        side = type_.scaled(self._tile or self._icon)
        self.setFixedSize(side, side)

    def set_icon(self, name: str, color: str) -> None:
        if (name, color) != (self._name, self._color):
            self._name, self._color = name, color
            self.update()

    def icon_name(self) -> str:
        return self._name

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect())
        if self._tile:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme().color("surface-hover"))
            painter.drawRoundedRect(area, radius("control"), radius("control"))
        inset = (area.width() - type_.scaled(self._icon)) / 2
        icons.paint_icon(painter, self._name, area.adjusted(inset, inset, -inset, -inset), self._color)
