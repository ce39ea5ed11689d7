"""Estimates how long a picture takes with the open model on its device, from the pictures before it."""

from __future__ import annotations

from msgspec.structs import replace

from app.session.state import SessionState
from engine import Finished

_SMOOTHING = 0.5
_SLOWER = 2.0
"""A picture that took more than so many times what was expected was held up; it counts as that much."""
_MOST_KNOWN = 20
"""Models and devices, beside the present ones, whose times the settings keep."""


class ExpectedSeconds:
    """Keeps ``state.expected_seconds`` true, and the settings' memory of it."""

    def __init__(self, state: SessionState) -> None:
        self._state = state

    def recall(self) -> None:
        """Another model is open: expect what it took on this device last time."""
        self._state.set_expected_seconds(self._state.settings.seconds.get(self._key()))

    def measure(self, event: Finished) -> None:
        """Take in a finished picture; one with kept scales tells nothing of a whole one, and one with remembered scales less than
        those before."""
        seconds, before = event.timing.total, self._state.expected_seconds
        if event.request.kept is not None or not seconds or (event.timing.remembered and before is not None):
            return
        if before is not None:
            seconds = before + _SMOOTHING * (min(seconds, _SLOWER * before) - before)
        self._state.set_expected_seconds(seconds)
        known = dict(list(self._state.settings.seconds.items())[-_MOST_KNOWN:])
        self._state.set_settings(replace(self._state.settings, seconds={**known, self._key(): round(seconds, 2)}))

    def _key(self) -> str:
        info = self._state.engine.info
        return f"{info.bundle}|{info.device}" if info is not None else ""
