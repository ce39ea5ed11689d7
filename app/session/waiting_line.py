"""The waiting line as values: who is behind whom, and how many of a press of Generate are left. Free of Qt."""

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


def entries(
    drawing: QueuedJob | None, waiting: Iterable[QueuedJob], held: Iterable[QueuedJob]
) -> tuple[QueueEntry, ...]:
    """The entries drawn, waiting and held, each in their order; ideas are not among them."""
    found = [QueueEntry(drawing.number, drawing.request, "drawing")] if drawing and drawing.idea is None else []
    found += [QueueEntry(job.number, job.request, "waiting") for job in waiting if job.idea is None]
    for job in held:
        found.append(QueueEntry(job.number, job.request, "failed" if job.problem else "held", job.problem))
    return tuple(found)


def move(line: MutableSequence[QueuedJob], number: int, before: int | None, *, to_front: bool = False) -> None:
    """Put a job in front of another one of its line; at the end when that is not there. A job of another line stays."""
    job = next((job for job in line if job.number == number), None)
    if job is None or before == number:
        return
    line.remove(job)
    places = [place for place, other in enumerate(line) if other.number == before]
    line.insert(0 if to_front else places[0] if places else len(line), job)


Removed = tuple[tuple[int, QueuedJob], ...]
"""Jobs with the places they had in their line."""


def removed(line: Sequence[QueuedJob], numbers: set[int]) -> Removed:
    """Those of a line that are taken out of it, for putting them back."""
    return tuple((place, job) for place, job in enumerate(line) if job.number in numbers)


def counted(drawing: QueuedJob | None, waiting: Iterable[QueuedJob]) -> tuple[QueuedJob | None, deque[QueuedJob]]:
    """ "Picture 2 of 4" made true again after one of the four was taken out, or moved before another."""
    waiting = list(waiting)
    members: dict[int, list[QueuedJob]] = {}
    for job in waiting:
        members.setdefault(job.press, []).append(job)
    if drawing is not None and drawing.press:
        drawing = replace(drawing, count=drawing.index + len(members.get(drawing.press, ())))
    fresh: dict[int, QueuedJob] = {}
    for press, jobs in members.items():
        drawn = drawing is not None and drawing.press == press
        first = drawing.index + 1 if drawn and drawing is not None else min(job.index for job in jobs)
        for place, job in enumerate(jobs):
            fresh[job.number] = replace(job, index=first + place, count=first + len(jobs) - 1)
    return drawing, deque(fresh[job.number] for job in waiting)
