"""One line below the photo and its tools: what was done in the editor is still there, and one press goes on with it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.look.controls import Card, IconButton, PlainButton, label


class DraftLine(QWidget):
    """Shown while there is unfinished work on the current cut-out.

    Signals:
        goOn: open the editor with it.
        forgotten: it is not wanted any more.
    """

    goOn = Signal()
    forgotten = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = label("", "body", wrap=True)
        self.button, self.forget = PlainButton("", "scissors"), IconButton("x", "", side=24)
        card = Card()
        inside = QVBoxLayout(card)
        inside.setContentsMargins(12, 10, 8, 6)
        inside.setSpacing(2)
        top = QHBoxLayout()
        top.addWidget(self.words, 1)
        top.addWidget(self.forget, 0, Qt.AlignmentFlag.AlignTop)
        inside.addLayout(top)
        bottom = QHBoxLayout()
        bottom.addSpacing(-8)  # its icon stands where the sentence begins
        bottom.addWidget(self.button)
        bottom.addStretch(1)
        inside.addLayout(bottom)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(card)
        self.button.clicked.connect(self.goOn)
        self.forget.clicked.connect(self.forgotten)
        self.hide()
        self.retranslate()

    def set_ready(self, ready: bool) -> None:
        """Say whether the work is at hand already."""
        self.button.setEnabled(ready)
        self.forget.setEnabled(ready)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    @Slot()
    def retranslate(self) -> None:
        self.words.setText(self.tr("You were still editing this cut-out. Your changes are kept."))
        self.button.setText(self.tr("Go on editing"))
        self.forget.describe(self.tr("Forget these changes"))
