"""A round brush as stamps: how much of each pixel one dab covers, and where dabs go along a path.

A stroke is the maximum of its dabs (the eraser: the minimum of their complements), so it does not matter how often a place
is painted and how the mouse happened to be sampled. Coordinates are photo pixels; (0, 0) is the corner of the first pixel,
(0.5, 0.5) its centre.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import ceil, floor, hypot, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

Point = tuple[float, float]

MIN_SIZE = 1.0
MAX_SIZE = 1000.0
"""Diameters in photo pixels."""

_FINE_RADIUS = 16.0
"""Up to this radius a dab is placed to a quarter of a pixel; above, the pixel grid is fine enough."""


@dataclass(frozen=True)
class Rect:
    """A rectangle of whole pixels; right and bottom are exclusive."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def empty(self) -> bool:
        return self.x0 >= self.x1 or self.y0 >= self.y1

    @property
    def width(self) -> int:
        return max(self.x1 - self.x0, 0)

    @property
    def height(self) -> int:
        return max(self.y1 - self.y0, 0)

    @property
    def slices(self) -> tuple[slice, slice]:
        """(rows, columns) for an array."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)

    def united(self, other: Rect | None) -> Rect:
        if other is None or other.empty:
            return self
        if self.empty:
            return other
        return Rect(min(self.x0, other.x0), min(self.y0, other.y0), max(self.x1, other.x1), max(self.y1, other.y1))

    def clipped(self, height: int, width: int) -> Rect:
        """The part inside a picture of that size; may be empty."""
        return Rect(max(self.x0, 0), max(self.y0, 0), min(self.x1, width), min(self.y1, height))

    def grown(self, margin: int) -> Rect:
        return Rect(self.x0 - margin, self.y0 - margin, self.x1 + margin, self.y1 + margin)


@dataclass(frozen=True)
class Brush:
    """A round brush.

    Attributes:
        size: diameter in photo pixels of the line where a dab covers half a pixel: the ring that is drawn.
        hardness: 0 … 1; 1 has an edge of one pixel, 0 fades from the middle to twice the size.
        include: paints the subject; False erases it.
    """

    size: float
    hardness: float = 0.7
    include: bool = True

    @property
    def radius(self) -> float:
        return self.size / 2


def paint(mask: np.ndarray, path: Sequence[Point], brush: Brush) -> Rect:
    """Paint dabs at all points of ``path`` into a mask uint8 (H, W), in place; returns what changed at most."""
    import cv2

    height, width = mask.shape
    touched = Rect(0, 0, 0, 0)
    for x, y in path:
        dab, left, top = _placed(x, y, brush)
        area = Rect(left, top, left + dab.shape[1], top + dab.shape[0]).clipped(height, width)
        if area.empty:
            continue
        source = dab[area.y0 - top : area.y1 - top, area.x0 - left : area.x1 - left]
        target = mask[area.slices]
        if brush.include:
            cv2.max(target, source, dst=target)
        else:
            cv2.min(target, cv2.bitwise_not(source), dst=target)
        touched = touched.united(area)
    return touched


def reach(brush: Brush) -> int:
    """Return the farthest distance from the middle of a dab at which a pixel can change, in pixels."""
    return ceil(_half_width(brush) + brush.radius) + 1


def spacing(brush: Brush) -> float:
    """Return the distance between dabs, in pixels: so little that the outline leaves the true one by at most a quarter
    of one."""
    return max(0.5, min(brush.radius / 4, sqrt(2 * brush.radius)))


def steps(start: Point, end: Point, brush: Brush) -> Iterator[Point]:
    """Yield the places of the dabs on the line from ``start`` (left out: it is painted already) to ``end``."""
    count = max(1, ceil(hypot(end[0] - start[0], end[1] - start[1]) / spacing(brush)))
    for index in range(1, count + 1):
        share = index / count
        yield start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])


def smooth(points: Sequence[Point]) -> list[Point]:
    """The same path through the same points, but curved instead of bent (a centripetal Catmull-Rom spline)."""
    kept = [points[0]]
    kept += [b for a, b in pairwise(points) if hypot(b[0] - a[0], b[1] - a[1]) > 1e-3]
    if len(kept) < 3:
        return kept
    out = [kept[0]]
    padded = [_mirrored(kept[1], kept[0]), *kept, _mirrored(kept[-2], kept[-1])]
    for p0, p1, p2, p3 in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        count = int(min(16, max(1, hypot(p2[0] - p1[0], p2[1] - p1[1]) / 4)))
        out += [_spline(p0, p1, p2, p3, index / count) for index in range(1, count + 1)]
    return out


def _mirrored(point: Point, centre: Point) -> Point:
    return 2 * centre[0] - point[0], 2 * centre[1] - point[1]


def _spline(p0: Point, p1: Point, p2: Point, p3: Point, share: float) -> Point:
    # Barry and Goldman's pyramid with knots at the square roots of the distances: no loops, no overshoot.
    t1 = sqrt(hypot(p1[0] - p0[0], p1[1] - p0[1])) or 1e-6
    t2 = t1 + (sqrt(hypot(p2[0] - p1[0], p2[1] - p1[1])) or 1e-6)
    t3 = t2 + (sqrt(hypot(p3[0] - p2[0], p3[1] - p2[1])) or 1e-6)
    t = t1 + share * (t2 - t1)

    def mix(a: Point, b: Point, start: float, end: float) -> Point:
        weight = (t - start) / (end - start)
        return a[0] + weight * (b[0] - a[0]), a[1] + weight * (b[1] - a[1])

    a1, a2, a3 = mix(p0, p1, 0.0, t1), mix(p1, p2, t1, t2), mix(p2, p3, t2, t3)
    return mix(mix(a1, a2, 0.0, t2), mix(a2, a3, t1, t3), t1, t2)


def _half_width(brush: Brush) -> float:
    """From the ring to where a dab covers nothing (or everything, inwards)."""
    return max(0.5, brush.radius * (1 - min(max(brush.hardness, 0.0), 1.0)))


def _placed(x: float, y: float, brush: Brush) -> tuple[np.ndarray, int, int]:
    """The dab for a middle at (x, y), and the column and row of its first pixel."""
    fine = 1 < brush.radius <= _FINE_RADIUS
    if fine:
        x, y = round(x * 4) / 4, round(y * 4) / 4
    else:
        # Below, a dab between two pixels would fill neither.
        x, y = floor(x) + 0.5, floor(y) + 0.5
    far = reach(brush)
    left, top = floor(x) - far, floor(y) - far
    dab = (_fine_dab if fine else _whole_dab)(brush.size, brush.hardness, x - floor(x), y - floor(y))
    return dab, left, top


def _dab(size: float, hardness: float, dx: float, dy: float) -> np.ndarray:
    """Coverage uint8 (n, n) of a dab whose middle lies at (dx, dy) in the middle pixel."""
    import numpy as np

    brush = Brush(size, hardness)
    far = reach(brush)
    offsets = np.arange(-far, far + 1, dtype=np.float32) + np.float32(0.5)
    distance = np.hypot(offsets[None, :] - np.float32(dx), offsets[:, None] - np.float32(dy))
    away = np.clip((distance - np.float32(brush.radius)) / np.float32(_half_width(brush)), -1, 1)
    # Half a sine from full to none, one half exactly on the ring.
    dab = np.rint(127.5 - 127.5 * np.sin(away * np.float32(np.pi / 2))).astype(np.uint8)
    dab.flags.writeable = False
    return dab


_fine_dab = lru_cache(maxsize=64)(_dab)
_whole_dab = lru_cache(maxsize=4)(_dab)
"""Few of these: the largest takes 4 MB."""
