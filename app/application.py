"""Starting and ending: the application object, its folders, its one window, the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QObject, QSocketNotifier, QTimer, Signal, Slot
from PySide6.QtGui import QFileOpenEvent, QGuiApplication, QIcon
from PySide6.QtWidgets import QApplication, QMessageBox

from app.language import languages
from app.look import stylesheet
from app.look import type as type_
from app.look.theme import notifier
from app.mask.drafts import DraftStore
from app.resources import resource
from app.session.controller import Controller
from app.session.draft_keeper import DraftKeeper
from app.session.engine_link import EngineLink
from app.session.keeper import SessionKeeper
from app.session.picture_drafts import PictureDrafts
from app.session.queue import PictureQueue
from app.session.queue_keeper import QueueKeeper
from app.session.state import SessionState
from app.session.subjects import Subjects
from app.shortcuts import keymap
from app.store.errors import QueueNotRead
from app.store.history_store import HistoryStore
from app.store.paths import AppPaths
from app.store.saved_session import SessionStore
from app.store.settings import SettingsStore
from app.store.unused_assets import remove_unused
from app.system import background, logs
from app.system.deferred import DeferredSteps
from app.system.garbage import GarbageCollector
from app.system.single_instance import SingleInstance
from app.window.main_window import MainWindow
from engine import EchoGenError, ExitCode, __version__, is_text, shortened
from engine.process import ENGINE
from installer.desktop_entry import APP_ID, NAME

log = logging.getLogger(__name__)

CLOSE_SECONDS = 5.0
LATEST_MS = 300


def tell_launcher() -> None:
    """Make the file that the launcher waits for (``installer/launcher/opening.py``), where it was the one who started this."""
    sign = os.environ.pop("ECHOGEN_WINDOW_SHOWN", "")
    if sign:
        with contextlib.suppress(OSError):
            Path(sign).touch()


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


class Program(QObject):
    """Everything that lives as long as the window, put together in one place.

    Args:
        paths: the user's folders.
        engine: "module:attribute" of the engine's class; tests give their own.
        threads: threads the engine computes with; None leaves that to it.

    Signals:
        ended: the window is closed, the engine is gone, everything is saved.
    """

    ended = Signal()

    def __init__(self, paths: AppPaths, engine: str = ENGINE, threads: int | None = None) -> None:
        super().__init__()
        self._garbage = GarbageCollector(self)
        self.paths = paths
        self.settings_store = SettingsStore(paths.config / "settings.json")
        self.state = SessionState(self)
        self.state.set_settings(self.settings_store.load())
        self._dressed: tuple[Any, ...] = ()
        self._dress()
        self.troubles: list[EchoGenError] = []
        self.store = self._open_history()
        self.link = EngineLink(engine, threads, self)
        self.queue = PictureQueue(self.state, self.link, self)
        self.subjects = Subjects(self.state)
        self.controller = Controller(self.state, self.queue, self.subjects, self.store, self)
        self.queue_keeper = QueueKeeper(self.state, self.queue, self.controller.saver, self.store.queue, self)
        self.window = MainWindow(self.state, self.controller, paths)
        self.keeper = SessionKeeper(
            self.state,
            SessionStore(paths.session),
            self.settings_store,
            self.window.assets,
            self.window.window_session.describe,
            self,
        )
        drafts = DraftStore(paths.drafts)
        self.drafts = DraftKeeper(self.state, self.subjects, self.keeper, drafts, self)
        self.picture_drafts = PictureDrafts(drafts, self)
        self.window.editing.set_drafts(self.drafts)
        self.window.redrawing.set_drafts(self.picture_drafts)
        self.window.cutting.set_drafts(self.picture_drafts)
        self.keeper.fetching.connect(self.subjects.expect)
        self.session = self.keeper.load()
        self._closed = self._came_back = False
        self._files: list[Path] = []
        self._deferred: DeferredSteps | None = None
        # A window that opens minimised is not painted: the model is loaded all the same.
        self._latest = QTimer(self, singleShot=True)
        self._latest.setInterval(LATEST_MS)
        self._latest.timeout.connect(self._begin)
        self.window.installEventFilter(self)
        self.window.window_session.restore(self.session)
        self.window.closing.connect(self.close)
        self.window.changed.connect(self.keeper.touch)
        self.state.resultChanged.connect(self.keeper.touch)
        self.window.drawing.asked.connect(self.keeper.save)
        self.state.settingsChanged.connect(self._dress)
        self.state.settingsChanged.connect(self._move_pictures)

    def _open_history(self) -> HistoryStore:
        """The history, in memory where its file cannot be opened: there is a window all the same, and it says so."""
        try:
            return HistoryStore(self.paths.history, self.pictures_folder())
        except EchoGenError as error:
            log.error("the history is kept in memory: %s", error)
            self.troubles.append(error)
            return HistoryStore(None, self.pictures_folder())

    def pictures_folder(self) -> Path:
        chosen = self.state.settings.pictures
        return Path(chosen) if chosen else self.paths.pictures

    @Slot()
    def _move_pictures(self) -> None:
        if self.store.folder != self.pictures_folder():
            self.store.folder = self.pictures_folder()
            self.controller.save_unsaved()

    @Slot()
    def _dress(self) -> None:
        """Theme, motion, text size, language and keys of the settings, each only when it changed."""
        settings = self.state.settings
        wanted = (settings.theme, settings.motion, settings.text_scale, settings.language)
        before = self._dressed or (None,) * 4
        self._dressed = wanted
        if settings.motion != before[1]:
            notifier.set_motion(settings.motion)
        if settings.text_scale != before[2]:
            type_.set_text_scale(settings.text_scale)
        if settings.theme != before[0]:
            notifier.set_choice(settings.theme)
        if settings.language != before[3]:
            languages.install(settings.language)
        if settings.keys != keymap.own():
            keymap.load(settings.keys)

    def start(self, files: Sequence[Path] = ()) -> None:
        """Show the window; everything slow begins once it can be seen."""
        stylesheet.put_on()
        self._files = list(files)
        self.window.show()
        self._latest.start()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The window's first picture is on the screen."""
        if event.type() == QEvent.Type.Paint and watched is self.window:
            tell_launcher()
            self.window.removeEventFilter(self)
            if self._deferred is None:
                self._latest.start(0)
        return False

    @Slot()
    def _begin(self) -> None:
        # On a busy computer the first picture may come later than this: only then is the launcher told.
        if self.window.isMinimized():
            tell_launcher()
        self._deferred = DeferredSteps(
            [
                self._restore,
                self.controller.models.find,
                self.controller.models.open,
                self._open_first,
                self._tell_troubles,
                *self.window.beginnings(),
            ],
            self,
            later=[*self.window.preparations(), self._remove_unused, self._garbage.settle],
            busy=background.busy,
        )

    def _restore(self) -> None:
        self._came_back = self.keeper.restore(self.session)
        self.queue_keeper.restore()
        if self.queue_keeper.unreadable:
            self.troubles.append(QueueNotRead(self.queue_keeper.unreadable))
        self.drafts.restore()

    def _open_first(self) -> None:
        if not self._came_back:
            self.controller.models.use_defaults()
        if self._files:
            self.controller.files.open(self._files)
            return
        if not self._came_back:
            self.window.show_example()
        shown = self.session.controls.get("shown")
        self.window.pictures.show_last(shown if isinstance(shown, int) else None)

    def _remove_unused(self) -> None:
        """Photos and masks that nothing refers to any more. At a start nothing can be undone that would need them."""
        store = self.store
        if store.database.path is None or store.database.was_damaged or store.database.was_new:
            return  # pictures may be missing in it, and nobody knows what those need
        keep = [*self.keeper.assets(self.session), *DraftStore(self.paths.drafts).pictures()]
        background.run(remove_unused, store, self.window.assets, keep)

    def _tell_troubles(self) -> None:
        """Show the errors that came before there was a window to say them in."""
        for error in self.troubles:
            self.window.faults.report(error)

    @property
    def closed(self) -> bool:
        return self._closed

    @Slot()
    def close(self) -> None:
        """The window is hidden: stop drawing, wait a bounded time, save, end. Whatever fails on the way, the program ends."""
        if self._closed:
            return
        self._closed = True
        began = time.monotonic()
        steps: tuple[Callable[[], object], ...] = (
            self._latest.stop,
            self._stop_beginning,
            self.queue_keeper.freeze,
            self.queue.stop_now,
            self.drafts.keep_now,
            self.picture_drafts.keep_now,
            self.subjects.keep_strokes,
            self.keeper.keep_assets_now,
            self.keeper.save,
            lambda: self.controller.rescue(self.paths.data / "unsaved"),
            self.window.history.commands.purge,
            lambda: self.link.shutdown(CLOSE_SECONDS),
            self.window.close_panels,  # ends the child for cut-outs, which work in the background may wait for
            # Pictures that are being written are finished; what they tell afterwards is delivered before the end.
            background.shutdown,
            QApplication.sendPostedEvents,
            self.keeper.close,
            self.store.close,
            self.window.deleteLater,
            self._garbage.stop,
        )
        try:
            for step in steps:
                try:
                    step()
                except Exception:
                    log.exception("a step of the end failed")
            log.info("closed in %.1f s", time.monotonic() - began)
        finally:
            self.ended.emit()

    def _stop_beginning(self) -> None:
        if self._deferred is not None:
            self._deferred.stop()


def make_application(arguments: Sequence[str]) -> QApplication:
    """The application object with its names, icon and look."""
    # Qt takes no name in another encoding, and dies of one; the photos among the arguments are not its business.
    application = QApplication([NAME, *(argument for argument in arguments if is_text(argument))])
    application.setApplicationName(NAME)
    application.setApplicationDisplayName(NAME)
    application.setApplicationVersion(__version__)
    application.setOrganizationName("EchoGen")
    QGuiApplication.setDesktopFileName(APP_ID)
    application.setWindowIcon(QIcon(str(resource("icons", "echogen.svg"))))
    application.setQuitOnLastWindowClosed(False)  # the end is a sequence of its own
    stylesheet.install(application, sheet=False)
    return application


def run(arguments: Sequence[str]) -> int:
    """Open the window and stay until it is closed; a second start hands its photos to the first one.

    Returns:
        the exit code.
    """
    import qasync

    files = [Path(argument) for argument in arguments if not argument.startswith("-")]
    paths = AppPaths.standard()
    application = make_application(arguments)
    faults = logs.start(paths.log)
    instance = SingleInstance(paths.data)
    if not instance.claim():
        if instance.hand_over(files):
            return 0
        log.warning("another EchoGen is open but does not answer; a second window opens")
    loop = qasync.QEventLoop(application)
    asyncio.set_event_loop(loop)
    try:
        program = Program(paths)
    except Exception as error:
        return _give_up(error)
    faults.happened.connect(program.window.faults.report)
    instance.received.connect(program.window.receive)
    opener = FileOpenFilter()
    opener.opened.connect(program.window.receive)
    application.installEventFilter(opener)
    program.ended.connect(application.quit)
    application.commitDataRequest.connect(program.keeper.save)
    signals = SystemSignals(program)
    signals.asked.connect(program.window.close)
    program.start(files)
    with loop:
        loop.run_forever()
    signals.restore()
    instance.release()
    logs.stop()
    return 0


def _give_up(error: Exception) -> int:
    """There is no window: say why in a box and in the terminal, never nowhere. Returns the exit code."""
    log.critical("the window cannot be opened", exc_info=error)
    words = str(error) if isinstance(error, EchoGenError) else f"{type(error).__name__}: {error}"
    QMessageBox.critical(None, NAME, shortened(words, 600))
    return int(error.exit_code) if isinstance(error, EchoGenError) else int(ExitCode.OUR_FAULT)


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


def main() -> int:
    """Entry for packages: ``python -m app.application``."""
    return run(sys.argv[1:])
