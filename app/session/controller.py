"""Acts on the user's wishes: draw, vary, redraw, stop, keep, recall. The window only connects buttons to it."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from app.language import sentences
from app.language.amounts import measured_seconds
from app.session.file_opener import DroppedPicture, FileOpener
from app.session.model_opener import ModelOpener
from app.session.queue import PictureQueue
from app.session.region_requests import RegionRequests
from app.session.saver import PictureSaver
from app.session.state import Result, SessionState
from app.session.subjects import Subjects
from app.session.values import MAX_COUNT, ROLLED_SEEDS, compose, help_line, redraw
from app.store.history_store import HistoryStore, Picture
from app.store.picture_files import keep_picture
from app.system.failures import in_words
from engine import EchoGenError, Finished, GenerationRequest, Placement, ScaleBits, Sentence, Started
from engine.photo import Photo

log = logging.getLogger(__name__)

IDEAS = 4


class Controller(QObject):
    """See the module. It changes the state and tells the rest by signals; it knows no widgets.

    Attributes:
        models: opens the bundle that the settings name. files: opens what is dropped, pasted or handed over.

    Signals:
        drawing(object, object): ``Started`` and the size (width, height) of the picture that begins.
        ideasBegun(object): the requests of four ideas.
        kept(object): a ``Picture`` is in the history now.
        failed(object, str): ``EchoGenError`` and details for the banner.
        cleared: what the banner said is no longer true.
        notice(str): a sentence for a toast.
        exported(object): a picture was saved to this ``Path``, where the user wanted it.
        ended(str): how a drawing ended, for the status.
    """

    drawing = Signal(object, object)
    ideasBegun = Signal(object)
    kept = Signal(object)
    failed = Signal(object, str)
    cleared = Signal()
    notice = Signal(str)
    exported = Signal(object)
    ended = Signal(str)

    def __init__(
        self,
        state: SessionState,
        queue: PictureQueue,
        subjects: Subjects,
        store: HistoryStore,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.state, self.queue, self.subjects, self.store = state, queue, subjects, store
        self.models = ModelOpener(state, queue, self)
        self.files = FileOpener(subjects, self)
        self._saving = 0
        self._keeping: dict[int, tuple[Finished, Sequence[np.ndarray | None]]] = {}
        self._unsaved: list[tuple[Finished, Sequence[np.ndarray | None]]] = []
        self._before: Result | None = None
        self._forming: Started | None = None
        self.fresh: Result | None = None
        """The result of the drawing that ended last: the canvas hears of it from the queue, with what it formed from."""
        self.regions = RegionRequests(state, queue.unfinished, self)
        self.keep_error: EchoGenError | None = None
        """Why a finished picture is not in the pictures folder."""
        self.export_error: EchoGenError | None = None
        """Why something could not be saved where the user wanted it."""
        self.ask_again: Callable[[], object] | None = None
        """Asks once more where it is to be saved."""
        self.saver = PictureSaver(store, self)
        self.saver.kept.connect(self._is_kept)
        self.saver.keepFailed.connect(self._not_kept)
        self.saver.exported.connect(self.exported)
        self.saver.failed.connect(self._could_not_export)
        queue.asked.connect(self._asked)
        queue.started.connect(self._started)
        queue.completion = self._at_its_place
        queue.finished.connect(self._finished)
        queue.bestFound.connect(self._best_found)
        queue.stopped.connect(self._stopped)
        queue.failed.connect(self._failed)
        self.models.cleared.connect(self.cleared)
        for fails in (self.models.failed, self.files.failed):
            fails.connect(self.failed)
        for notice in (self.models.notice, self.files.notice):
            notice.connect(self.notice)

    # Drawing

    @Slot()
    def use_low_memory(self) -> None:
        """The banner's way out of too little memory: the smaller plan, then what is not drawn yet."""
        self.state.update_settings(memory="low")
        self.queue.resume()

    @Slot()
    def _asked(self) -> None:
        """Pictures are asked for: what went wrong before is done with, and a model that could not go on is opened again."""
        self.cleared.emit()
        if self.state.engine.phase == "failed":
            self.models.open()

    def can_draw(self) -> tuple[bool, str]:
        """Return True if Generate does something now, and else the reason why it does not."""
        return help_line(self.state.readiness(), self.state.values.count)

    def can_draw_list(self) -> tuple[bool, str]:
        """The same for a list, which brings its prompts along."""
        return help_line(replace(self.state.readiness(), has_prompt=True))

    @Slot()
    def generate(self) -> None:
        """Draw what the panel says. While something is drawn it joins the queue."""
        if self._may_draw():
            self._draw_several(self._composed())

    def _composed(self) -> GenerationRequest:
        """The request of the panel, of the current subject; only when a picture can be drawn."""
        subject = self.state.subject
        assert subject is not None
        first, *further = self.state.cut_outs
        return compose(self.state.values, first, subject.name, further)

    def _draw_several(self, request: GenerationRequest) -> None:
        """As many pictures as the panel says, of which the most alike is shown at the end where it says so."""
        values, manifest = self.state.values, self.state.engine.manifest
        step = manifest.seed_step(request) if manifest is not None else 1
        requests = request.several(values.count, step)
        self._draw(requests, contest=values.best_first and len(requests) > 1 and self.tells_likeness())

    def tells_likeness(self) -> bool:
        """Return True if the open model's encoder can say how alike its pictures are."""
        manifest = self.state.engine.manifest
        return manifest is not None and manifest.likeness is not None and manifest.likeness.tells

    def draw_all(
        self, requests: Sequence[GenerationRequest], queued: Callable[[Sequence[GenerationRequest]], object]
    ) -> None:
        """Draw requests as they are.

        Args:
            queued: called with them as they stand in the queue, before the first one is drawn.
        """
        ready = [self._without_place(request) for request in requests]
        queued(ready)
        self._draw(ready)

    def _draw(self, requests: Sequence[GenerationRequest], *, contest: bool = False) -> None:
        waits = self.state.jobs.busy
        self.queue.draw([self._without_place(request) for request in requests], contest=contest)
        if waits:
            count = self.queue.waiting
            self.notice.emit(self.tr("{0} waiting").format(count))

    def _draw_one(self, request: GenerationRequest) -> None:
        """Draw a request that is not the panel's own. The panel says its seed, as after Generate, unless it keeps one."""
        self._say_seed(request)
        self._draw([request])

    def _say_seed(self, request: GenerationRequest) -> None:
        if not self.state.values.seed_locked:
            self.state.update_values(seed=request.seed)

    def _without_place(self, request: GenerationRequest) -> GenerationRequest:
        """A place means nothing to a model that does not know placement: its pictures must not claim it."""
        manifest = self.state.engine.manifest
        unknown = manifest is not None and manifest.placed_content is None
        return replace(request, placement=None) if unknown and request.placement is not None else request

    @Slot(object)
    def vary(self, request: GenerationRequest) -> None:
        """The same request with a new seed."""
        self._draw_one(request.with_seed(_random_seed()))

    @Slot(object, object, int)
    def redraw(self, request: GenerationRequest, bits: ScaleBits, keep: int) -> None:
        """The same composition up to a scale, new details. The subject stays where that picture has it, unless it was moved
        over that picture."""
        manifest, moved = self.state.engine.manifest, self.state.was_moved_over(request)
        placement = self.state.values.placement if moved else None
        if placement is None and manifest is not None:
            placement = manifest.place(request)
        seed = _random_seed()
        if manifest is not None:
            seed = manifest.with_layout_of(seed, request.seed)
        self._draw_one(redraw(request, bits, keep, seed, placement))

    def redraw_region(self, result: Result, mask: np.ndarray, whole: int) -> bool:
        """Draw a region of a finished picture anew, with subject, prompt, seed and count as the panel has them.

        Args:
            mask: uint8 (H, W) as large as the picture.
            whole: so many scales are kept inside of it, too.

        Returns:
            Whether it is drawn; otherwise a message says why not.

        Raises:
            EchoGenError: the region cannot be used.
        """
        return self._draw_region(lambda: self.regions.in_picture(result, mask, whole))

    def draw_in_photo(
        self,
        photo: Photo,
        mask: np.ndarray,
        whole: int = 0,
        placement: Placement | None = None,
        file: Path | None = None,
    ) -> bool:
        """Draw the subject into a region of a photo, as often as the panel says; everything else of the photo stays.

        Args:
            mask: uint8 (H, W) as large as the photo.
            placement: where the subject stands, in shares of the photo; None has it stand in the region.
            file: where the photo lies.

        Returns:
            Whether it is drawn; otherwise a message says why not.

        Raises:
            EchoGenError: the region cannot be used.
        """
        return self._draw_region(lambda: self.regions.in_photo(photo, mask, whole, placement, file))

    def _draw_region(self, make: Callable[[], GenerationRequest]) -> bool:
        if self.state.engine.manifest is None or not self._may_draw():
            return False
        request = make()
        self._say_seed(request)
        self._draw_several(request)
        return True

    def _may_draw(self) -> bool:
        possible, why = self.can_draw()
        if not possible:
            self.notice.emit(why)
        return possible

    def _at_its_place(self, event: Finished) -> Callable[[], Finished] | None:
        """Work that puts a picture drawn into a region into its photo at full resolution; None for all others."""
        region = event.request.region
        work = self.regions.way_back(event)
        if work is None and region is not None and region.window is not None:
            self.notice.emit(self.tr("The photo is not at hand: only the part that was drawn is shown"))
        return work

    def draw_ideas(self, scales: int) -> None:
        """Draw the coarse scales of four seeds."""
        if not self._may_draw():
            return
        # Ideas are compositions: with kept scales all four would be the same one.
        first = replace(self._without_place(self._composed()), kept=None, region=None)
        requests = [first.with_seed(_random_seed()) for _ in range(IDEAS)]
        self.ideasBegun.emit(requests)
        self.queue.draw_ideas(requests, scales)

    @Slot(object)
    def finish_idea(self, request: GenerationRequest) -> None:
        """Draw the chosen idea to its end: the same seed draws the same coarse scales."""
        self.queue.stop_now()
        self._draw_one(request)

    @Slot(object)
    def _started(self, event: Started) -> None:
        manifest = self.state.engine.manifest
        size = event.request.size or (manifest.sizes[0] if manifest is not None else (256, 256))
        self._before, self._forming = self.state.result or self._before, event
        self.fresh = None  # what comes back after this one is no news: the canvas has gone on
        self.state.set_result(None)
        self.drawing.emit(event, size)

    @Slot(object, object)
    def _finished(self, event: Finished, images: Sequence[np.ndarray | None]) -> None:
        self._forming = None
        self.fresh = Result(event.request, event.image, event.bits, event.timing.total, likeness=event.likeness)
        self.state.set_result(self.fresh)
        self._keep(event, images)
        self.ended.emit(self.tr("Done in {0}").format(measured_seconds(event.timing.total)))

    def _keep(self, event: Finished, images: Sequence[np.ndarray | None]) -> None:
        self._saving += 1
        self._keeping[id(event)] = (event, images)
        self.saver.keep(event, event, images)

    @Slot()
    def save_unsaved(self) -> None:
        """The pictures folder is another one, or has taken a picture: what could not be saved before is tried again."""
        unsaved, self._unsaved = self._unsaved, []
        for event, images in unsaved:
            self._keep(event, images)

    def rescue(self, folder: Path) -> None:
        """The program ends: what could not be saved goes to a folder of the program's own, and into the history."""
        lost, unsaved, self._unsaved = [], self._unsaved, []
        for event, images in unsaved:
            try:
                picture = keep_picture(event, self.store, images, folder)
            except EchoGenError as error:
                log.error("a picture is lost: %s", error)
                lost.append((event, images))
            else:
                log.warning("a picture that could not be saved is in %s", folder)
                self._saving += 1
                self.saver.kept.emit(event, picture)
        self._unsaved = lost

    @Slot(object, int)
    def _best_found(self, event: Finished, given_up: int) -> None:
        """The most alike of a press of Generate takes the canvas, unless something else is drawn already."""
        words = self.tr("The most alike: {0}\u00a0%").format(round(100 * (event.likeness or 0.0)))
        if given_up:
            words += " · " + self.tr("{0} given up early").format(given_up)
        self.notice.emit(words)
        shown = self.state.result
        if self.queue.waiting or (shown is not None and shown.bits is event.bits):
            return
        key, seed = event.request.group_key(), event.request.seed
        newest = self.store.pictures(limit=4 * MAX_COUNT)
        kept = next((one for one in newest if (one.group_key, one.seed) == (key, seed)), None)
        self._forming = None  # the last one may have been given up as it formed
        self.state.set_result(
            Result(
                event.request,
                event.image,
                event.bits,
                event.timing.total,
                kept.id if kept is not None else None,
                kept.file if kept is not None else None,
                likeness=event.likeness,
            )
        )

    @Slot(object, object)
    def _is_kept(self, finished: Finished, picture: Picture) -> None:
        self._saving -= 1
        self._keeping.pop(id(finished), None)
        result, before = self.state.result, self._before
        if result is not None and result.bits is finished.bits:
            self.state.set_result(replace(result, picture=picture.id, file=picture.file))
        elif before is not None and before.bits is finished.bits:
            self._before = replace(before, picture=picture.id, file=picture.file)
        self.kept.emit(picture)
        self.save_unsaved()

    @Slot(object, object)
    def _not_kept(self, finished: Finished, error: Exception) -> None:
        self._saving -= 1
        if id(finished) in self._keeping:
            self._unsaved.append(self._keeping.pop(id(finished)))
        fact = Sentence("The picture could not be saved: {error}", error=error)
        self.keep_error = in_words(error, fact, Sentence("Save it with Save as…."))
        self.failed.emit(self.keep_error, "")

    @property
    def saving(self) -> int:
        """Pictures on their way to the disk."""
        return self._saving

    @Slot(object)
    def _stopped(self, images: Sequence[np.ndarray | None]) -> None:
        """Show a stopped picture as long as nothing else is shown; before the first scale the last picture stays."""
        forming, self._forming = self._forming, None
        if forming is not None:
            image = next((image for image in reversed(images) if image is not None), None)
            if image is not None:
                grids, previews = tuple(forming.grids), tuple(images)
                self.fresh = Result(forming.request, image, grids=grids, unfinished=True, previews=previews)
            self.state.set_result(self.fresh if image is not None else self._before)
        self.ended.emit(self.tr("Stopped"))

    @Slot(object)
    def finish(self, request: GenerationRequest) -> None:
        """Draw a picture that was stopped once more, to its end: the same seed draws the same scales."""
        self._draw_one(request)

    @Slot(object, str)
    def _failed(self, error: EchoGenError, details: str) -> None:
        if self._forming is not None:
            self._forming = None
            self.state.set_result(self._before)  # the last picture stays
        self.ended.emit(self.tr("Stopped: {0}").format(sentences.title_inside(error)))
        self.failed.emit(error, details)

    def forget(self, pictures: Sequence[int]) -> None:
        """Pictures were deleted: none of them comes back when a drawing fails."""
        if self._before is not None and self._before.picture in pictures:
            self._before = None

    # Files

    @Slot(object)
    def show_dropped(self, opened: DroppedPicture) -> None:
        """Show a picture that was read from its file."""
        known = self.store.find(opened.file)
        number = known.id if known is not None else None
        self.state.set_result(
            Result(
                opened.request, opened.image, opened.bits, picture=number, file=opened.file, likeness=opened.likeness
            )
        )

    def export(
        self, source: Path | Result, target: Path, *, metadata: bool, ask_again: Callable[[], object] | None = None
    ) -> None:
        """Save a picture somewhere else: a file of the history, or what is on the screen.

        Args:
            ask_again: asks for another place, where this one takes nothing.
        """
        self.ask_again = ask_again
        if isinstance(source, Result):
            self.saver.write(source, target, metadata)
        else:
            self.saver.export(source, target, metadata)

    def export_all(
        self,
        named: Iterable[tuple[Path, str]],
        folder: Path,
        *,
        metadata: bool,
        ask_again: Callable[[], object] | None = None,
    ) -> None:
        """Save files of the history under these names into a folder; no file that is there is written over."""
        self.ask_again = ask_again
        self.saver.export_all(named, folder, metadata)

    @Slot(object)
    def _could_not_export(self, error: Exception) -> None:
        fact = Sentence("The picture could not be saved: {error}", error=error)
        self.could_not_save(in_words(error, fact, Sentence("Choose another folder.")), self.ask_again)

    def could_not_save(self, error: EchoGenError, ask_again: Callable[[], object] | None = None) -> None:
        """Tell that something could not be saved where the user wanted it; ``ask_again`` as in ``export``."""
        self.export_error, self.ask_again = error, ask_again
        self.failed.emit(error, "")


def _random_seed() -> int:
    """Of six digits, as Generate rolls them: they can be read out and remembered."""
    return secrets.randbelow(ROLLED_SEEDS)
