"""The column beside an editor that marks something on a picture: its purpose, and the ways out."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.editor.inspector_parts import Message
from app.language import sentences
from app.look import type as type_
from app.look.controls import label
from app.look.theme import size, space
from engine import EchoGenError


class EditorSide(QWidget):
    """See the module.

    Args:
        content: what lies between the words and the message.
        buttons: at the bottom, the most important one first.
    """

    def __init__(self, content: Sequence[QWidget], buttons: Sequence[QWidget]) -> None:
        super().__init__()
        self.title, self.words = label("", "section"), label("", "help", "muted", wrap=True)
        self.message = Message()
        type_.set_width(self, size("panel-right"))
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(16, 16, 16, 16)
        self.column.setSpacing(space("row-gap"))
        for widget in (self.title, self.words, *content, self.message):
            self.column.addWidget(widget)
        self.column.addStretch(1)
        for button in buttons:
            self.column.addWidget(button)
        self.message.hide()

    @Slot(object)
    def show_error(self, error: EchoGenError) -> None:
        """Said here, where the eyes are."""
        self.message.say(sentences.of_error(error), wrong=True)
