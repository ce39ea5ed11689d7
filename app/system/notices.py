"""Messages of the system, beside the window: for what happens while the user looks at another program. Quietly absent where a
system has none."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QSystemTrayIcon

from app.resources import resource

log = logging.getLogger(__name__)

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
        self._timer = QTimer(self, singleShot=True)
        self._timer.setInterval(_SHOWN_MS)
        self._timer.timeout.connect(self.put_away)

    def show(self, title: str, text: str) -> None:
        """Show a message for some seconds."""
        if QApplication.platformName() in ("offscreen", "minimal"):
            return
        program = shutil.which("notify-send") if sys.platform.startswith("linux") else None
        if program is not None:
            command = [program, "--app-name=EchoGen", f"--icon={resource('icons', 'echogen.svg')}", "--", title, text]
            try:
                subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                )
                return
            except OSError:
                log.info("no message of the system could be shown", exc_info=True)
        if QSystemTrayIcon.isSystemTrayAvailable() and QSystemTrayIcon.supportsMessages():
            self._in_tray(title, text)

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
        """Take the icon out of the tray: it is there for its message only."""
        if self._tray is not None:
            self._tray.hide()
