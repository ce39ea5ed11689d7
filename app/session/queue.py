"""The queue between *Generate* and the picture: one job at a time, stopping.

Nothing here paints. The window connects the signals to the canvas and the history.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from PySide6.QtCore import QObject, Signal, Slot

from app.language import sentences
from app.session.best_of_press import BestOfPress
from app.session.encoding_ahead import EncodingAhead
from app.session.engine_link import EngineLink, Previews
from app.session.expected_seconds import ExpectedSeconds
from app.session.state import Jobs, SessionState
from app.session.waiting_line import QueuedJob, QueueEntry, WaitingLine
from app.system import background
from engine import (
    Cancelled,
    DeviceLost,
    EchoGenError,
    Finished,
    GenerationRequest,
    Outdone,
    ScaleBits,
    ScalePreview,
    Sentence,
    Started,
)
from engine.process import Ended, Failed, Loading, Opened, Replanned

log = logging.getLogger(__name__)


class PictureQueue(QObject):
    """The queue of pictures.

    Signals:
        started(object): ``Started`` of a picture. previewed(object): ``ScalePreview``. previewSkipped(object): the same of a scale
            that was followed by another one before the window came to it.
        finishing(object, object): the request as it was queued and its ``Finished``; before ``finished``.
        finished(object, object): ``Finished`` and the picture after every scale.
        stopped(object): cancelled; the picture after every scale that was drawn.
        ideaPreviewed(int, object), ideaFinished(int): the same for four ideas.
        scalesPainted(object): ``ScalesPainted``, the answer to the last ``paint_scales``.
        noted(str): a sentence on how the picture is drawn from here on, for example with a smaller memory plan.
        failed(object, str): ``EchoGenError`` and details. What is not drawn is held then.
        bestFound(object, int): of a press of which the most alike was wanted, its ``Finished`` and how many were given up.
        asked: pictures are to be drawn, new ones or held ones; before they wait.
        idle: nothing is drawn and nothing waits.
        changed: ``entries`` are others, or in another order.

    Attributes:
        completion: tells what is to be done to a finished picture before anybody hears of it, as work for a thread of the
            pool, or None. Until that is done the picture counts as being drawn.
    """

    started = Signal(object)
    previewed = Signal(object)
    previewSkipped = Signal(object)
    finishing = Signal(object, object)
    finished = Signal(object, object)
    stopped = Signal(object)
    ideaPreviewed = Signal(int, object)
    ideaFinished = Signal(int)
    scalesPainted = Signal(object)
    noted = Signal(str)
    failed = Signal(object, str)
    bestFound = Signal(object, int)
    asked = Signal()
    idle = Signal()
    changed = Signal()

    def __init__(self, state: SessionState, link: EngineLink, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state, self._link = state, link
        self._line = WaitingLine()
        self._number: int | None = None
        self._notes: tuple[str, ...] | None = None
        self._reopen: tuple[str, str, str] | None = None
        self._best, self._expected = BestOfPress(), ExpectedSeconds(state)
        self._deaths = 0
        self.completion: Callable[[Finished], Callable[[], Finished] | None] = lambda event: None
        self._ahead = EncodingAhead(state, link, self._is_free, self)
        link.loading.connect(self._loading)
        link.opened.connect(self._opened)
        link.replanned.connect(self._replanned)
        link.started.connect(self._started)
        link.preview.connect(self._preview)
        link.previewSkipped.connect(self._preview_skipped)
        link.finished.connect(self._finished)
        link.scalesPainted.connect(self.scalesPainted)
        link.failed.connect(self._failed)
        link.ended.connect(self._ended)

    # Opening

    def open(self, bundle: str, device: str, memory: str) -> None:
        """Open a bundle; what is drawn and what waits is held first, until the user goes on."""
        self._line.hold_all(self._line.drawing if not self._state.jobs.stopping else None)
        self.stop_now()
        self._reopen = (bundle, device, memory)
        self._ahead.forget()
        self._state.update_engine(phase="loading", fraction=0.0, text="", info=None)
        self._link.open(bundle, device, memory)

    @Slot(object)
    def _loading(self, message: Loading) -> None:
        if self._state.engine.phase == "loading":
            self._state.update_engine(fraction=message.fraction, text=message.text)

    @Slot(object)
    def _opened(self, message: Opened) -> None:
        self._state.update_engine(phase="ready", fraction=1.0, text="", info=message.info)
        self._expected.recall()
        self._pump()

    @Slot(object)
    def _replanned(self, message: Replanned) -> None:
        if self._state.engine.phase == "ready":  # otherwise another model is on its way already
            self._state.update_engine(info=message.info)

    # Drawing

    def draw(self, requests: Sequence[GenerationRequest], *, contest: bool = False) -> None:
        """Put pictures at the end of the queue.

        Args:
            contest: the most alike of them is wanted; those that are clearly behind are given up early.
        """
        self.asked.emit()
        self._line.add(requests, contest=contest)
        self._pump()

    def draw_ideas(self, requests: Sequence[GenerationRequest], scales: int) -> None:
        """Draw the first ``scales`` scales of each request; the ideas before them are dropped."""
        self.asked.emit()
        self._line.set_ideas(requests, scales)
        self._pump()

    @Slot()
    def stop_now(self) -> int:
        """Stop what is drawn and forget what waits; returns how many pictures that are, which ``bring_back`` puts back."""
        count = self._line.forget_waiting()
        if self._number is not None and not self._state.jobs.stopping:
            self._link.cancel(self._number)
            self._tell(stopping=True)
        else:
            self._tell()
        return count

    def stop_after(self) -> int:
        """Finish the picture that is drawn and forget what waits, as ``stop_now`` does."""
        count = self._line.forget_waiting()
        self._tell(last=True)
        return count

    def hold(self, requests: Sequence[GenerationRequest]) -> None:
        """Let pictures wait until ``resume``: they are left from an earlier time."""
        self._line.hold(requests)
        self._tell()

    @Slot()
    def resume(self) -> None:
        """Draw what is held, in its order, behind what waits."""
        self.asked.emit()
        self._line.release()
        self._pump()

    def drop_held(self) -> int:
        """Forget what is held; returns how many pictures that are, which ``bring_back`` puts back."""
        numbers = {job.number for job in self._line.held}
        self.take_out(numbers)
        return len(numbers)

    # One by one, for the queue's panel

    def entries(self) -> tuple[QueueEntry, ...]:
        """The picture that is drawn, what waits, and what is held, each in its order; ideas are not among them."""
        return self._line.entries()

    def move(self, number: int, before: int | None) -> None:
        """Put a picture that waits, or one that is held, in front of another one of its kind, see ``WaitingLine.move``."""
        self._line.move(number, before)
        self._count_anew()

    def take_out(self, numbers: Iterable[int]) -> None:
        """Forget pictures that wait or are held, until ``bring_back``; the one that is drawn is stopped."""
        gone = set(numbers)
        self._line.take_out(gone)
        if self._line.drawing is not None and self._line.drawing.number in gone and not self._state.jobs.stopping:
            assert self._number is not None
            self._link.cancel(self._number)
            self._tell(stopping=True)
        self._count_anew()

    @Slot()
    def bring_back(self) -> bool:
        """Put back what ``take_out`` took last, where it was; returns False when nothing was taken out."""
        back = self._line.bring_back()
        self._line.count_anew()
        self._pump()
        return back

    @Slot()
    def pause(self) -> None:
        """Finish the picture that is drawn; what waits is held until ``resume``."""
        self._line.hold_waiting()
        self._count_anew()

    def draw_held(self, numbers: Iterable[int]) -> None:
        """Draw some of what is held, behind what waits: also what failed, once more."""
        self.asked.emit()
        self._line.release(numbers)
        self._pump()

    def _count_anew(self) -> None:
        self._line.count_anew()
        self._tell()

    def unfinished(self) -> list[GenerationRequest]:
        """Every picture that was asked for and is not drawn, the one that is being drawn first; ideas are not among them."""
        drawing = [self._line.drawing] if self._line.drawing is not None and not self._state.jobs.stopping else []
        return [job.request for job in (*drawing, *self._line.waiting, *self._line.held) if job.idea is None]

    @property
    def waiting(self) -> int:
        return len(self._line.waiting)

    def _is_free(self) -> bool:
        return self._line.drawing is None and not self._line.waiting

    def _pump(self) -> None:
        if self._state.engine.phase == "failed":
            self._line.hold_all(None)  # it would wait for ever
        if self._line.drawing is None and self._line.waiting and self._state.engine.phase == "ready":
            self._line.drawing = self._line.waiting.popleft()
            self._ahead.put_off()
            self._notes = None
            job = self._line.drawing
            further = {"contest": job.press} if job.contest else {}
            self._number = self._link.generate(job.request, job.until_scale, **further)
        self._tell()
        if self._is_free():
            self._ahead.consider()

    def _tell(self, *, stopping: bool = False, last: bool = False) -> None:
        job = self._line.drawing
        before = self._state.jobs
        self._state.set_jobs(
            Jobs(
                drawing=self._number if job is not None else None,
                request=job.request if job is not None else None,
                index=job.index if job is not None else 0,
                count=job.count if job is not None else 0,
                waiting=len(self._line.waiting),
                held=len(self._line.held),
                ideas=job is not None and job.idea is not None,
                stopping=job is not None and (stopping or (before.stopping and before.drawing == self._number)),
                last=job is not None and (last or (before.last and before.drawing == self._number)),
            )
        )
        self.changed.emit()

    def _end_job(self) -> QueuedJob | None:
        job, self._line.drawing, self._number = self._line.drawing, None, None
        return job

    @Slot(int, object)
    def _started(self, number: int, event: Started) -> None:
        if number == self._number:
            # A picture begins twice when memory ran out. What is known about the prompt is said beside it already.
            again = self._notes is not None
            fresh = [note for note in event.notes if note not in (self._notes or ())]
            self._notes = event.notes
            if again and fresh:
                self.noted.emit(sentences.joined(fresh))
            assert self._line.drawing is not None
            if self._line.drawing.idea is not None:
                return
            if event.expected_seconds is not None:
                self._state.set_expected_seconds(event.expected_seconds)
            self.started.emit(event)

    @Slot(int, object)
    def _preview(self, number: int, event: ScalePreview) -> None:
        if number != self._number or self._state.jobs.stopping:
            return
        assert self._line.drawing is not None
        if self._line.drawing.idea is not None:
            self.ideaPreviewed.emit(self._line.drawing.idea, event)
        elif self._state.settings.previews:
            self.previewed.emit(event)

    @Slot(int, object)
    def _preview_skipped(self, number: int, event: ScalePreview) -> None:
        if number != self._number or self._state.jobs.stopping or not self._state.settings.previews:
            return
        assert self._line.drawing is not None
        if self._line.drawing.idea is None:
            self.previewSkipped.emit(event)

    @Slot(int, object, object)
    def _finished(self, number: int, event: Finished, previews: Previews) -> None:
        if number != self._number:
            return
        assert self._line.drawing is not None  # it has a number
        work = None if self._line.drawing.idea is not None else self.completion(event)
        if work is None:
            self._complete(event, previews)
        else:
            background.run(partial(_completed, work, number, event, previews), done=self._completed)

    @Slot(object)
    def _completed(self, answer: tuple[int, Finished, Previews, Exception | None]) -> None:
        number, event, previews, error = answer
        if number != self._number:
            return  # the engine ended meanwhile: the picture waits to be drawn again
        if error is not None:
            log.error("a finished picture could not be completed", exc_info=error)
            fact = Sentence("The picture could not be put into the photo: {error}", error=error)
            self.failed.emit(EchoGenError(fact, Sentence("The part that was drawn is kept.")), "")
        self._complete(event, previews)

    def _complete(self, event: Finished, previews: Previews) -> None:
        job = self._end_job()
        assert job is not None
        if job.idea is not None:
            self.ideaFinished.emit(job.idea)
        else:
            self._deaths = 0
            self._line.forget_held(job.number)
            self._expected.measure(event)
            self.finishing.emit(job.request, event)
            self.finished.emit(event, previews.images)
            self._compare(job, event)
        self._next()

    @Slot(object, object)
    def _failed(self, failed: Failed, previews: Previews) -> None:
        if failed.job is None:
            if self._state.engine.phase == "ready" and self._ahead.has_failed():
                log.info("encoding ahead failed: %s", failed.error)
                return
            self._line.hold_all(self._end_job())
            self._state.update_engine(phase="failed", text=failed.error.fact)
            self._tell()
            self.failed.emit(failed.error, failed.details)
            self.idle.emit()
            return
        if failed.job != self._number:
            return
        job = self._end_job()
        assert job is not None
        if isinstance(failed.error, Outdone):
            self._compare(job, None)
            self._next()
            return
        if isinstance(failed.error, Cancelled):
            if job.idea is None:
                self.stopped.emit(previews.images)
            self._next()
            return
        self._line.hold_all(job, failed.error)
        self._tell()
        self.failed.emit(failed.error, failed.details)
        self._next()

    def _compare(self, job: QueuedJob, event: Finished | None) -> None:
        """A picture is done, or was given up: when it was the last one of its press, tell which is the most alike."""
        if not job.contest:
            return
        told = self._best.take(job, event, self._line.waiting)
        if told is not None:
            self.bestFound.emit(*told)

    def _next(self) -> None:
        self._pump()
        if self._is_free():
            self.idle.emit()

    @Slot(object)
    def _ended(self, message: Ended) -> None:
        """The child is gone without being asked to: say so, and start it again unless that fails time after time."""
        self._ahead.forget()
        job = self._end_job()
        drawing = job is not None
        self._deaths += 1
        again = self._reopen is not None and self._deaths <= 2
        error = DeviceLost(
            Sentence("It ended unexpectedly. Your photo, cut-out and prompt are safe."),
            Sentence("It is being started again; then you can go on.")
            if again
            else Sentence("Start it again, or choose a smaller memory plan in Settings."),
            title=Sentence("The engine stopped"),
        )
        self._line.hold_all(job, error)
        self._state.update_engine(phase="loading" if again else "failed", fraction=0.0, text="", info=None)
        self._tell()
        if drawing or not again:
            self.failed.emit(error, f"exit code {message.exit_code}")
        if again and self._reopen is not None:
            self._link.open(*self._reopen)
        self.idle.emit()

    # Earlier pictures

    def paint_scales(self, request: GenerationRequest, bits: ScaleBits) -> int | None:
        """Have the picture after each scale painted from its bits; it disturbs no drawing.

        Returns:
            the number of the answer, or None when the open model did not draw it: then there will be none.
        """
        info = self._state.engine.info
        if self._state.engine.phase != "ready" or info is None or request.bundle not in ("", info.bundle):
            return None
        return self._link.paint_scales(bits, request)


def _completed(
    work: Callable[[], Finished], number: int, event: Finished, previews: Previews
) -> tuple[int, Finished, Previews, Exception | None]:
    """In the pool. Whatever goes wrong, the picture as the engine gave it is not lost."""
    try:
        return number, work(), previews, None
    except Exception as error:
        return number, event, previews, error
