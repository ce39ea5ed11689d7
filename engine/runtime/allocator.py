"""How the C library hands out memory, for work on the processor."""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt(3)
_LARGEST_KEPT = 32 * 2**20  # older versions of glibc refuse more
_LARGEST_FREE = 512 * 2**20


def keep_memory() -> bool:
    """Let the C library keep what was freed for the next picture instead of giving it back to the system.

    A layer's intermediate results are a few megabytes each. By default every one of them is asked of the system anew, which
    clears it page by page: a fifth of a picture's time with the 125M network. Blocks above 32 MiB are still given back at
    once, and never more than 512 MiB lie unused. For the whole process; only glibc has this switch, elsewhere nothing happens.

    Returns:
        whether it is so from now on.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT) and mallopt(_TRIM_THRESHOLD, _LARGEST_FREE))
