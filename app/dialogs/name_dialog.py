"""Asks for a name."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from app.dialogs.frame import Dialog
from app.look.controls import OutlinedButton, PrimaryButton, label

_ITS_LINE = "\u00a0"
"""Nothing moves when there is something to say."""


class NameDialog(Dialog):
    """One field.

    Args:
        about: what the name is for.
        longest: characters it may have.
        remark: what to say about a name while it is typed, or "".

    Signals:
        named(str): the name, without spaces around it.
    """

    named = Signal(str)

    def __init__(
        self, title: str, about: str, button: str, longest: int, remark: Callable[[str], str], window: QWidget
    ) -> None:
        super().__init__(title, window, 460, None)
        self._remark = remark
        self.body.addWidget(label(about, "body", "muted", wrap=True))
        self.name = QLineEdit()
        self.name.setObjectName("nameEdit")
        self.name.setMaxLength(longest)
        self.name.setAccessibleName(self.tr("Name"))
        self.name.setPlaceholderText(self.tr("Name"))
        self.name.textChanged.connect(self._typed)
        self.name.returnPressed.connect(self.take)
        self.body.addWidget(self.name)
        self.remark = label("", "help", "muted", wrap=True)
        self.body.addWidget(self.remark)
        self.leave = OutlinedButton(self.tr("Cancel"))
        self.save = PrimaryButton(button)
        self.leave.clicked.connect(self.reject)
        self.save.clicked.connect(self.take)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.leave)
        row.addWidget(self.save)
        self.body.addLayout(row)
        self._typed("")
        self.name.setFocus()

    @Slot(str)
    def _typed(self, text: str) -> None:
        self.save.setEnabled(bool(text.strip()))
        self.remark.setText(self._remark(text.strip()) or _ITS_LINE)

    @Slot()
    def take(self) -> None:
        name = self.name.text().strip()
        if name:
            self.named.emit(name)
            self.accept()
