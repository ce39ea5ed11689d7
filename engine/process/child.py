"""The loop of the engine's child process: reads commands, works on one at a time, sends messages; ``messages.py`` has both."""

from __future__ import annotations

import contextlib
import gc
import importlib
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from engine.errors import Cancel, Cancelled, DeviceLost
from engine.events import EngineInfo, Event
from engine.process.damage import cannot_load
from engine.process.failures import failures_told
from engine.process.messages import (
    Command,
    Failed,
    Generate,
    ImportLibraries,
    JobEvent,
    Loading,
    Message,
    Open,
    Opened,
    PaintScales,
    Prepare,
    Prepared,
    Replanned,
    ScalesPainted,
    Shutdown,
)
from engine.process.spawn import give_way
from engine.request import CutOut, GenerationRequest, ScaleBits
from engine.sampling.contest import Contest
from engine.sentence import Sentence

log = logging.getLogger(__name__)


class EngineLike(Protocol):
    """The part of an engine that the child uses."""

    info: EngineInfo

    def prepare(
        self,
        subject: CutOut | None,
        prompt: str,
        negative_prompt: str = "",
        *,
        views: tuple[CutOut, ...] = (),
        cancel: Cancel | None = None,
    ) -> tuple[str, ...]: ...

    def generate(
        self,
        request: GenerationRequest,
        *,
        cancel: Cancel | None = None,
        until_scale: int | None = None,
        contest: Contest | None = None,
    ) -> Iterator[Event]: ...

    def previews(
        self, bits: ScaleBits, request: GenerationRequest, *, cancel: Cancel | None = None
    ) -> tuple[np.ndarray, ...]: ...

    def close(self) -> None: ...


class _JobCancel:
    """Cancel of one job: set when the window cancelled it or a later one."""

    def __init__(self, cancelled: Any, job: int) -> None:
        self._cancelled, self._job = cancelled, job

    def is_set(self) -> bool:
        return self._cancelled.value >= self._job


class _Superseded:
    """Set as soon as another command waits: preparing must never delay what the user asks for."""

    def __init__(self, inbox: _Inbox) -> None:
        self._inbox = inbox

    def is_set(self) -> bool:
        return self._inbox.waiting()


class _GivesWay:
    """Set as soon as anything waits, another wish to paint scales included: then the older one is out of date."""

    def __init__(self, inbox: _Inbox) -> None:
        self._inbox = inbox

    def is_set(self) -> bool:
        return self._inbox.waiting() or self._inbox.aside is not None


class _Inbox:
    """Reads commands in a thread, so that waiting commands can be seen and a dead window ends the child.

    Attributes:
        aside: the last wish to paint scales, which stands outside of the queue until that is empty.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._commands: list[Command] = []
        self.aside: PaintScales | None = None
        self._changed = threading.Condition()
        threading.Thread(target=self._read, name="commands", daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                command = self._connection.recv()
            except (EOFError, OSError):
                os._exit(0)  # the window is gone; there is nobody left to work for
            except Exception:  # of another version: the program was updated while its window was open
                log.exception("a command cannot be read")
                os._exit(1)
            with self._changed:
                if isinstance(command, PaintScales):
                    self.aside = command
                else:
                    self._commands.append(command)
                self._changed.notify()

    def waiting(self, *kinds: type[Command]) -> bool:
        """Return True if a command waits, or one of these kinds where some are named."""
        return any(isinstance(command, kinds or object) for command in tuple(self._commands))

    def next(self) -> Command:
        with self._changed:
            self._changed.wait_for(lambda: self._commands or self.aside is not None)
            if self._commands:
                return self._commands.pop(0)
            aside, self.aside = self.aside, None
            assert aside is not None
            return aside

    def put_back(self, command: PaintScales) -> None:
        """It gave way: begin it again later, unless a newer one has come."""
        with self._changed:
            if self.aside is None:
                self.aside = command


def child_main(connection: Connection, cancelled: Any, engine: str, threads: int | None) -> None:
    """Run the engine's child process."""
    give_way()
    if threads:
        os.environ["OMP_NUM_THREADS"] = str(threads)
    serve(_Inbox(connection), connection.send, cancelled, engine)


def serve(inbox: _Inbox, send: Callable[[Message], None], cancelled: Any, engine_name: str) -> None:
    """Work on commands until ``Shutdown``. Every failure becomes a ``Failed`` message; the loop goes on.

    A lost card ends it: nothing that this process asks of it will be answered any more, and whoever hears that the child has
    ended starts another one.
    """
    work = _Work(inbox, send, cancelled, engine_name)
    while True:
        command = inbox.next()
        job = command.job if isinstance(command, Generate) else None
        with failures_told(send, lambda error: Sentence("The engine failed: {error}.", error=error), job):
            try:
                work.on(command)
            except Cancelled as error:
                if job is not None:
                    send(Failed(job, error))
        if isinstance(command, Shutdown) or work.device_lost:
            return


class _Work:
    """The engine that is open, and what each command does with it.

    Attributes:
        device_lost: the card gave out while something was drawn.
    """

    def __init__(self, inbox: _Inbox, send: Callable[[Message], None], cancelled: Any, engine_name: str) -> None:
        self._inbox, self._send, self._cancelled, self._engine_name = inbox, send, cancelled, engine_name
        self._engine: EngineLike | None = None
        self._superseded = _Superseded(inbox)
        self._contests = _Contests()
        self.device_lost = False

    def on(self, command: Command) -> None:
        """Do what a command asks for. Raises what the engine raises."""
        match command:
            case ImportLibraries():
                with contextlib.suppress(Exception):
                    _import(self._engine_name.partition(":")[0])
            case Open():
                self._open(command)
            case Prepare():
                self._prepare(command)
            case Generate():
                self._generate(command)
            case PaintScales():
                self._paint(command)
            case Shutdown():
                self._close()

    def _close(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()

    def _open(self, command: Open) -> None:
        def tell(fraction: float, text: str) -> None:
            if self._inbox.waiting(Open, Shutdown):
                raise Cancelled  # nobody waits for this model any more
            self._send(Loading(fraction, text))

        self._close()
        tell(0.0, "Loading the model libraries")
        self._engine = engine = _load(self._engine_name).open(
            command.bundle, command.device, command.memory, on_progress=tell
        )
        self._send(Opened(engine.info, command.number))

    def _prepare(self, command: Prepare) -> None:
        if self._engine is None:
            return
        notes = self._engine.prepare(
            command.subject,
            command.prompt,
            command.negative_prompt,
            views=command.views,
            cancel=self._superseded,
        )
        self._send(Prepared(command, notes))

    def _generate(self, command: Generate) -> None:
        engine = self._engine
        if engine is None:
            raise DeviceLost(Sentence("The model is not loaded."), Sentence("Choose a model first."))
        cancel = _JobCancel(self._cancelled, command.job)
        info, further = engine.info, self._contests.of(command)
        try:
            for event in engine.generate(command.request, cancel=cancel, until_scale=command.until_scale, **further):
                if engine.info != info:
                    info = engine.info
                    self._send(Replanned(info))
                self._send(JobEvent(command.job, event))
        except DeviceLost:
            self.device_lost = True
            raise

    def _paint(self, command: PaintScales) -> None:
        try:
            self._send(ScalesPainted(command.number, self._scales(command)))
        except Cancelled:
            self._inbox.put_back(command)

    def _scales(self, command: PaintScales) -> tuple[np.ndarray, ...]:
        """The scales of an earlier picture. A courtesy: a fault is no message, the tiles just stay empty."""
        engine = self._engine
        if engine is None or command.request.bundle not in ("", engine.info.bundle):
            return ()
        try:
            return engine.previews(command.bits, command.request, cancel=_GivesWay(self._inbox))
        except Cancelled:
            raise
        except Exception:
            log.warning("the scales of an earlier picture could not be painted", exc_info=True)
            return ()


def _load(engine_name: str) -> Any:
    """Return the class that a name like "module:class" means; all model libraries are loaded with it."""
    module, _, attribute = engine_name.partition(":")
    try:
        return getattr(_import(module), attribute)
    except Exception as error:
        log.exception("the engine cannot be loaded")
        raise cannot_load(error) from error


def _import(module: str) -> ModuleType:
    """Import a module with all it needs.

    Nothing that an import makes is garbage, and Python looking for some takes a tenth of it: not until all are there, and
    then never among what they made.
    """
    if module in sys.modules:
        return sys.modules[module]
    gc.disable()
    try:
        return importlib.import_module(module)
    finally:
        gc.freeze()
        gc.enable()


class _Contests:
    """The contest that is under way; one at a time."""

    def __init__(self) -> None:
        self._number: int | None = None
        self._contest = Contest()

    def of(self, command: Generate) -> dict[str, Any]:
        """Further arguments of ``generate``: none for a picture that competes with no other."""
        if command.contest is None:
            return {}
        if command.contest != self._number:
            self._number, self._contest = command.contest, Contest()
        return {"contest": self._contest}
