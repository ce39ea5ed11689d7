"""The ranges of placements that a bundle was trained for, and the placement that a seed chooses from them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.placement import LARGEST, SMALLEST, Placement
from engine.sentence import Sentence

if TYPE_CHECKING:
    from engine.request import CutOut


_BELOW = 1.01
"""A little below the picture: no line of ground between the cut and its edge."""


@dataclass(frozen=True)
class PlacementRanges:
    """The range of placements a bundle was trained for, and so the one that *automatic* chooses from.

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
        return _BELOW if subject.cut_below else sum(self.foot) / 2

    def automatic(self, subject: CutOut, seed: int) -> Placement:
        """The placement of a seed: the subject's lowest point stands on the ground, the rest is chance.

        A subject that its photo cut off below is cut off by the picture's lower edge: upright, and of the larger half of sizes.

        The same for the same cut-out and seed on every machine.
        """
        chance = random.Random(f"placement {seed}")
        x, foot, size, turn = (chance.uniform(*ends) for ends in (self.x, self.foot, self.size, self.turn))
        if subject.cut_below:
            foot, size, turn = _BELOW, (size + self.size[1]) / 2, 0.0
        return _standing(subject, x, foot, size, turn)

    def middle(self, subject: CutOut) -> Placement:
        """A usual place: the middle of every range. For showing *automatic* while the seed is not known yet."""
        x, size, turn = (sum(ends) / 2 for ends in (self.x, self.size, self.turn))
        if subject.cut_below:
            size, turn = (size + self.size[1]) / 2, 0.0
        return _standing(subject, x, self.ground(subject), size, turn)


def _standing(subject: CutOut, x: float, foot: float, size: float, turn: float) -> Placement:
    y = foot - (subject.lowest_point - 0.5) * size
    return Placement(x, min(max(y, 0.0), 1.0), size, turn)
