"""The banner under the prompt: what went wrong in one sentence, what to do next, details for those who want them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget
from shiboken6 import isValid

from app.language import sentences
from app.look.controls import IconButton, OutlinedButton, PlainButton, clear, label, reading_pane
from app.look.glyphs import Glyph
from app.look.tab_order import tab_after
from engine import EchoGenError


@dataclass(frozen=True)
class NextStep:
    """A button of the banner: a verb, and what it does (a slot of a living QObject)."""

    text: str
    run: Callable[[], object]


class ErrorBanner(QFrame):
    """One error at a time; a new one replaces the old one. Hidden while there is none.

    Signals:
        closed: the user put it away.
    """

    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("errorBanner")
        self.setProperty("surface", "danger")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.title = label("", "section", wrap=True)
        self.text = label("", "body", wrap=True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.close_button = IconButton("x", self.tr("Close"), side=24)
        self.details_button = PlainButton(self.tr("Details"), "chevron-right")
        self.copy_button = PlainButton(self.tr("Copy"), "copy")
        self.details = reading_pane(self.tr("Details"))
        self.details.setMaximumHeight(130)
        self._traceback = ""
        top = QHBoxLayout()
        top.setSpacing(9)
        top.addWidget(Glyph("triangle-alert", "danger", 18, parent=self), 0, Qt.AlignmentFlag.AlignTop)
        top.addWidget(self.title, 1)
        top.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
        self.steps = QVBoxLayout()
        self.steps.setSpacing(6)
        small = QHBoxLayout()
        small.setSpacing(2)
        small.setContentsMargins(0, 0, 0, 0)
        small.addWidget(self.details_button)
        small.addWidget(self.copy_button)
        small.addStretch(1)
        inner = QVBoxLayout()
        inner.setContentsMargins(27, 0, 0, 0)
        inner.setSpacing(8)
        inner.addWidget(self.text)
        inner.addLayout(self.steps)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 10, 10)
        column.setSpacing(6)
        column.addLayout(top)
        column.addLayout(inner)
        indented = QHBoxLayout()
        indented.setContentsMargins(15, 0, 0, 0)
        indented.addLayout(small)
        column.addLayout(indented)
        column.addWidget(self.details)
        self.close_button.clicked.connect(self.dismiss)
        self.details_button.clicked.connect(self._toggle_details)
        self.copy_button.clicked.connect(self.copy)
        self.error: EchoGenError | None = None
        self._before: QWidget | None = None
        self.hide()

    def show_error(self, error: EchoGenError, details: str = "", steps: Sequence[NextStep] = ()) -> None:
        """Show an error. ``details``: the traceback, for reports; "" hides the button."""
        self.error = error
        focused = QApplication.focusWidget()
        if focused is not None and not self.isAncestorOf(focused):
            self._before = focused
        self._say(error)
        self._traceback = details.strip()
        self.details.setPlainText(in_short(details, datetime.now(), str(error)) if self._traceback else "")
        self.details_button.setVisible(bool(self._traceback))
        self._show_details(False)
        clear(self.steps)
        buttons = [OutlinedButton(step.text) for step in steps]
        for step, button in zip(steps, buttons, strict=True):
            button.clicked.connect(step.run)
            row = QHBoxLayout()
            row.addWidget(button)
            row.addStretch(1)
            self.steps.addLayout(row)
        tab_after(self.close_button, buttons)
        self.show()
        self._announce()

    def _say(self, error: EchoGenError) -> None:
        """Title and text in the language in force."""
        self.title.setText(sentences.title(error))
        self.text.setText(sentences.of_error(error))
        self.text.setVisible(bool(self.text.text()))
        self.setAccessibleName(self.title.text())
        self.setAccessibleDescription(self.text.text())

    def _announce(self) -> None:
        words = QAccessibleAnnouncementEvent(self, f"{self.title.text()}. {self.text.text()}")
        words.setPoliteness(QAccessible.AnnouncementPoliteness.Assertive)
        QAccessible.updateAccessibility(words)

    @Slot()
    def dismiss(self) -> None:
        self.clear_error()
        self.closed.emit()

    def clear_error(self) -> None:
        """Nothing is wrong any more. A focus in the banner goes back where it was when the banner came."""
        self.error = None
        focused, before, self._before = QApplication.focusWidget(), self._before, None
        leaves = focused is not None and self.isAncestorOf(focused)
        if leaves and before is not None and isValid(before) and before.isVisible():
            before.setFocus(Qt.FocusReason.OtherFocusReason)
        self.hide()

    def as_text(self) -> str:
        """The text that *Copy* puts on the clipboard."""
        parts = [self.title.text(), self.text.text(), self._traceback]
        return "\n\n".join(part for part in parts if part)

    @Slot()
    def copy(self) -> None:
        QGuiApplication.clipboard().setText(self.as_text())
        self.copy_button.set_icon_name("check")
        self.copy_button.setText(self.tr("Copied"))

    @Slot()
    def _toggle_details(self) -> None:
        self._show_details(self.details.isHidden())

    def _show_details(self, shown: bool) -> None:
        self.details_button.set_icon_name("chevron-down" if shown else "chevron-right")
        self.details.setVisible(shown)
        self.copy_button.set_icon_name("copy")
        self.copy_button.setText(self.tr("Copy"))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.details_button.setText(self.tr("Details"))
            self.details.setAccessibleName(self.tr("Details"))
            self.copy_button.setText(self.tr("Copy"))
            self.close_button.describe(self.tr("Close"))
            if self.error is not None:
                self._say(self.error)
        super().changeEvent(event)


# A traceback in a few lines that fit under an error: what was raised, where, and where all of it is written down.


_RAISED = re.compile(r"^([A-Za-z_][\w.]*)(?:: (.*))?$")

_FRAME = re.compile(r'^\s+File "(?P<file>[^"]+)", line (?P<line>\d+), in (?P<name>.+)$')

_LONGEST = 120


def in_short(traceback: str, when: datetime, known: str = "") -> str:
    """The chain of errors, the newest first, each with the place it comes from, and the log's name and time.

    Args:
        traceback: as ``traceback.format_exc`` gives it; anything else is taken as it is.
        when: the moment the error was logged.
        known: a message that need not be repeated.
    """
    from app.system.logs import LOG_FILE

    chain: list[list[str]] = []
    place = ""
    for line in traceback.strip().splitlines():
        if frame := _FRAME.match(line):
            name = re.split(r"[/\\]", frame["file"])[-1]
            place = f"  {name}, line {frame['line']}, in {frame['name']}"
        elif place and (raised := _RAISED.match(line)):
            kind, text = raised[1].rpartition(".")[2], raised[2] or ""
            words = f"{kind}: {text}" if text and text != known else kind
            chain.append([words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…", place])
            place = ""
    lines = [line for error in reversed(chain) for line in error] or [traceback.strip()]
    return "\n".join([*lines, f"{LOG_FILE}, {when:%H:%M:%S}"])
