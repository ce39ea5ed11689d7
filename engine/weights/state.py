"""Snapshots of a model at one moment, for the window and the command line. Free of torch."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.errors import EchoGenError

Phase = Literal["absent", "asking", "fetching", "checking", "converting", "importing", "paused", "failed", "ready"]
WORKING: tuple[Phase, ...] = ("asking", "fetching", "checking", "converting", "importing")


@dataclass(frozen=True)
class PartLicence:
    """The licence of one part, to be shown and accepted once.

    Attributes:
        part, title: which part. repository: where it is from.
        licence, summary, url: its name, what it means in a sentence, its full text.
        accepted: whether the user accepted it before.
    """

    part: str
    title: str
    repository: str
    licence: str
    summary: str
    url: str
    accepted: bool


@dataclass(frozen=True)
class PartState:
    """One part of a model: how much of it is here."""

    key: str
    title: str
    licence: str
    done: int
    total: int

    @property
    def complete(self) -> bool:
        return self.done >= self.total > 0


@dataclass(frozen=True)
class ModelState:
    """One model, as it is now.

    Attributes:
        name, title, description: what it is.
        licence: of its parts, in words: "MIT and Apache-2.0".
        phase: what is going on with it.
        installed: it is ready to be used (also while it is verified).
        shipped: it came with the program and cannot be removed.
        bundle: it draws pictures; otherwise it helps with cut-outs.
        fetchable: it can be downloaded; otherwise it is only imported.
        done, total: bytes of the download. size: bytes on the disk when installed, about what to expect before.
        rate: bytes a second, 0 when nothing moves. left: seconds, None when not known.
        silent: bytes are missing, and none has come for some seconds.
        fraction: share of the phase that is done (checking, converting, importing), 0 … 1.
        parts: what it is made of; empty for what is not fetched.
        error: why it stopped, or None.
        originals: bytes of downloaded files that are not needed any more.
        folder: where it lies, or None.
    """

    name: str
    title: str
    description: str
    licence: str
    phase: Phase
    installed: bool = False
    shipped: bool = False
    bundle: bool = True
    fetchable: bool = True
    done: int = 0
    total: int = 0
    size: int = 0
    rate: float = 0.0
    left: float | None = None
    silent: bool = False
    fraction: float = 0.0
    parts: tuple[PartState, ...] = ()
    error: EchoGenError | None = None
    originals: int = 0
    folder: Path | None = None

    @property
    def working(self) -> bool:
        return self.phase in WORKING

    @property
    def partial(self) -> bool:
        """Something of it is here, but it is not complete."""
        return not self.installed and self.done > 0

    @property
    def paused(self) -> bool:
        return self.phase == "paused"


class Meter:
    """Bytes a second over the last seconds.

    Args:
        seconds: how far it looks back.
        clock: what time it is; tests give their own.
    """

    SILENT_AFTER = 4.0

    def __init__(self, seconds: float = 8.0, clock=time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._marks: deque[tuple[float, int]] = deque()
        self._moved = clock()

    def reset(self) -> None:
        """Begin anew, now."""
        self._marks.clear()
        self._moved = self._clock()

    @property
    def silent(self) -> bool:
        """Nothing has come for some seconds."""
        return self._clock() - self._moved > self.SILENT_AFTER

    def mark(self, done: int) -> None:
        """So many bytes are there now."""
        now = self._moved = self._clock()
        if self._marks and now - self._marks[-1][0] < 0.1:
            return
        self._marks.append((now, done))
        self._forget_old(now)

    def _forget_old(self, now: float) -> None:
        while self._marks and now - self._marks[0][0] > self._seconds:
            self._marks.popleft()

    def rate(self, done: int) -> float:
        """Bytes a second, 0 when nothing came lately."""
        now = self._clock()
        self._forget_old(now)  # nobody marks while nothing comes, and what came long ago is no speed
        if not self._marks:
            return 0.0
        since, before = self._marks[0]
        span = now - since
        return max(0.0, (done - before) / span) if span > 0.2 else 0.0

    def left(self, done: int, total: int) -> float | None:
        """Seconds until all bytes are there, or None when that cannot be said yet."""
        rate = self.rate(done)
        return (total - done) / rate if rate > 1 else None


def licence_words(names: list[str]) -> str:
    """“MIT and Apache-2.0”."""
    each = list(dict.fromkeys(names))
    if len(each) < 2:
        return "".join(each)
    return f"{', '.join(each[:-1])} and {each[-1]}"
