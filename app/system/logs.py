"""The log file and the crash log."""

from __future__ import annotations

import faulthandler
import logging
import logging.handlers
import platform
import sys
import threading
from pathlib import Path
from typing import TextIO

from PySide6.QtCore import QObject, QtMsgType, Signal, qInstallMessageHandler, qVersion

from engine import __version__

log = logging.getLogger(__name__)

LOG_FILE = "echogen.log"
CRASH_FILE = "crash.log"
_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}
_crash_file: TextIO | None = None


class Faults(QObject):
    """Tells the window of an error nobody caught.

    Signals:
        happened(object): the exception.
    """

    happened = Signal(object)


def start(folder: Path) -> Faults:
    """Log to a file in ``folder`` (three files of 1 MB), crashes of Python, Qt or a driver to another one.

    A folder that cannot be written is no reason not to start: the log goes to the terminal alone then.
    """
    global _crash_file
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    layout = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handlers: list[logging.Handler] = []
    if sys.stderr is not None:
        terminal = logging.StreamHandler()
        terminal.setLevel(logging.WARNING)
        handlers.append(terminal)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handlers.append(
            logging.handlers.RotatingFileHandler(
                folder / LOG_FILE, maxBytes=1_000_000, backupCount=2, encoding="utf-8", errors="backslashreplace"
            )
        )
        _crash_file = (folder / CRASH_FILE).open("a", encoding="utf-8", errors="backslashreplace")
        faulthandler.enable(_crash_file)
    except OSError as error:
        log.warning("no log can be written: %s", error)
    for handler in handlers:
        handler.setFormatter(layout)
        root.addHandler(handler)
    qInstallMessageHandler(_from_qt)
    faults = Faults()

    def caught(kind, error, trace) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        log.error("an error nobody caught", exc_info=(kind, error, trace))
        faults.happened.emit(error)

    def caught_in_thread(arguments) -> None:
        if arguments.exc_type is not SystemExit:
            caught(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)

    sys.excepthook = caught
    threading.excepthook = caught_in_thread
    log.info(
        "EchoGen %s, Python %s, Qt %s, %s", __version__, platform.python_version(), qVersion(), platform.platform()
    )
    return faults


def stop() -> None:
    """Undo ``start``."""
    global _crash_file
    sys.excepthook = sys.__excepthook__
    threading.excepthook = threading.__excepthook__
    qInstallMessageHandler(None)
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler, logging.handlers.RotatingFileHandler) or type(handler) is logging.StreamHandler:
            root.removeHandler(handler)
            handler.close()
    if _crash_file is not None:
        faulthandler.disable()
        _crash_file.close()
        _crash_file = None


def _from_qt(kind: QtMsgType, context, text: str) -> None:
    logging.getLogger("qt").log(_LEVELS.get(kind, logging.WARNING), text)
