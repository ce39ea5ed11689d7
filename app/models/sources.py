"""The settings of downloads: the hub or a mirror of it, and the access token for publishers who want one."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.language import sentences
from app.look.controls import OutlinedButton, PlainButton, label
from app.session.downloads import Downloads
from engine import EchoGenError
from engine.weights import HUB


class Sources(QWidget):
    """See the module."""

    def __init__(self, downloads: Downloads, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._downloads = downloads
        self.address = QLineEdit(downloads.store.settings.base_url)
        self.address.setAccessibleName(self.tr("Address to download from"))
        self.address.setPlaceholderText(HUB)
        self.reset = PlainButton(self.tr("Original address"), "rotate-ccw")
        self.address_problem = label("", "help", "danger", wrap=True)
        self.address_problem.hide()
        self.token = QLineEdit()
        self.token.setEchoMode(QLineEdit.EchoMode.Password)
        self.token.setAccessibleName(self.tr("Access token"))
        self.token.setPlaceholderText(self.tr("Only needed where a publisher asks for an account"))
        self.keep = OutlinedButton(self.tr("Keep"))
        self.forget = PlainButton(self.tr("Forget it"))
        self.token_words = label(
            self.tr("The token is kept in the system's keyring, in no file and no log."), "help", "muted", wrap=True
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(label(self.tr("Address to download from"), "label"))
        row = QHBoxLayout()
        row.addWidget(self.address, 1)
        row.addWidget(self.reset)
        column.addLayout(row)
        column.addWidget(self.address_problem)
        column.addSpacing(4)
        column.addWidget(label(self.tr("Access token"), "label"))
        row = QHBoxLayout()
        row.addWidget(self.token, 1)
        row.addWidget(self.keep)
        row.addWidget(self.forget)
        column.addLayout(row)
        column.addWidget(self.token_words)
        self.address.editingFinished.connect(self._address_typed)
        self.reset.clicked.connect(self._reset_address)
        self.token.returnPressed.connect(self._keep_token)
        downloads.tokenKept.connect(self._token_kept)
        self.keep.clicked.connect(self._keep_token)
        self.forget.clicked.connect(self._forget_token)

    @Slot()
    def _address_typed(self) -> None:
        try:
            self._downloads.store.set_base_url(self.address.text() or HUB)
        except EchoGenError as error:
            self.address_problem.setText(sentences.of_error(error))
            self.address_problem.show()
            return
        self.address_problem.hide()
        self.address.setText(self._downloads.store.settings.base_url)

    @Slot()
    def _reset_address(self) -> None:
        self.address.setText(HUB)
        self._address_typed()

    @Slot()
    def _keep_token(self) -> None:
        self._downloads.keep_token(self.token.text())

    @Slot(object)
    def _token_kept(self, outlives: bool | None) -> None:
        """Say how keeping the token went: it outlives this run, it does not, or (None) it is no token."""
        if outlives is None:
            text = self.tr("This is no access token. Copy it from the settings page of your account, all of it.")
        elif outlives:
            text = self.tr("The token is in the system's keyring.")
        else:
            text = self.tr("This system has no keyring: the token is kept until the program ends.")
        if outlives is not None:
            self.token.clear()
        self.token_words.setText(text)

    @Slot()
    def _forget_token(self) -> None:
        self._downloads.forget_token()
        self.token.clear()
        self.token_words.setText(self.tr("No token is kept."))
