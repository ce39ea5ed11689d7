"""asyncio in the event loop of Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QApplication

if TYPE_CHECKING:
    import asyncio


class AsyncioTasks(QObject):
    """Runs tasks of asyncio, which downloads are, in the application's event loop."""

    def __init__(self, application: QApplication) -> None:
        super().__init__(application)
        self._loop: asyncio.AbstractEventLoop | None = None

    @Slot()
    def begin(self) -> None:
        """Take tasks from now on; the event loop runs already."""
        import asyncio

        import qasync

        self._loop = qasync.QEventLoop(QApplication.instance(), already_running=True)
        asyncio.set_event_loop(self._loop)

    def end(self) -> None:
        """The event loop has ended."""
        import asyncio

        if self._loop is not None:
            asyncio.events._set_running_loop(None)
            self._loop.stop()
            self._loop.close()
