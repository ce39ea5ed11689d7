"""Work of the window's thread in pieces: between two of them the window paints and answers."""

from __future__ import annotations

import importlib
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial

from PySide6.QtCore import QObject, QTimer, Slot


class DeferredSteps(QObject):
    """Does one thing after the other, each in a turn of the event loop of its own.

    Args:
        steps: what to do, in order. An error in one does not keep the others from their turn.
    """

    def __init__(self, steps: Iterable[Callable[[], object]], parent: QObject) -> None:
        super().__init__(parent)
        self._steps = deque(steps)
        self._timer = QTimer(self)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._run_next)
        self._timer.start()

    @property
    def done(self) -> bool:
        return not self._steps

    def stop(self) -> None:
        """What is left is not done."""
        self._steps.clear()
        self._timer.stop()

    @Slot()
    def _run_next(self) -> None:
        step = self._steps.popleft()
        if not self._steps:
            self._timer.stop()
        step()


def imports(*modules: str) -> list[Callable[[], object]]:
    """Steps that import modules; name what a module needs before it, and each step is a short one."""
    return [partial(importlib.import_module, module) for module in modules]
