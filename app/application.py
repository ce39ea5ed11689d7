"""The program put together: the application object, and everything that lives as long as the window, from its start to its end."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication, QIcon
from PySide6.QtWidgets import QApplication

from app.language import languages
from app.look import stylesheet
from app.look import type as type_
from app.look.theme import notifier
from app.resources import resource
from app.session.state import SessionState
from app.shortcuts import keymap
from app.store.errors import QueueNotRead
from app.store.history_store import HistoryStore
from app.store.paths import AppPaths
from app.store.saved_session import SessionStore
from app.store.settings import SettingsStore
from app.system.deferred import DeferredSteps, imports
from app.system.first_use import FirstUse
from app.system.garbage import GarbageCollector
from app.window.main_window import MainWindow
from engine import EchoGenError, __version__, is_text
from installer.desktop_entry import APP_ID, NAME

if TYPE_CHECKING:
    from app.session.engine_link import EngineLink

log = logging.getLogger(__name__)

CLOSE_SECONDS = 5.0
_LIBRARIES = ("numpy", "cv2", "PIL.Image", "PIL.ImageCms")
"""What the rest of the window needs first. Each is one long step, and so they are imported in a thread."""
_LINK = ("multiprocessing.connection", "engine.process.messages", "app.session.engine_link")
"""What the engine's child process is started with. It comes first: the child takes longest, and works beside the window."""
_REST = (
    "app.mask.document",
    "app.mask.worker",
    "app.mask.mask_session",
    "app.session.subjects",
    "engine.bundle.manifest",
    "app.session.queue",
    "app.session.controller",
    "app.session.draft_keeper",
    "app.subject.panel",
    "app.subject.found_line",
    "app.subject.name_row",
    "app.canvas.placement_layer",
    "app.canvas.results",
    "app.editor.editor",
    "app.editor.region_editor",
    "app.window.dialog_opener",
    "app.window.listing",
    "app.window.pictures",
    "asyncio",
    "qasync",
)
"""What the rest of the window needs, in steps: what each needs comes before it, and no import holds up the window for long."""
LATEST_MS = 300


def tell_launcher() -> None:
    """Make the file that the launcher waits for (``installer/launcher/opening.py``), where it was the one who started this."""
    sign = os.environ.pop("ECHOGEN_WINDOW_SHOWN", "")
    if sign:
        with contextlib.suppress(OSError):
            Path(sign).touch()


class Program(QObject):
    """Everything that lives as long as the window, put together in one place.

    Args:
        paths: the user's folders.
        engine: "module:attribute" of the engine's class, "" for the one that ships; tests give their own.
        threads: threads the engine computes with; None leaves that to it.

    At first there is only what is seen when the window opens. ``complete`` builds the rest: after the first picture of the
    window is on the screen, or at once when somebody does something with it.

    Signals:
        ended: the window is closed, the engine is gone, everything is saved.
        completed: all is built. broken(object): it could not be; the exception says why.
    """

    ended = Signal()
    broken = Signal(object)
    completed = Signal()

    def __init__(self, paths: AppPaths, engine: str = "", threads: int | None = None) -> None:
        super().__init__()
        self._engine, self._threads = engine, threads
        self._garbage = GarbageCollector(self)
        self.paths = paths
        self.settings_store = SettingsStore(paths.config / "settings.json")
        self.state = SessionState(self)
        self.state.set_settings(self.settings_store.load())
        self._dressed: tuple[Any, ...] = ()
        self._dress()
        self.troubles: list[EchoGenError] = []
        self.store = self._open_history()
        self.window = MainWindow(self.state, self.store, paths)
        self._session_store = SessionStore(paths.session)
        self.session = self._session_store.load()
        self._closed = self._came_back = self._whole = self._restored = False
        self._begun = self._went_on = False
        self._files: list[Path] = []
        self._link: EngineLink | None = None
        self._deferred: DeferredSteps | None = None
        # A window that opens minimised is not painted: the model is loaded all the same.
        self._latest = QTimer(self, singleShot=True)
        self._latest.setInterval(LATEST_MS)
        self._latest.timeout.connect(self._begin)
        self.window.installEventFilter(self)
        self.window.window_session.restore(self.session)
        self.window.closing.connect(self.close)
        self.state.settingsChanged.connect(self._dress)
        self._rest = self._build_rest()

    def complete(self) -> None:
        """Build all that is not seen at first, as far as it is not there yet."""
        try:
            for _ in self._rest:
                pass
        except Exception:
            self._rest = self._build_rest()
            raise

    @property
    def begun(self) -> bool:
        """True when the start is over: nothing of the window, and nothing that it offers, is still to come."""
        return self._went_on and self._deferred is not None and self._deferred.done

    def _start_engine(self) -> None:
        """Start the engine's child process, which imports its libraries while the rest of the window is built."""
        if self._link is None:
            from app.session.engine_link import EngineLink
            from engine.process import ENGINE

            self._link = EngineLink(self._engine or ENGINE, self._threads, self)
            self._link.import_libraries()

    @property
    def link(self) -> EngineLink:
        """The link to the engine's child process; the child is started where it was not."""
        self._start_engine()
        assert self._link is not None
        return self._link

    def _build_rest(self) -> Iterator[None]:
        """Build all that is not seen at first, in parts; between two of them the window paints and answers."""
        from app.mask.drafts import DraftStore
        from app.session.controller import Controller
        from app.session.draft_keeper import DraftKeeper
        from app.session.keeper import SessionKeeper
        from app.session.picture_drafts import PictureDrafts
        from app.session.queue import PictureQueue
        from app.session.queue_keeper import QueueKeeper
        from app.session.subjects import Subjects

        self.queue = PictureQueue(self.state, self.link, self)
        self.subjects = Subjects(self.state)
        self.controller = Controller(self.state, self.queue, self.subjects, self.store, self)
        self.queue_keeper = QueueKeeper(self.state, self.queue, self.controller.saver, self.store.queue, self)
        yield
        yield from self.window.parts(self.controller)
        yield
        self.keeper = SessionKeeper(
            self.state,
            self._session_store,
            self.settings_store,
            self.window.assets,
            self.window.window_session.describe,
            self,
        )
        self.keeper.expect()
        drafts = DraftStore(self.paths.drafts)
        self.drafts = DraftKeeper(self.state, self.subjects, self.keeper, drafts, self)
        self.picture_drafts = PictureDrafts(drafts, self)
        self.window.editing.set_drafts(self.drafts)
        self.window.redrawing.set_drafts(self.picture_drafts)
        self.window.cutting.set_drafts(self.picture_drafts)
        self.keeper.fetching.connect(self.subjects.reading.expect)
        self.window.changed.connect(self.keeper.touch)
        self.state.resultChanged.connect(self.keeper.touch)
        self.window.drawing.asked.connect(self.keeper.save)
        self.state.settingsChanged.connect(self._move_pictures)
        self._whole = True
        self.completed.emit()

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
        self._watch = FirstUse(self.window, self)
        self._watch.used.connect(self.wake)
        self._latest.start()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The window's first picture is on the screen."""
        if event.type() == QEvent.Type.Paint and watched is self.window:
            tell_launcher()
            self.window.removeEventFilter(self)
            if not self._begun:
                self._latest.start(0)
        return False

    @Slot()
    def _begin(self) -> None:
        # On a busy computer the first picture may come later than this: only then is the launcher told.
        if self.window.isMinimized():
            tell_launcher()
        if not self._begun:
            from app.system import background

            self._begun = True
            background.run(_import_libraries, done=self._go_on_building, failed=self._go_on_building)

    @Slot(object)
    def _go_on_building(self, _: object) -> None:
        """The libraries are there; where one is broken, what needs it says so."""
        if not self._went_on and not self._closed:
            steps = [*imports(*_LINK), self._start_engine, *imports(*_REST), self._build_on]
            self._deferred = DeferredSteps(steps, self)

    def _build_on(self) -> None:
        """Build the next part of the rest; after the last one the start goes on."""
        if self._try(lambda: next(self._rest, None)):
            if self._whole:
                self._go_on()
            else:
                self._deferred = DeferredSteps([self._build_on], self)

    def _try(self, build: Callable[[], object]) -> bool:
        """Take one step of building the window. Returns False, with the start stopped, if it failed: there is no use in
        going on."""
        try:
            build()
        except Exception as error:
            self._watch.stop()
            self._stop_beginning()
            self.broken.emit(error)
            return False
        return True

    @Slot()
    def wake(self) -> None:
        """Somebody uses the window: it is to be whole now, with what the last session left in it."""
        if not self._whole:
            self._begun = True
            self._latest.stop()
            self._stop_beginning()
            if not self._try(self.complete):
                return
            self._go_on()
        self._restore()

    @Slot(object)
    def receive(self, files: list[Path]) -> None:
        """Another start hands over its photos, or the system does."""
        self.wake()
        self.window.receive(files)

    @Slot(object)
    def report(self, error: EchoGenError) -> None:
        """Say what went wrong, at the latest when the window can."""
        if self._whole:
            self.window.faults.report(error)
        else:
            self.troubles.append(error)

    @Slot()
    def save(self) -> None:
        """Put on the disk what is not there yet; a window that is not whole holds nothing of its own."""
        if self._whole:
            self.keeper.save()

    def _go_on(self) -> None:
        """The window is whole: bring back what was in it, and open the model."""
        self._went_on = True
        self._deferred = DeferredSteps(
            [
                self._restore,
                self.controller.models.find,
                self._open_first,
                self._tell_troubles,
                *self.window.beginnings(),
            ],
            self,
            later=[*self.window.preparations(), self._remove_unused, self._garbage.settle],
            busy=self._busy,
        )

    def _restore(self) -> None:
        if self._restored:
            return
        self._restored = True
        self._watch.stop()
        self._came_back = self.keeper.restore(self.session)
        self.queue_keeper.restore()
        if self.queue_keeper.unreadable:
            self.troubles.append(QueueNotRead(self.queue_keeper.unreadable))
        self.drafts.restore()

    def _open_first(self) -> None:
        """Open the model and the first photo, in one turn: a press of Generate that waits for both must not find one alone."""
        self.controller.models.open()
        if not self._came_back:
            self.controller.models.use_defaults()
        if self._files:
            self.controller.files.open(self._files)
            return
        if not self._came_back:
            self.window.show_example()
        shown = self.session.controls.get("shown")
        self.window.subject.expect_no_more()
        self.window.pictures.show_last(shown if isinstance(shown, int) else None)

    def _remove_unused(self) -> None:
        """Photos and masks that nothing refers to any more. At a start nothing can be undone that would need them."""
        store = self.store
        if store.database.path is None or store.database.was_damaged or store.database.was_new:
            return  # pictures may be missing in it, and nobody knows what those need
        from app.store.unused_assets import remove_unused
        from app.system import background

        background.run(remove_unused, store, self.window.assets, list(self.keeper.assets(self.session)))

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
        from app.system import background

        self._closed = True
        self._stop_beginning()
        self._watch.stop()
        self.complete()  # what ends is whole: every part has its own end
        began = time.monotonic()
        steps: tuple[Callable[[], object], ...] = (
            self._latest.stop,
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

    @staticmethod
    def _busy() -> bool:
        from app.system import background

        return background.busy()

    def _stop_beginning(self) -> None:
        if self._deferred is not None:
            self._deferred.stop()


def _import_libraries() -> None:
    for name in _LIBRARIES:
        importlib.import_module(name)


def make_application(arguments: Sequence[str]) -> QApplication:
    """The application object with its names, icon and look."""
    # Qt takes no name in another encoding, and dies of one; the photos among the arguments are not its business.
    words = [argument for argument in arguments if is_text(argument)]
    application = QApplication([NAME, *words, "-style", stylesheet.STYLE])
    application.setApplicationName(NAME)
    application.setApplicationDisplayName(NAME)
    application.setApplicationVersion(__version__)
    application.setOrganizationName("EchoGen")
    QGuiApplication.setDesktopFileName(APP_ID)
    application.setWindowIcon(QIcon(str(resource("icons", "echogen.svg"))))
    application.setQuitOnLastWindowClosed(False)  # the end is a sequence of its own
    stylesheet.install(application, begun=True)
    return application
