"""The frame over the whole window while a file is dragged over it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QWidget

from app.look import icons
from app.look import type as type_
from app.look.theme import notifier, radius, theme

_WIDTH = 3
_ICON = 24


class DropFrame(QWidget):
    """Covers the window, lets every event through, says what a drop will do."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.setObjectName("dropFrame")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.text, self.refused = "", False
        window.installEventFilter(self)
        notifier.changed.connect(self.update)
        self.hide()

    def show_text(self, text: str, *, refused: bool = False) -> None:
        """Cover the window; ``refused``: the text says why this cannot be dropped."""
        self.text, self.refused = text, refused
        self.setGeometry(self._window.rect())
        self.show()
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self.setGeometry(self._window.rect())
        return False

    def paintEvent(self, event) -> None:
        color = theme().color
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), color("scrim"))
        painter.setPen(QPen(color("accent"), _WIDTH))
        edge = 8 + _WIDTH / 2
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(edge, edge, -edge, -edge), 12, 12)
        font = type_.font("heading")
        metrics = QFontMetricsF(font)
        width = metrics.horizontalAdvance(self.text) + _ICON + 12 + 48
        card = QRectF(0, 0, width, 64)
        card.moveCenter(QRectF(self.rect()).center())
        painter.setPen(QPen(color("border"), 1))
        painter.setBrush(color("surface-raised"))
        painter.drawRoundedRect(card, radius("card"), radius("card"))
        spot = QRectF(card.left() + 24, card.center().y() - _ICON / 2, _ICON, _ICON)
        icon, color_of_icon = ("triangle-alert", "warning") if self.refused else ("image-plus", "accent")
        icons.paint_icon(painter, icon, spot, color_of_icon)
        painter.setFont(font)
        painter.setPen(color("text"))
        painter.drawText(
            card.adjusted(24 + _ICON + 12, 0, 0, 0),
            Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft,
            self.text,
        )
