"""Keeps what the first scales of a picture left behind, for the next picture that begins with the same bits.

A scale's keys, values and logits follow from the conditions and from the bits before it. So whoever draws a region of a
picture, or goes on from one of its scales, has the first scales from when it was drawn; and where it was not drawn here,
from the second time on. Seeds often agree in the coarsest bits, too: then a whole picture begins there. What is remembered
is what would be computed, bit for bit: nothing depends on whether it is there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from torch import Tensor

from engine.device.cache import ByteBudgetCache
from engine.model.block import KeyValue

SMALL = 50
"""Scales of up to so many tokens are remembered. Larger ones have many keys, and few pictures have all bits before them in
common."""


@dataclass(frozen=True, eq=False)
class ScaleRecord:
    """One scale of all branches, with all its tokens.

    Attributes:
        pairs: keys and values of every block, each (B, n, H, c): tokens before heads, as ``ScaleCache`` has them.
        logits: (B, n, 2d).
    """

    pairs: tuple[KeyValue, ...]
    logits: Tensor


class FirstScales:
    """The records of the pictures drawn last.

    Args:
        budget: bytes that may be kept.
    """

    def __init__(self, budget: int) -> None:
        self._records = ByteBudgetCache(budget)

    @property
    def nbytes(self) -> int:
        return self._records.nbytes

    def clear(self) -> None:
        self._records.clear()

    def begin(self, conditions: Hashable, tokens: Sequence[int], token_bytes: int) -> Beginning:
        """A picture begins.

        Args:
            conditions: whatever its keys and values depend on besides its bits.
            tokens: of every scale.
            token_bytes: what one token leaves behind. Of a picture that would not fit the first scales alone are kept.
        """
        small = list(takewhile(lambda count: count <= SMALL, tokens[1:-1]))
        return Beginning(self._records, conditions, len(small), self._records.budget // max(token_bytes, 1))


class Beginning:
    """The first scales of one picture, while it is drawn.

    Attributes:
        scales: the last of the small scales, 0-based. Scale 0 has no record: it is part of the conditions.
    """

    def __init__(self, records: ByteBudgetCache, conditions: Hashable, scales: int, capacity: int) -> None:
        self.scales = scales
        self._records, self._conditions, self._free = records, conditions, capacity
        self._bits = hashlib.sha256()

    def found(self) -> ScaleRecord | None:
        """Of the scale that follows the bits so far."""
        return self._records.find(self._key)

    def keep(self, record: ScaleRecord) -> None:
        """The same, computed."""
        self._free -= record.logits.shape[1]
        if self._free >= 0:
            self._records.keep(self._key, record)

    @property
    def _key(self) -> Hashable:
        return self._conditions, self._bits.digest()

    def follow(self, bits: Tensor) -> None:
        """The next scale has these bit labels, uint8 (h, w, d)."""
        self._bits.update(bits.cpu().numpy().tobytes())
