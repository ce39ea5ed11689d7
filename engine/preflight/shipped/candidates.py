"""Answers to choose from: what the network sees, what its answer and the colours make of each other, and colours alone.

None of the ways is always the best one. Each candidate gets an estimate of its overlap with the truth, and the best one
is the answer; the estimate is the number the user sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from engine.photo.hints import Box
from engine.photo.mask_ops import bounding_box
from engine.preflight.colours.cutting import WINDOW, box_mask, outlined_in_box, tidy, with_marks
from engine.preflight.colours.grabcut import BACKGROUND, MAYBE_BACKGROUND, MAYBE_SUBJECT, SUBJECT, cut, cut_band
from engine.preflight.colours.marks import Marks, joined
from engine.preflight.colours.proposals import MINI_SIDE, Traits, main_part
from engine.preflight.colours.working_photo import Extent, Window, WorkingPhoto, shrunk
from engine.preflight.shipped.channels import HintChannels
from engine.preflight.shipped.network import SIDE, ShippedNetwork, View

_CERTAIN = 3.0
"""Logits beyond this are not asked of the colours."""

_SMALLEST_PART = 0.003
_SECOND_PART = 0.25
"""Of the area of the largest part: from here on a second one is a subject of its own."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """One answer.

    Attributes:
        window: the part of the photo it was cut in. inside: bool, as large as the window's fine picture.
        way: "network", "both" or "colours".
        score: estimated overlap with the truth, 0 … 1.
    """

    window: Window
    inside: np.ndarray
    way: str
    score: float = 0.0

    def box(self) -> Box:
        """Where it lies, in photo pixels."""
        x0, y0, x1, y1 = self.window.extent
        x, y, w, h = cv2.boundingRect(self.inside.astype(np.uint8))
        scale_x, scale_y = (x1 - x0) / self.inside.shape[1], (y1 - y0) / self.inside.shape[0]
        return Box(x0 + x * scale_x, y0 + y * scale_y, x0 + (x + w) * scale_x, y0 + (y + h) * scale_y, self.score)


Answer = tuple[list[Candidate], list[np.ndarray]]
"""Candidates that are neither empty nor everything, and what the calibration weighs of each (``TRAITS``)."""


def by_itself(
    working: WorkingPhoto,
    network: ShippedNetwork,
    marks: Marks,
    others: Sequence[Candidate],
    places: np.ndarray | None = None,
) -> list[Candidate] | None:
    """Candidates for the subject of the whole photo, best first; None where the network cannot be used.

    Args:
        marks: clicks and strokes that it follows. others: candidates of other ways, judged along.
        places: where the whole photo shows what is meant (``Evidence.of``). The best candidate is then the one with the
            largest sum of its estimate and of its correlation with that: a mask is to be good, and of the right thing.
    """
    found = _judged(network, seen_by_itself(working, network, marks, others), "hinted" if marks else "alone")
    if found is None or places is None:
        return found
    window = working.whole
    shown = [_shown(_seen(candidate, window), places) for candidate in found]
    order = sorted(range(len(found)), key=lambda index: -(found[index].score + shown[index]))
    return [found[index] for index in order]


def in_box(working: WorkingPhoto, network: ShippedNetwork, box: Extent, marks: Marks) -> list[Candidate] | None:
    """Candidates for what a box encloses, best first; None where the network cannot be used."""
    return _judged(network, seen_in_box(working, network, box, marks), "hinted")


def seen_by_itself(
    working: WorkingPhoto, network: ShippedNetwork, marks: Marks, others: Sequence[Candidate]
) -> Answer | None:
    """As ``by_itself``, before it is judged."""
    window = working.whole
    view = network.look(window.fine, _channels(window, None, marks))
    if view is None:
        return None
    found = []
    for part in _parts(view.logits, marks):
        found += _of_logits(window, np.where(part, view.logits, np.minimum(view.logits, -1.0)), None, marks)
    return _traits(view, window, [*found, *others])


def seen_in_box(working: WorkingPhoto, network: ShippedNetwork, box: Extent, marks: Marks) -> Answer | None:
    """As ``in_box``, before it is judged."""
    window = working.window(working.around(box, WINDOW))
    view = network.look(window.fine, _channels(window, box, marks))
    if view is None:
        return None
    found = _of_logits(window, view.logits, box, marks)
    return _traits(view, window, [*found, Candidate(*outlined_in_box(working, box, marks), "colours")])


def corrected(
    working: WorkingPhoto, network: ShippedNetwork, start: np.ndarray, marks: Marks
) -> tuple[np.ndarray, Window] | None:
    """Logits for a mask so far, uint8 (H, W), and marks that say what is wrong with it; and the window they are of.

    The network's answer with the outline that colours find from there: on photos it is better than the one or the other.
    """
    extent = joined(bounding_box(start), marks.extent(working))
    if extent is None:
        return None
    window = working.window(working.around(extent, WINDOW))
    view = network.look(window.fine, _channels(window, None, marks, start))
    if view is None:
        return None
    _, both = _of_logits(window, view.logits, None, marks)
    return cv2.GaussianBlur(both.inside.astype(np.float32), (0, 0), 1.0) * 8 - 4, window


def _judged(network: ShippedNetwork, answer: Answer | None, kind: str) -> list[Candidate] | None:
    """The candidates with their estimates, best first."""
    if answer is None:
        return None
    rated = [
        replace(candidate, score=network.judge.overlap(traits, kind)) for candidate, traits in zip(*answer, strict=True)
    ]
    return sorted(rated, key=lambda candidate: -candidate.score)


def _traits(view: View, window: Window, found: Sequence[Candidate]) -> Answer:
    kept = [(candidate, _seen(candidate, window)) for candidate in found]
    kept = [(candidate, mask) for candidate, mask in kept if 0 < (mask > 0.5).sum() < mask.size]
    mini = shrunk(window.coarse, MINI_SIDE)
    stands_out = Traits(mini)
    guess = 1 / (1 + np.exp(-view.logits))
    masks = [mask > 0.5 for _, mask in kept]
    traits = []
    for index, (candidate, mask) in enumerate(kept):
        solid = masks[index]
        same = [_overlap(solid, other) for number, other in enumerate(masks) if number != index] or [0.5]
        small = cv2.resize(mask, mini.shape[1::-1], interpolation=cv2.INTER_AREA) > 0.5
        apart, edges = stands_out.contrast(small) if small.any() else (0.0, 0.0)
        whole = main_part(solid).sum() / solid.sum()
        decided = np.abs(2 * guess - 1)[cv2.dilate(solid.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0].mean()
        traits.append(
            np.array(
                [
                    view.judge.logit(view.middle, view.top, mask),
                    view.agreement,
                    np.minimum(guess, mask).sum() / np.maximum(guess, mask).sum(),
                    _overlap(solid, guess > 0.5),
                    np.mean(same),
                    max(same),
                    guess[solid].mean(),
                    guess[~solid].mean(),
                    decided,
                    apart,
                    edges,
                    min(np.log(solid.mean()), np.log(0.35)),
                    whole,
                    float(candidate.way == "colours"),
                    1.0,
                ]
            )
        )
    return [candidate for candidate, _ in kept], traits


def _of_logits(window: Window, logits: np.ndarray, box: Extent | None, marks: Marks) -> list[Candidate]:
    """The network's own outline, and the one that colours find from there."""
    height, width = window.fine.shape[:2]
    fine, coarse = marks.drawn(window, window.fine.shape), marks.drawn(window, window.coarse.shape)
    allowed = np.ones((height, width), bool) if box is None else box_mask(window, box, window.fine.shape)
    own = cv2.resize(logits, (width, height), interpolation=cv2.INTER_LINEAR) > 0
    own = tidy(with_marks(np.where(own & allowed, SUBJECT, BACKGROUND).astype(np.uint8), fine) == SUBJECT, fine)
    small = cv2.resize(logits, window.coarse.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    trimap = np.where(small > 0, MAYBE_SUBJECT, MAYBE_BACKGROUND).astype(np.uint8)
    trimap[small > _CERTAIN] = SUBJECT
    trimap[small < -_CERTAIN] = BACKGROUND
    if box is not None:
        trimap[~box_mask(window, box, window.coarse.shape)] = BACKGROUND
    rough, models = cut(window.coarse, with_marks(trimap, coarse))
    fixed = np.where(allowed, MAYBE_SUBJECT, BACKGROUND).astype(np.uint8)
    both = cut_band(window.fine, tidy(rough, coarse), models, with_marks(fixed, fine))
    return [Candidate(window, own, "network"), Candidate(window, both, "both")]


def _parts(logits: np.ndarray, marks: Marks) -> list[np.ndarray]:
    """The masks that may be meant, of what the network sees, bool (SIDE, SIDE) each: the largest part, a second one, both."""
    solid = logits > 0
    if marks:
        return [solid] if solid.any() else []
    count, labels, stats, _ = cv2.connectedComponentsWithStats(solid.astype(np.uint8), connectivity=8)
    order = [int(number) for number in 1 + np.argsort(-stats[1:count, cv2.CC_STAT_AREA], kind="stable")]
    areas = stats[:, cv2.CC_STAT_AREA]
    if not order or areas[order[0]] < _SMALLEST_PART * solid.size:
        return []
    largest = labels == order[0]
    large = [number for number in order[1:2] if areas[number] >= _SECOND_PART * areas[order[0]]]
    return [largest, *(labels == number for number in large), *(largest | (labels == number) for number in large)]


def _channels(window: Window, box: Extent | None, marks: Marks, start: np.ndarray | None = None) -> HintChannels | None:
    """The hints as a window of the photo shows them."""
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
        part = cv2.resize(start[y0:y1, x0:x1], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        hints.earlier(part.astype(np.float32) / 255)
    return hints


def _seen(candidate: Candidate, window: Window) -> np.ndarray:
    """A candidate as a window shows it, float32 (SIDE, SIDE), 0 … 1; what lies outside its own window is not in it."""
    x0, y0, x1, y1 = window.extent
    left, top, right, bottom = candidate.window.extent
    if (left, top, right, bottom) == (x0, y0, x1, y1):
        return cv2.resize(candidate.inside.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    height, width = candidate.inside.shape
    step_x, step_y = (x1 - x0) / SIDE * width / (right - left), (y1 - y0) / SIDE * height / (bottom - top)
    place = np.array(
        [
            [step_x, 0, (x0 - left) * width / (right - left) + step_x / 2 - 0.5],
            [0, step_y, (y0 - top) * height / (bottom - top) + step_y / 2 - 0.5],
        ],
        np.float32,
    )
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(candidate.inside.astype(np.float32), place, (SIDE, SIDE), flags=how)


def _shown(mask: np.ndarray, places: np.ndarray) -> float:
    """How far a mask, 0 … 1, lies where ``places`` (mean 0, spread 1) are high: the correlation of both, -1 … 1."""
    height, width = places.shape
    share = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA)
    return float(((share - share.mean()) * places).mean() / max(float(share.std()), 1e-6))


def _overlap(one: np.ndarray, other: np.ndarray) -> float:
    either = (one | other).sum()
    return float((one & other).sum() / either) if either else 0.0
