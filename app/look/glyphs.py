"""Icons as widgets of their own."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from app.look import icons
from app.look.theme import notifier


class Sign(QWidget):
    """An icon beside words.

    Args:
        name: a Lucide icon. color: a token of the theme.
    """

    def __init__(self, name: str, color: str = "text-muted", side: int = 16, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name, self._color = name, color
        self.setFixedSize(side, side)
        notifier.changed.connect(self.update)

    def paintEvent(self, event) -> None:
        icons.paint_icon(QPainter(self), self._name, QRectF(self.rect()), self._color)
