"""The page of newer versions: whether to look for them, what was found, and getting it."""

from __future__ import annotations

from urllib.parse import urlsplit

from PySide6.QtCore import QSignalBlocker, Qt, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.language import amounts, sentences
from app.language.languages import language_of
from app.look.controls import CheckBox, OutlinedButton, PlainButton, PrimaryButton, label
from app.session.state import SessionState
from app.session.updates import Updates
from engine import __version__


class UpdatesPage(QWidget):
    """See the module.

    Args:
        state: holds the setting.
        updates: looks and fetches; it goes on when the page is gone.
    """

    def __init__(self, state: SessionState, updates: Updates, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state, self._updates = state, updates
        self.always = CheckBox(self.tr("Look for a newer version at every start"))
        self.about = label("", "help", "muted", wrap=True)
        self.check = OutlinedButton(self.tr("Look now"), "search")
        self.words = label("", "body", wrap=True)
        self.get = PrimaryButton("")
        self.stop = PlainButton(self.tr("Stop"))
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 16, 4)
        column.setSpacing(8)
        column.addWidget(label(self.tr("This is EchoGen {0}").format(__version__), "label"))
        column.addWidget(self.always)
        column.addWidget(self.about)
        column.addSpacing(8)
        column.addWidget(self.check, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.words)
        column.addWidget(self.get, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.stop, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)
        self.follow()
        self._show()
        self.always.toggled.connect(self._chosen)
        self.check.clicked.connect(updates.check)
        self.get.clicked.connect(updates.take)
        self.stop.clicked.connect(updates.stop)
        updates.changed.connect(self._show)

    def follow(self) -> None:
        """The settings changed, here or elsewhere."""
        with QSignalBlocker(self.always):
            self.always.setChecked(self._state.settings.updates)

    @Slot(bool)
    def _chosen(self, on: bool) -> None:
        self._state.update_settings(updates=on)

    @Slot()
    def _show(self) -> None:
        updates, address = self._updates, self._updates.address
        host = urlsplit(address).hostname or address
        self.about.setText(
            self.tr("{0} is asked, and nothing about you or your pictures is sent.").format(host)
            if address
            else self.tr("This copy does not know where newer versions are. Look where you got it.")
        )
        self.always.setEnabled(bool(address))
        # While it looks the button stays as it is: a disabled one would give the focus away.
        self.check.setEnabled(bool(address) and updates.phase not in ("getting", "ready"))
        self.words.setText(self._found_words())
        self.words.setVisible(bool(self.words.text()))
        release = updates.release
        if release is not None:
            self.get.setText(self.tr("Get {0} ({1})").format(release.version, amounts.size(release.size)))
        focused = self.get.hasFocus() or self.stop.hasFocus()
        self.get.setVisible(updates.phase == "there" and updates.can_take)
        self.stop.setVisible(updates.phase == "getting")
        if focused:
            next(button for button in (self.get, self.stop, self.always) if not button.isHidden()).setFocus()

    def _found_words(self) -> str:
        """The answer of the last check, in words."""
        updates, release = self._updates, self._updates.release
        if updates.problem:
            return updates.problem
        if updates.phase == "looking":
            return self.tr("Looking …")
        if updates.phase == "newest":
            return self.tr("This is the newest version.")
        if updates.phase == "getting":
            return self.tr("Getting it: {0}").format(amounts.amount(updates.done, updates.total))
        if release is None or updates.phase == "unknown":
            return ""
        if updates.phase == "ready":
            return self.tr("EchoGen {0} is here, and opens at the next start.").format(release.version)
        if updates.failed_here:
            return self.tr("EchoGen {0} did not open on this computer before.").format(release.version)
        words = [
            self.tr("EchoGen {0} is there.").format(release.version),
            release.news_in(language_of(self._state.settings.language)),
        ]
        if not updates.can_take:
            words.append(self.tr("Get it where you got this one."))
        return sentences.in_a_row(words)
