"""Answers to choose from: what the network sees, what its answer and the colours make of each other, and colours alone.

None of the ways is always the best one. Each candidate gets an estimate of its overlap with the truth, and the best one
is the answer; the estimate is the number the user sees.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np

from engine.photo.hints import Box
from engine.photo.mask_ops import bounding_box, overlap
from engine.preflight.colours.cutting import WINDOW, box_mask, outlined_in_box, tidy, with_marks
from engine.preflight.colours.grabcut import BACKGROUND, MAYBE_BACKGROUND, MAYBE_SUBJECT, SUBJECT, Models, cut, cut_band
from engine.preflight.colours.marks import Marks, joined
from engine.preflight.colours.working_photo import Extent, Window, WorkingPhoto
from engine.preflight.shipped.channels import HintChannels
from engine.preflight.shipped.judge import TRAITS
from engine.preflight.shipped.network import LARGE_SIDES, SIDE, SMALL_SIDES, ShippedNetwork, View
from engine.preflight.shipped.traits import shown, traits_of, within
from engine.preflight.together import together

_CERTAIN = 3.0
"""Logits beyond this are not asked of the colours."""

_AGREED = 0.85
"""Overlap of the two readings of a photo from which on colours are not asked for another one."""

_CLEAR = 0.5
"""Overlap of the passes over one picture below which the answer is not clear."""

_ANOTHER = 0.8
"""Candidates that overlap less are two readings of a photo."""

_SAME_THING = 0.5
"""Overlap from which on two views show the same thing, more or less of it."""

_FILLS = 0.8
"""Overlap of a box with the box around an answer from which on the box is taken to be drawn around it."""

_UNLIKELY_READING = 0.25
"""A second reading that lies so far behind the first one (of an estimate and a correlation, 0 … 2) is not gone over again."""

_BROAD = 0.7
"""Cells over which the places of what is named are softened before one of them is pointed at."""

_STANDS_OUT = [TRAITS.index("apart"), TRAITS.index("edges")]

_SMALLEST_PART = 0.003
_SECOND_PART = 0.25
"""Of the area of the largest part: from here on a second one is a subject of its own."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """One answer.

    Attributes:
        window: the part of the photo it was cut in. inside: bool, as large as the window's fine picture.
        way: "network", "both", "colours", "known part" or "second thing".
        score: estimated overlap with the truth, 0 … 1.
        stands_out: how far colours inside differ from those close around, and how well its outline follows edges: 0 … 2.
        models: the colours of both sides where its outline is that of the coarse picture; None where it is the fine one's.
    """

    window: Window
    inside: np.ndarray
    way: str
    score: float = 0.0
    stands_out: float = 0.0
    models: Models | None = None

    def drawn(self) -> Candidate:
        """The candidate with its outline in the fine picture."""
        if self.models is None:
            return self
        free = np.full(self.inside.shape, MAYBE_SUBJECT, np.uint8)
        return replace(self, inside=cut_band(self.window.fine, self.inside, self.models, free), models=None)

    def box(self) -> Box:
        """Return the box around it, in photo pixels."""
        x0, y0, x1, y1 = self.window.extent
        x, y, w, h = cv2.boundingRect(self.inside.astype(np.uint8))
        scale_x, scale_y = (x1 - x0) / self.inside.shape[1], (y1 - y0) / self.inside.shape[0]
        return Box(x0 + x * scale_x, y0 + y * scale_y, x0 + (x + w) * scale_x, y0 + (y + h) * scale_y, self.score)

    def fills(self, box: Box) -> bool:
        """Return True if a box is taken to be drawn around it."""
        return self.box().overlap(box) >= _FILLS


Answer = tuple[list[Candidate], list[np.ndarray]]
"""Candidates that are neither empty nor everything, and the features of each that the calibration weighs (``TRAITS``)."""


def by_itself(
    working: WorkingPhoto,
    network: ShippedNetwork,
    marks: Marks,
    colours: Callable[[], Sequence[Candidate]],
    places: np.ndarray | None = None,
    named: bool = False,
) -> list[Candidate] | None:
    """Candidates for the subject of the whole photo, the answer first; None where the network cannot be used.

    Args:
        marks: clicks and strokes that it follows.
        colours: makes candidates of colours alone. It is asked where the network is in doubt.
        places: where the whole photo shows what is meant (``Evidence.of``). The best candidate is then the one with the
            largest sum of its estimate and of its correlation with that: a mask is to be good, and of the right thing.
        named: a name says what is meant, and ``places`` are where that is: it need not be what stands out.
    """
    if marks:
        return _judged(network, answer_with_marks(working, network, marks, colours()), "hinted", working.whole)
    found = _judged(network, answer_alone(working, network, colours, places, named), "alone", working.whole, places)
    if not found:
        return found
    return _with_second_pass(working, network, found, None, marks, working.whole, places)


def in_box(
    working: WorkingPhoto,
    network: ShippedNetwork,
    box: Extent,
    marks: Marks,
    places: np.ndarray | None = None,
    earlier: Sequence[Candidate] = (),
) -> list[Candidate] | None:
    """Candidates for what a box encloses, the answer first; None where the network cannot be used.

    Args:
        places: as for ``by_itself``, of the window around the box (``around_box``).
        earlier: answers for the whole photo. Those that fill the box are among the candidates: who draws a box around what
            was found is not to get less.
    """
    window = around_box(working, box)
    found = _judged(network, answer_in_box(working, network, box, marks, earlier), "hinted", window, places)
    if not found:
        return found
    return _with_second_pass(working, network, found, box, marks, window, places)


def around_box(working: WorkingPhoto, box: Extent) -> Window:
    """The part of the photo that is given to the network for a box."""
    return working.window(working.around(box, WINDOW))


def box_view(working: WorkingPhoto, network: ShippedNetwork, box: Extent) -> View | None:
    """Look at the window around a box with that box as a hint; None where the network cannot be used."""
    window = around_box(working, box)
    return network.predict(window.fine, _channels(window, box, Marks()))


def answer_alone(
    working: WorkingPhoto,
    network: ShippedNetwork,
    colours: Callable[[], Sequence[Candidate]],
    places: np.ndarray | None = None,
    named: bool = False,
) -> Answer | None:
    """As ``by_itself`` without marks, before it is judged or gone over again.

    The photo goes through the network twice: with no hint, and with a box as large as the photo, which says that the
    subject fills it. A network that was trained on things before grounds takes a face that fills the frame for a ground
    otherwise. Where both differ, colours and a pass with a click where ``places`` are highest give further answers. What a
    name says gets that pass in any case: the network alone looks for what stands out.
    """
    window = working.whole
    view = network.predict(window.fine)
    filling = HintChannels.none(SIDE)
    filling.box(0, 0, SIDE, SIDE)
    filled = network.predict(window.fine, filling, SMALL_SIDES)
    if view is None or filled is None:
        return None
    doubt = overlap(view.logits > 0, filled.logits > 0) < _AGREED
    pointed = _pointed_at(window, network, view, places, named) if (doubt or named) and places is not None else None
    views = [(view, None), (filled, 1), *([(pointed, 1)] if pointed is not None else [])]
    readings = [
        (np.where(part, one.logits, np.minimum(one.logits, -1.0)), one)
        for one, most in views
        for part in _parts(one.logits)[:most]
    ]
    tasks: list[Callable[[], Sequence[Candidate]]] = []
    if doubt or not readings:
        tasks.append(colours)  # takes the longest, so it begins first
    for number, (logits, source) in enumerate(readings):
        # Colours are asked about the largest part of both views: what is left gets its outline with the second pass.
        first = source is not pointed and (number == 0 or readings[number - 1][1] is not source)
        tasks.append(partial(_roughly if doubt and first else _only_own, window, logits))
    made = together(tasks)
    by_colours = made.pop(0) if doubt or not readings else ()
    found = [(candidate, source) for some, (_, source) in zip(made, readings, strict=True) for candidate in some]
    return _weighed(window, [*found, *((candidate, view) for candidate in by_colours)])


def _pointed_at(window: Window, network: ShippedNetwork, view: View, places: np.ndarray, named: bool) -> View | None:
    """The view with a click where ``places`` are highest; None where nobody named that, and it shows another thing than
    ``view`` does.

    It leaves out what hangs together with the thing and is none. A head also is where a dog is most of all, so a view that
    leaves more than half out is not taken.
    """
    if named:
        # Outside the photo there is nothing (0): reflected at its edges, the softened peak would move beyond the thing.
        places = cv2.GaussianBlur(places, (0, 0), _BROAD, borderType=cv2.BORDER_CONSTANT)
    large = cv2.resize(places, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    y, x = np.unravel_index(int(large.argmax()), large.shape)
    channels = HintChannels.none(SIDE)
    channels.point(float(x), float(y), True)
    if named:
        return network.predict(window.fine, channels, LARGE_SIDES)
    pointed = network.predict(window.fine, channels, SMALL_SIDES)
    alike = pointed is not None and overlap(pointed.logits > 0, view.logits > 0) >= _SAME_THING
    return pointed if alike else None


def answer_with_marks(
    working: WorkingPhoto, network: ShippedNetwork, marks: Marks, others: Sequence[Candidate]
) -> Answer | None:
    """The network's answer for the whole photo with clicks and strokes, before it is judged along with ``others``."""
    window = working.whole
    view = network.predict(window.fine, _channels(window, None, marks))
    if view is None:
        return None
    found = _of_logits(window, view.logits, None, marks) if (view.logits > 0).any() else []
    return _weighed(window, [(candidate, view) for candidate in (*found, *others)])


def answer_in_box(
    working: WorkingPhoto, network: ShippedNetwork, box: Extent, marks: Marks, earlier: Sequence[Candidate] = ()
) -> Answer | None:
    """As ``in_box``, before it is judged or gone over again."""
    window = around_box(working, box)
    view = network.predict(window.fine, _channels(window, box, marks))
    if view is None:
        return None
    by_colours, found = together(
        [
            lambda: [Candidate(*outlined_in_box(working, box, marks), "colours")],
            lambda: _of_logits(window, view.logits, box, marks),
        ]
    )
    found += by_colours
    found += [moved(one.drawn(), window) for one in earlier if one.fills(Box(*box))]
    return _weighed(window, [(candidate, view) for candidate in found])


def answer_again(
    working: WorkingPhoto, network: ShippedNetwork, found: Sequence[Candidate], box: Extent | None, marks: Marks
) -> Answer | None:
    """A closer pass over the first of ``found``, which is an earlier mask to it: what it becomes, and it itself.

    How far the second pass repeats the first is the best evidence that both are right.

    Args:
        found: the candidates of the first pass, the best one first; the others are weighed against it.
        box: the user's; where the candidate lies by default.
    """
    chosen = found[0]
    extent = box or chosen.box().pixels(working.photo.height, working.photo.width)
    window = around_box(working, extent)
    view = network.predict(window.fine, _channels(window, extent, marks, within(chosen, window)), LARGE_SIDES)
    if view is None:
        return None
    made = [*_of_logits(window, view.logits, box, marks), chosen]
    return _weighed(window, [(candidate, view) for candidate in made], found[1:])


def outlined(
    window: Window, network: ShippedNetwork, view: View, logits: np.ndarray, rival: Candidate
) -> Candidate | None:
    """The outline that colours find from logits, float32 (SIDE, SIDE), with its estimate; None where nothing is left.

    Args:
        view: of the window. rival: what the answer was without it.
    """
    made = _by_both(window, logits, None, Marks())
    judged = _judged(network, _weighed(window, [(made, view)], [rival]), "alone again", window)
    return judged[0] if judged else None


def of_part(window: Window, network: ShippedNetwork, view: View, part: np.ndarray) -> Candidate | None:
    """A part of what a view of the window shows, bool (SIDE, SIDE), with its estimate; None where nothing is left."""
    logits = np.where(part, view.logits, np.minimum(view.logits, -1.0))
    own = _own(window, logits, None, Marks())
    judged = _judged(network, _weighed(window, [(own, view)]), "alone", window)
    return judged[0] if judged else None


def moved(candidate: Candidate, window: Window) -> Candidate:
    """The candidate as another window shows it."""
    mask = cv2.resize(within(candidate, window), window.fine.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return replace(candidate, window=window, inside=mask > 0.5)


def corrected(
    working: WorkingPhoto, network: ShippedNetwork, start: np.ndarray, marks: Marks
) -> tuple[np.ndarray, Window] | None:
    """Logits for a mask so far, uint8 (H, W), and marks that say what is wrong with it; and the window they are of.

    One pass is led by the mask so far, to which it keeps, and one goes without, where the marks alone lead it. Where the latter is a clear
    picture the mean of both lets a click undo more than its own spot, as a mask needs that was mostly wrong. The outline is
    the one that colours find from there: on photos it is better than the network's own.
    """
    extent = joined(bounding_box(start), marks.extent(working))
    if extent is None:
        return None
    window = around_box(working, extent)
    x0, y0, x1, y1 = window.extent
    earlier = cv2.resize(start[y0:y1, x0:x1], (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    keeping = network.predict(window.fine, _channels(window, None, marks, earlier))
    anew = network.predict(window.fine, _channels(window, None, marks))
    if keeping is None or anew is None:
        return None
    logits = (keeping.logits + anew.logits) / 2 if anew.agreement >= _CLEAR else keeping.logits
    both = _by_both(window, logits, None, marks)
    return cv2.GaussianBlur(both.inside.astype(np.float32), (0, 0), 1.0) * 8 - 4, window


def _weighed(window: Window, found: Sequence[tuple[Candidate, View]], others: Sequence[Candidate] = ()) -> Answer:
    """Candidates, each with the view it is compared with, and their traits; ``others`` are compared but not weighed."""
    kept = [(candidate, view, within(candidate, window)) for candidate, view in found]
    kept = [(candidate, view, mask) for candidate, view, mask in kept if 0 < (mask > 0.5).sum() < mask.size]
    rivals = [within(candidate, window) for candidate in others]
    traits = traits_of(window, [(mask, view, one.way == "colours") for one, view, mask in kept], rivals)
    return [candidate for candidate, _, _ in kept], traits


def ranked(rated: Sequence[Candidate], window: Window, places: np.ndarray | None = None) -> list[Candidate]:
    """Best first: by the sum of the estimate and of how far ``places``, of the window, show the candidate."""
    return sorted(rated, key=lambda candidate: -candidate.score - _evidence(candidate, window, places))


def _evidence(candidate: Candidate, window: Window, places: np.ndarray | None) -> float:
    return 0.0 if places is None else shown(within(candidate, window), places)


def _judged(
    network: ShippedNetwork,
    answer: Answer | None,
    kind: str,
    window: Window,
    places: np.ndarray | None = None,
) -> list[Candidate] | None:
    """The candidates with their estimates, best first."""
    if answer is None:
        return None
    rated = [
        replace(one, score=network.judge.overlap(traits, kind), stands_out=float(traits[_STANDS_OUT].sum()))
        for one, traits in zip(*answer, strict=True)
    ]
    return ranked(rated, window, places)


def _with_second_pass(
    working: WorkingPhoto,
    network: ShippedNetwork,
    found: list[Candidate],
    box: Extent | None,
    marks: Marks,
    window: Window,
    places: np.ndarray | None,
) -> list[Candidate]:
    """The answer after a second pass over the best ones, and then ``found`` as it was.

    Where the first pass left two readings about as likely, both get one: a mask that is right is confirmed, the other one
    mostly is not. A pass that is led by a mask confirms it too readily, so the estimates of both passes count among them. The one of the
    second pass stays.
    """
    rivals = [one for one in found[1:] if overlap(_solid(one, window), _solid(found[0], window)) < _ANOTHER][:1]
    likely = found[0].score + _evidence(found[0], window, places) - _UNLIKELY_READING
    chosen = [found[0], *(one for one in rivals if one.score + _evidence(one, window, places) > likely)]
    kind = "alone again" if box is None else "hinted again"

    def judge_again(one: Candidate) -> list[tuple[float, Candidate]]:
        first = [one, *(other for other in found if other is not one)]
        judged = _judged(network, answer_again(working, network, first, box, marks), kind, window) or []
        return [((one.score + made.score) / 2 + _evidence(made, window, places), made) for made in judged]

    again = [rated for some in together([partial(judge_again, one) for one in chosen]) for rated in some]
    if not again:
        return [found[0].drawn(), *found[1:]]
    best = max(again, key=lambda rated: rated[0])[1]
    return [_with_finer_outline(best, [made for _, made in again], window).drawn(), *found]


def _with_finer_outline(best: Candidate, made: Sequence[Candidate], window: Window) -> Candidate:
    """``best``, or the same reading with the outline that colours find, where that stands out at least as much.

    The judge knows things by features of eight pixels a side: which of two readings is right it tells well, which of two
    outlines it does not.
    """
    solid = _solid(best, window)
    finer = [one for one in made if one.way != "network" and overlap(_solid(one, window), solid) >= _ANOTHER]
    if not finer:
        return best
    likeliest = max(finer, key=lambda one: one.score)
    return replace(likeliest, score=best.score) if likeliest.stands_out >= best.stands_out else best


def _solid(candidate: Candidate, window: Window) -> np.ndarray:
    return within(candidate, window) > 0.5


def _of_logits(window: Window, logits: np.ndarray, box: Extent | None, marks: Marks) -> list[Candidate]:
    """The network's own outline, and the one that colours find from there."""
    return [_own(window, logits, box, marks), _by_both(window, logits, box, marks)]


def _roughly(window: Window, logits: np.ndarray) -> list[Candidate]:
    """As ``_of_logits`` for a whole photo without marks, but the colours' outline is not drawn yet: most are not taken."""
    rough, models = _cut_coarse(window, logits, None, Marks())
    height, width = window.fine.shape[:2]
    inside = cv2.resize(rough.astype(np.uint8) * 255, (width, height), interpolation=cv2.INTER_LINEAR) >= 128
    return [*_only_own(window, logits), Candidate(window, inside, "both", models=models)]


def _only_own(window: Window, logits: np.ndarray) -> list[Candidate]:
    return [_own(window, logits, None, Marks())]


def _own(window: Window, logits: np.ndarray, box: Extent | None, marks: Marks) -> Candidate:
    height, width = window.fine.shape[:2]
    fine = marks.drawn(window, window.fine.shape)
    own = cv2.resize(logits, (width, height), interpolation=cv2.INTER_LINEAR) > 0
    if box is not None:
        own &= box_mask(window, box, window.fine.shape)
    solid = with_marks(np.where(own, SUBJECT, BACKGROUND).astype(np.uint8), fine) == SUBJECT
    return Candidate(window, tidy(solid, fine), "network")


def _by_both(window: Window, logits: np.ndarray, box: Extent | None, marks: Marks) -> Candidate:
    rough, models = _cut_coarse(window, logits, box, marks)
    fixed = np.full(window.fine.shape[:2], MAYBE_SUBJECT, np.uint8)
    if box is not None:
        fixed[~box_mask(window, box, window.fine.shape)] = BACKGROUND
    fixed = with_marks(fixed, marks.drawn(window, window.fine.shape))
    return Candidate(window, cut_band(window.fine, rough, models, fixed), "both")


def _cut_coarse(window: Window, logits: np.ndarray, box: Extent | None, marks: Marks) -> tuple[np.ndarray, Models]:
    """The outline that colours find from logits in the coarse picture, bool (h, w), and their models."""
    coarse = marks.drawn(window, window.coarse.shape)
    small = cv2.resize(logits, window.coarse.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    trimap = np.where(small > 0, MAYBE_SUBJECT, MAYBE_BACKGROUND).astype(np.uint8)
    trimap[small > _CERTAIN] = SUBJECT
    trimap[small < -_CERTAIN] = BACKGROUND
    if box is not None:
        trimap[~box_mask(window, box, window.coarse.shape)] = BACKGROUND
    rough, models = cut(window.coarse, with_marks(trimap, coarse))
    return tidy(rough, coarse), models


def _parts(logits: np.ndarray) -> list[np.ndarray]:
    """The masks that may be meant, of what the network sees, bool (SIDE, SIDE) each: the largest part, a second one, both."""
    solid = logits > 0
    count, labels, stats, _ = cv2.connectedComponentsWithStats(solid.astype(np.uint8), connectivity=8)
    order = [int(number) for number in 1 + np.argsort(-stats[1:count, cv2.CC_STAT_AREA], kind="stable")]
    areas = stats[:, cv2.CC_STAT_AREA]
    if not order or areas[order[0]] < _SMALLEST_PART * solid.size:
        return []
    largest = labels == order[0]
    large = [number for number in order[1:2] if areas[number] >= _SECOND_PART * areas[order[0]]]
    return [largest, *(labels == number for number in large), *(largest | (labels == number) for number in large)]


def _channels(window: Window, box: Extent | None, marks: Marks, start: np.ndarray | None = None) -> HintChannels | None:
    """The hints as a window of the photo shows them; ``start`` is the earlier mask there, float32 (SIDE, SIDE), 0 … 1."""
    if box is None and not marks and start is None:
        return None
    x0, y0, x1, y1 = window.extent
    scale_x, scale_y = SIDE / (x1 - x0), SIDE / (y1 - y0)
    hints = HintChannels.none(SIDE)
    if box is not None:
        left, top = (box[0] - x0) * scale_x, (box[1] - y0) * scale_y
        hints.box(left, top, max((box[2] - x0) * scale_x, left + 1), max((box[3] - y0) * scale_y, top + 1))
    for click in marks.as_clicks():
        x, y = (click.x - x0) * scale_x, (click.y - y0) * scale_y
        if 0 <= x < SIDE and 0 <= y < SIDE:
            hints.point(x, y, click.include)
    if start is not None:
        hints.earlier(start)
    return hints
