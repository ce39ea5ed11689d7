"""Proposes a subject when the user has said nothing: cuts a few boxes out in miniature and takes the best one.

Boxes come from maps of what stands out (``saliency``) and of what is coloured like the middle of the photo rather than
its frame. Each is cut by GrabCut in a picture of 128 pixels, and the cuts are compared by what makes a good photo of a
thing: it stands out from what surrounds it, its outline follows edges, it is compact, of a fair size, near the middle,
and other boxes led to the same thing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np

from engine.preflight.colours.grabcut import BACKGROUND, MAYBE_BACKGROUND, MAYBE_SUBJECT, SUBJECT, cut
from engine.preflight.colours.saliency import Regions, colour_distances
from engine.preflight.colours.working_photo import WorkingPhoto, shrunk
from engine.preflight.together import together

MINI_SIDE = 128

Shares = tuple[float, float, float, float]
"""x0, y0, x1, y1 as shares of width and height."""

_STANDARD: tuple[Shares, ...] = ((0.2, 0.15, 0.8, 0.85), (0.04, 0.04, 0.96, 0.96))
_CENTRE_SIGMA = 0.22
_FRAME_REACH = 0.06
_COLOUR_SIGMA = 9.0
_MOST_BOXES = 5
_MARGIN = 0.1
_LEAST_CONTRAST = 0.05
_SMALLEST_SHARE, _LARGEST_SHARE = 0.003, 0.9


@dataclass(frozen=True, eq=False)
class Proposal:
    """One guess.

    Attributes:
        mask: bool (h, w), in miniature.
        box: where it lies, as shares.
        score: 0 … 1.
    """

    mask: np.ndarray
    box: Shares
    score: float


def propose(working: WorkingPhoto) -> list[Proposal]:
    """Guesses for the whole photo, best first, without those that nearly repeat a better one; maybe none."""
    picture = shrunk(working.whole.coarse, MINI_SIDE)
    height, width = picture.shape[:2]
    regions, standing_out = working.regions, working.saliency
    central = like_the_middle(regions)
    both = 0.5 * standing_out / max(float(standing_out.max()), 0.3) + 0.5 * central
    boxes = candidate_boxes(regions, (standing_out, central, both), both)
    masks = together([partial(_cut_box, picture, box) for box in boxes])
    found = [mask for mask in map(main_part, masks) if _SMALLEST_SHARE <= mask.mean() <= _LARGEST_SHARE]
    traits = Traits(picture)
    found = [mask for mask in found if traits.contrast(mask)[0] >= _LEAST_CONTRAST]
    if not found:
        return []
    agreement = _agreement(found)
    scores = [traits.score(mask) + same for mask, same in zip(found, agreement, strict=True)]
    proposals: list[Proposal] = []
    for index in np.argsort(scores)[::-1]:
        x, y, w, h = cv2.boundingRect(found[index].astype(np.uint8))
        box = (x / width, y / height, (x + w) / width, (y + h) / height)
        if all(overlap(box, other.box) < 0.7 for other in proposals):
            proposals.append(Proposal(found[index], box, squashed(scores[index])))
    return proposals


def like_the_middle(regions: Regions) -> np.ndarray:
    """Measure how much more each superpixel is coloured like the middle of the photo than like its frame, float32 (N,),
    0 … 1."""
    height, width = regions.labels.shape
    xs = regions.centres[:, 0] * max(height, width) / width
    ys = regions.centres[:, 1] * max(height, width) / height
    to_frame = np.minimum.reduce([xs, 1 - xs, ys, 1 - ys])
    middle = np.exp(-((xs - 0.5) ** 2 + (ys - 0.5) ** 2) / (2 * _CENTRE_SIGMA**2))
    frame = np.exp(-np.maximum(to_frame - 0.03, 0) / _FRAME_REACH)
    alike = np.exp(-(colour_distances(regions.colours) ** 2) / (2 * _COLOUR_SIGMA**2))
    inner = alike @ (middle * regions.areas) / (middle * regions.areas).sum()
    outer = alike @ (frame * regions.areas) / (frame * regions.areas).sum()
    found = inner / (inner + outer) * np.sqrt(middle)
    return ((found - found.min()) / max(float(np.ptp(found)), 1e-6)).astype(np.float32)


def candidate_boxes(regions: Regions, maps: tuple[np.ndarray, ...], judge: np.ndarray) -> list[Shares]:
    """Boxes around what the maps show at several thresholds, best contrast of ``judge`` first, and two standard ones."""
    height, width = regions.labels.shape
    side = max(height, width)
    xs, ys = regions.centres[:, 0] * side / width, regions.centres[:, 1] * side / height
    rated: list[tuple[float, Shares]] = []
    for values in maps:
        for threshold in (*np.quantile(values, (0.6, 0.75, 0.87)), 0.5 * values.max()):
            above = (values > threshold).astype(np.uint8)[regions.labels]
            _, _, stats, _ = cv2.connectedComponentsWithStats(above, connectivity=4)
            for x, y, w, h, area in stats[1:].tolist():
                box = (x / width, y / height, (x + w) / width, (y + h) / height)
                if area < 0.008 * width * height or w * h > 0.93 * width * height:
                    continue
                inside = (xs >= box[0]) & (xs <= box[2]) & (ys >= box[1]) & (ys <= box[3])
                if not inside.any() or inside.all():
                    continue
                contrast = np.average(judge[inside], weights=regions.areas[inside]) - np.average(
                    judge[~inside], weights=regions.areas[~inside]
                )
                off_middle = np.hypot((box[0] + box[2]) / 2 - 0.5, (box[1] + box[3]) / 2 - 0.52)
                rated.append((float(contrast - 0.6 * off_middle + 0.15 * np.sqrt(w * h / width / height)), box))
    rated.sort(key=lambda item: -item[0])
    kept: list[Shares] = []
    for _, box in rated:
        if len(kept) < _MOST_BOXES and all(overlap(box, other) < 0.65 for other in kept):
            kept.append(box)
    return [*kept, *_STANDARD]


class Traits:
    """Features by which a cut of one miniature looks like a photographed thing."""

    def __init__(self, picture: np.ndarray) -> None:
        """``picture``: RGB uint8 (h, w, 3) in miniature."""
        lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
        dx, dy = cv2.Sobel(lab, cv2.CV_32F, 1, 0), cv2.Sobel(lab, cv2.CV_32F, 0, 1)
        strength = np.sqrt((dx**2 + dy**2).sum(2))
        self._steps = strength / 8  # a Sobel filter adds up eight of them
        # The rank of an edge among all edges: a soft edge in a soft photo is as good as a hard one in a hard photo.
        self._edges = np.searchsorted(np.sort(strength.ravel()), strength) / strength.size
        bins = np.round(lab / 12).astype(int)
        bins -= bins.reshape(-1, 3).min(0)
        sizes = bins.reshape(-1, 3).max(0) + 1
        self._bins = (bins[..., 0] * sizes[1] + bins[..., 1]) * sizes[2] + bins[..., 2]
        self._bin_count = int(sizes.prod())

    def contrast(self, mask: np.ndarray) -> tuple[float, float]:
        """Measure how far the colours inside differ from those close around, and how well the outline follows edges; 0
        … 1."""
        solid, outline = mask.astype(np.uint8), _outline(mask)
        reach = max(3, int(0.24 * np.sqrt(mask.sum())))
        close = (cv2.dilate(solid, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0) & ~mask
        if not outline.any() or not close.any():
            return 0.0, 0.0
        inner = np.bincount(self._bins[mask], minlength=self._bin_count) / mask.sum()
        outer = np.bincount(self._bins[close], minlength=self._bin_count) / close.sum()
        return float(1 - np.sqrt(inner * outer).sum()), float(self._edges[outline].mean())

    def step(self, mask: np.ndarray) -> float:
        """Measure how far colours differ from pixel to pixel across the outline, in Lab; 0 where the photo's sides are all of it."""
        outline = _outline(mask)
        return float(self._steps[outline].mean()) if outline.any() else 0.0

    def score(self, mask: np.ndarray) -> float:
        """Higher is better; about -0.5 … 2.5. ``mask``: bool (h, w), one connected part, not empty."""
        height, width = mask.shape
        apart, edges = self.contrast(mask)
        ys, xs = np.nonzero(mask)
        off_middle = float(np.hypot(xs.mean() / width - 0.5, ys.mean() / height - 0.52))
        contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        outer = max(contours, key=cv2.contourArea)
        compact = cv2.contourArea(outer) / max(cv2.contourArea(cv2.convexHull(outer)), 1.0)
        size = min(float(np.log(mask.mean())), float(np.log(0.35)))
        return 0.4 * apart + edges + 1.1 * compact + 0.4 * size - 0.8 * off_middle


def _outline(mask: np.ndarray) -> np.ndarray:
    """Pixels on either side of a mask's outline, bool (h, w), without the photo's own sides."""
    outline = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    outline[[0, -1]] = False
    outline[:, [0, -1]] = False
    return outline


def squashed(score: float) -> float:
    """A score as a confidence, 0 … 1."""
    return float(1 / (1 + np.exp(-2.2 * (score - 1.6))))


def main_part(mask: np.ndarray) -> np.ndarray:
    """The largest connected part of a bool mask, its small holes filled."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count == 1:
        return mask
    return labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))


def overlap(one: Shares, other: Shares) -> float:
    """Intersection over union of two boxes."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = (one[2] - one[0]) * (one[3] - one[1]) + (other[2] - other[0]) * (other[3] - other[1])
    return width * height / (both - width * height)


def core(height: int, width: int, x0: float, y0: float, x1: float, y1: float, share: float) -> np.ndarray:
    """The ellipse in the middle of a box, bool (h, w); ``share``: of the area of the ellipse that touches its sides."""
    ys, xs = np.mgrid[:height, :width]
    across, down = max((x1 - x0) / 2, 1.0), max((y1 - y0) / 2, 1.0)
    return ((xs - (x0 + x1) / 2) / across) ** 2 + ((ys - (y0 + y1) / 2) / down) ** 2 < share


def begin_with_middle(trimap: np.ndarray, x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    """A trimap for a box whose colours also lie around it: its heart is the subject, its corners probably are not."""
    height, width = trimap.shape
    begun = trimap.copy()
    begun[(trimap == MAYBE_SUBJECT) & ~core(height, width, x0, y0, x1, y1, 0.7)] = MAYBE_BACKGROUND
    begun[(trimap == MAYBE_SUBJECT) & core(height, width, x0, y0, x1, y1, 0.15)] = SUBJECT
    return begun


def _cut_box(picture: np.ndarray, box: Shares) -> np.ndarray:
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = box[0] * width, box[1] * height, box[2] * width, box[3] * height
    grow_x, grow_y = _MARGIN * (x1 - x0) + 1, _MARGIN * (y1 - y0) + 1
    left, top = max(round(x0 - grow_x), 1), max(round(y0 - grow_y), 1)
    right, bottom = min(round(x1 + grow_x), width - 1), min(round(y1 + grow_y), height - 1)
    trimap = np.full((height, width), BACKGROUND, np.uint8)
    trimap[top:bottom, left:right] = MAYBE_SUBJECT
    mask, _ = cut(picture, trimap)
    if mask.sum() < 0.15 * (right - left) * (bottom - top):
        # Subject and background share their colours, and everything went to the background: begin with the middle.
        again, _ = cut(picture, begin_with_middle(trimap, x0, y0, x1, y1))
        mask = again if again.sum() > mask.sum() else mask
    return mask


def _agreement(masks: list[np.ndarray]) -> list[float]:
    """For each mask the mean overlap with the others, 0 … 1."""
    if len(masks) == 1:
        return [0.5]
    flat = np.array([mask.ravel() for mask in masks], np.float32)
    both = flat @ flat.T
    areas = flat.sum(1)
    shared = both / np.maximum(areas[:, None] + areas[None] - both, 1)
    return ((shared.sum(1) - 1) / (len(masks) - 1)).tolist()
