"""Runs the program in its process: one window for all starts, what the system sends, the event loop, the exit code."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from app.application import Program, make_application
from app.store.paths import AppPaths
from engine import EchoGenError, ExitCode, shortened
from installer.desktop_entry import NAME

log = logging.getLogger(__name__)


def run(arguments: Sequence[str]) -> int:
    """Open the window and stay until it is closed; a second start hands its photos to the first one.

    Returns:
        the exit code.
    """
    from app.system import logs
    from app.system.asyncio_tasks import AsyncioTasks
    from app.system.opened_files import FileOpenFilter
    from app.system.single_instance import SingleInstance
    from app.system.system_signals import SystemSignals

    files = [Path(argument) for argument in arguments if not argument.startswith("-")]
    paths = AppPaths.standard()
    application = make_application(arguments)
    faults = logs.start(paths.log)
    instance = SingleInstance(paths.data)
    if not instance.claim():
        if instance.hand_over(files):
            return 0
        log.warning("another EchoGen is open but does not answer; a second window opens")
    try:
        program = Program(paths)
    except Exception as error:
        return _give_up(error)
    faults.happened.connect(program.report)
    instance.received.connect(program.receive)
    opener = FileOpenFilter()
    opener.opened.connect(program.receive)
    application.installEventFilter(opener)
    program.ended.connect(application.quit)
    application.commitDataRequest.connect(program.save)
    signals = SystemSignals(program)
    signals.asked.connect(program.window.close)
    broken: list[Exception] = []
    program.broken.connect(broken.append)
    program.broken.connect(application.quit)
    tasks = AsyncioTasks(application)
    program.completed.connect(tasks.begin)
    program.start(files)
    application.exec()
    if broken:
        return _give_up(broken[0])
    tasks.end()
    signals.restore()
    instance.release()
    logs.stop()
    return 0


def _give_up(error: Exception) -> int:
    """There is no window: say why in a box and in the terminal, never nowhere. Returns the exit code."""
    from PySide6.QtWidgets import QMessageBox

    log.critical("the window cannot be opened", exc_info=error)
    words = str(error) if isinstance(error, EchoGenError) else f"{type(error).__name__}: {error}"
    QMessageBox.critical(None, NAME, shortened(words, 600))
    return int(error.exit_code) if isinstance(error, EchoGenError) else int(ExitCode.OUR_FAULT)
