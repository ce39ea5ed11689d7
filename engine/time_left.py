"""Estimates how long something still takes: worked out for a picture from its scales, and said in one way for
everything."""

from __future__ import annotations

from collections.abc import Sequence

from engine.sentence import Sentence

_A_DAY = 86_400.0
_OF_THE_LAST = 0.9
"""How far the bar may run within the last scale before its picture is there."""
_UNMEASURED_FROM = 0.5
"""Share of the work after which a time is told from costs that were only counted."""
_FROM_MARKS = 3
"""Scales that must be drawn before their pace is believed."""


def time_left_words(seconds: float) -> Sentence:
    """“about 14 s left”, “about 4 min left”, “about 2.2 h left”, rounded as one says it."""
    told = _rounded(seconds)
    if told < 90:
        return Sentence("about {count} s left", count=told)
    if told < 55 * 60:
        return Sentence("about {count} min left", count=round(told / 60))
    hours = told / 3600
    return Sentence("about {count} h left", count=f"{hours:.1f}" if hours < 9.5 else round(hours))


class TimeLeft:
    """Progress and time left of one picture, from the expected cost of every scale and the time that passed.

    The time is told from the third drawn scale on; it never jumps up by more than one step.

    Args:
        costs: share of the drawing time of every scale.
        first_scale: the first scale that is drawn.
        measured: the costs are those of earlier pictures. Counted ones are wrong by a multiple for the first scales, so
            that no time is told before half of the work is done.
        expected: seconds that such a picture took before; told as long as the pace of this one is not known.
    """

    def __init__(
        self, costs: Sequence[float], first_scale: int = 0, measured: bool = True, expected: float | None = None
    ) -> None:
        total = sum(costs[first_scale:])
        self._costs = [cost / total if total > 0 else 1 / (len(costs) - first_scale) for cost in costs]
        self._first = self._done = first_scale
        self._measured, self._expected = measured, expected
        self._marks: list[tuple[float, float]] = []
        self._told: int | None = None

    def drawn(self, scale: int, seconds: float, remembered: int = 0) -> None:
        """A scale is done, ``seconds`` after the start. The last kept scale counts as a start without work, those before it
        as nothing.

        Args:
            remembered: so many of the first scales took no time. They are done, and say nothing about the pace of the others.
        """
        if scale < self._first - 1:
            return
        self._done = scale + 1
        if self._done <= max(self._first, remembered):
            self._marks.clear()
        begun = self._share(remembered)
        self._marks = [mark for mark in self._marks if mark[0] >= begun]
        self._marks.append((self._share(self._done), seconds))

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
        if not self._marks:
            return None
        share, at = self._marks[-1]
        speed = self._speed()
        known = speed is not None and len(self._marks) >= _FROM_MARKS
        if speed is None or not known or not (self._measured or share >= _UNMEASURED_FROM):
            return None if self._expected is None else max(0.0, self._expected * (1 - share) - (now - at))
        if speed * _A_DAY < 1 - share:
            return None  # no picture takes as long: the costs that were told are wrong
        return max(0.0, (1 - share) / speed - (now - at))

    def words(self, now: float) -> Sentence | None:
        """ "about 14 s left", or None while too little is known, and when all is drawn."""
        left = self.seconds_left(now)
        if left is None or self._marks[-1][0] >= 1.0:
            return None
        told = _rounded(left)
        if self._told is not None and told > self._told:
            told = min(told, self._told + _step(self._told))
        self._told = told
        return time_left_words(told)

    def _share(self, scale: int) -> float:
        """The share of the work before a scale."""
        return 1.0 if scale >= len(self._costs) else min(1.0, sum(self._costs[self._first : scale]))

    def _speed(self) -> float | None:
        """Share of the work per second; the first scale is left out, for it also pays for what was prepared."""
        if len(self._marks) < 2:
            return None
        (share, start), (done, end) = self._marks[0], self._marks[-1]
        return (done - share) / (end - start) if end > start and done > share else None


def _rounded(seconds: float) -> int:
    if seconds > 20:
        return 5 * round(seconds / 5)
    return max(1, round(seconds))


def _step(told: int) -> int:
    return 5 if told >= 20 else 1
