"""Small pieces of the Models dialog: tags, glyphs, the list of a model's parts, an error with its next step."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt, Signal, Slot
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.language import amounts, sentences
from app.look import type as type_
from app.look.controls import OutlinedButton, PlainButton, label
from app.look.glyphs import Glyph
from app.look.theme import notifier, radius, theme
from engine import EchoGenError
from engine.weights import PartState


class Tag(QLabel):
    """A short fact on a soft ground: a size, a licence."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        type_.apply(self, "micro")
        self.setProperty("tone", "muted")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setContentsMargins(8, 2, 8, 2)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        notifier.changed.connect(self.update)

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().color("surface-hover"))
        painter.drawRoundedRect(QRectF(self.rect()), radius("tag"), radius("tag"))
        painter.end()
        super().paintEvent(event)


class GlyphLabel(QWidget):
    """A glyph with a word: “Ready”."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.glyph = Glyph("circle-check", "accent", 16, parent=self)
        self.text = label("", "section")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.glyph)
        row.addWidget(self.text)

    def set_text(self, text: str) -> None:
        self.text.setText(text)


class PartList(QWidget):
    """The parts of a model: how far each is, its licence, its size."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(3)
        self._grid.setColumnStretch(1, 1)
        self._rows: dict[str, tuple[Glyph, QLabel, QLabel, QLabel]] = {}

    def show_parts(self, parts: Sequence[PartState], moving: bool) -> None:
        """``moving``: bytes are on their way now."""
        if list(self._rows) != [part.key for part in parts]:
            self._build(parts)
        for part in parts:
            glyph, title, licence, size = self._rows[part.key]
            if part.complete:
                glyph.set_icon("circle-check", "accent")
            elif part.done and moving:
                glyph.set_icon("download", "accent")
            else:
                glyph.set_icon("clock", "text-muted")
            begun = part.done and not part.complete
            size.setText(amounts.amount(part.done, part.total) if begun else amounts.size(part.total))
            title.setText(part.title)
            licence.setText(part.licence)

    def _build(self, parts: Sequence[PartState]) -> None:
        for row in self._rows.values():
            for old in row:
                self._grid.removeWidget(old)
                old.hide()
                old.deleteLater()
        self._rows = {}
        for number, part in enumerate(parts):
            row = (
                Glyph("clock", "text-muted", 14),
                label("", "help"),
                label("", "help", "muted"),
                label("", "help", "muted"),
            )
            row[3].setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            row[3].setMinimumWidth(110)
            row[2].setMinimumWidth(140)
            widget: QWidget
            for column, widget in enumerate(row):
                self._grid.addWidget(widget, number, column)
            self._rows[part.key] = row


class Problem(QFrame):
    """An error inside a card: what is the matter, and the button that does something about it.

    Signals:
        stepTaken: the button. dismissed: the user has read it.
    """

    stepTaken = Signal()
    dismissed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "danger")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.title = label("", "section", wrap=True)
        self.text = label("", "body", wrap=True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.step = OutlinedButton("")
        self.close_button = PlainButton(self.tr("Close"))
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.step)
        buttons.addWidget(self.close_button)
        buttons.addStretch(1)
        column = QVBoxLayout()
        column.setSpacing(6)
        column.addWidget(self.title)
        column.addWidget(self.text)
        column.addLayout(buttons)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 10, 12, 10)
        row.setSpacing(9)
        row.addWidget(Glyph("triangle-alert", "danger", 18), 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(column, 1)
        self.step.clicked.connect(self.stepTaken)
        self.close_button.clicked.connect(self.dismissed)
        self.hide()

    def show_error(self, error: EchoGenError | None, step: str = "", *, dismissable: bool = False) -> None:
        """Show an error with its next step ("" for none); None hides it."""
        self.setVisible(error is not None)
        if error is None:
            return
        self.title.setText(sentences.title(error))
        self.text.setText(sentences.of_error(error))
        self.step.setText(step)
        self.step.setVisible(bool(step))
        self.step.updateGeometry()
        self.close_button.setVisible(dismissable)
        self.setAccessibleName(self.title.text())
        self.setAccessibleDescription(self.text.text())


class InlineQuestion(QWidget):
    """Something to be sure about, asked in place: a sentence, the deed, and the way back.

    Signals:
        agreed, refused: the two buttons.
    """

    agreed = Signal()
    refused = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = label("", "body", wrap=True)
        self.yes = OutlinedButton("", "trash-2")
        self.no = PlainButton(self.tr("Keep"))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 4, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.text, 1)
        row.addWidget(self.yes)
        row.addWidget(self.no)
        self.yes.clicked.connect(self.agreed)
        self.no.clicked.connect(self._refuse)
        self.hide()

    def ask(self, text: str, yes: str) -> None:
        self.text.setText(text)
        self.yes.setText(yes)
        self.yes.updateGeometry()
        self.show()
        self.no.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def _refuse(self) -> None:
        self.hide()
        self.refused.emit()
