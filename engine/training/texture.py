"""Measures the detail around every place, whatever it looks like: what a texture has and a blur lacks.

Bits that a transformer draws say "grass", not where each blade is. Compared pixel by pixel, the best answer to them is the mean
of all meadows, which is a green blur. So there only broad colours are compared, and beside them the strength of the detail in
three sizes, as in Heeger and Bergen 1995 ("Pyramid-based texture analysis/synthesis"); how it should look is left to the adversary.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.training.render.paint import blur

SIZES = (1, 2, 4)
"""Radii of the blurs whose differences are the bands of detail, in pixels."""
AROUND = 16
"""Side of the squares over which detail is summed up, in pixels; they overlap by half."""
FLOOR = 1e-5
"""Mean square below which there is no detail: the root has no slope at nothing."""


def detail(pictures: Tensor) -> list[Tensor]:
    """Root mean square of the detail of each size: (B, 3, H, W) in -1..1 → (B, 1, h, w), fine to coarse."""
    found, sharper = [], pictures
    for radius in SIZES:
        softer = blur(pictures, radius)
        energy = (sharper - softer).square().mean(1, keepdim=True)
        found.append((F.avg_pool2d(energy, AROUND, AROUND // 2) + FLOOR).sqrt())
        sharper = softer
    return found


def texture_distance(made: Tensor, wanted: Tensor) -> Tensor:
    """Mean difference in the strength of detail of pictures (B, 3, H, W): 0 where both have as much of it everywhere."""
    with torch.no_grad():
        known = detail(wanted)
    return torch.stack([(one - other).abs().mean() for one, other in zip(detail(made), known, strict=True)]).mean()


def broad_where(pictures: Tensor, where: Tensor, radius: int) -> Tensor:
    """Pictures (B, 3, H, W) whose detail is gone where a mask (B, 1, H, W) is 1."""
    return pictures + (blur(pictures, radius) - pictures) * where
