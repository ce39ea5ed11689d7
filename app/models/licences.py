"""The licences of a model, shown before anything is fetched and accepted once. Where a part is to be chosen, it is chosen here."""

from __future__ import annotations

from PySide6.QtCore import Qt, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.dialogs.licence_text import LicenceText, shipped_text
from app.language import amounts, sentences
from app.look.controls import CheckBox, ComboBox, OutlinedButton, PlainButton, clear, label
from app.models import words
from app.session.downloads import Downloads
from app.session.to_get import bytes_to_get
from engine.weights import MODELS, PARTS, Licence, Part, chosen_parts

_SMALL_BYTES = 2 * 10**9
_INDENT = 26
_GAP = 8
"""Between one licence and the next."""


class LicenceSheet(QWidget):
    """See the module.

    Signals:
        accepted: the licences (and choices) are recorded. refused: not now.
    """

    accepted = Signal()
    refused = Signal()

    def __init__(self, downloads: Downloads, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._downloads, self._model = downloads, MODELS[name]
        self._chosen_before = downloads.store.settings.choices
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 6, 0, 0)
        column.setSpacing(8)
        column.addWidget(
            label(
                self.tr(
                    "The parts belong to their publishers. Please read what they allow before anything is fetched."
                ),
                "body",
                wrap=True,
            )
        )
        self.choices: list[ComboBox] = []
        chosen = self._chosen_before.get(name, ())
        for group in self._model.choices:
            box = ComboBox(self.tr("Which one"))
            for key in group:
                part = PARTS[key]
                box.addItem(f"{part.title}  ·  {amounts.size(self._bytes_of(part))}  ·  {part.licence.name}", key)
            box.setCurrentIndex(max(0, next((group.index(key) for key in chosen if key in group), 0)))
            box.activated.connect(self._show_licences)
            self.choices.append(box)
            column.addWidget(box)
        self.companions: dict[str, CheckBox] = {}
        for companion in self._model.companions:
            state = downloads.state(companion)
            if state is None or state.installed or state.working:
                continue
            also = CheckBox(f"{words.title(state)}  ·  {amounts.size(bytes_to_get(state))}")
            # The small one is worth its time to everyone; the large one is for those who want it.
            also.setChecked(bytes_to_get(state) < _SMALL_BYTES)
            also.setAccessibleDescription(words.description(state))
            also.toggled.connect(self._show_licences)
            self.companions[companion] = also
            column.addWidget(also)
            column.addWidget(_indented(label(words.description(state), "help", "muted", wrap=True)))
        self.amount = label("", "help", "muted", wrap=True)
        column.addWidget(self.amount)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(0, 1)
        column.addLayout(self._grid)
        self.token = QLineEdit()
        self.token.setEchoMode(QLineEdit.EchoMode.Password)
        self.token.setPlaceholderText(self.tr("Access token of your account"))
        self.token.setAccessibleName(self.tr("Access token of your account"))
        self.token_help = label(
            self.tr(
                "This publisher gives its files to accounts only. The token is kept in the system's keyring, in no file."
            ),
            "help",
            "muted",
            wrap=True,
        )
        column.addWidget(self.token)
        column.addWidget(self.token_help)
        self.problem = label("", "help", "danger", wrap=True)
        self.problem.hide()
        column.addWidget(self.problem)
        self.accept = OutlinedButton(self.tr("Accept and download"), "download")
        self.refuse = PlainButton(self.tr("Not now"))
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.accept)
        buttons.addWidget(self.refuse)
        buttons.addStretch(1)
        column.addLayout(buttons)
        self.accept.clicked.connect(self._accept)
        downloads.tokenKept.connect(self._token_kept)
        self.refuse.clicked.connect(self.refused)
        self._show_licences()

    def chosen(self) -> tuple[str, ...]:
        """Keys of the parts chosen here."""
        return tuple(box.currentData() for box in self.choices)

    def also(self) -> tuple[str, ...]:
        """Names of the further models to fetch with this one."""
        return tuple(name for name, box in self.companions.items() if box.isChecked())

    def parts(self) -> tuple[Part, ...]:
        """Every part that is fetched, those of the further models last."""
        own = chosen_parts(self._model, self.chosen())
        return own + tuple(
            part for name in self.also() for part in chosen_parts(MODELS[name], self._chosen_before.get(name, ()))
        )

    def _bytes_of(self, part: Part) -> int:
        """Bytes of a part: what the server named where it was asked, else what the catalogue says."""
        states = [self._downloads.state(name) for name in (self._model.name, *self._model.companions)]
        named = {one.key: one.total for state in states if state is not None for one in state.parts}
        return named.get(part.key, part.expected_bytes)

    @Slot()
    def _show_licences(self) -> None:
        clear(self._grid)
        by_licence: dict[str, list[Part]] = {}
        for part in self.parts():
            by_licence.setdefault(part.licence.name, []).append(part)
        for number, parts in enumerate(by_licence.values()):
            licence, row = parts[0].licence, 3 * number
            names = sentences.listed(part.title for part in parts)
            self._grid.addWidget(label(f"{licence.name}: {names}", "label", wrap=True), row, 0)
            self._grid.addWidget(label(sentences.translated(licence.summary), "help", "muted", wrap=True), row + 1, 0)
            self._grid.setRowMinimumHeight(row + 2, _GAP)
            read = PlainButton(self.tr("Read it"))
            read.setAccessibleName(self.tr("Read the licence {0}").format(licence.name))
            read.setProperty("licence", licence)
            read.setProperty("parts", names)
            if shipped_text(licence) is None:  # only its publisher has it
                read.setToolTip(licence.url)
            read.clicked.connect(self._read)
            self._grid.addWidget(read, row, 1, 2, 1, Qt.AlignmentFlag.AlignTop)
        fetched = sum(self._bytes_of(part) for part in self.parts())
        needed = fetched + (self._model.bundle_bytes if self._model.bundle else 0)
        self.amount.setText(
            self.tr("About {0} are fetched; about {1} have to be free until it is ready.").format(
                amounts.size(fetched), amounts.size(needed)
            )
        )
        gated = any(self._downloads.store.needs_account(part) for part in self.parts())
        self.token.setVisible(gated)
        self.token_help.setVisible(gated)

    @Slot()
    def _read(self) -> None:
        sender = self.sender()
        if sender is None:
            return
        licence: Licence = sender.property("licence")
        text = shipped_text(licence)
        if text is None:
            QDesktopServices.openUrl(QUrl(licence.url))
        else:
            LicenceText(licence, text, sender.property("parts"), self.window()).open()

    @Slot()
    def _accept(self) -> None:
        if not self.token.isHidden() and self.token.text().strip():
            self.accept.setEnabled(False)
            self._downloads.keep_token(self.token.text())  # _token_kept goes on
        else:
            self._record()

    @Slot(object)
    def _token_kept(self, for_good: bool | None) -> None:
        self.accept.setEnabled(True)
        if for_good is None:
            self.problem.setText(
                self.tr("This is no access token. Copy it from the settings page of your account, all of it.")
            )
            self.problem.show()
            return
        self.token.clear()
        self._record()

    def _record(self) -> None:
        also = all(self._downloads.accept(name, self._chosen_before.get(name, ())) for name in self.also())
        if self._downloads.accept(self._model.name, self.chosen()) and also:
            self.accepted.emit()


def _indented(widget: QWidget) -> QWidget:
    """Under the words of a check box, not under its box."""
    widget.setContentsMargins(_INDENT, 0, 0, 2)
    return widget
