"""The subject's name: a field, suggested names while it is empty, and beside it how sure the cut-out is."""

from __future__ import annotations

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.look.controls import label
from app.look.glyphs import Glyph
from app.subject.found_note import Verdict
from app.subject.nouns import NounChips

_LONGEST = 120


class NameRow(QWidget):
    """See the module.

    Attributes:
        edit: the field. nouns: the suggested names. found_label, found_sign: that it was found, or
            corrected.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = label("", "label")
        self.found_sign, self.found_label = Glyph("circle-check", "accent"), label("", "help", "muted")
        self.edit = QLineEdit()
        self.edit.setObjectName("subjectNameEdit")
        self.edit.setMaxLength(_LONGEST)
        self._title.setBuddy(self.edit)
        self.nouns = NounChips()
        self._found: tuple[Verdict, float] = ("", 0.0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(self._title, 1)
        head.addWidget(self.found_sign)
        head.addWidget(self.found_label)
        column.addLayout(head)
        column.addWidget(self.edit)
        column.addWidget(self.nouns)
        self._retranslate()

    def show_name(self, name: str, *, another: bool) -> None:
        """Show the name of the subject; of the same subject only while nobody types.

        Args:
            another: it is not the subject whose name was shown before.
        """
        if another or (self.edit.text() != name and not self.edit.hasFocus()):
            self.edit.setText(name)

    def show_found(self, verdict: Verdict, score: float) -> None:
        """Say how sure the search was, in the one line that is there before and after it. That nothing was found is said
        above the photo.

        Args:
            verdict: "" when the cut-out was corrected.
            score: 0 … 1; only of doubt something is said at 0.
        """
        self._found = (verdict, score)
        # The tick is for what the program is sure of; what the user made of it, nobody has measured.
        match verdict:
            case "unsure":
                words, sign = self.tr("not sure"), ("triangle-alert", "warning")
            case "":
                words, sign = self.tr("corrected"), ("brush", "text-muted")
            case _:
                words, sign = self.tr("found, {0}\u00a0%").format(round(100 * score)), ("circle-check", "accent")
        self.found_label.setText(words)
        self.found_sign.set_icon(*sign)
        for widget in (self.found_label, self.found_sign):
            widget.setVisible(verdict == "unsure" or (score > 0 and verdict != "nothing"))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _retranslate(self) -> None:
        self._title.setText(self.tr("What is it?"))
        self.edit.setAccessibleName(self.tr("Subject name"))
        self.edit.setPlaceholderText(self.tr("toy robot, cat, mug …"))
        self.show_found(*self._found)
