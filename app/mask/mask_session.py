"""One photo with its mask in the session: the document, the segmenter's answers, and the pyramids the canvas samples from.

The canvas paints strokes into the document by itself; everything that needs the segmenter, or the whole mask of a large
photo, goes through here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.mask.brush import Rect
from app.mask.document import FOUND, MaskDocument
from app.mask.layers import AT_ONCE, EdgePreview, Layers
from app.mask.pyramid import Pyramid
from app.mask.strokes import Edge, MaskMarks, repaint
from app.mask.whole_mask import MaskOperation, MaskOperations
from app.mask.worker import Answer, Failure, Find, MaskService, Refine
from engine import EchoGenError, Placement, Sentence
from engine.photo import SOLID, Box, Click, Hint, Photo, SubjectProposal, fill_holes, largest_part, parts

SPINNER_AFTER_MS = 100
_PARTS_SIDE = 1024
_CHOICE = "Another candidate"


class MaskSession(QObject):
    """A photo and its mask being edited.

    Args:
        photo: at full size.
        layers: its pyramid, built where the photo was loaded.
        document: the mask; this session takes over its ``on_change``.
        service: shared by all sessions of the window.
        proposal: what the pre-flight found, for the candidates.
        pyramid: of the mask, when there is one already; it is changed here.

    Signals:
        pixelsChanged: a ``Rect`` of the photo in which the mask looks different now.
        marksChanged: clicks, box, edge or undo are different now.
        placementChanged: the subject was put elsewhere in the photo that it goes into.
        waitingChanged: an answer takes longer than a tenth of a second, or has come.
        proposed: a new ``SubjectProposal`` was taken.
        noted: a sentence about how a correction was answered, for example that a learned part failed.
        failed: an ``EchoGenError`` to be said; the mask stays as it was.
    """

    pixelsChanged = Signal(object)
    marksChanged = Signal()
    placementChanged = Signal()
    waitingChanged = Signal(bool)
    proposed = Signal(object)
    noted = Signal(object)
    failed = Signal(object)

    def __init__(
        self,
        photo: Photo,
        layers: Pyramid,
        document: MaskDocument,
        service: MaskService,
        proposal: SubjectProposal | None = None,
        parent: QObject | None = None,
        pyramid: Pyramid | None = None,
    ) -> None:
        super().__init__(parent)
        self.photo = photo
        self.photo_pyramid = layers
        self.document = document
        self.mask_pyramid = pyramid or Pyramid(document.mask)
        self.proposal = proposal
        self.placement: Placement | None = None
        """Where the subject was put by hand, for a photo that it goes into; None where nobody put it anywhere."""
        self._choosing: int | None = None
        self.in_view = Rect(0, 0, 0, 0)
        """The part of the photo that an editor shows enlarged; the editor sets it."""
        self.operations = MaskOperations(document, self._exchange, self)
        self.operations.failed.connect(self._operation_failed)
        self.operations.idle.connect(self._operation_done)
        self._fresh: Pyramid | None = None
        self._preview = EdgePreview()
        self._exchanged = self._asked_at = 0
        self._service = service
        self._ticket = 0
        self._label = ""
        self._slow = False
        self._held: Answer | None = None
        self._chosen = 0
        self._timer = QTimer(self, singleShot=True)
        self._timer.setInterval(SPINNER_AFTER_MS)
        self._timer.timeout.connect(self._is_slow)
        document.on_change = self._document_changed
        service.answered.connect(self._answered)
        service.failed.connect(self._failed)
        service.superseded.connect(self._superseded)

    # What is there

    @property
    def waiting(self) -> bool:
        """True while an answer takes long."""
        return self._slow

    @property
    def busy(self) -> bool:
        """True while the mask is still going to change by itself, an answer of the segmenter apart."""
        return self.operations.busy

    @property
    def undo_label(self) -> str:
        """The label of the next undo, or "" when there is nothing to undo."""
        if self._choosing is not None:
            return _CHOICE
        return self.operations.newest or self.document.undo_label

    @property
    def corrected(self) -> bool:
        """True if the mask is another one than what was found: to search again by a name corrects nothing."""
        return self.undo_label not in ("", FOUND)

    @property
    def redo_label(self) -> str:
        return "" if self.operations.newest else self.document.redo_label

    @property
    def asking(self) -> bool:
        """True while an answer of the segmenter is still to come."""
        return self._ticket != 0

    @property
    def candidate(self) -> int:
        """Index of the candidate that the mask belongs to, or will belong to in a moment; -1 for none of them."""
        return self._choosing if self._choosing is not None else self.document.marks.candidate

    @property
    def chosen(self) -> int:
        """Index of the box that belongs to the mask: that of the candidate, or the best one."""
        count = len(self.proposal.boxes) if self.proposal is not None else 0
        return self.document.marks.candidate if 0 <= self.document.marks.candidate < count else 0

    def part_count(self) -> int:
        """Connected parts of the mask, specks left out."""
        return len(parts(self.mask_pyramid.at_most(_PARTS_SIDE)))

    def share(self) -> float:
        """Return the share of the photo that the subject covers, 0 … 1."""
        small = self.mask_pyramid.at_most(_PARTS_SIDE)
        return float(np.count_nonzero(small >= SOLID)) / small.size

    # Corrections that the segmenter answers

    def click(self, x: float, y: float, include: bool = True) -> None:
        self.document.add_click(Click(x, y, include))
        self._refine()

    def move_click(self, index: int, x: float, y: float) -> None:
        self.document.move_click(index, x, y)
        self._refine()

    def remove_click(self, index: int) -> None:
        self.document.remove_click(index)
        self._refine()

    def clear_clicks(self) -> None:
        self.document.clear_clicks()
        self._cancel()

    def draw_box(self, box: Box) -> None:
        """The subject is in this box: cut it out anew."""
        self.document.set_box(box)
        self._ask(Refine(self.photo, box=box))

    def find(self, hint: Hint, label: str = FOUND) -> None:
        """Look for the subject anew (another name, another candidate)."""
        self._label = label
        self._ask(Find(self.photo, hint))

    def take_found(self, proposal: SubjectProposal) -> None:
        """The pre-flight's first answer, which was asked for elsewhere."""
        self.proposal = proposal
        self.document.start_from(proposal.mask, self._exchange)
        self.proposed.emit(proposal)

    def choose_candidate(self, index: int) -> None:
        """Cut out another of the things that were found in the photo."""
        if self.proposal is not None and 0 <= index < len(self.proposal.boxes):
            self.find(Hint(self.proposal.name, self.proposal.boxes[index]), _CHOICE)
            self._choosing = index
            self.marksChanged.emit()

    # The whole mask

    def undo(self) -> None:
        """Take back the newest step; one that is not done yet is not done at all."""
        choosing = self._choosing is not None
        self._cancel()
        if choosing:
            return
        if self.operations.newest:
            self.operations.drop_newest()
            self.marksChanged.emit()
        else:
            self.document.undo()

    def redo(self) -> None:
        if self.redo_label:
            self._cancel()
            self.document.redo()

    def set_edge(self, edge: Edge) -> None:
        self.document.set_edge(edge)

    def invert(self) -> None:
        """Subject and background exchange places."""
        if self.operations.newest:  # what was asked before comes before
            self._start_operation("Invert", lambda base, marks: base, lambda layers: self._invert())
        else:
            self._invert()

    def fill_holes(self) -> None:
        self._change("Fill the holes", lambda base, marks: fill_holes(base))

    def keep_largest(self) -> None:
        self._change("Keep the largest part", lambda base, marks: largest_part(base))

    def reset(self) -> None:
        """Back to the automatic mask, without any marks."""
        self.take_mask(self.document.automatic, "Reset")

    def take_mask(self, mask: np.ndarray, label: str) -> None:
        """Another mask, uint8 (H, W) as large as the photo, without any marks; it is not changed."""
        self._cancel()
        marks = MaskMarks(candidate=0 if label == "Reset" else -1)
        commit = lambda layers: self.document.replace(layers, label, marks)  # noqa: E731
        self._start_operation(label, lambda base, old: mask.copy(), commit, Edge())

    def take_work(self, base: np.ndarray, marks: MaskMarks, label: str) -> None:
        """Another mask before its edge, uint8 (H, W) as large as the photo, with marks, as one step."""
        self._cancel()
        commit = lambda layers: self.document.replace(layers, label, marks)  # noqa: E731
        self._start_operation(label, lambda before, old: base.copy(), commit, marks.edge)

    def place(self, placement: Placement | None) -> None:
        """Put the subject elsewhere in the photo, or, with None, where it stood first. No step of undo: the frame shows it."""
        if placement != self.placement:
            self.placement = placement
            self.placementChanged.emit()

    def adopt(self, other: MaskSession, label: str) -> None:
        """Mask and marks of another session of this photo, as one step; that session is used up."""
        self._cancel()
        self.operations.settle(edge=False)
        other.operations.settle(edge=False)
        self.proposal = other.proposal
        marks = other.document.marks
        layers = other.document.layers_for(self.document, other.mask_pyramid)
        self._exchange(layers, lambda layers: self.document.replace(layers, label, marks))

    def settle(self) -> None:
        """Do at once what is still to be done to the mask, answers of the segmenter apart."""
        self.operations.settle()

    def release(self) -> None:
        """The session ends: nothing it asked for is delivered any more."""
        self._cancel()
        self.operations.close()
        self.document.end_stroke()
        self.document.on_change = lambda rect: None
        for signal, slot in (
            (self._service.answered, self._answered),
            (self._service.failed, self._failed),
            (self._service.superseded, self._superseded),
        ):
            signal.disconnect(slot)

    # Below the surface

    def _change(self, label: str, make: Callable[[np.ndarray, MaskMarks], np.ndarray]) -> None:
        """An operation on what was cut out that leaves the marks as they are."""
        self._start_operation(label, make, lambda layers: self.document.replace(layers, label, self.document.marks))

    def _start_operation(
        self,
        label: str,
        make: Callable[[np.ndarray, MaskMarks], np.ndarray],
        commit: Callable[[Layers], object],
        edge: Edge | None = None,
    ) -> None:
        self.document.end_stroke()
        self.operations.ask(MaskOperation(label, make, commit, edge))
        if self.operations.busy:
            self._timer.start()
            self.marksChanged.emit()

    def _invert(self) -> None:
        self._exchanged += 1
        self.document.invert()

    def _exchange(self, layers: Layers, act: Callable[[Layers], object]) -> None:
        """Let ``act`` put layers into the document, and take their pyramid."""
        revision = self.document.revision
        self._fresh = layers.pyramid
        act(layers)
        self._fresh = None
        self._exchanged += self.document.revision != revision

    @Slot(object)
    def _operation_failed(self, error: Exception) -> None:
        self._operation_done()
        self.failed.emit(
            EchoGenError(Sentence("The mask could not be changed: {error}", error=error), Sentence("It is as it was."))
        )

    @Slot()
    def _operation_done(self) -> None:
        if not self._ticket:
            self._settled()
        self.marksChanged.emit()

    def _refine(self) -> None:
        marks = self.document.marks
        self._ask(
            Refine(
                self.photo,
                marks.clicks,
                marks.box,
                self.document.strokes(),
                self.document.lend(),
                marks.painted,
            )
        )

    def _ask(self, job: Find | Refine) -> None:
        self._asked_at = self._exchanged
        self._ticket = self._service.ask(job)
        self._timer.start()

    def _cancel(self) -> None:
        self._held = None
        if self._ticket:
            self._service.cancel()
            self._settled()

    def _settled(self) -> None:
        chose, self._ticket, self._choosing = self._choosing is not None, 0, None
        self._timer.stop()
        if chose:
            self.marksChanged.emit()
        if self._slow:
            self._slow = False
            self.waitingChanged.emit(False)

    @Slot()
    def _is_slow(self) -> None:
        if (self._ticket or self.operations.newest) and not self._slow:
            self._slow = True
            self.waitingChanged.emit(True)

    @Slot(object)
    def _answered(self, answer: Answer) -> None:
        if answer.job.ticket != self._ticket:
            return
        self._chosen = self._choosing or 0
        self._settled()
        if self.document.painting:
            self._held = answer  # the stroke is finished first
        else:
            self._take(answer)

    @Slot()
    def _take_held(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._take(held)

    def _take(self, answer: Answer) -> None:
        if answer.proposal is not None:
            self._take_proposal(answer.proposal)
        elif answer.mask is not None and isinstance(answer.job, Refine):
            if answer.job.start is not None and self._asked_at != self._exchanged:
                # The mask was filled or turned over meanwhile: what was clicked is asked again, of that one.
                if self.document.marks.clicks:
                    self._refine()
                return
            self._take_refined(answer.mask, len(answer.job.painted))
            if answer.notes:
                self.noted.emit(Sentence.row(*answer.notes))

    def _take_refined(self, mask: np.ndarray, painted: int) -> None:
        """The segmenter's mask, with the first ``painted`` strokes on it."""

        def on_top(base: np.ndarray, marks: MaskMarks) -> np.ndarray:
            # Strokes painted while the answer was under way come on top of it.
            out = np.array(mask, np.uint8, order="C")
            repaint(out, marks.painted[painted:])
            return out

        self._start_operation("Cut out", on_top, self.document.answer)

    def _take_proposal(self, proposal: SubjectProposal) -> None:
        hint, label, candidate = self.proposal, self._label, 0
        if label == _CHOICE and hint is not None:
            # The list of what was found stays; only the choice is another one.
            self.proposal = replace(proposal, name=hint.name, boxes=hint.boxes, name_score=hint.name_score)
            candidate = self._chosen
        else:
            self.proposal = proposal
        mask = proposal.mask
        commit = lambda layers: self.document.renew(mask, label, layers, candidate)  # noqa: E731
        self._start_operation(label, lambda base, marks: mask.copy(), commit)
        self.proposed.emit(self.proposal)

    @Slot(object)
    def _failed(self, failure: Failure) -> None:
        if failure.job.ticket == self._ticket:
            self._settled()
            self.failed.emit(failure.error)

    @Slot(int)
    def _superseded(self, ticket: int) -> None:
        if ticket == self._ticket:
            self._settled()

    def _document_changed(self, rect: Rect) -> None:
        if not rect.empty:
            self._update_pyramid(rect)
            self.pixelsChanged.emit(rect)
        if not self.document.painting:
            self.marksChanged.emit()
            if self._held is not None:
                QTimer.singleShot(0, self, self._take_held)
        self.operations.go_on()

    def _update_pyramid(self, rect: Rect) -> None:
        document = self.document
        if self._fresh is not None and document.shows(self._fresh.levels[0]):
            self.mask_pyramid = self._fresh
            return
        self.mask_pyramid.replace(document.mask)
        if not document.late or document.painting or rect != document.whole:
            self.mask_pyramid.update(rect)
            return
        # The edge comes later. Until then it is shown as the eye sees it: exact where one looks closely, small elsewhere.
        self._preview.show(document.lend(), document.marks.edge, self.mask_pyramid)
        if self.in_view.width * self.in_view.height <= AT_ONCE // 2:
            document.catch_up(self.in_view)
            self.mask_pyramid.replace(document.mask)
            self.mask_pyramid.update(self.in_view)
