"""Photos that the system opens with the program while it runs."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtGui import QFileOpenEvent


class FileOpenFilter(QObject):
    """On macOS photos opened with the program arrive as events of the application.

    Signals:
        opened(object): list of one path.
    """

    opened = Signal(object)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FileOpen and isinstance(event, QFileOpenEvent):
            self.opened.emit([Path(event.file())])
            return True
        return False
