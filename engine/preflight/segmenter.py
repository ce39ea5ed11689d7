"""Finds the subject and corrects its mask: with the small network that ships, and with larger ones that are installed.

``find_subject`` is the first guess: the photo's own transparency, the user's box, clicks and strokes, or what stands out
from the surroundings. ``refine_mask`` answers each correction. Where no network can be used, colours and edges are what is
left. Both may be called from several threads; work on one photo is done by one thread at a time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from engine.errors import MaskError, SubjectNotFound
from engine.photo.hints import Box, Click, Hint, Stroke, SubjectProposal
from engine.photo.load import Photo
from engine.photo.mask_ops import bounding_box, mask_problem, parts
from engine.preflight.colours.cutting import (
    box_extent,
    correct,
    correct_by_logits,
    cut_in_box,
    finished,
    from_logits,
    outlined_in_box,
)
from engine.preflight.colours.guesses import box_of, cut_by_colours, guesses, loose
from engine.preflight.colours.marks import Marks
from engine.preflight.colours.proposals import MINI_SIDE, Proposal, Traits
from engine.preflight.colours.working_photo import WorkingPhoto, WorkingPhotos, shrunk
from engine.preflight.inner_photo import InnerPhoto
from engine.preflight.networks.learned import LearnedParts, Parts
from engine.preflight.shipped.candidates import Candidate, around_box, box_view, by_itself, corrected, in_box
from engine.preflight.shipped.holes import with_holes
from engine.preflight.shipped.judge import SURE
from engine.preflight.shipped.known_part import WAY as KNOWN_PART
from engine.preflight.shipped.known_part import known_part
from engine.preflight.shipped.mirror_image import without_mirror_image
from engine.preflight.shipped.network import SHIPPED, ShippedNetwork
from engine.preflight.shipped.reaching import falls_short, reaching
from engine.preflight.shipped.second_thing import AS_LARGE, second_thing
from engine.preflight.shipped.second_thing import WAY as SECOND_THING
from engine.preflight.shipped.things import THINGS, Evidence, KnownThings
from engine.preflight.shipped.traits import within
from engine.preflight.together import together
from engine.sentence import Sentence

_MOST_BOXES = 5
_MOST_PHOTOS = 4
"""So many photos' answers are remembered."""
_NAME_UNUSED = Sentence(
    "The name has no effect on the cut-out: finding by name needs the networks for better cut-outs."
)
_NOTHING = 0.25
"""Estimated overlap below which there is no subject: a photo of a sky."""

_ALIKE = 0.8
"""A patch that stands out less (of colours and outline, 0 … 2) is one of a texture. A drawn line makes a thing of the same white."""

_UNSEEN = 1.5
"""Lab steps from pixel to pixel, in miniature, that nobody sees as an outline; things' own outlines have 3 to 30."""

_UNLIKELY = 0.5
"""Candidates estimated below this share of the best one are not offered."""

_SAME = 0.7
"""Boxes that overlap more than this are one candidate."""


class Segmenter:
    """The pre-flight: keeps what it computed of the last photos.

    Args:
        parts: the learned parts to use; none by default.
        network: the small network to use; None for colours and edges alone.
        things: what knows things by name, to choose among the network's answers; None to choose without.
    """

    def __init__(
        self,
        parts: Parts | None = None,
        network: ShippedNetwork | None = SHIPPED,
        things: KnownThings | None = THINGS,
    ) -> None:
        self._photos = WorkingPhotos()
        self._found: OrderedDict[str, list[Candidate]] = OrderedDict()
        self._network = network
        self._things = things
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

    def warm_up(self) -> None:
        """Read ahead what the first photo would wait for: the networks that ship, and OpenCV's tables of colours."""
        parts = [part for part in (self._network, self._things) if part is not None]
        # Each is read when it is asked whether it can be used.
        tasks: list[Callable[[], object]] = [partial(getattr, part, "problem") for part in parts]
        tasks.append(partial(Traits, np.zeros((1, 1, 3), np.uint8)))
        together(tasks)

    def prepare(self, photo: Photo) -> tuple[str, ...]:
        """Do ahead what the first click would wait for. Returns sentences for the user when a part fails."""
        notes: list[str] = []
        inner = self._inner(photo, Hint())
        part = photo if inner is None else inner.photo
        self._parts.use("segmentation", lambda sam: sam.embed(part), notes)
        return tuple(notes)

    def find_subject(self, photo: Photo, hint: Hint | None = None) -> SubjectProposal:
        """Name, find and cut out the subject: candidate boxes and a mask, each with a score.

        Args:
            hint: what is known: a name, a box, clicks, strokes; all may be missing.

        Raises:
            SubjectNotFound: nothing stands out, or nothing is where the hint says.
        """
        hint = hint or Hint()
        inner = self._inner(photo, hint)
        if inner is not None:
            return inner.proposal(self.find_subject(inner.photo, inner.hint(hint)))
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
                Sentence(
                    "The mask has another size than the photo, which is {width} × {height} pixels.",
                    width=photo.width,
                    height=photo.height,
                ),
                Sentence("Use a mask that was made for this photo."),
            )
        hint = Hint(box=box, clicks=tuple(clicks), strokes=tuple(strokes))
        inner = self._inner(photo, hint, start if box is None else None)
        if inner is not None:
            moved = inner.hint(hint)
            arguments = moved.clicks, moved.box, moved.strokes, inner.start(start), notes
            return inner.mask(self.refine_mask(inner.photo, *arguments))
        working = self._photos.get(photo)
        marks = Marks(clicks, strokes)
        notes = [] if notes is None else notes
        with working.lock:
            if box is not None:
                found = self._sam(photo, box, marks, None, notes)
                if found is not None:
                    return from_logits(working, found[0], marks)
                answers = self._in_box(working, box, marks)
                if answers:
                    return finished(working, answers[0].window, answers[0].inside)
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
            refined = corrected(working, self._network, start, marks) if self._network is not None and marks else None
            if refined is not None:
                logits, window = refined
                return correct_by_logits(working, start, logits, marks, window)
            return correct(working, start, marks)

    def _inner(self, photo: Photo, hint: Hint, start: np.ndarray | None = None) -> InnerPhoto | None:
        """The part of the photo that is looked at; None for all of it, as where hints or the mask so far lie on a bar."""
        working = self._photos.get(photo)
        with working.lock:
            inner = working.inner
        return inner if inner is not None and inner.holds(hint, start) else None

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
                notes.append(Sentence("No “{hint}” was found by name; what stands out most was taken.", hint=hint.name))
            boxes = grounded or ()
        given = boxes[0] if boxes else None
        answers: list[Candidate] = []
        rough: list[Proposal] = []
        classes: tuple[int, ...] = ()
        if given is None and (not marks or "segmentation" not in self._parts.roles):
            evidence = self._things.see(working.whole.fine) if self._things is not None and not marks else None
            classes = self._meant(hint.name, evidence)
            answers = self._by_itself(working, marks, evidence, classes)
            if classes and (not answers or _shows_nothing(working, answers[0])):
                # A name helps to choose, it takes nothing away.
                classes = ()
                answers = self._by_itself(working, marks, evidence)
            rough = [] if answers else guesses(working, marks)
            if not (answers or rough) or (answers and not marks and _shows_nothing(working, answers[0])):
                raise _nothing(hint)
            likeliest = max((answer.score for answer in answers), default=0.0)
            answers = answers[:1] + [answer for answer in answers[1:] if answer.score >= _UNLIKELY * likeliest]
            boxes = tuple(answer.box() for answer in answers) or tuple(box_of(guess, working) for guess in rough)
        found = self._sam(working.photo, boxes[0] if boxes else None, marks, None, notes)
        if found is not None:
            mask, score, method = from_logits(working, found[0], marks), found[1], "sam"
        else:
            if given is not None:
                answers = self._in_box(working, given, marks)
            if answers:
                mask, score = finished(working, answers[0].window, answers[0].inside), answers[0].score
                method = "grabcut" if answers[0].way == "colours" else "network"
            else:
                mask, score, method = *cut_by_colours(working, boxes, rough, marks), "grabcut"
        problem = mask_problem(mask)
        if problem is not None:
            if hint.box is None and not marks:
                raise _nothing(hint)
            raise SubjectNotFound(
                Sentence("Nothing stands out there.") if not mask.any() else problem.fact,
                Sentence("Draw the box a little larger, or paint the subject with the brush."),
            )
        # How well colours stand out is no estimate of an overlap: it never calls a mask right.
        sure = score >= SURE and (method == "sam" or bool(answers)) and all(one.way != SECOND_THING for one in answers)
        used = bool(answers and classes) or "grounding" in self._parts.roles
        if hint.name and given is None and not marks and not sure and not used:
            notes.append(_NAME_UNUSED)
        return _proposal(hint, mask, score, first=given, others=boxes[1:], method=method, sure=sure)

    def _meant(self, name: str, evidence: Evidence | None) -> tuple[int, ...]:
        """The classes that a name means, if the photo shows one of them; many a name has another sense than the one that is known."""
        if self._things is None or evidence is None or not name:
            return ()
        classes = self._things.classes(name)
        return classes if evidence.shows(classes) else ()

    def _by_itself(
        self, working: WorkingPhoto, marks: Marks, evidence: Evidence | None, classes: tuple[int, ...] = ()
    ) -> list[Candidate]:
        """Answers for the whole photo, best first; none where the network cannot be used.

        Args:
            evidence: what the photo shows, where that is to be thought of.
            classes: what is meant, as the name says; without, whatever the photo seems to show.
        """
        if self._network is None:
            return []
        places = evidence.of(classes) if evidence is not None else None
        named = bool(classes)
        found = by_itself(working, self._network, marks, lambda: colour_candidates(working, marks), places, named) or []
        if found and evidence is not None and self._things is not None:
            part = known_part(working, self._network, self._things, evidence, found[0], classes)
            found = found if part is None else [part, *found]
        if not marks:
            above = self._above_mirror_image(working, found)
            found = [*above, *found]
            found[:1] = [with_holes(one, self._network) for one in found[:1]]
            # What was left out on purpose, a mirror image or who wears the thing, is no second one.
            if found and not above and found[0].way != KNOWN_PART:
                found[1:1] = second_thing(working, self._network, found[0])
            self._remember(working, found)
        return found

    def _above_mirror_image(self, working: WorkingPhoto, found: list[Candidate]) -> list[Candidate]:
        """The thing without its mirror image, cut out as in a box around it; none where the best answer has no such image."""
        upper = without_mirror_image(found[0]) if found else None
        if upper is None or self._network is None:
            return []
        box = box_extent(upper.box(), working)
        return (in_box(working, self._network, box, Marks()) or [])[:1]

    def _remember(self, working: WorkingPhoto, found: list[Candidate]) -> None:
        """Keep the answers for the last few photos: a box may be drawn around one of them."""
        self._found[working.photo.digest] = found
        self._found.move_to_end(working.photo.digest)
        while len(self._found) > _MOST_PHOTOS:
            self._found.popitem(last=False)

    def _in_box(self, working: WorkingPhoto, box: Box, marks: Marks) -> list[Candidate]:
        if self._network is None:
            return []
        extent = box_extent(box, working)
        evidence = self._things.see(around_box(working, extent).fine) if self._things is not None else None
        places = evidence.of() if evidence is not None else None
        earlier = self._found.get(working.photo.digest, ())
        found = in_box(working, self._network, extent, marks, places, earlier) or []
        if not found or marks:
            return found  # who marks what is meant says more than a box does
        # A box around the known thing that was found means that thing: estimates do not tell it from who wears it.
        best = next((one for one in earlier[:1] if one.way == KNOWN_PART and one.fills(box)), found[0])
        if falls_short(best, extent):
            view = box_view(working, self._network, extent)
            best = best if view is None else reaching(best, extent, view)
        return [with_holes(best, self._network), *found]


def _shows_nothing(working: WorkingPhoto, best: Candidate) -> bool:
    """Return True if the answer for a whole photo is none: too unlikely, a patch of a texture, a part of a slow change of colour.

    The first look may have thought more of it, or of another one: a second one knows better. A known part was recognised,
    however it stands out.
    """
    if best.way == KNOWN_PART:
        return False
    mini = shrunk(working.whole.coarse, MINI_SIDE)
    small = cv2.resize(within(best, working.whole), mini.shape[1::-1], interpolation=cv2.INTER_AREA) > 0.5
    unseen = bool(small.any()) and not small.all() and Traits(mini).step(small) < _UNSEEN
    return unseen or best.score < _NOTHING or (best.score < SURE and best.stands_out < _ALIKE)


def colour_candidates(working: WorkingPhoto, marks: Marks) -> list[Candidate]:
    """The answers of colours and edges alone, to be judged among others; none where nothing stands out."""
    return [
        Candidate(*outlined_in_box(working, loose(guess, working), marks, guess.mask), "colours")
        for guess in guesses(working, marks)[:1]
    ]


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
    return _proposal(hint, mask, 1.0, first=hint.box, method="alpha", sure=True)


def _proposal(
    hint: Hint,
    mask: np.ndarray,
    score: float,
    *,
    first: Box | None = None,
    others: Sequence[Box] = (),
    method: str = "grabcut",
    sure: bool = False,
) -> SubjectProposal:
    extent = bounding_box(mask)
    assert extent is not None  # an empty mask was refused before
    boxes = [first or Box(*extent, score)]
    found = parts(mask, 0.1)
    if len(found) > 1 and first is None:
        # Several things hang in one mask: each may be meant alone.
        boxes += [Box(part.x0, part.y0, part.x1, part.y1, score * 0.8) for part in found[:3]]
        # Two of about the same size: no estimate says whether one of them is meant, or both.
        several = method != "alpha" and found[1].area >= AS_LARGE * found[0].area
        sure = sure and (not several or bool(hint.clicks or hint.strokes))
    boxes += sorted(others, key=lambda box: -box.score)
    boxes = [box for index, box in enumerate(boxes) if all(box.overlap(one) < _SAME for one in boxes[:index])]
    name_score = 1.0 if hint.name else 0.0
    return SubjectProposal(hint.name, tuple(boxes[:_MOST_BOXES]), mask, score, name_score, method, sure=sure)


def _nothing(hint: Hint) -> SubjectNotFound:
    return SubjectNotFound(
        Sentence("No “{name}” was found in this photo.", name=hint.name)
        if hint.name
        else Sentence("Nothing stands out in this photo."),
        Sentence("Draw a box around the subject, or click it."),
    )
