"""The segmenter in a thread of its own: masks never wait behind a picture that is being drawn, and the window never behind
a mask. What the segmenter does is GrabCut in the thread itself; networks that are installed answer from a child process.

``MaskService`` lives in the window's thread and takes jobs; the latest wins: a job that waits is replaced by the next one,
and an answer to anything but the latest job is never delivered.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from PySide6.QtCore import QObject, QThread, Signal, Slot

from app.mask.strokes import Painted, repaint
from app.store.settings import Settings
from engine import EchoGenError, Sentence
from engine.photo import Box, Click, Hint, Photo, Stroke, SubjectProposal

log = logging.getLogger(__name__)

_CLOSE_MS = 5000


class SegmenterLike(Protocol):
    """The part of a segmenter that the worker uses; tests give their own."""

    def find_subject(self, photo: Photo, hint: Hint) -> SubjectProposal: ...

    def refine_mask(
        self,
        photo: Photo,
        clicks: tuple[Click, ...] = (),
        box: Box | None = None,
        strokes: tuple[Stroke, ...] = (),
        start: np.ndarray | None = None,
        notes: list[str] | None = None,
    ) -> np.ndarray: ...

    def prepare(self, photo: Photo) -> tuple[str, ...]: ...

    def close(self) -> None: ...


@dataclass(frozen=True, eq=False)
class Find:
    """Find the subject of a photo anew."""

    photo: Photo
    hint: Hint = field(default_factory=Hint)
    ticket: int = 0


@dataclass(frozen=True, eq=False)
class Refine:
    """Correct a mask.

    Attributes:
        start: the mask to correct, uint8 (H, W); must not change while the job is under way.
        painted: hand work that is done again on the answer, so that it always wins.
    """

    photo: Photo
    clicks: tuple[Click, ...] = ()
    box: Box | None = None
    strokes: tuple[Stroke, ...] = ()
    start: np.ndarray | None = None
    painted: tuple[Painted, ...] = ()
    ticket: int = 0


Job = Find | Refine


@dataclass(frozen=True, eq=False)
class Answer:
    """The answer to a job: a proposal (``Find``) or a mask (``Refine``), with sentences for the user."""

    job: Job
    proposal: SubjectProposal | None = None
    mask: np.ndarray | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Failure:
    """A job failed; ``details`` is for the log."""

    job: Job
    error: EchoGenError
    details: str = ""


def default_segmenter() -> SegmenterLike:
    """GrabCut, in this process."""
    from engine.preflight import Segmenter

    return Segmenter()


def hosted_segmenter(settings: Callable[[], Settings]) -> SegmenterLike:
    """The networks for the cut-out that are installed, in a child process of their own; GrabCut where there are none.

    It comes warm, so it takes a moment: it is made while the first photo is read.
    """
    from engine.preflight import Segmenter
    from engine.process import HostedParts, Setup
    from engine.weights import installed_helpers

    def setup() -> Setup:
        now = settings()
        return Setup(tuple(installed_helpers().items()), now.device, now.box_threshold, now.text_threshold)

    segmenter = Segmenter(HostedParts(setup))
    segmenter.warm_up()
    return segmenter


class _Worker(QObject):
    """Lives in the mask thread."""

    done = Signal(object)

    def __init__(self, factory: Callable[[], SegmenterLike]) -> None:
        super().__init__()
        self._factory = factory
        self._segmenter: SegmenterLike | None = None

    @Slot(object)
    def work(self, job: Job) -> None:
        try:
            if self._segmenter is None:
                self._segmenter = self._factory()
            self.done.emit(self._answer(self._segmenter, job))
        except EchoGenError as error:
            self.done.emit(Failure(job, error, traceback.format_exc()))
        except Exception as error:
            log.exception("the segmenter failed")
            fault = EchoGenError(
                Sentence("The cut-out could not be made: {error}", error=error),
                Sentence("Paint it by hand, or draw a box."),
            )
            self.done.emit(Failure(job, fault, traceback.format_exc()))

    @staticmethod
    def _answer(segmenter: SegmenterLike, job: Job) -> Answer:
        if isinstance(job, Find):
            found = segmenter.find_subject(job.photo, job.hint)
            return Answer(job, proposal=found, notes=found.notes)
        notes: list[str] = []
        mask = segmenter.refine_mask(job.photo, job.clicks, job.box, job.strokes, job.start, notes)
        if job.painted:
            mask = np.array(mask, np.uint8)
            repaint(mask, job.painted)
        return Answer(job, mask=mask, notes=tuple(notes))


class MaskService(QObject):
    """Takes jobs for the mask thread. Everything here runs in the window's thread.

    Signals:
        answered: an ``Answer`` to the latest job.
        failed: a ``Failure`` of the latest job.
        superseded: the ticket of a job that will not be answered any more.
    """

    answered = Signal(object)
    failed = Signal(object)
    superseded = Signal(int)
    _handed_over = Signal(object)

    def __init__(self, factory: Callable[[], SegmenterLike] = default_segmenter, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread = QThread(self)
        self._thread.setObjectName("masks")
        self._worker = _Worker(factory)
        self._worker.moveToThread(self._thread)
        self._handed_over.connect(self._worker.work)
        self._worker.done.connect(self._done)
        self._last = 0
        self._running: Job | None = None
        self._waiting: Job | None = None
        self._closed = False

    @property
    def busy(self) -> bool:
        """True while an answer is still to come."""
        return self._waiting is not None or (self._running is not None and self._running.ticket == self._last)

    def ask(self, job: Job) -> int:
        """Hand over a job; returns its ticket. Whatever was asked before is not answered any more."""
        self.cancel()
        self._last += 1
        job = replace(job, ticket=self._last)
        if self._closed:
            return job.ticket
        if self._running is None:
            self._start(job)
        else:
            self._waiting = job
        return job.ticket

    def cancel(self) -> None:
        """Nobody waits for an answer any more."""
        if self._waiting is not None:
            dropped, self._waiting = self._waiting.ticket, None
            self.superseded.emit(dropped)
        elif self._running is not None and self._running.ticket == self._last:
            self._last += 1
            self.superseded.emit(self._running.ticket)

    def close(self) -> None:
        """End the thread; waits for the job in progress, a few seconds at most."""
        if self._closed:
            return
        self._closed = True
        self.cancel()
        self._thread.quit()
        if self._thread.isRunning() and not self._thread.wait(_CLOSE_MS):
            log.warning("the mask thread did not end in time")
            return
        self._worker.deleteLater()

    def _start(self, job: Job) -> None:
        if not self._thread.isRunning():
            self._thread.start(QThread.Priority.LowPriority)
        self._running = job
        self._handed_over.emit(job)

    @Slot(object)
    def _done(self, outcome: Answer | Failure) -> None:
        latest = outcome.job.ticket == self._last and not self._closed
        self._running = None
        if self._waiting is not None:
            job, self._waiting = self._waiting, None
            self._start(job)
        if not latest:
            return
        if isinstance(outcome, Answer):
            self.answered.emit(outcome)
        else:
            self.failed.emit(outcome)
