"""The window's keys win over a text field's own: Ctrl+E goes to the prompt, not to the end of the line. So do photos.

A text field would take the address of a file for words, and nothing of a picture: in the prompt, which has the focus at
every start, Ctrl+V of a photo would do nothing, and a photo that is dropped there would be written out as its address. Nor does Ctrl+C
mean a field in which no words are chosen.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Slot
from PySide6.QtGui import QDragEnterEvent, QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit, QWidget

from app.shortcuts import keymap
from app.subject.photo_drops import holds_picture, is_for_text


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
        self._focus_moved(None, application.focusWidget())  # the prompt has had it since the window was first shown

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
        if "+" not in key:
            return False
        if not any(key in keymap.keys(action) for action in self._actions) and not self._is_about_picture(key, watched):
            return False
        event.ignore()
        return True

    def _is_about_picture(self, key: str, field: QObject) -> bool:
        """Return True for Ctrl+V of a photo, and for Ctrl+C where no words are chosen."""
        if key in keymap.keys("paste"):
            data = QGuiApplication.clipboard().mimeData()
            return holds_picture(data) and not is_for_text(data)
        if key in keymap.keys("copy"):
            if isinstance(field, QPlainTextEdit):
                return not field.textCursor().hasSelection()
            return isinstance(field, QLineEdit) and not field.hasSelectedText()
        return False


class PhotosPastFields(QObject):
    """Lets photos that are dropped onto a text field through to the window, which takes them; words stay the field's.

    Args:
        window: the window with the fields.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        window.installEventFilter(self)
        self._watch()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show:
            self._watch()
        elif event.type() == QEvent.Type.DragEnter and watched is self._window.windowHandle():
            # The window of the system hears of a drag before Qt asks which widget takes it.
            assert isinstance(event, QDragEnterEvent)
            takes = not holds_picture(event.mimeData()) or is_for_text(event.mimeData())
            for kind in (QLineEdit, QPlainTextEdit):
                for field in self._window.findChildren(kind):
                    field.setAcceptDrops(takes)
        return False

    def _watch(self) -> None:
        handle = self._window.windowHandle()
        if handle is not None:
            handle.installEventFilter(self)
