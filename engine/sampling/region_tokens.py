"""Chooses the tokens of a region that go through the network, how deep, and which of them are drawn anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

WHOLE_UP_TO = 100
"""Scales of so many tokens run whole: they say what the picture is, and cost little."""
NEAR = 2
"""Of larger scales the tokens so near to the region run: what is further away is seen through the coarser scales."""


@dataclass(frozen=True, eq=False)
class RunTokens:
    """The tokens of one scale that go through the network.

    Attributes:
        places: their indices (m,), those that go deepest first, each kind in the order of the scale.
        going: of every block, how many of them go on through it: the first ones.
    """

    places: Tensor
    going: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class RegionTokens:
    """The tokens of a picture whose region is drawn anew.

    Attributes:
        anew: bool (h, w) of every scale, coarse to fine: True where it is drawn anew.
    """

    anew: Sequence[Tensor]

    @property
    def first(self) -> int:
        """The first scale in which something is drawn; the number of scales when nothing is."""
        return next((scale for scale, places in enumerate(self.anew) if places.any()), len(self.anew))

    def run(self, scale: int, blocks: int) -> RunTokens:
        """The tokens that go through the network, and through how many of its blocks; small scales (``FirstScales``) go whole
        in place of that."""
        depths = self._depths(scale, blocks).flatten()
        # Deepest first, so that a block takes the first ones as they lie: picking them out of the middle costs more.
        depths, places = depths.sort(descending=True, stable=True)
        places = places[depths >= 0]
        return RunTokens(places, tuple(int((depths > block).sum()) for block in range(blocks)))

    def _depths(self, scale: int, blocks: int) -> Tensor:
        """Through how many of the blocks each token goes, (h, w); in the others it has only keys and values to give. -1 where
        it has not even those.

        A token that is drawn goes through all of them. Behind the last block's keys nobody looks at a kept one. Those that do
        not touch the region, and scales without one, have little to tell that the first half of the blocks does not know
        (docs/decisions/0021).
        """
        places = self.anew[scale]
        if not places.any():
            return torch.full(places.shape, blocks // 2)
        depths = torch.full(places.shape, blocks // 2)
        if places.numel() > WHOLE_UP_TO:
            depths[~_around(places, NEAR)] = -1
        depths[_around(places, 1)] = blocks - 1
        depths[places] = blocks
        return depths

    def drawn(self, scale: int) -> Tensor:
        """Indices (k,) of the tokens that are drawn anew."""
        return self.anew[scale].flatten().nonzero()[:, 0]


def _around(places: Tensor, tokens: int) -> Tensor:
    """Places, bool (h, w), with so many tokens around them."""
    return F.max_pool2d(places[None].float(), 2 * tokens + 1, stride=1, padding=tokens)[0] > 0
