"""Weights that stay in the computer's memory and visit the device while they run: their home is never written to."""

from __future__ import annotations

from typing import Any

import psutil
import torch
from torch import Tensor, nn


class StreamedUnit:
    """Weights that run together, of one layer for example: at home in the computer's memory, on the device while they run.

    Args:
        pinned: fix them to their place in the computer's memory, so that a card fetches them faster, and beside its work.

    Attributes:
        nbytes: their size.
        there: whether they are on the device.
    """

    def __init__(self, parameters: list[nn.Parameter], device: torch.device, pinned: bool) -> None:
        self._parameters = parameters
        self._device = device
        self._home = [parameter.data.to("cpu") for parameter in parameters]
        if pinned:
            self._home = [tensor.pin_memory() for tensor in self._home]
        self._arriving: tuple[list[Tensor], Any] | None = None
        self.nbytes = sum(tensor.nbytes for tensor in self._home)
        self.there = False
        self._send_home()

    @property
    def arriving(self) -> bool:
        """True while copies are on their way, or there, that no layer has used yet."""
        return self._arriving is not None

    def begin_copy(self, stream: Any) -> None:
        """Start copying beside the work that goes on (CUDA only)."""
        if self._arriving is None and not self.there:
            with torch.cuda.stream(stream):
                copies = [tensor.to(self._device, non_blocking=True) for tensor in self._home]
                arrived = torch.cuda.Event()
                arrived.record(stream)
            self._arriving = copies, arrived

    def enter(self) -> None:
        """Have the weights on the device, from here on in the order of its work."""
        if self.there:
            return
        if self._arriving is None:
            copies = [tensor.to(self._device, copy=True) for tensor in self._home]
        else:
            copies, arrived = self._arriving
            current = torch.cuda.current_stream(self._device)
            current.wait_event(arrived)
            for tensor in copies:
                tensor.record_stream(current)
            self._arriving = None
        for parameter, tensor in zip(self._parameters, copies, strict=True):
            parameter.data = tensor
        self.there = True

    def leave(self) -> None:
        """Drop the weights from the device, those too that were copied ahead for nothing."""
        self._send_home()
        self._arriving = None
        self.there = False

    def _send_home(self) -> None:
        for parameter, tensor in zip(self._parameters, self._home, strict=True):
            parameter.data = tensor


def may_pin(device: torch.device, nbytes: int) -> bool:
    """Return True if weights of so many bytes may be fixed to their place in the computer's memory, for a card to fetch.

    That memory cannot be given to other programs; where it is short, plain copies are slower but safe.
    """
    return device.type == "cuda" and psutil.virtual_memory().available > 2 * nbytes
