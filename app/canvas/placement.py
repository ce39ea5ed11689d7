"""Geometry of a cut-out on the canvas: finds what is under the pointer, and moves, sizes and turns it. Free of Qt.

Points are in pixels of the widget, y downwards, angles in degrees clockwise. What is seen of a cut-out is smaller than its
square: the frame lies around what is seen, and its foot, the lowest point that is seen, stands on the ground.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from engine import LARGEST, SMALLEST, Placement

if TYPE_CHECKING:
    import numpy as np

SNAP = 8.0
"""So many pixels beside the ground, or the middle, the cut-out is drawn there."""
UPRIGHT = 3.0
"""So many degrees beside upright it is set upright."""
STEM = 26.0
"""The handle that turns stands so many pixels from the frame."""
_GRAB = 13.0

Point = tuple[float, float]
Grip = Literal["", "body", "turn", "corner-0", "corner-1", "corner-2", "corner-3"]


@dataclass(frozen=True)
class Stage:
    """The rectangle of the picture in the widget, in pixels, and the height of the ground as a share of it."""

    x: float
    y: float
    width: float
    height: float
    ground: float = 0.88

    @property
    def unit(self) -> float:
        """Pixels of a placement's size 1: the shorter side."""
        return min(self.width, self.height)

    @property
    def ground_y(self) -> float:
        return self.y + self.ground * self.height

    @property
    def middle_x(self) -> float:
        return self.x + self.width / 2


def outline_of(alpha: np.ndarray) -> np.ndarray:
    """The ends of every row of a mask, uint8 (S, S): points (n, 2) in shares of the square, from its centre.

    An empty mask has the corners of the square.
    """
    import numpy as np

    solid = alpha > 127
    rows = np.flatnonzero(solid.any(axis=1))
    if not len(rows):
        return np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
    first, last = solid[rows].argmax(axis=1), len(alpha) - solid[rows, ::-1].argmax(axis=1)
    ends = [np.stack([columns, at], axis=1) for columns in (first, last) for at in (rows, rows + 1)]
    return np.concatenate(ends) / len(alpha) - 0.5


@dataclass(frozen=True, eq=False)
class Standing:
    """A cut-out at its place.

    Attributes:
        placement: the place.
        outline: of the cut-out, as ``outline_of`` gives it.
        stage: the picture it stands in.
    """

    placement: Placement
    outline: np.ndarray
    stage: Stage

    # Where it is

    @property
    def centre(self) -> Point:
        """Of the cut-out's square."""
        stage = self.stage
        return stage.x + self.placement.x * stage.width, stage.y + self.placement.y * stage.height

    @property
    def side(self) -> float:
        """Of the cut-out's square."""
        return self.placement.size * self.stage.unit

    @cached_property
    def _box(self) -> tuple[float, float, float, float]:
        """The visible part before it is turned: left, top, right, bottom in shares of the square, from its centre."""
        (left, top), (right, bottom) = self.outline.min(axis=0), self.outline.max(axis=0)
        if self.placement.mirrored:
            left, right = -right, -left
        return float(left), float(top), float(right), float(bottom)

    def _at(self, u: float, v: float) -> Point:
        """A point of the square on the screen."""
        angle, (x, y) = math.radians(self.placement.turn), self.centre
        cos, sin = math.cos(angle) * self.side, math.sin(angle) * self.side
        return x + u * cos - v * sin, y + u * sin + v * cos

    @property
    def corners(self) -> tuple[Point, Point, Point, Point]:
        """Of the frame: top left, top right, bottom right, bottom left, as they were before it was turned."""
        left, top, right, bottom = self._box
        return self._at(left, top), self._at(right, top), self._at(right, bottom), self._at(left, bottom)

    @property
    def middle(self) -> Point:
        """Of what is seen."""
        left, top, right, bottom = self._box
        return self._at((left + right) / 2, (top + bottom) / 2)

    @cached_property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of what is seen, as it stands there."""
        flip = -1.0 if self.placement.mirrored else 1.0
        angle, (x, y) = math.radians(self.placement.turn), self.centre
        u, v = self.outline[:, 0] * flip, self.outline[:, 1]
        across = u * math.cos(angle) - v * math.sin(angle)
        down = u * math.sin(angle) + v * math.cos(angle)
        side = self.side
        return (
            x + side * float(across.min()),
            y + side * float(down.min()),
            x + side * float(across.max()),
            y + side * float(down.max()),
        )

    @property
    def foot(self) -> Point:
        """Under the middle of what is seen, at its lowest point."""
        left, _, right, bottom = self.extent
        return (left + right) / 2, bottom

    def turn_handle(self, size: tuple[float, float]) -> tuple[Point, Point]:
        """Return both ends of the handle's stem: above the frame, or below it where the widget ends.

        Args:
            size: width and height of the widget.
        """
        top_left, top_right, bottom_right, bottom_left = self.corners
        angle = math.radians(self.placement.turn)
        up = math.sin(angle), -math.cos(angle)
        for a, b, sign in ((top_left, top_right, 1), (bottom_left, bottom_right, -1)):
            start = (a[0] + b[0]) / 2, (a[1] + b[1]) / 2
            end = start[0] + sign * STEM * up[0], start[1] + sign * STEM * up[1]
            if 8 <= end[0] <= size[0] - 8 and 8 <= end[1] <= size[1] - 8:
                return start, end
        return start, end

    def grip_at(self, point: Point, size: tuple[float, float]) -> Grip:
        """The grip at a point: the handle that turns, a corner, the cut-out itself, or none."""
        if math.dist(point, self.turn_handle(size)[1]) <= _GRAB:
            return "turn"
        corners = self.corners
        shorter = min(math.dist(corners[0], corners[1]), math.dist(corners[1], corners[2]))
        grab = min(_GRAB, max(5.0, shorter / 4))  # a small cut-out can still be grabbed between its corners
        distances = [math.dist(point, corner) for corner in corners]
        nearest = distances.index(min(distances))
        if distances[nearest] <= grab:
            return ("corner-0", "corner-1", "corner-2", "corner-3")[nearest]
        left, top, right, bottom = self._box
        angle, (x, y) = math.radians(-self.placement.turn), self.centre
        dx, dy = point[0] - x, point[1] - y
        u = (dx * math.cos(angle) - dy * math.sin(angle)) / self.side
        v = (dx * math.sin(angle) + dy * math.cos(angle)) / self.side
        return "body" if left <= u <= right and top <= v <= bottom else ""

    @property
    def on_ground(self) -> bool:
        return abs(self.foot[1] - self.stage.ground_y) < 0.5

    @property
    def in_middle(self) -> bool:
        return abs(self.foot[0] - self.stage.middle_x) < 0.5

    # Where it goes

    def moved(self, dx: float, dy: float, *, snap: bool = False) -> Standing:
        """Moved by pixels. ``snap``: near the ground and near the middle of the picture it is drawn there."""
        x, y = self.foot
        if snap and abs(y + dy - self.stage.ground_y) <= SNAP:
            dy = self.stage.ground_y - y
        if snap and abs(x + dx - self.stage.middle_x) <= SNAP:
            dx = self.stage.middle_x - x
        return self._with_centre(self.centre[0] + dx, self.centre[1] + dy)

    def stepped(self, dx: float, dy: float) -> Standing:
        """Moved by pixels, as a key does it: a step over the ground, or over the middle, ends there."""
        x, y = self.foot
        to_ground, to_middle = self.stage.ground_y - y, self.stage.middle_x - x
        if abs(to_ground) > 0.5 and 0 < to_ground / dy < 1 if dy else False:
            dy = to_ground
        if abs(to_middle) > 0.5 and 0 < to_middle / dx < 1 if dx else False:
            dx = to_middle
        return self._with_centre(self.centre[0] + dx, self.centre[1] + dy)

    def sized(self, factor: float, around: Point | None = None) -> Standing:
        """Larger (above 1) or smaller, around a point that stays where it is; the foot by default."""
        around = around or self.foot
        size = min(LARGEST, max(SMALLEST, self.placement.size * factor))
        k = size / self.placement.size
        (x, y), (ax, ay) = self.centre, around
        return replace(self, placement=replace(self.placement, size=round(size, 5)))._with_centre(
            ax + (x - ax) * k, ay + (y - ay) * k
        )

    def pulled(self, corner: int, to: Point) -> Standing:
        """A corner was pulled to a point; the one across stays where it is."""
        corners = self.corners
        fixed, held = corners[(corner + 2) % 4], corners[corner]
        across = held[0] - fixed[0], held[1] - fixed[1]
        length = across[0] ** 2 + across[1] ** 2
        share = ((to[0] - fixed[0]) * across[0] + (to[1] - fixed[1]) * across[1]) / max(length, 1e-9)
        return self.sized(max(share, 1e-3), fixed)

    def turned(self, turn: float) -> Standing:
        """At another angle, around the middle of what is seen."""
        turn = (turn + 180) % 360 - 180
        change = math.radians(turn - self.placement.turn)
        (x, y), (mx, my) = self.centre, self.middle
        cos, sin = math.cos(change), math.sin(change)
        dx, dy = x - mx, y - my
        return replace(self, placement=replace(self.placement, turn=round(turn, 2)))._with_centre(
            mx + dx * cos - dy * sin, my + dx * sin + dy * cos
        )

    def turned_towards(
        self, start: Point, to: Point, before: float, *, snap: bool = True, steps: bool = False
    ) -> Standing:
        """Turned as the pointer went around the middle.

        Args:
            start, to: where the pointer was and is.
            before: the angle when it was at ``start``.
            snap: near upright it is set upright. steps: only multiples of 15 degrees.
        """
        mx, my = self.middle
        way = math.degrees(math.atan2(to[1] - my, to[0] - mx) - math.atan2(start[1] - my, start[0] - mx))
        turn = (before + way + 180) % 360 - 180
        if steps:
            turn = 15.0 * round(turn / 15)
        elif snap and abs(turn) <= UPRIGHT:
            turn = 0.0
        return self.turned(turn)

    def mirrored(self) -> Standing:
        """Left and right swapped; what is seen stays where it is."""
        x, y = self.middle
        other = replace(self, placement=replace(self.placement, mirrored=not self.placement.mirrored))
        mx, my = other.middle
        return other._with_centre(other.centre[0] + x - mx, other.centre[1] + y - my)

    def _with_centre(self, x: float, y: float) -> Standing:
        """The centre of the square never leaves the picture."""
        stage = self.stage
        u = min(1.0, max(0.0, (x - stage.x) / stage.width))
        v = min(1.0, max(0.0, (y - stage.y) / stage.height))
        return replace(self, placement=replace(self.placement, x=round(u, 5), y=round(v, 5)))
