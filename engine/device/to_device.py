"""Moving whole states between devices: everything that waits can wait in the computer's memory."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import torch

T = TypeVar("T")


def moved(value: T, device: torch.device | str) -> T:
    """The same state with all its tensors on a device; nested tuples, lists and frozen dataclasses are rebuilt around them.

    What comes from a graphics card to the CPU is fixed to its place in memory, so that it can go back at full speed.
    """
    return _moved(value, torch.device(device))


def _moved(value: Any, device: torch.device) -> Any:
    if isinstance(value, torch.Tensor):
        if value.is_cuda and device.type == "cpu":
            return torch.empty(value.shape, dtype=value.dtype, pin_memory=True).copy_(value)
        return value.to(device, non_blocking=value.is_pinned())
    if isinstance(value, (tuple, list)):
        return type(value)(_moved(item, device) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: _moved(getattr(value, field.name), device) for field in fields(value)})
    return value
