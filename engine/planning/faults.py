"""Tells errors of the libraries when memory or the device gives out apart from faults of our own."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Literal

from engine.device.devices import Device, free_memory
from engine.device.out_of_memory import is_out_of_memory
from engine.errors import DeviceLost, EchoGenError
from engine.planning.plans import MemoryPlan, out_of_memory
from engine.sentence import Sentence

Fault = Literal["memory", "device"]

_DEVICE = re.compile(
    r"CUDA error|CUDNN_STATUS_(?!NOT_SUPPORTED)|cublas\w* failed|unspecified launch failure|device-side assert|"
    r"illegal memory access|HIP error|MPS backend",
    re.IGNORECASE,
)


def fault_of(error: BaseException) -> Fault | None:
    """ "memory" when an allocation failed, "device" when the graphics card gave out, None for anything else."""
    if is_out_of_memory(error):
        return "memory"
    return "device" if isinstance(error, RuntimeError) and _DEVICE.search(str(error)) else None


def in_words(fault: Fault | None, plan: MemoryPlan, device: Device) -> EchoGenError | None:
    """A fault in the user's words; None for no fault."""
    if fault == "memory":
        return out_of_memory(plan, device, free_memory(device))
    if fault == "device":
        return DeviceLost(
            Sentence("{device} stopped answering.", device=device.words),
            Sentence("Try again, or draw on the processor."),
        )
    return None


@contextlib.contextmanager
def faults_in_words(plan: MemoryPlan, device: Device) -> Iterator[None]:
    """Turns the libraries' errors of memory and device into ours."""
    try:
        yield
    except Exception as error:
        in_ours = in_words(fault_of(error), plan, device)
        if in_ours is None:
            raise
        raise in_ours from error
