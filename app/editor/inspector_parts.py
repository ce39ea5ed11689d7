"""Parts of the inspector: a message, the legend of the clicks, the fields of the edge."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QKeySequence, QPainter, QPen
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.look.controls import Card, NumberField, OutlinedButton, PlainButton, label
from app.look.glyphs import Glyph
from app.look.theme import notifier, theme


class Legend(QWidget):
    """The sign of a kind of click and how many there are."""

    def __init__(self, include: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sign = _Sign(include)
        self.text = label("", "body")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._sign)
        row.addWidget(self.text)


class _Sign(QWidget):
    def __init__(self, include: bool) -> None:
        super().__init__()
        self._include = include
        self.setFixedSize(18, 18)
        notifier.changed.connect(self.update)

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().color("mask-include" if self._include else "mask-exclude"))
        corner = 8 if self._include else 4
        painter.drawRoundedRect(QRectF(1, 1, 16, 16), corner, corner)
        painter.setPen(QPen(theme().color("surface"), 1.75, c=Qt.PenCapStyle.RoundCap))
        painter.drawLine(QPointF(5.5, 9), QPointF(12.5, 9))
        if self._include:
            painter.drawLine(QPointF(9, 5.5), QPointF(9, 12.5))


class Message(Card):
    """A warning about the cut-out, with the buttons that help."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.icon = Glyph("info")
        self.icon.setFixedSize(18, 18)  # as high as a line of the text
        self.text = label("", "body", wrap=True)
        self.largest = OutlinedButton("")
        self.both = PlainButton("")
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(4)
        self._buttons.addWidget(self.largest)
        self._buttons.addWidget(self.both)
        self._buttons.addStretch(1)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.text, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 9, 10, 9)
        column.setSpacing(8)
        column.addLayout(row)
        column.addLayout(self._buttons)
        self.set_narrow(False)

    def set_narrow(self, narrow: bool) -> None:
        """Little room: the buttons begin below the icon, not below the text."""
        self._buttons.setContentsMargins(0 if narrow else self.icon.width() + 8, 0, 0, 0)

    def say(self, text: str, *, wrong: bool, choices: bool = False) -> None:
        """Show a sentence, in red when it says what is wrong. ``choices``: offer to keep the largest part."""
        self.icon.set_icon(*(("triangle-alert", "danger") if wrong else ("info", "text-muted")))
        surface = "danger" if wrong else "card"
        if self.property("surface") != surface:
            self.setProperty("surface", surface)
            self.style().unpolish(self)
            self.style().polish(self)
        self.text.setText(text)
        self.largest.setVisible(choices)
        self.both.setVisible(choices)
        self.show()


class EdgeField(NumberField):
    """Takes Enter for itself: it confirms the number, not the cut-out. Esc leaves the field, not the editor.

    Signals:
        escaped: Esc was pressed.
    """

    escaped = Signal()

    def event(self, event) -> bool:
        keys = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape)
        if event.type() == event.Type.ShortcutOverride and event.key() in keys:
            event.accept()
            return True
        undoes = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)
        if event.type() == event.Type.ShortcutOverride and any(event.matches(key) for key in undoes):
            # The last step of the cut-out, which a number of the edge is one of; not the last digit.
            event.ignore()
            return False
        return super().event(event)

    def keyPressEvent(self, event) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.escaped.emit()
        else:
            super().keyPressEvent(event)


def line(left: QWidget, right: QWidget) -> QHBoxLayout:
    """Two widgets side by side; the left one takes the room."""
    row = QHBoxLayout()
    row.setSpacing(8)
    row.addWidget(left, 1)
    row.addWidget(right)
    return row
