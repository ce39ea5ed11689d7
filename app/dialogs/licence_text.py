"""The full text of one licence, read without leaving the program."""

from __future__ import annotations

from PySide6.QtCore import QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.dialogs.frame import Dialog
from app.look.controls import OutlinedButton, PlainButton, label, reading_pane
from app.resources import resource
from engine.weights import Licence


def shipped_text(licence: Licence) -> str | None:
    """The text that ships with the program, or None where only the publisher has it."""
    try:
        return resource("licences", "models", f"{licence.name}.txt").read_text(encoding="utf-8")
    except OSError:
        return None


class LicenceText(Dialog):
    """See the module.

    Args:
        parts: titles of the parts under this licence.
    """

    def __init__(self, licence: Licence, text: str, parts: str, window: QWidget) -> None:
        super().__init__(licence.name, window, 720, 600)
        self._url = licence.url
        self.body.addWidget(label(parts, "body", "muted", wrap=True))
        self.text = reading_pane(self.tr("Text of the licence {0}").format(licence.name))
        self.text.setPlainText(text)
        self.body.addWidget(self.text, 1)
        self.page = PlainButton(self.tr("Open the page on the web"))
        self.page.setToolTip(licence.url)
        self.done_button = OutlinedButton(self.tr("Back"))
        self.page.clicked.connect(self._open_page)
        self.done_button.clicked.connect(self.accept)
        buttons = QHBoxLayout()
        buttons.addWidget(self.page)
        buttons.addStretch(1)
        buttons.addWidget(self.done_button)
        self.body.addLayout(buttons)

    @Slot()
    def _open_page(self) -> None:
        QDesktopServices.openUrl(QUrl(self._url))
