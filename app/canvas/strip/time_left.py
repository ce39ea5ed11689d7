"""Progress of a picture and the time it still takes, in words and numbers. Free of Qt."""

from __future__ import annotations

from collections.abc import Sequence

from app.language.say import say


def scale_sentence(scale: int, count: int) -> str:
    """The level of detail that a scale (0-based) brings, in words."""
    if scale < min(3, count - 3):
        return say("Light and colours come first")
    if scale >= count - 3:
        return say("Fine details")
    return say("Shapes are set, details come next")


class TimeLeft:
    """Progress and time left of one picture, from the expected cost of every scale and the time that passed.

    The time is told from the third drawn scale on; it never jumps up by more than one step.

    Args:
        costs: share of the drawing time of every scale.
        first_scale: the first scale that is drawn.
        measured: the costs are those of earlier pictures. Counted ones are wrong by a multiple for the first scales, so
            that no time is told before half of the work is done.
    """

    _FROM_SCALE = 2

    def __init__(self, costs: Sequence[float], first_scale: int = 0, measured: bool = True) -> None:
        total = sum(costs[first_scale:])
        self._costs = [cost / total if total > 0 else 1 / (len(costs) - first_scale) for cost in costs]
        self._first = self._done = first_scale
        self._measured = measured
        self._marks: list[tuple[float, float]] = []
        self._told: int | None = None

    def drawn(self, scale: int, seconds: float) -> None:
        """A scale is done, ``seconds`` after the start. The last kept scale counts as a start without work, those before it
        as nothing."""
        if scale < self._first - 1:
            return
        self._done = scale + 1
        self._marks.append((self._share(scale + 1), seconds))

    def fraction(self, now: float) -> float:
        """0 … 1, ``now`` seconds after the start: what is drawn, and what of the next scale should be by now.

        Within a scale it never runs past what that scale is worth, so that it never has to go back.
        """
        if not self._marks:
            return 0.0
        share, at = self._marks[-1]
        speed = self._speed()
        if speed is None:
            return share
        following = self._share(self._done + 1)
        if following >= 1.0:
            following = share + _OF_THE_LAST * (following - share)  # the bar is full with the picture, not before it
        return min(following, share + speed * max(0.0, now - at))

    def seconds_left(self, now: float) -> float | None:
        """Unrounded, or None while too little is known."""
        speed = self._speed()
        if speed is None or len(self._marks) <= self._FROM_SCALE:
            return None
        share, at = self._marks[-1]
        if not self._measured and share < _UNMEASURED_FROM:
            return None
        if speed * _A_DAY < 1 - share:
            return None  # no picture takes as long: the costs that were told are wrong
        return max(0.0, (1 - share) / speed - (now - at))

    def words(self, now: float) -> str:
        """ "about 14 s left", or "" while too little is known."""
        left = self.seconds_left(now)
        if left is None:
            return ""
        told = _rounded(left)
        if self._told is not None and told > self._told:
            told = min(told, self._told + _step(self._told))
        self._told = told
        if told >= 90:
            return say("about {0}\u00a0min left", round(told / 60))
        return say("about {0}\u00a0s left", told)

    def _share(self, scale: int) -> float:
        """The share of the work before a scale."""
        return min(1.0, sum(self._costs[self._first : scale]))

    def _speed(self) -> float | None:
        """Share of the work per second; the first scale is left out, for it also pays for what was prepared."""
        if len(self._marks) < 2:
            return None
        (share, start), (done, end) = self._marks[0], self._marks[-1]
        return (done - share) / (end - start) if end > start and done > share else None


_A_DAY = 86_400.0
_OF_THE_LAST = 0.9
"""How far the bar may run within the last scale before its picture is there."""
_UNMEASURED_FROM = 0.5
"""Share of the work after which a time is told from costs that were only counted."""


def _rounded(seconds: float) -> int:
    if seconds > 20:
        return 5 * round(seconds / 5)
    return max(1, round(seconds))


def _step(told: int) -> int:
    return 5 if told >= 20 else 1
