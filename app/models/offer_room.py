"""The room of the first run's card until it is known whether the card comes: what lies below it does not move then."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from app.look import type as type_
from app.look.theme import notifier, theme

LOWEST = 600
"""Of the stage, in pixels; below it the canvas needs all the room."""
HIGHEST = 400
_MARGINS = 50


def usual_height() -> int:
    """The height of the card as most computers have it: with a text of two lines."""
    return _MARGINS + 2 * type_.line_height("section") + 3 * type_.line_height("body")


class OfferRoom(QWidget):
    """An empty band over the canvas; not there where the stage is too low for the card."""

    def __init__(self, stage: QWidget, height: int) -> None:
        super().__init__(stage)
        self._stage = stage
        self.setFixedHeight(height)
        self.setVisible(self._fits())
        stage.installEventFilter(self)
        notifier.changed.connect(self.update)

    def _fits(self) -> bool:
        return self._stage.height() >= LOWEST

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isHidden() == self._fits():
            self.setVisible(self._fits())
        return False

    def paintEvent(self, event) -> None:
        QPainter(self).fillRect(self.rect(), theme().color("canvas"))
