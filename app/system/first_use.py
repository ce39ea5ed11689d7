"""The first use of a window that is not whole yet."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtWidgets import QWidget


class FirstUse(QObject):
    """Watches for the first use of the window: a key, the mouse, a photo over it.

    Signals:
        used: before the window hears of it.

    Args:
        window: it is shown, and a widget in it has the focus. What the mouse and photos do comes to the window of the system
            first; a key that may be a shortcut, to the widget with the focus.
    """

    used = Signal()

    _USES = frozenset(
        {
            QEvent.Type.KeyPress,
            QEvent.Type.ShortcutOverride,
            QEvent.Type.InputMethod,
            QEvent.Type.MouseButtonPress,
            QEvent.Type.MouseButtonDblClick,
            QEvent.Type.Wheel,
            QEvent.Type.TouchBegin,
            QEvent.Type.TabletPress,
            QEvent.Type.ContextMenu,
            QEvent.Type.DragEnter,
        }
    )

    def __init__(self, window: QWidget, parent: QObject) -> None:
        super().__init__(parent)
        # A filter of the whole application would see, and slow down, the thousands of events of a first layout.
        self._watched = [one for one in (window.windowHandle(), window.focusWidget()) if one is not None]
        for one in self._watched:
            one.installEventFilter(self)

    def stop(self) -> None:
        for one in self._watched:
            one.removeEventFilter(self)
        self._watched.clear()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in self._USES:
            self.used.emit()
        return False
