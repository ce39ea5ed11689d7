"""The waiting line: who is behind whom, what is held, and how many of a press of Generate are left. Free of Qt."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, MutableSequence, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from engine import EchoGenError, GenerationRequest

_numbers = itertools.count(1)


def next_number() -> int:
    """A number that no job and no press has yet."""
    return next(_numbers)


@dataclass(frozen=True, eq=False)
class QueuedJob:
    """One picture that waits or is drawn.

    Attributes:
        index, count: picture ``index`` (1-based) of ``count`` of its press of Generate.
        idea: its place among the ideas, or None for a picture to keep.
        until_scale: draw so many scales only; None for all.
        press: the same for what one press of Generate asked for; 0 when nobody pressed.
        contest: of its press, the most alike is wanted: it may be given up early.
        problem: the error that ended its drawing, or None.
        number: tells jobs apart.
    """

    request: GenerationRequest
    index: int
    count: int
    idea: int | None = None
    until_scale: int | None = None
    press: int = 0
    contest: bool = False
    problem: EchoGenError | None = None
    number: int = field(default_factory=next_number)


@dataclass(frozen=True, eq=False)
class QueueEntry:
    """A picture that was asked for and is not drawn, as the queue's panel shows it.

    Attributes:
        number: tells entries apart as long as they are in the queue.
        phase: "drawing", "waiting", "held" (until the user says so) or "failed", which is held with an error.
        problem: the error of a failed one.
    """

    number: int
    request: GenerationRequest
    phase: Literal["drawing", "waiting", "held", "failed"]
    problem: EchoGenError | None = None


_Removed = tuple[tuple[int, QueuedJob], ...]
"""Jobs with the places they had in their line."""


class WaitingLine:
    """The pictures that were asked for and are not drawn.

    Attributes:
        drawing: the one that is drawn, or None.
        waiting: those that follow, ideas among them.
        held: those that wait until the user says so, in their order; no ideas.
    """

    def __init__(self) -> None:
        self.drawing: QueuedJob | None = None
        self.waiting: deque[QueuedJob] = deque()
        self.held: list[QueuedJob] = []
        self._taken_out: deque[tuple[_Removed, _Removed]] = deque(maxlen=16)  # a request may carry a photo

    def entries(self) -> tuple[QueueEntry, ...]:
        """The entries drawn, waiting and held, each in their order; ideas are not among them."""
        drawing = self.drawing
        found = [QueueEntry(drawing.number, drawing.request, "drawing")] if drawing and drawing.idea is None else []
        found += [QueueEntry(job.number, job.request, "waiting") for job in self.waiting if job.idea is None]
        for job in self.held:
            found.append(QueueEntry(job.number, job.request, "failed" if job.problem else "held", job.problem))
        return tuple(found)

    def add(self, requests: Sequence[GenerationRequest], *, contest: bool = False) -> None:
        """Put the pictures of one press of Generate at the end."""
        press = next_number()
        for index, request in enumerate(requests, 1):
            self.waiting.append(QueuedJob(request, index, len(requests), press=press, contest=contest))

    def set_ideas(self, requests: Sequence[GenerationRequest], scales: int) -> None:
        """Put ideas of so many scales at the end; the ideas before them are dropped."""
        self.waiting = deque(job for job in self.waiting if job.idea is None)
        for index, request in enumerate(requests):
            self.waiting.append(QueuedJob(request, index + 1, len(requests), index, scales))

    def forget_waiting(self) -> int:
        """Empty the line but for what is held; returns how many pictures that are, which ``bring_back`` puts back."""
        gone = _removed(tuple(self.waiting), {job.number for job in self.waiting if job.idea is None})
        if gone:
            self._taken_out.append((gone, ()))
        self.waiting.clear()
        return len(gone)

    # Held pictures

    def hold(self, requests: Sequence[GenerationRequest]) -> None:
        """Let pictures wait until the user says so: they are left from an earlier time."""
        self.held += [QueuedJob(request, 1, 1) for request in requests]

    def hold_waiting(self) -> None:
        """Hold what waits, before what is held already; ideas go on waiting."""
        self.held = [job for job in self.waiting if job.idea is None] + self.held
        self.waiting = deque(job for job in self.waiting if job.idea is not None)

    def hold_all(self, job: QueuedJob | None, problem: EchoGenError | None = None) -> None:
        """Hold ``job``, whose drawing an error ended, and what waits; ideas are dropped."""
        left = [replace(one, problem=problem) for one in ((job,) if job is not None else ()) if one.idea is None]
        self.held = left + [one for one in self.waiting if one.idea is None] + self.held
        self.waiting.clear()

    def forget_held(self, number: int) -> None:
        """A held picture is drawn all the same: it was done when it was to be stopped."""
        self.held = [job for job in self.held if job.number != number]

    def release(self, numbers: Iterable[int] | None = None) -> None:
        """Put held pictures, all or some, at the end of what waits, as one press of Generate."""
        wanted = set(numbers) if numbers is not None else {job.number for job in self.held}
        chosen = [job for job in self.held if job.number in wanted]
        self.held = [job for job in self.held if job.number not in wanted]
        press = next_number()
        self.waiting += [
            replace(job, index=place, count=len(chosen), press=press, problem=None)
            for place, job in enumerate(chosen, 1)
        ]

    # One by one

    def move(self, number: int, before: int | None) -> None:
        """Put a picture that waits, or one that is held, in front of another one of its kind.

        Args:
            before: number of the other one; None, and one that is not of its kind, mean the end. In front of the picture that
                is drawn means the beginning.
        """
        drawn_first = self.drawing is not None and self.drawing.number == before
        for line in (self.waiting, self.held):
            _move(line, number, before, to_front=drawn_first)

    def take_out(self, numbers: set[int]) -> None:
        """Forget pictures that wait or are held, until ``bring_back``."""
        taken = (_removed(tuple(self.waiting), numbers), _removed(tuple(self.held), numbers))
        if any(taken):
            self._taken_out.append(taken)
        self.waiting = deque(job for job in self.waiting if job.number not in numbers)
        self.held = [job for job in self.held if job.number not in numbers]

    def bring_back(self) -> bool:
        """Put back what was taken out last, where it was; again what was taken out before it. Returns False when nothing is left."""
        if not self._taken_out:
            return False
        taken = self._taken_out.pop()
        for line, jobs in ((self.waiting, taken[0]), (self.held, taken[1])):
            for place, job in jobs:
                line.insert(min(place, len(line)), job)
        return True

    def count_anew(self) -> None:
        """Make "picture 2 of 4" true again after one of the four was taken out, or moved before another."""
        members: dict[int, list[QueuedJob]] = {}
        for job in self.waiting:
            members.setdefault(job.press, []).append(job)
        if self.drawing is not None and self.drawing.press:
            count = self.drawing.index + len(members.get(self.drawing.press, ()))
            self.drawing = replace(self.drawing, count=count)
        fresh: dict[int, QueuedJob] = {}
        for press, jobs in members.items():
            drawn = self.drawing is not None and self.drawing.press == press
            first = self.drawing.index + 1 if drawn and self.drawing is not None else min(job.index for job in jobs)
            for place, job in enumerate(jobs):
                fresh[job.number] = replace(job, index=first + place, count=first + len(jobs) - 1)
        self.waiting = deque(fresh[job.number] for job in self.waiting)


def _move(line: MutableSequence[QueuedJob], number: int, before: int | None, *, to_front: bool) -> None:
    """Put a job in front of another one of its line; at the end when that is not there. A job of another line stays."""
    job = next((job for job in line if job.number == number), None)
    if job is None or before == number:
        return
    line.remove(job)
    places = [place for place, other in enumerate(line) if other.number == before]
    line.insert(0 if to_front else places[0] if places else len(line), job)


def _removed(line: Sequence[QueuedJob], numbers: set[int]) -> _Removed:
    return tuple((place, job) for place, job in enumerate(line) if job.number in numbers)
