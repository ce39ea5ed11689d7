"""A thing's mirror image in its cut-out: on a glossy table, wet sand, water. It hangs together with the thing and is none of it.

A cut-out that holds both is, below some line, the part above it upside down, only fainter: nearer to what lies around. A thing
that is the same above and below, a ball or a pair of dice, is not fainter on one side.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from engine.photo.mask_ops import bounding_box, overlap
from engine.preflight.colours.working_photo import shrunk
from engine.preflight.shipped.candidates import Candidate

_SIDE = 128
"""Long side of the picture the line is looked for in: the cut-out and a little of its surroundings."""

_MARGIN = 0.12
_BLUR = 1.5
"""A mirror image is wavy, and never exactly upside down to a camera that looks down on it."""

_HIGHEST, _LOWEST = 0.4, 0.75
"""Where the line may lie, as shares of the cut-out's height: a mirror image may fade or end early."""

_SAME_SHAPE = 0.75
"""Overlap of both outlines."""

_SAME_COLOURS = 0.6
"""Correlation of colours (Lab) with those of the place mirrored there."""

_FAINTER = 0.75
"""Distance from the colour around, as a share of that of the place mirrored there, at most."""

_LEAST_PIXELS = 60
_LEAST_AROUND = 20


@dataclass(frozen=True)
class _Line:
    """A row of the small picture that may be where a thing touches what mirrors it, and how far both sides agree."""

    row: int
    shape: float
    colours: float
    distance: float


def without_mirror_image(candidate: Candidate) -> Candidate | None:
    """The upper part of a cut-out whose lower part mirrors it, as it was cut out; None for all others."""
    extent = bounding_box(candidate.inside.astype(np.uint8) * 255)
    if extent is None:
        return None
    x0, y0, x1, y1 = extent
    around = round(_MARGIN * max(x1 - x0, y1 - y0))
    top = max(y0 - around, 0)
    part = np.s_[top : y1 + around, max(x0 - around, 0) : x1 + around]
    inside = candidate.inside[part].astype(np.float32)
    picture = shrunk(candidate.window.fine[part], _SIDE)
    row = _line(picture, cv2.resize(inside, picture.shape[1::-1], interpolation=cv2.INTER_AREA) > 0.5)
    if row is None:
        return None
    upper = candidate.inside.copy()
    upper[top + round(row * inside.shape[0] / picture.shape[0]) :] = False
    return replace(candidate, inside=upper)


def _line(picture: np.ndarray, inside: np.ndarray) -> int | None:
    """The row below which the cut-out, bool (h, w), mirrors itself; None where no row is one."""
    lab = cv2.GaussianBlur(cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), (0, 0), _BLUR)
    around = (cv2.dilate(inside.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0) & ~inside
    rows = np.flatnonzero(inside.any(1))
    if not len(rows):
        return None
    first, count = int(rows[0]), int(rows[-1]) + 1 - int(rows[0])
    lines = [
        _compared(lab, inside, around, row)
        for row in range(first + int(_HIGHEST * count), first + int(_LOWEST * count))
    ]
    best = max((line for line in lines if line is not None), key=lambda line: line.shape + line.colours, default=None)
    if best is None or best.shape < _SAME_SHAPE or best.colours < _SAME_COLOURS or best.distance > _FAINTER:
        return None
    return best.row


def _compared(lab: np.ndarray, inside: np.ndarray, around: np.ndarray, row: int) -> _Line | None:
    """Compare what lies below a row with what lies above it; None where that is too little to say anything."""
    last = int(np.flatnonzero(inside.any(1))[-1]) + 1
    count = min(row, last - row)
    if count < 1:
        return None
    above, below = np.s_[row - count : row], np.s_[row : row + count]
    both = cv2.erode((inside[above][::-1] & inside[below]).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    beside = around[below]
    if both.sum() < _LEAST_PIXELS or beside.sum() < _LEAST_AROUND:
        return None
    upper, lower = lab[above][::-1][both], lab[below][both]
    ground = np.median(lab[below][beside], 0)
    one, other = upper - upper.mean(0), lower - lower.mean(0)
    colours = float((one * other).sum() / np.sqrt((one**2).sum() * (other**2).sum() + 1e-9))
    distance = np.linalg.norm(lower - ground, axis=1).mean() / (np.linalg.norm(upper - ground, axis=1).mean() + 1e-6)
    return _Line(row, overlap(inside[above][::-1], inside[below]), colours, float(distance))
