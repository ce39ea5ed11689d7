"""The subject's name: a field, and suggested names while it is empty."""

from __future__ import annotations

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from app.look.controls import label
from app.subject.nouns import NounChips

_LONGEST = 120


class NameRow(QWidget):
    """See the module.

    Attributes:
        edit: the field. nouns: the suggested names.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = label("", "label")
        self.edit = QLineEdit()
        self.edit.setObjectName("subjectNameEdit")
        self.edit.setMaxLength(_LONGEST)
        self._title.setBuddy(self.edit)
        self.nouns = NounChips()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self._title)
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

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _retranslate(self) -> None:
        self._title.setText(self.tr("What is it?"))
        self.edit.setAccessibleName(self.tr("Subject name"))
        self.edit.setPlaceholderText(self.tr("toy robot, cat, mug …"))
