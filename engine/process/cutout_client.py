"""Stand-ins for the learned parts that ask a child process: started when first needed, again after a crash, or not at all.

``cutout_child.py`` is the other side. Free of torch and of Qt.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np

from engine.photo.hints import Box, Click
from engine.photo.load import Photo
from engine.preflight.colours.working_photo import shrunk
from engine.process.cutout_child import cutout_main, renew
from engine.process.messages import Question, Reply, Setup, Show
from engine.process.spawn import ChildLost, ChildProcess
from engine.sentence import Sentence

log = logging.getLogger(__name__)

LOST = Sentence(
    "The networks for the cut-out ended unexpectedly; it was made without them. They are started again later."
)

_FIRST_REST, _LONGEST_REST = 10.0, 300.0
"""Seconds after a crash in which no child is started; twice as many after each further one."""

_START_SIDE = 1024
"""The mask so far is sent at this size; SAM looks at it at 256."""


class PreflightProcess:
    """One child, started here. May be asked from several threads at once; answers come in any order."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self._asking, self._state = threading.Lock(), threading.Lock()
        self._waiting: dict[int, Future[Reply]] = {}
        self._shown: OrderedDict[str, None] = OrderedDict()
        self._number = 0
        self._lost = False
        self._child = ChildProcess(cutout_main, setup, name="EchoGen pre-flight")
        self._child.listen(self._answered, self._ended)

    @property
    def pid(self) -> int | None:
        return self._child.pid

    @property
    def alive(self) -> bool:
        return not self._lost and self._child.alive

    def ask(self, role: str, method: str, photo: Photo, *arguments: Any) -> Reply:
        """Let a part do what one of its ``METHODS`` does, and wait for the answer. Raises ``ChildLost``."""
        answer: Future[Reply] = Future()
        with self._state:
            if self._lost:
                raise ChildLost
            self._number += 1
            number = self._number
            self._waiting[number] = answer
        with self._asking:
            self._show(photo)
            self._child.send(Question(number, role, method, photo.digest, arguments))
        return answer.result()

    def close(self) -> None:
        """End the child at once; nothing in it has to be saved. Whoever waits for an answer gets ``ChildLost``."""
        self._child.end()

    def _show(self, photo: Photo) -> None:
        """Send the pixels, unless the child still has them: it forgets photos in the same order as this list."""
        if photo.digest not in self._shown:
            pixels = np.ascontiguousarray(photo.rgb).data.cast("B")
            self._child.send(Show(photo.digest, photo.height, photo.width), pixels)
        renew(self._shown, photo.digest, None)

    def _answered(self, reply: Reply) -> None:
        with self._state:
            waiting = self._waiting.pop(reply.number)
        waiting.set_result(reply)

    def _ended(self, exit_code: int | None) -> None:
        with self._state:
            self._lost = True
            left, self._waiting = list(self._waiting.values()), {}
        for answer in left:
            answer.set_exception(ChildLost(exit_code))


class HostedParts:
    """``LearnedParts`` in a child process of their own.

    Where nothing is installed there is no child. A crash costs the part that was asked, with a sentence in ``notes``;
    until a child is started again, nothing counts as installed. Thread-safe.

    Args:
        setup: what is installed and how it is used now; asked often, so that what is fetched meanwhile is used at once.
        start: starts a child.
        clock: seconds that never run backwards.
    """

    def __init__(
        self,
        setup: Callable[[], Setup],
        start: Callable[[Setup], PreflightProcess] = PreflightProcess,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._find_setup, self._start, self._clock = setup, start, clock
        self._lock = threading.Lock()
        self._setup = Setup()
        self._process: PreflightProcess | None = None
        self._failed: set[str] = set()
        self._rest, self._resting_until = _FIRST_REST, 0.0
        self._closed = False

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that are installed and can be asked now."""
        with self._lock:
            return self._roles()

    @property
    def pid(self) -> int | None:
        """The child's process, or None while there is none."""
        with self._lock:
            return self._process.pid if self._process is not None else None

    def use(self, role: str, work: Callable[[Any], Any], notes: list[str]) -> Any:
        """As ``LearnedParts.use``: what ``work`` makes of the part, or None, then perhaps with a sentence in ``notes``."""
        with self._lock:
            if role not in self._roles():
                return None
            if self._process is None:
                log.info("starting the child for the cut-out")
                self._process = self._start(self._setup)
            process = self._process
        try:
            return work(_Part(self, process, role, notes))
        except ChildLost:
            if self._lost(process):
                notes.append(LOST)
            return None

    def unload(self, *roles: str) -> None:
        """Give back all memory: the child ends, and is started again when it is needed."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.close()

    def close(self) -> None:
        """End the child for good."""
        with self._lock:
            self._closed = True
        self.unload()

    def _roles(self) -> tuple[str, ...]:
        if self._closed or self._clock() < self._resting_until:
            return ()
        setup = self._find_setup()
        if setup != self._setup:
            # Something was fetched or removed, or the settings changed: another child, and everything is tried anew.
            self._setup, self._failed = setup, set()
            process, self._process = self._process, None
            if process is not None:
                process.close()
        return tuple(role for role in setup.roles if role not in self._failed)

    def _lost(self, process: PreflightProcess) -> bool:
        """A child is gone. Returns whether that is news: it was not ended here, and nobody else said so already."""
        with self._lock:
            if self._closed or self._process is not process:
                return False
            self._process = None
            self._resting_until = self._clock() + self._rest
            log.warning(
                "the child for the cut-out ended; the next one is started in %.0f s at the earliest", self._rest
            )
            self._rest = min(2 * self._rest, _LONGEST_REST)
            return True

    def _answered(self, role: str, usable: bool) -> None:
        with self._lock:
            self._rest = _FIRST_REST
            if not usable:
                self._failed.add(role)


class _Part:
    """A stand-in that ``work`` gets in place of a ``Namer``, a ``Grounder`` or a ``Sam``."""

    def __init__(self, parts: HostedParts, process: PreflightProcess, role: str, notes: list[str]) -> None:
        self._parts, self._process, self._role, self._notes = parts, process, role, notes

    def name(self, photo: Photo) -> Any:
        return self._ask("name", photo)

    def find(self, photo: Photo, name: str) -> Any:
        return self._ask("find", photo, name)

    def cut(
        self, photo: Photo, box: Box | None = None, clicks: Sequence[Click] = (), start: np.ndarray | None = None
    ) -> Any:
        return self._ask("cut", photo, box, tuple(clicks), None if start is None else shrunk(start, _START_SIDE))

    def embed(self, photo: Photo) -> Any:
        return self._ask("embed", photo)

    def _ask(self, method: str, photo: Photo, *arguments: Any) -> Any:
        reply = self._process.ask(self._role, method, photo, *arguments)
        self._notes += reply.notes
        self._parts._answered(self._role, reply.usable)
        return reply.value
