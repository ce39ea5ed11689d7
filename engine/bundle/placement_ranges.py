"""The ranges of placements that a bundle was trained for, and the placement that a seed chooses from them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.placement import LARGEST, SMALLEST, Placement
from engine.sentence import Sentence

if TYPE_CHECKING:
    from engine.request import CutOut


_BEYOND = 0.01
"""A little below or beside the picture: no line of ground between the cut and its edge."""


@dataclass(frozen=True)
class PlacementRanges:
    """The range of placements a bundle was trained for; *automatic* chooses from them, upright.

    Attributes:
        x: of the centre. foot: y of the subject's lowest point. size, turn: as in ``Placement``. Each (low, high).
    """

    x: tuple[float, float] = (0.38, 0.62)
    foot: tuple[float, float] = (0.84, 0.92)
    size: tuple[float, float] = (0.55, 0.76)
    turn: tuple[float, float] = (-4.0, 4.0)

    def __post_init__(self) -> None:
        for name, (low, high), ends in (
            ("x", self.x, (0.0, 1.0)),
            ("foot", self.foot, (0.0, 1.5)),
            ("size", self.size, (SMALLEST, LARGEST)),
            ("turn", self.turn, (-180.0, 180.0)),
        ):
            if not ends[0] <= low <= high <= ends[1]:
                raise ValueError(
                    Sentence("the range {name}, {low} to {high}, cannot be", name=name, low=low, high=high)
                )

    def ground(self, subject: CutOut) -> float:
        """y of the line that the subject usually stands on: the picture's lower edge for one that its photo cut off there."""
        return 1 + _BEYOND if subject.cut_below else sum(self.foot) / 2

    def automatic(self, subject: CutOut, seed: int, picture: tuple[int, int] = (1, 1)) -> Placement:
        """The placement of a seed: the subject's lowest point stands on the ground, where and how large is chance.

        It stays as upright as it was photographed: a jar that leans a little looks like a mistake, not like variety. One that
        its photo cut off below, at its left or at its right is cut off there by the picture's edge, and of the larger half of
        sizes. One that was cut off above stands like any other: it has its feet.

        The same for the same cut-out, seed and proportions on every machine.

        Args:
            picture: its width and height, in any unit.
        """
        chance = random.Random(f"placement {seed}")
        x, foot, size = (chance.uniform(*ends) for ends in (self.x, self.foot, self.size))
        return self._standing(subject, x, foot, size, picture)

    def middle(self, subject: CutOut, picture: tuple[int, int] = (1, 1)) -> Placement:
        """A usual place: the middle of every range. For showing *automatic* while the seed is not known yet."""
        x, foot, size = (sum(ends) / 2 for ends in (self.x, self.foot, self.size))
        return self._standing(subject, x, foot, size, picture)

    def _standing(self, subject: CutOut, x: float, foot: float, size: float, picture: tuple[int, int]) -> Placement:
        if subject.cut_below or subject.cut_beside:
            size = (size + self.size[1]) / 2
        if subject.cut_below:
            foot = self.ground(subject)
        wide, high = (size * min(picture) / side for side in picture)  # of the cut-out, in shares of the picture
        left, right = subject.width_taken
        if subject.cut_beside == "left":
            x = -_BEYOND - (left - 0.5) * wide
        elif subject.cut_beside == "right":
            x = 1 + _BEYOND - (right - 0.5) * wide
        y = foot - (subject.lowest_point - 0.5) * high
        upright = min(max(0.0, self.turn[0]), self.turn[1])
        return Placement(min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0), size, upright)
