"""Tells errors that mean that memory ran out from all others."""

from __future__ import annotations

import re

_WORDS = re.compile(r"out of memory|can't allocate memory|not enough memory|alloc[_ ]failed", re.IGNORECASE)


def is_out_of_memory(error: BaseException) -> bool:
    """Return True if an allocation failed, on a card or in the computer's memory, whatever library says so."""
    import torch

    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and _WORDS.search(str(error)) is not None
