"""The models of this computer for the window: getting, checking and removing them goes on while no dialog is open.

A thin layer over ``engine.weights``: work runs as tasks of the application's event loop (qasync), what it tells arrives as
signals, and errors are kept per model until the next try.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtWidgets import QApplication

from app.language import sentences
from app.session.controller import Controller
from app.system import background
from engine import BundleError, Cancelled, EchoGenError, Sentence
from engine.bundle import BundleManifest, choose_models_folder, published_manifest, read_manifest
from engine.device import Device, glance, processor
from engine.planning import MemoryPlan, all_plans
from engine.weights import ModelState, ModelStore

log = logging.getLogger(__name__)

IMPORT = ""
"""Stands for the import of a folder, before it is known which models it holds."""
_LET_GO_SECONDS = 10.0
_TELL_MS = 1000
"""Also while nothing arrives is told how things are: a server that falls silent sends no sign of it."""


class Downloads(QObject):
    """See the module.

    Args:
        controller: knows the open bundle, and opens another.
        store: the models; by default those of the user's folder, looked at when first needed.

    Signals:
        changed(str): a model's state, its error or what was found in it is different.
        listChanged: there are other models than before.
        deviceKnown: what would draw is known now.
        tokenKept(object): an access token was kept: for good (True), for this run (False), or it is none (None).
        notice(str): a sentence for a toast.
    """

    changed = Signal(str)
    tokenKept = Signal(object)
    listChanged = Signal()
    deviceKnown = Signal()
    notice = Signal(str)

    def __init__(self, controller: Controller, parent: QObject | None = None, store: ModelStore | None = None) -> None:
        super().__init__(parent)
        self._controller = controller
        self._store: ModelStore | None = None
        self._tasks: dict[asyncio.Task[None], str] = {}
        self._problems: dict[str, EchoGenError] = {}
        self._wrong: dict[str, tuple[str, ...]] = {}
        self._halted: set[str] = set()
        self._next: dict[str, Coroutine[Any, Any, None]] = {}
        self._clock = QTimer(self)
        self._clock.setInterval(_TELL_MS)
        self._clock.timeout.connect(self._tell)
        self.device: Device | None = None
        if store is not None:
            self._take(store)

    # What there is

    @property
    def store(self) -> ModelStore:
        if self._store is None:
            self._take(ModelStore())
        assert self._store is not None
        return self._store

    def _take(self, store: ModelStore) -> None:
        self._store = store
        store.subscribe(self.changed.emit)

    def state(self, name: str) -> ModelState | None:
        """One model as it is now, or None when it is gone."""
        try:
            return self.store.state(name)
        except EchoGenError:
            return None

    def problem(self, name: str) -> EchoGenError | None:
        """Return the error that stopped the last try, or None."""
        state = self.state(name) if name else None
        return self._problems.get(name) or (state.error if state is not None else None)

    def wrong_files(self, name: str) -> tuple[str, ...] | None:
        """The result of the last check: names of damaged files, none when all is right, or None without a check."""
        return self._wrong.get(name)

    def is_busy(self, name: str) -> bool:
        return name in self._tasks.values()

    @property
    def busy(self) -> bool:
        return bool(self._tasks)

    @property
    def working(self) -> tuple[str, ...]:
        """The models that something is done with, in the order in which it was begun."""
        return tuple(self._tasks.values())

    @Slot()
    def _tell(self) -> None:
        for name in self.working:
            self.changed.emit(name)

    def is_open(self, state: ModelState) -> bool:
        """Return True if this is the bundle that draws."""
        folder = self._controller.state.engine.folder
        return state.folder is not None and folder is not None and state.folder.resolve() == folder.resolve()

    # What it needs

    def find_device(self) -> None:
        """Find out what will draw, in the background; ``deviceKnown`` follows."""
        background.run(
            processor if self._controller.state.settings.device == "cpu" else glance, done=self._device_found
        )

    @Slot(object)
    def _device_found(self, device: Device) -> None:
        self.device = device
        self.deviceKnown.emit()

    def plans(self, state: ModelState) -> tuple[MemoryPlan, ...]:
        """The memory plans of a bundle on this computer, the fastest first; none while the device is not known."""
        manifest = self._manifest(state)
        if manifest is None or self.device is None:
            return ()
        try:
            return all_plans(manifest, self.device)
        except BundleError:
            # A description need not tell everything a plan is made from; opening the model says what is wrong with it.
            log.debug("no memory plan for %s", state.name, exc_info=True)
            return ()

    def _manifest(self, state: ModelState) -> BundleManifest | None:
        if state.bundle and state.installed and state.folder is not None:
            try:
                return read_manifest(state.folder)
            except BundleError:
                return None
        return published_manifest(state.name)

    # Asking for things

    def get(self, name: str, *, all_of_it: bool = False) -> None:
        """Fetch what is missing. The licences have been accepted.

        Args:
            all_of_it: the user agrees to more bytes than were shown.
        """
        self._start(name, self._get(name, all_of_it))

    async def _get(self, name: str, all_of_it: bool) -> None:
        if all_of_it:
            self.store.accept_sizes(name)
        state = await self.store.get(name)
        if state.installed:
            self._ready([name])

    def pause(self, name: str) -> None:
        """Stop what is going on with a model; what has arrived stays."""
        self._halted.add(name)
        self.store.pause(name)

    def verify(self, name: str) -> None:
        self._start(name, self._verify(name))

    async def _verify(self, name: str) -> None:
        wrong = await self.store.verify(name)
        # A check that was stopped has found nothing, neither good nor bad.
        if name not in self._halted:
            self._wrong[name] = wrong

    def remove(self, name: str) -> None:
        """Take a model off this computer; where it is the open one, the small one is opened first."""
        self._start(name, self._remove(name))

    async def _remove(self, name: str) -> None:
        state = self.store.state(name)
        if self.is_open(state):
            self._controller.state.update_settings(bundle="")
            end = time.monotonic() + _LET_GO_SECONDS
            while self._controller.state.engine.phase == "loading" and time.monotonic() < end:
                await asyncio.sleep(0.05)  # its files are in use until another one is open
        await self.store.remove(name)
        self._list_changed()

    def free_originals(self, name: str) -> None:
        """Remove the downloaded files of a model that was made from them."""
        self._start(name, self._free_originals(name))

    async def _free_originals(self, name: str) -> None:
        await self.store.remove_originals(name)

    def import_folder(self, folder: Path) -> None:
        """Take whatever models a folder holds."""
        self._start(IMPORT, self._import(folder))

    async def _import(self, folder: Path) -> None:
        self._ready(list(await self.store.import_folder(folder)))

    def use(self, name: str) -> None:
        """Draw with this bundle from now on."""
        state = self.state(name)
        if state is not None and state.folder is not None:
            self._controller.state.update_settings(bundle=str(state.folder))

    def accept(self, name: str, choices: Sequence[str]) -> bool:
        """The user accepts the licences of a model with these parts. Returns whether that could be recorded."""
        try:
            self.store.choose(name, *choices)
            self.store.accept_licences(name)
        except EchoGenError as error:
            self._set_problem(name, error)
            return False
        return True

    # Settings

    def keep_token(self, token: str) -> None:
        """Keep an access token; ``tokenKept`` follows. In a thread: the system's keyring may ask the user first."""
        background.run(self.store.tokens.set, token, done=self._token_kept, failed=self._token_refused)

    def forget_token(self) -> None:
        background.run(self.store.tokens.forget)

    @Slot(object)
    def _token_kept(self, for_good: bool) -> None:
        self.tokenKept.emit(for_good)

    @Slot(object)
    def _token_refused(self, error: Exception) -> None:
        self.tokenKept.emit(None)

    def choose_folder(self, folder: Path) -> None:
        """Keep models in another folder. Only while nothing is going on; models in the old folder stay there."""
        try:
            choose_models_folder(folder)
        except EchoGenError as error:
            self._set_problem(IMPORT, error)
            return
        self._problems.clear()
        self._wrong.clear()
        self._take(ModelStore())
        self._list_changed()

    # Tasks

    def _start(self, name: str, steps: Coroutine[Any, Any, None]) -> None:
        if self.is_busy(name):
            state = self.state(name) if name else None
            before = self._next.pop(name, None)
            if before is not None:
                before.close()
            if state is not None and not state.working:
                self._next[name] = steps  # what went on has stopped, and its task is about to end
            else:
                steps.close()
            return
        self._problems.pop(name, None)
        self._wrong.pop(name, None)
        self._halted.discard(name)
        task = asyncio.ensure_future(self._run(name, steps))
        self._tasks[task] = name
        self._clock.start()
        task.add_done_callback(self._ended)
        self.changed.emit(name)

    async def _run(self, name: str, steps: Coroutine[Any, Any, None]) -> None:
        try:
            await steps
        except Cancelled:
            pass  # the user stopped it
        except EchoGenError as error:
            log.info("%s: %s", name or "import", error, exc_info=error.__cause__)
            self._set_problem(name, error)
        except Exception as error:
            log.exception("work on the model %s failed", name or "(import)")
            self._set_problem(
                name,
                EchoGenError(
                    Sentence(
                        "Something went wrong inside the program: {error}", error=f"{type(error).__name__}: {error}"
                    ),
                    Sentence("What has arrived is safe. Try again."),
                ),
            )

    def _ended(self, task: asyncio.Task[None]) -> None:
        name = self._tasks.pop(task)
        if not self._tasks:
            self._clock.stop()
        following = self._next.pop(name, None)
        if following is not None:
            self._start(name, following)
        self.changed.emit(name)

    def _set_problem(self, name: str, error: EchoGenError) -> None:
        self._problems[name] = error
        self.changed.emit(name)

    def dismiss(self, name: str) -> None:
        """The user has read what went wrong."""
        self._problems.pop(name, None)
        self.changed.emit(name)

    def _ready(self, names: Sequence[str]) -> None:
        """Models are there to be used: tell, and let the program see them."""
        states = [state for state in map(self.state, names) if state is not None and state.installed]
        for state in states:
            self.notice.emit(self.tr("{0} is ready").format(sentences.translated(state.title)))
        helpers = any(not state.bundle and state.name != "enlarging" for state in states)
        if helpers and not self._controller.state.jobs.busy:
            self._controller.models.restart()  # the helpers of the cut-out are looked for when an engine starts
        self._list_changed()

    def _list_changed(self) -> None:
        self._controller.models.search()
        self.listChanged.emit()

    def close(self, seconds: float = 5.0) -> None:
        """Pause everything; waits until it has stopped, a bounded time. Downloads go on from there after the next start."""
        if self._store is None or not self._tasks:
            return
        end = time.monotonic() + seconds
        for following in self._next.values():
            following.close()
        self._next.clear()
        for task, name in tuple(self._tasks.items()):
            self.store.pause(name) if name else task.cancel()
        while self._tasks and time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.01)
