"""Messages of the system, beside the window: for what happens while the user looks at another program. Quietly absent where a
system has none."""

from __future__ import annotations

import contextlib
import html
import os
import shutil
import signal
import sys

from PySide6.QtCore import QObject, QProcess, QTimer, Signal, Slot
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QSystemTrayIcon

from app.resources import resource

_SHOWN_MS = 10_000


class SystemNotices(QObject):
    """Shows messages, by the system's tray or, on a desktop without one, by ``notify-send``.

    Signals:
        clicked: the user clicked the message.
    """

    clicked = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tray: QSystemTrayIcon | None = None
        self._sending: QProcess | None = None
        self._timer = QTimer(self, singleShot=True)
        self._timer.setInterval(_SHOWN_MS)
        self._timer.timeout.connect(self.put_away)

    def show(self, title: str, text: str) -> None:
        """Show a message for some seconds, in the place of the one before."""
        if QApplication.platformName() in ("offscreen", "minimal"):
            return
        self.put_away()
        program = shutil.which("notify-send") if sys.platform.startswith("linux") else None
        if program is not None:
            self._send(program, title, text)
        elif QSystemTrayIcon.isSystemTrayAvailable() and QSystemTrayIcon.supportsMessages():
            self._in_tray(title, text)

    def _send(self, program: str, title: str, text: str) -> None:
        # The program reads escapes in the text, the desktop tags: a prompt is to be seen as it was written.
        body = html.escape(text, quote=False).replace("\\", "\\\\")
        words = ["--app-name=EchoGen", f"--icon={resource('icons', 'echogen.svg')}", "--", title, body]
        self._sending = QProcess(self)
        self._sending.finished.connect(self._sent)
        # With an action the program waits until the message is clicked, or gone.
        action = self.tr("Show the window")
        self._sending.start(program, [f"--action=default={action}", *words])

    @Slot(int)
    def _sent(self, code: int) -> None:
        process = self.sender()
        if not isinstance(process, QProcess):
            return
        process.deleteLater()
        if process is not self._sending:
            return
        self._sending = None
        if code != 0:  # before libnotify 0.8 it knows no actions
            QProcess.startDetached(process.program(), process.arguments()[1:])
        elif process.readAllStandardOutput().contains(b"default"):
            self.clicked.emit()

    def _in_tray(self, title: str, text: str) -> None:
        icon = QIcon(str(resource("icons", "echogen.svg")))
        if self._tray is None:
            self._tray = QSystemTrayIcon(icon, self)
            self._tray.messageClicked.connect(self._clicked)
            self._tray.activated.connect(self._clicked)
        self._tray.show()
        self._tray.showMessage(title, text, icon, _SHOWN_MS)
        self._timer.start()

    @Slot()
    def _clicked(self) -> None:
        self.put_away()
        self.clicked.emit()

    @Slot()
    def put_away(self) -> None:
        """Take the message away, and the icon out of the tray: it is there for its message only."""
        if self._tray is not None:
            self._tray.hide()
        process, self._sending = self._sending, None
        if process is not None and process.processId():
            with contextlib.suppress(ProcessLookupError):  # it has ended just now
                os.kill(process.processId(), signal.SIGINT)  # at which it closes its message
