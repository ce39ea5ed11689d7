"""Saving a picture larger by the network: in a child process, one picture at a time, while everything else goes on."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal, Slot

from engine import Cancelled
from engine.process import Enlarged, EnlargeFile, Enlarging, EnlargingGoesOn, Failed


class Enlargement(QObject):
    """See the module.

    Signals:
        changed: it has begun, goes on or has ended.
        done(object, object): the file, a ``Path``, and its ``Enlarged``.
        failed(object): an ``EchoGenError``; nothing is told of what the user stopped.
    """

    changed = Signal()
    done = Signal(object, object)
    failed = Signal(object)
    _told = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._child: Enlarging | None = None
        self._target = Path()
        self.share = 0.0
        self._told.connect(self._take, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        return self._child is not None

    def begin(self, work: EnlargeFile) -> None:
        """Begin, unless a picture is on its way."""
        if self._child is None:
            self.share, self._target = 0.0, work.target
            self._child = Enlarging(work, self._told.emit)
            self.changed.emit()

    @Slot()
    def stop(self) -> None:
        """Stop at once; a file that is being written already is written to its end."""
        if self._child is not None:
            self._child.cancel()

    @Slot(object)
    def _take(self, message: EnlargingGoesOn | Enlarged | Failed) -> None:
        if self._child is None:
            return
        if isinstance(message, EnlargingGoesOn):
            self.share = message.fraction
            self.changed.emit()
            return
        child, self._child = self._child, None
        child.close()
        self.changed.emit()
        if isinstance(message, Enlarged):
            self.done.emit(self._target, message)
        elif not isinstance(message.error, Cancelled):
            self.failed.emit(message.error)

    def close(self) -> None:
        """End what goes on: the window is closed."""
        child, self._child = self._child, None
        if child is not None:
            child.cancel()
            child.close()
