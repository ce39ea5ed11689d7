"""Work of the window's thread in pieces: between two of them the window paints and answers."""

from __future__ import annotations

import importlib
import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial

from PySide6.QtCore import QObject, QTimer, Slot

TURN_MS = 1
"""Before each step: with no time at all between them, steps would run before whatever fell due during the one before."""
PAINTED_MS = 80
"""After so long the window has painted what changed, and answered: other threads may begin."""
_PAUSE_MS = 20
_LONGEST_WAIT = 3.0
"""Seconds after which steps in no hurry wait no longer."""


class DeferredSteps(QObject):
    """Does one thing after the other, each in a turn of the event loop of its own.

    Args:
        steps: what to do, in order. An error in one does not keep the others from their turn.
        later: what to do after that, in no hurry.
        busy: while it is true, the steps of ``later`` wait. Two threads that both run Python take turns at its
            interpreter, and a step that shares it with another thread keeps the window waiting twice as long.
    """

    def __init__(
        self,
        steps: Iterable[Callable[[], object]],
        parent: QObject,
        later: Iterable[Callable[[], object]] = (),
        busy: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__(parent)
        self._steps = deque(steps)
        self._hurried = len(self._steps)
        self._steps.extend(later)
        self._busy = busy
        self._patience: float | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(TURN_MS)
        self._timer.timeout.connect(self._run_next)
        self._timer.start()

    @property
    def done(self) -> bool:
        return not self._steps

    def stop(self) -> None:
        """Drop the steps that are left."""
        self._steps.clear()
        self._timer.stop()

    @Slot()
    def _run_next(self) -> None:
        if self._hurried == 0 and self._has_to_wait():
            self._timer.setInterval(_PAUSE_MS)
            return
        self._timer.setInterval(TURN_MS)
        self._hurried = max(0, self._hurried - 1)
        step = self._steps.popleft()
        if not self._steps:
            self._timer.stop()
        step()

    def _has_to_wait(self) -> bool:
        if self._patience is None:
            self._patience = time.monotonic() + _LONGEST_WAIT
        return self._busy() and time.monotonic() < self._patience


def imports(*modules: str) -> list[Callable[[], object]]:
    """Steps that import modules; name what a module needs before it, and each step is a short one."""
    return [partial(importlib.import_module, module) for module in modules]
