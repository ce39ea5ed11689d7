"""Several pictures of one request of which the most alike is wanted: what is clearly behind is given up early."""

from __future__ import annotations

MARGIN = 0.2
"""A picture that is so much less alike than the best was at the same scale, on the scale of 0 … 1, is given up."""
WATCHED = 2
"""Looked at after so many of the scales before the last, which is where most of the time goes."""


class Contest:
    """The pictures of one press of Generate that compete.

    Attributes:
        given_up: how many were given up so far.
    """

    def __init__(self, margin: float = MARGIN) -> None:
        self.margin = margin
        self.given_up = 0
        self._best: dict[int, float] = {}
        self._best_end = -1.0
        self._course: dict[int, float] = {}

    def begin(self) -> None:
        """Another picture begins."""
        self._course = {}

    def watches(self, scale: int, count: int) -> bool:
        """Return True if the likeness after a scale (0-based, of so many) is asked for."""
        return count - 1 - WATCHED <= scale < count - 1

    def is_lost(self, scale: int, likeness: float) -> bool:
        """Take the likeness of the picture so far, 0 … 1, and say whether it is clearly behind the best one."""
        self._course[scale] = likeness
        lost = scale in self._best and likeness < self._best[scale] - self.margin
        self.given_up += lost
        return lost

    def finish(self, likeness: float) -> None:
        """The picture is done."""
        if likeness > self._best_end:
            self._best_end, self._best = likeness, self._course
