"""The pace of a run over blocks: where it can be stopped, and how far it may be ahead of the device."""

from __future__ import annotations

from collections import deque

import torch

from engine.errors import Cancel, raise_if_cancelled

_AHEAD = 2
"""Blocks that may wait in a graphics card's queue: enough to keep it busy, and little to wait for after a stop."""


class Pace:
    """Called between two blocks.

    Args:
        device: where the blocks run.
        cancel: what to look at.
    """

    def __init__(self, device: torch.device, cancel: Cancel | None) -> None:
        self._device, self._cancel = device, cancel
        self._marks: deque[torch.cuda.Event] = deque()

    def step(self) -> None:
        """Wait until an NVIDIA or AMD card is near, then go on or raise ``Cancelled``. Of an Apple GPU all that is queued is done
        after a stop, too: none was at hand to try the same there."""
        if self._device.type == "cuda":
            mark = torch.cuda.Event()
            mark.record(torch.cuda.current_stream(self._device))  # of this card: another one may be the current one
            self._marks.append(mark)
            if len(self._marks) > _AHEAD:
                self._marks.popleft().synchronize()
        raise_if_cancelled(self._cancel)
