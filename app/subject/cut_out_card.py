"""The card of the cut-out: the subject as the model sees it, why it cannot be used, and the way to the editor."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.editor.cutout_view import CutOutView
from app.language import sentences
from app.look.controls import Card, OutlinedButton, label
from app.session.subject_shelf import Subject
from app.shortcuts import tooltip
from engine import CutOut

_PREVIEW = 94
"""Side of the picture, in pixels."""


class CutOutCard(Card):
    """See the module.

    Attributes:
        preview: the picture. text: a sentence on it. edit: the button to the editor.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: CutOut | None = None
        self.preview = CutOutView(_PREVIEW)
        self._title, self.text = label("", "label", wrap=True), label("", "help", "muted", wrap=True)
        self.edit = OutlinedButton("", "scissors")
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._title)
        words.addWidget(self.text)
        words.addStretch(1)
        words.addWidget(self.edit)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 10, 10, 10)
        row.setSpacing(12)
        row.addWidget(self.preview, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        self._retranslate()

    def show_subject(self, subject: Subject) -> None:
        """Show the cut-out of a subject, or why it has none."""
        if subject.cut_out is not self._shown:
            self._shown = subject.cut_out
            self.preview.set_pixels(self._shown.rgb if self._shown is not None else None)
        tone = "danger" if subject.problem else "muted"
        if self.text.property("tone") != tone:
            self.text.setProperty("tone", tone)
            self.text.style().unpolish(self.text)
            self.text.style().polish(self.text)
        photo = subject.photo is not None
        if subject.problem:
            self.text.setText(sentences.translated(subject.problem))
        else:
            self.text.setText("" if photo or subject.coming else self.tr("from a picture"))
        self.edit.setEnabled(photo)
        gone = self.tr("The photo is being opened") if subject.coming else self.tr("The photo is not there any more")
        self.edit.setToolTip(tooltip("edit_cutout") if photo else gone)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _retranslate(self) -> None:
        self._title.setText(self.tr("What the model sees"))
        self.preview.setAccessibleName(self.tr("What the model sees"))
        self.edit.setText(self.tr("Edit cut-out"))
