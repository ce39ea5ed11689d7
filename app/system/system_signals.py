"""Signals of the system, as a signal of Qt."""

from __future__ import annotations

import contextlib
import signal
import socket

from PySide6.QtCore import QObject, QSocketNotifier, Signal, Slot


class SystemSignals(QObject):
    """Ctrl+C in the terminal and a request of the system to end, as a Qt signal.

    Signals:
        asked: a signal of the system asked for the end; the program closes as if the user had closed it.
    """

    asked = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        # Python looks at its signals only between two of its own instructions: a byte on a socket wakes it up.
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._theirs.setblocking(False)
        self._notifier = QSocketNotifier(self._ours.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._woken)
        self._before = signal.set_wakeup_fd(self._theirs.fileno(), warn_on_full_buffer=False)
        self._handlers = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}

    @Slot()
    def _woken(self) -> None:
        with contextlib.suppress(BlockingIOError):
            numbers = self._ours.recv(16)
            if signal.SIGINT in numbers or signal.SIGTERM in numbers:
                self.asked.emit()

    def restore(self) -> None:
        """Give the signals back."""
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._before)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._ours.close()
        self._theirs.close()
