"""The room of the first run's card until it is known whether the card comes: what lies below it does not move then."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QRect
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QWidget

from app.look import type as type_
from app.look.theme import notifier, theme

LOWEST = 600
"""Of the stage, in pixels; below it the canvas needs all the room."""
HIGHEST = 400
_MARGINS = 50
_ANYWHERE = QRect(0, 0, 9999, 9999)


def usual_height() -> int:
    """The height of the card as most computers have it: with a text of two lines. The characters of some languages are higher."""
    return _MARGINS + 2 * type_.line_height("section") + 3 * type_.line_height("body") + 5 * _higher()


def _line_less() -> int:
    """The most by which a text that is one line shorter makes the card lower: the line, and what the estimate had too much."""
    return round(1.5 * (type_.line_height("body") + _higher()))


def _higher() -> int:
    """Pixels by which the characters of the language in force are higher than Latin ones."""
    words = QCoreApplication.translate("ModelOffer", "You can draw meanwhile.")
    return _height(words) - _height("EchoGen")


def _height(words: str) -> int:
    return QFontMetrics(type_.font("body")).boundingRect(_ANYWHERE, 0, words).height()


class OfferRoom(QWidget):
    """An empty band over the canvas; not there where the stage is too low for the card."""

    def __init__(self, stage: QWidget, height: int) -> None:
        super().__init__(stage)
        self._stage = stage
        self.setFixedHeight(height)
        self.setVisible(self._fits())
        stage.installEventFilter(self)
        notifier.changed.connect(self.update)

    def give_to(self, card: QWidget) -> None:
        """Let the card have this room. It fills it where its text is a line shorter than most, as the memory that is free wills."""
        layout = card.layout()
        needed = layout.totalHeightForWidth(self.width()) if layout is not None else 0
        if 0 < self.height() - needed <= _line_less():
            card.setMinimumHeight(self.height())
        self.hide()
        self.deleteLater()

    def _fits(self) -> bool:
        return self._stage.height() >= LOWEST

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isHidden() == self._fits():
            self.setVisible(self._fits())
        return False

    def paintEvent(self, event) -> None:
        QPainter(self).fillRect(self.rect(), theme().color("canvas"))
