"""One key of the keyboard, drawn as a key."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.look import type as type_
from app.look.theme import notifier, radius, theme


class KeyCap(QWidget):
    """A key.

    Args:
        text: on the key, and its name for screen readers.
        quiet: smaller and muted, for hints beside something else.
    """

    def __init__(self, text: str, parent: QWidget | None = None, *, quiet: bool = False) -> None:
        super().__init__(parent)
        self._text, self._quiet = text, quiet
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(text)
        type_.apply(self, "micro")
        notifier.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        metrics, least, margin = self.fontMetrics(), 20 if self._quiet else 22, 6 if self._quiet else 8
        return QSize(max(least, metrics.horizontalAdvance(self._text) + 12), metrics.height() + margin)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme().color("border"), 1))
        painter.setBrush(theme().color("surface-raised"))
        rect, corner = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), radius("key")
        painter.drawRoundedRect(rect, corner, corner)
        painter.setPen(theme().color("text-muted" if self._quiet else "text"))
        painter.setFont(self.font())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._text)
