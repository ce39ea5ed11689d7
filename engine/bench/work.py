"""Counting multiply-adds of what really ran, by watching torch's operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count


def _attention(query: Any, keys: Any, values: Any, *_: Any, out_shape: Any = None, **__: Any) -> int:
    return sdpa_flop_count(query, keys, values)


# torch counts the attention kernels of graphics cards by itself, but not the processor's.
_PROCESSOR_ATTENTION = {torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention}


def multiply_adds(run: Callable[[], object]) -> int:
    """Multiply-adds of all matrix products, convolutions and attentions inside ``run``."""
    with FlopCounterMode(display=False, custom_mapping=_PROCESSOR_ATTENTION) as counter:
        run()
    return counter.get_total_flops() // 2
