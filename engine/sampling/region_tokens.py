"""Which tokens of a region go through the network, and which of them are drawn anew."""

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

    def run(self, scale: int) -> Tensor:
        """Indices (m,) of the tokens that go through the network."""
        places = self.anew[scale]
        if places.numel() <= WHOLE_UP_TO or not places.any():
            return torch.arange(places.numel())
        near = F.max_pool2d(places[None].float(), 2 * NEAR + 1, stride=1, padding=NEAR)
        return near.flatten().nonzero()[:, 0]

    def asked(self, scale: int) -> Tensor:
        """Of the tokens of ``run``, indices (k,) of those that are drawn anew."""
        return torch.isin(self.run(scale), self.drawn(scale)).nonzero()[:, 0]

    def drawn(self, scale: int) -> Tensor:
        """Indices (k,) of the tokens that are drawn anew."""
        return self.anew[scale].flatten().nonzero()[:, 0]
