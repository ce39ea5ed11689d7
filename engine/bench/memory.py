"""The most memory a piece of work needed."""

from __future__ import annotations

import sys

import psutil
import torch

from engine.device.devices import wait_for


class PeakMemory:
    """A context manager; afterwards ``bytes`` is the peak on the card, or of this process where there is none.

    A process's peak cannot be set back on every system: measured is what it is at the end of the block, so that the block
    has to come before anything larger.
    """

    bytes = 0

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def __enter__(self) -> PeakMemory:
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
        return self

    def __exit__(self, *_: object) -> None:
        if self._device.type == "cuda":
            wait_for(self._device)
            self.bytes = torch.cuda.max_memory_allocated(self._device)
        else:
            self.bytes = process_peak()


def process_peak() -> int:
    """The largest resident size of this process so far, in bytes."""
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
