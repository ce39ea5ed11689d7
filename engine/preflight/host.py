"""The learned parts of the pre-flight in a process of their own: what the window holds of it, and what runs in the child.

Not the process that draws: a cut-out can be found and corrected while a picture forms, and a crash of one takes nothing of
the other along. The child loads a part when it is first asked for, and keeps the last photos, so that every further click
sends a few numbers and gets a small picture of logits back. Each part has a thread of its own there: a click does not wait
for a name.

Free of torch on this side, and of Qt on both.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np

from engine.photo.load import Photo
from engine.preflight.learned import ROLES, LearnedParts
from engine.preflight.placing import place

log = logging.getLogger(__name__)

_KEEP = 2
"""Photos the child keeps, 72 MB each at 24 megapixels; as many as SAM keeps embeddings of."""

METHODS = {"naming": ("name",), "grounding": ("find",), "segmentation": ("cut", "embed")}
"""What a part of each role can be asked to do, with the photo first."""


@dataclass(frozen=True)
class Setup:
    """What the child works with; another one needs another child.

    Attributes:
        folders: (role, folder in the hub's layout) of every part that is installed.
        device: the user's choice of a device.
        box_threshold, text_threshold: of the grounding, 0 … 1.
    """

    folders: tuple[tuple[str, Path], ...] = ()
    device: str = "auto"
    box_threshold: float = 0.25
    text_threshold: float = 0.25

    @property
    def roles(self) -> tuple[str, ...]:
        return tuple(role for role in ROLES if any(role == installed for installed, _ in self.folders))


@dataclass(frozen=True)
class _Show:
    """A photo for the questions that follow; its pixels come right behind, as bytes."""

    digest: str
    height: int
    width: int


@dataclass(frozen=True, eq=False)
class _Question:
    number: int
    role: str
    method: str
    digest: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Reply:
    """What a part answered.

    Attributes:
        value: as the part's own method returns it; None when the part failed, too.
        notes: why it failed, in sentences for the user.
        usable: whether the part may be asked again.
    """

    number: int
    value: Any
    notes: tuple[str, ...] = ()
    usable: bool = True


class ChildLost(Exception):
    """The child ended, by itself or because it was closed, before it answered."""


class PreflightProcess:
    """One child, started here. May be asked from several threads at once; answers come in any order."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self._sending, self._state = threading.Lock(), threading.Lock()
        self._waiting: dict[int, Future[Reply]] = {}
        self._shown: OrderedDict[str, None] = OrderedDict()
        self._number = 0
        self._lost = False
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_child_main, args=(theirs, setup), name="EchoGen pre-flight", daemon=True
        )
        self._process.start()
        theirs.close()
        self._reader = threading.Thread(target=self._read, name="pre-flight answers", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int | None:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return not self._lost and self._process.is_alive()

    def ask(self, role: str, method: str, photo: Photo, *arguments: Any) -> Reply:
        """Let a part do what one of its ``METHODS`` does, and wait for the answer. Raises ``ChildLost``."""
        answer: Future[Reply] = Future()
        with self._state:
            if self._lost:
                raise ChildLost
            self._number += 1
            number = self._number
            self._waiting[number] = answer
        try:
            with self._sending:
                self._show(photo)
                self._connection.send(_Question(number, role, method, photo.digest, arguments))
        except (OSError, ValueError) as error:
            raise ChildLost from error
        return answer.result()

    def close(self) -> None:
        """End the child at once; nothing in it has to be saved. Whoever waits for an answer gets ``ChildLost``."""
        self._process.terminate()
        self._process.join(2)
        if self._process.is_alive():
            self._process.kill()
            self._process.join(2)
        self._reader.join(2)

    def _show(self, photo: Photo) -> None:
        """Send the pixels, unless the child still has them: it forgets photos in the same order as this list."""
        if photo.digest not in self._shown:
            self._connection.send(_Show(photo.digest, photo.height, photo.width))
            self._connection.send_bytes(np.ascontiguousarray(photo.rgb).data.cast("B"))
        _renew(self._shown, photo.digest, None)

    def _read(self) -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                reply = self._connection.recv()
                with self._state:
                    waiting = self._waiting.pop(reply.number)
                waiting.set_result(reply)
        with self._state:
            self._lost = True
            left, self._waiting = list(self._waiting.values()), {}
        for answer in left:
            answer.set_exception(ChildLost())
        self._process.join(5)  # collected, so that no dead process stays in the system's list
        self._connection.close()


def _renew(kept: OrderedDict[str, Any], digest: str, value: Any) -> None:
    kept[digest] = value
    kept.move_to_end(digest)
    while len(kept) > _KEEP:
        kept.popitem(last=False)


# In the child


def _child_main(connection: Connection, setup: Setup) -> None:
    """Entry of the child process; it ends with the window, however that ends."""
    with contextlib.suppress(EOFError, OSError, KeyboardInterrupt):
        serve(connection, _learned(setup))
    os._exit(0)  # the parts' threads may be deep in work that nobody waits for


def _learned(setup: Setup) -> LearnedParts:
    return LearnedParts(
        dict(setup.folders),
        partial(_placed, setup.device),
        setup.box_threshold,
        setup.text_threshold,
    )


def _placed(wanted: str, role: str, folder: Path) -> str:
    return place(role, folder, wanted)


def serve(connection: Connection, parts: LearnedParts) -> None:
    """Hand every question to the thread of its part, until the connection ends."""
    photos: OrderedDict[str, Photo] = OrderedDict()
    desks: dict[str, SimpleQueue[tuple[_Question, Photo]]] = {}
    sending = threading.Lock()

    def send(reply: Reply) -> None:
        with sending:
            connection.send(reply)

    while True:
        match connection.recv():
            case _Show() as shown:
                rgb = np.frombuffer(connection.recv_bytes(), np.uint8).reshape(shown.height, shown.width, 3)
                _renew(photos, shown.digest, Photo(rgb, None, shown.digest))
            case _Question() as question:
                photo = photos[question.digest]
                _renew(photos, question.digest, photo)
                if question.role not in desks:
                    desk: SimpleQueue[tuple[_Question, Photo]] = SimpleQueue()
                    desks[question.role] = desk
                    threading.Thread(target=_work, args=(parts, desk, send), name=question.role, daemon=True).start()
                desks[question.role].put((question, photo))


def _work(parts: LearnedParts, desk: SimpleQueue[tuple[_Question, Photo]], send: Callable[[Reply], None]) -> None:
    """The thread of one part: a question at a time."""
    with contextlib.suppress(OSError):  # the window is gone; the process is about to end
        while True:
            send(_answer(parts, *desk.get()))


def _answer(parts: LearnedParts, question: _Question, photo: Photo) -> Reply:
    role = question.role
    notes: list[str] = []
    try:
        if question.method not in METHODS[role]:
            raise ValueError(f"a part for {role} does not {question.method}")
        value = parts.use(role, lambda part: getattr(part, question.method)(photo, *question.arguments), notes)
    except Exception:
        log.exception("the part for %s failed", role)
        notes.append(f"The learned part for {role} was not used: it failed.")
        value = None
    if role == "naming":
        # By far the largest part, and asked once per photo: its memory is worth more to the model that draws.
        parts.unload(role)
    return Reply(question.number, value, tuple(notes), role in parts.roles)
