"""The window's keys win over a text field's own: Ctrl+E goes to the prompt, not to the end of the line."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Slot
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit, QWidget

from app.shortcuts import keymap


class WindowKeys(QObject):
    """Keeps text fields from claiming keys of the window.

    Args:
        actions: the window's actions whose keys work from everywhere.
    """

    def __init__(self, actions: tuple[str, ...], parent: QObject) -> None:
        super().__init__(parent)
        self._actions = actions
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusChanged.connect(self._focus_moved)

    @Slot(QWidget, QWidget)
    def _focus_moved(self, before: QWidget | None, now: QWidget | None) -> None:
        # Only the field with the focus is watched: a filter on the program would see every event.
        if isinstance(before, QLineEdit | QPlainTextEdit):
            before.removeEventFilter(self)
        if isinstance(now, QLineEdit | QPlainTextEdit):
            now.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() != QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
            return False
        key = QKeySequence(event.keyCombination()).toString(QKeySequence.SequenceFormat.PortableText)
        if "+" not in key or not any(key in keymap.keys(action) for action in self._actions):
            return False
        event.ignore()
        return True
