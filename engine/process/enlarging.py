"""Saving a picture larger by a network, in a child process: the window must not import torch, and stopping is at once.

``enlarging_child.py`` is the other side. Free of torch and of Qt.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable

from engine.errors import Cancelled, EchoGenError, NotEnoughMemory
from engine.process.enlarging_child import enlarging_main
from engine.process.messages import Enlarged, EnlargeFile, EnlargingGoesOn, Failed, Shutdown
from engine.process.spawn import ChildLost, ChildProcess
from engine.sentence import Sentence

log = logging.getLogger(__name__)

_GRACE = 2.0
"""Seconds a child has to write the file it is at to its end."""

Told = EnlargingGoesOn | Enlarged | Failed


class Enlarging:
    """One picture on its way, begun by the constructor, which returns at once.

    Args:
        told: called in a thread of its own, with each step and then once with ``Enlarged`` or ``Failed``.
    """

    def __init__(self, work: EnlargeFile, told: Callable[[Told], None]) -> None:
        self._told = told
        self._over = self._cancelled = False
        self._child = ChildProcess(enlarging_main, work, name="EchoGen enlarging")
        self._child.listen(self._take, self._ended)

    def cancel(self) -> None:
        """Stop; returns at once. ``Failed`` with ``Cancelled`` follows, unless the file is being written already."""
        self._cancelled = True
        with contextlib.suppress(ChildLost):
            self._child.send(Shutdown())

    def close(self) -> None:
        """End the child, and give back what it held. To be called when all was told, or nobody listens any more."""
        self._child.end(_GRACE)

    def _take(self, message: Told) -> None:
        if isinstance(message, Failed):
            log.info("enlarging failed:\n%s", message.details)
        self._over = self._over or not isinstance(message, EnlargingGoesOn)
        self._told(message)

    def _ended(self, exit_code: int | None) -> None:
        if not self._over:
            self._told(Failed(None, Cancelled() if self._cancelled else _sudden_end(exit_code)))


def _sudden_end(exit_code: int | None) -> EchoGenError:
    """A child that was killed most likely ran out of memory."""
    if exit_code is not None and exit_code < 0:
        return NotEnoughMemory(
            Sentence("Enlarging was ended by the system, which happens when memory runs out."),
            Sentence("Close other programs, or save it larger by resampling."),
        )
    return EchoGenError(
        Sentence("Enlarging ended with code {exit_code}.", exit_code=exit_code),
        Sentence("Try again, or save it larger by resampling."),
    )
