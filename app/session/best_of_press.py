"""The most alike of the pictures that one press of Generate asked for."""

from __future__ import annotations

from collections.abc import Iterable

from app.session.waiting_line import QueuedJob
from engine import Finished


class BestOfPress:
    """Remembers the best picture of a press, and how many were given up."""

    def __init__(self) -> None:
        self._press = 0
        self._best: Finished | None = None
        self._given_up = 0

    def take(self, job: QueuedJob, event: Finished | None, waiting: Iterable[QueuedJob]) -> tuple[Finished, int] | None:
        """Take in a picture that is done, or was given up.

        Args:
            event: the finished picture, or None for one that was given up.
            waiting: what is still to be drawn.

        Returns:
            the most alike of the press and how many were given up, when this was the last one of it; None before.
        """
        if job.press != self._press:
            self._press, self._best, self._given_up = job.press, None, 0
        if event is None:
            self._given_up += 1
        elif event.likeness is not None and (self._best is None or event.likeness > (self._best.likeness or 0.0)):
            self._best = event
        if self._best is None or any(other.press == job.press for other in waiting):
            return None
        return self._best, self._given_up
