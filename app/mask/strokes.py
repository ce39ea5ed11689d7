"""Work by hand on a mask: clicks, a box, strokes and areas, the edge, and how they are painted into its pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import hypot

import cv2
import numpy as np

from app.mask.brush import Brush, Point, Rect, paint, reach, spacing, steps
from app.mask.undo import TileKeeper
from engine.photo import Box, Click

MAX_GROW = 100.0
MAX_FEATHER = 100.0
"""Photo pixels."""


@dataclass(frozen=True)
class Edge:
    """Moves and softens the outline, in photo pixels. ``grow`` below 0 shrinks."""

    grow: float = 0.0
    feather: float = 0.0


@dataclass(frozen=True)
class Painted:
    """Marks made by hand, which have to survive the next answer of the segmenter.

    Attributes:
        path: the middle of the brush along the stroke, or the corners of an area when ``brush`` is None.
        include: belongs to the subject, or does not.
    """

    path: tuple[Point, ...]
    brush: Brush | None
    include: bool


@dataclass(frozen=True)
class MaskMarks:
    """All of the document that is not pixels.

    Attributes:
        candidate: which of the things found in the photo the mask was begun from; -1 for something else.
    """

    clicks: tuple[Click, ...] = ()
    box: Box | None = None
    painted: tuple[Painted, ...] = ()
    edge: Edge = Edge()
    candidate: int = 0


# Work by hand on a mask's pixels: the stroke that is being painted, areas filled, all of it done again on another mask.


@dataclass
class OpenStroke:
    """A stroke that is being painted: the brush as chosen, the one for ``base``, the path so far."""

    brush: Brush
    inner: Brush
    path: list[Point]
    keeper: TileKeeper


def fill(mask: np.ndarray, corners: Sequence[Point], include: bool) -> None:
    """Fill a closed line in a mask uint8 (H, W), in place, with a smooth edge."""
    # Whole numbers with four more bits; a pixel's centre is at .5.
    fixed = np.rint((np.asarray(corners, np.float64) - 0.5) * 16).astype(np.int32)
    cv2.fillPoly(mask, [fixed], 255 if include else 0, lineType=cv2.LINE_AA, shift=4)


def repaint(mask: np.ndarray, painted: Sequence[Painted]) -> None:
    """Paint the marks again on another mask uint8 (H, W), in place."""
    for item in painted:
        if item.brush is None:
            fill(mask, item.path, item.include)
            continue
        paint(mask, dabs_along(item.path, item.brush), item.brush)


def dabs_along(path: Sequence[Point], brush: Brush) -> list[Point]:
    """The middles of all dabs of a path, its beginning among them."""
    dabs = [path[0]]
    for start, end in pairwise(path):
        dabs += steps(start, end, brush)
    return dabs


def work(path: Sequence[Point], brush: Brush) -> float:
    """Estimate the pixels that the dabs of a path paint; where dabs overlap, each counts."""
    length = sum(hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(path))
    return (1 + length / spacing(brush)) * (2 * reach(brush) + 1) ** 2


def around(points: Sequence[Point], margin: int) -> Rect:
    """The rectangle of some points with a margin around; it may reach out of the photo."""
    xs, ys = [point[0] for point in points], [point[1] for point in points]
    return Rect(
        int(np.floor(min(xs))) - margin,
        int(np.floor(min(ys))) - margin,
        int(np.ceil(max(xs))) + margin,
        int(np.ceil(max(ys))) + margin,
    )
