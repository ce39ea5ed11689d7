"""Finds the subject and corrects its mask. Needs no learned model; uses those that are installed.

``find_subject`` is the first guess: the photo's own transparency, the user's box, clicks and strokes, or what stands out
from the surroundings. ``refine_mask`` answers each correction. Both may be called from several threads; work on one
photo is done by one thread at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from engine.errors import MaskError, SubjectNotFound
from engine.photo.hints import Box, Click, Hint, Stroke, SubjectProposal
from engine.photo.load import Photo
from engine.photo.mask_ops import bounding_box, mask_problem, parts
from engine.preflight.colours.cutting import box_extent, correct, correct_by_logits, cut_in_box, from_logits
from engine.preflight.colours.marks import Marks
from engine.preflight.colours.proposals import MINI_SIDE, Proposal, Traits, main_part, propose, squashed
from engine.preflight.colours.working_photo import Extent, WorkingPhoto, WorkingPhotos, shrunk
from engine.preflight.networks.learned import LearnedParts, Parts

_UNSURE = 0.35
_GUESS = "This is a guess: the subject hardly stands out. Draw a box around it if it is wrong."
_MOST_BOXES = 5


class Segmenter:
    """The pre-flight: keeps what it computed of the last photos.

    Args:
        parts: the learned parts to use; none by default.
    """

    def __init__(self, parts: Parts | None = None) -> None:
        self._photos = WorkingPhotos()
        self._parts: Parts = parts or LearnedParts()

    @classmethod
    def with_models(
        cls,
        folders: Mapping[str, Path],
        device: str = "cpu",
        *,
        box_threshold: float | None = None,
        text_threshold: float | None = None,
    ) -> Segmenter:
        """A segmenter that uses what is installed: "naming", "grounding", "segmentation" → folder in the hub's layout.

        Nothing is loaded before it is needed. A missing or failing part is replaced by what needs no model.
        """
        return cls(LearnedParts(folders, device, box_threshold, text_threshold))

    def unload(self, *roles: str) -> None:
        """Give back the memory of the learned parts, of all or of those named; they come back when needed."""
        self._parts.unload(*roles)

    def close(self) -> None:
        """The learned parts are not used any more; who waits for one goes on without it."""
        self._parts.close()

    def prepare(self, photo: Photo) -> tuple[str, ...]:
        """Do ahead what the first click would wait for. Returns sentences for the user when a part fails."""
        notes: list[str] = []
        self._parts.use("segmentation", lambda sam: sam.embed(photo), notes)
        return tuple(notes)

    def find_subject(self, photo: Photo, hint: Hint | None = None) -> SubjectProposal:
        """Name, find and cut out the subject: candidate boxes and a mask, each with a score.

        Args:
            hint: what is known: a name, a box, clicks, strokes; all may be missing.

        Raises:
            SubjectNotFound: nothing stands out, or nothing is where the hint says.
        """
        hint = hint or Hint()
        working = self._photos.get(photo)
        marks = Marks(hint.clicks, hint.strokes)
        notes: list[str] = []
        # A name can take its time; whoever corrects the mask meanwhile does not wait for it.
        hint, name_score = self._named(photo, hint, notes)
        with working.lock:
            if photo.alpha is not None and mask_problem(photo.alpha) is None:
                found = _from_alpha(working, photo.alpha, hint, marks)
            else:
                found = self._from_photo(working, hint, marks, notes)
        return replace(found, name_score=name_score, notes=(*notes, *found.notes))

    def refine_mask(
        self,
        photo: Photo,
        clicks: Sequence[Click] = (),
        box: Box | None = None,
        strokes: Sequence[Stroke] = (),
        start: np.ndarray | None = None,
        notes: list[str] | None = None,
    ) -> np.ndarray:
        """A corrected mask.

        Args:
            clicks, strokes: what to change. With ``start`` only what hangs together with them changes.
            box: cut anew inside this box; ``start`` is then not looked at.
            start: uint8 (H, W), the mask so far; the automatic one when it is not given.
            notes: gets sentences for the user, for example that a learned part failed.

        Returns:
            uint8 (H, W). It may be empty: ``mask_problem`` says so in words.

        Raises:
            MaskError: ``start`` has another size than the photo.
        """
        if start is not None and (start.shape != photo.rgb.shape[:2] or start.dtype != np.uint8):
            raise MaskError(
                f"The mask has another size than the photo, which is {photo.width} × {photo.height} pixels.",
                "Use a mask that was made for this photo.",
            )
        working = self._photos.get(photo)
        marks = Marks(clicks, strokes)
        notes = [] if notes is None else notes
        with working.lock:
            if box is not None:
                found = self._sam(photo, box, marks, None, notes)
                if found is not None:
                    return from_logits(working, found[0], marks)
                return cut_in_box(working, box_extent(box, working), marks)
            if start is None:
                try:
                    anew = self.find_subject(photo, Hint(clicks=marks.clicks, strokes=marks.strokes))
                    notes += anew.notes
                    return anew.mask
                except SubjectNotFound:
                    return np.zeros(photo.rgb.shape[:2], np.uint8)
            found = self._sam(photo, None, marks, start, notes) if marks else None
            if found is not None:
                return correct_by_logits(working, start, found[0], marks)
            return correct(working, start, marks)

    def _named(self, photo: Photo, hint: Hint, notes: list[str]) -> tuple[Hint, float]:
        """The hint with a name, if one can be had, and how sure it is."""
        if hint.name:
            return hint, 1.0
        name = self._parts.use("naming", lambda namer: namer.name(photo), notes)
        return (replace(hint, name=name.text), name.score) if name is not None else (hint, 0.0)

    def _sam(
        self, photo: Photo, box: Box | None, marks: Marks, start: np.ndarray | None, notes: list[str]
    ) -> tuple[np.ndarray, float] | None:
        clicks = marks.as_clicks()
        return self._parts.use("segmentation", lambda sam: sam.cut(photo, box, clicks, start), notes)

    def _from_photo(self, working: WorkingPhoto, hint: Hint, marks: Marks, notes: list[str]) -> SubjectProposal:
        boxes: tuple[Box, ...] = (hint.box,) if hint.box is not None else ()
        if not boxes and not marks and hint.name:
            grounded = self._parts.use("grounding", lambda finder: finder.find(working.photo, hint.name), notes)
            if grounded == ():
                notes.append(f"No “{hint.name}” was found by name; what stands out most was taken.")
            boxes = grounded or ()
        guesses: list[Proposal] = []
        if not boxes and (not marks or "segmentation" not in self._parts.roles):
            guesses = _guesses(working, marks)
            if not guesses:
                raise _nothing(hint)
            boxes = tuple(_box(guess, working) for guess in guesses)
        found = self._sam(working.photo, boxes[0] if boxes else None, marks, None, notes)
        if found is not None:
            mask, score, method = from_logits(working, found[0], marks), found[1], "sam"
        else:
            mask, score, method = *_cut_by_colours(working, boxes, guesses, marks), "grabcut"
        problem = mask_problem(mask)
        if problem is not None:
            if hint.box is None and not marks:
                raise _nothing(hint)
            raise SubjectNotFound(
                "Nothing was found there." if not mask.any() else problem.fact,
                "Draw the box a little larger, or paint the subject with the brush.",
            )
        unsure = method == "grabcut" and bool(guesses) and not marks and score < _UNSURE
        return _proposal(
            hint,
            mask,
            score,
            first=boxes[0] if boxes and not guesses else None,
            others=boxes[1:],
            method=method,
            notes=(_GUESS,) if unsure else (),
        )


def _from_alpha(working: WorkingPhoto, alpha: np.ndarray, hint: Hint, marks: Marks) -> SubjectProposal:
    """The photo was cut out before: its transparency is the mask, inside the user's box and with his corrections."""
    mask = alpha.copy()
    if hint.box is not None:
        x0, y0, x1, y1 = box_extent(hint.box, working)
        outside = np.ones(mask.shape, bool)
        outside[y0:y1, x0:x1] = False
        mask[outside] = 0
    if marks:
        mask = correct(working, mask, marks)
    problem = mask_problem(mask)
    if problem is not None:
        raise SubjectNotFound(problem.fact, problem.step)
    return _proposal(hint, mask, 1.0, first=hint.box, method="alpha")


def _cut_by_colours(
    working: WorkingPhoto, boxes: tuple[Box, ...], guesses: list[Proposal], marks: Marks
) -> tuple[np.ndarray, float]:
    """GrabCut from the first box, or around the first guess; and how well the result stands out."""
    if guesses:
        mask = cut_in_box(working, _loose(guesses[0], working), marks, guesses[0].mask)
        if marks:
            mask = correct(working, mask, marks)
    elif boxes:
        mask = cut_in_box(working, box_extent(boxes[0], working), marks)
    else:  # a segmentation that failed at its first use left nothing to begin with
        found = _guesses(working, marks)
        return _cut_by_colours(working, boxes, found, marks) if found else (np.zeros_like(working.photo.rgb[..., 0]), 0)
    return mask, _score(working, mask)


def _guesses(working: WorkingPhoto, marks: Marks) -> list[Proposal]:
    """Guesses, best first; with marks those first that hold what is included and not what is excluded."""
    found = propose(working)
    wanted = marks.extent(working, included_only=True)
    if not marks:
        return found

    def fits(guess: Proposal) -> float:
        height, width = guess.mask.shape
        hits = 0.0
        for click in marks.clicks:
            x = min(max(int(click.x * width / working.photo.width), 0), width - 1)
            y = min(max(int(click.y * height / working.photo.height), 0), height - 1)
            hits += 1 if bool(guess.mask[y, x]) == click.include else -1
        for stroke in marks.strokes:
            for px, py in stroke.points[:: max(1, len(stroke.points) // 8)]:
                x = min(max(int(px * width / working.photo.width), 0), width - 1)
                y = min(max(int(py * height / working.photo.height), 0), height - 1)
                hits += 0.2 if bool(guess.mask[y, x]) == stroke.include else -0.2
        return hits + guess.score

    found.sort(key=fits, reverse=True)
    if wanted is not None and (not found or not _holds(found[0], wanted, working)):
        found.insert(0, _guess_around(working, wanted))
    return found


def _holds(guess: Proposal, wanted: Extent, working: WorkingPhoto) -> bool:
    x0, y0, x1, y1 = _loose(guess, working)
    return x0 <= wanted[0] and y0 <= wanted[1] and wanted[2] <= x1 and wanted[3] <= y1


def _guess_around(working: WorkingPhoto, wanted: Extent) -> Proposal:
    """What hangs together by colour with the marked place, when no guess holds it."""
    mini = shrunk(working.whole.coarse, MINI_SIDE)
    height, width = mini.shape[:2]
    scale_x, scale_y = width / working.photo.width, height / working.photo.height
    x0, y0 = int(wanted[0] * scale_x), int(wanted[1] * scale_y)
    x1, y1 = max(int(np.ceil(wanted[2] * scale_x)), x0 + 1), max(int(np.ceil(wanted[3] * scale_y)), y0 + 1)
    lab = cv2.cvtColor(mini.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    here = lab[y0:y1, x0:x1].reshape(-1, 3).mean(0)
    ys, xs = np.mgrid[:height, :width]
    away = np.hypot(np.maximum.reduce([x0 - xs, xs - x1, 0 * xs]), np.maximum.reduce([y0 - ys, ys - y1, 0 * ys]))
    near = np.sqrt(((lab - here) ** 2).sum(2)) / 25 + away / (0.4 * max(height, width)) < 1
    near[y0:y1, x0:x1] = True
    _, labels = cv2.connectedComponents(near.astype(np.uint8), connectivity=8)
    mask = labels == labels[min(y0, height - 1), min(x0, width - 1)]
    x, y, w, h = cv2.boundingRect(mask.astype(np.uint8))
    return Proposal(mask, (x / width, y / height, (x + w) / width, (y + h) / height), 0.3)


def _loose(guess: Proposal, working: WorkingPhoto) -> Extent:
    """The box of a guess, widened: a miniature does not show every ear."""
    width, height = working.photo.width, working.photo.height
    x0, y0, x1, y1 = guess.box
    grow = 0.12 * max((x1 - x0) * width, (y1 - y0) * height) + 2
    return (
        max(int(x0 * width - grow), 0),
        max(int(y0 * height - grow), 0),
        min(int(np.ceil(x1 * width + grow)), width),
        min(int(np.ceil(y1 * height + grow)), height),
    )


def _box(guess: Proposal, working: WorkingPhoto) -> Box:
    x0, y0, x1, y1 = guess.box
    width, height = working.photo.width, working.photo.height
    return Box(x0 * width, y0 * height, x1 * width, y1 * height, guess.score)


def _score(working: WorkingPhoto, mask: np.ndarray) -> float:
    """How well the cut stands out from its surroundings, 0 … 1, measured in miniature."""
    mini = shrunk(working.whole.coarse, MINI_SIDE)
    height, width = mini.shape[:2]
    small = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA) >= 128
    if not small.any() or small.all():
        return 0.1
    # The same sum as among guesses; their agreement is 0.6 on the average.
    return squashed(Traits(mini).score(main_part(small)) + 0.6)


def _proposal(
    hint: Hint,
    mask: np.ndarray,
    score: float,
    *,
    first: Box | None = None,
    others: Sequence[Box] = (),
    method: str = "grabcut",
    notes: tuple[str, ...] = (),
) -> SubjectProposal:
    extent = bounding_box(mask)
    assert extent is not None  # an empty mask was refused before
    boxes = [first or Box(*extent, score)]
    found = parts(mask, 0.1)
    if len(found) > 1 and first is None:
        # Several things hang in one mask: each may be meant alone.
        boxes += [Box(part.x0, part.y0, part.x1, part.y1, score * 0.8) for part in found[:3]]
    boxes += sorted(others, key=lambda box: -box.score)
    return SubjectProposal(hint.name, tuple(boxes[:_MOST_BOXES]), mask, score, 1.0 if hint.name else 0.0, method, notes)


def _nothing(hint: Hint) -> SubjectNotFound:
    named = f"No “{hint.name}” was" if hint.name else "Nothing was"
    return SubjectNotFound(f"{named} found in this photo.", "Draw a box around the subject, or click it.")
