"""The dot and the words in the top bar, kept true."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Slot

from app.desk import Desk
from app.status import status_of
from app.window.top_bar import TopBar


class StatusLine(QObject):
    """Follows the state and the drawing.

    Args:
        editing: tells whether the editor of the cut-out is open.
    """

    def __init__(self, top_bar: TopBar, desk: Desk, editing: Callable[[], bool], parent: QObject) -> None:
        super().__init__(parent)
        self._top_bar, self._state, self._editing = top_bar, desk.state, editing
        self._last = ""
        state = desk.state
        for signal in (state.engineChanged, state.jobChanged, state.maskChanged):
            signal.connect(self.show)
        desk.drawing.connect(self._begins)
        desk.ended.connect(self._ended)

    @Slot()
    def show(self) -> None:
        """Say what is so now."""
        self._top_bar.set_status(*status_of(self._state, editing=self._editing(), last=self._last))

    @Slot()
    def forget(self) -> None:
        """The error was read: the status does not go on about it."""
        self._ended("")

    @Slot(object, object)
    def _begins(self, event: object, size: object) -> None:
        self._last = ""

    @Slot(str)
    def _ended(self, text: str) -> None:
        self._last = text
        self.show()
