"""Turns a memory plan into the device and the number format of every part of a bundle."""

from __future__ import annotations

import torch

from engine.bundle.loader import PartPlacement
from engine.device.devices import Device
from engine.planning.plans import MemoryPlan


def placements(plan: MemoryPlan, device: Device) -> dict[str, PartPlacement]:
    """By part: device, format, and the weights that stay in the computer's memory."""
    torch_device = torch.device(device.torch_name)
    dtype, text_dtype = getattr(torch, plan.dtype), getattr(torch, plan.text_dtype)
    elsewhere = ""
    if plan.stream_image:
        elsewhere = r"blocks\."
    elif plan.offload_content or plan.stream_content:
        elsewhere = r"blocks\.\d+\.content\."
    return {
        "text": PartPlacement("cpu" if plan.offload_text else torch_device, text_dtype),
        "semantic": PartPlacement(torch_device),
        "content": PartPlacement(torch_device),
        "transformer": PartPlacement(torch_device, dtype, elsewhere, plan.eight_bits),
        "tokenizer": PartPlacement(torch_device, dtype),
    }
