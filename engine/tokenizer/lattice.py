"""The lattice that a decoder's upsampling leaves, taken out of what it draws.

A decoder doubles its maps and unfolds its last channels into pixels. Where its convolutions answer a little differently at
the places of one cell, a faint mesh lies over the picture (Odena, Dumoulin and Olah, "Deconvolution and Checkerboard
Artifacts", Distill 2016).

In the scene, what a small decoder paints finer than these cells is grain: few bits say nothing about it. ``evened`` takes all of it.
On the subject that detail is worth keeping. The mesh repeats every few pixels over large parts of the picture, as nothing that is
shown does: what the pixels at one place of their cells have in common with those of the cells around, and not with their own
neighbours, is what ``without_lattice`` takes.
"""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn import functional as F

_FINE = 2.0
"""Pixels (σ). The lattice is finer than this; slopes and shapes are not."""

_AROUND = 2.0
"""Cells (σ) over which the lattice is taken to be the same."""

_STRONGEST = 8 / 255
"""Of the span from black to white. A pixel that differs more from its surroundings belongs to an edge, and counts no more."""


def without_lattice(image: Tensor, period: int, span: float = 1.0) -> Tensor:
    """A picture without what repeats every ``period`` pixels around each of its places.

    Args:
        image: (B, C, H, W); sides multiples of ``period``.
        period: pixels of a cell; 0 or 1 for no lattice.
        span: from black to white.

    Returns:
        (B, C, H, W) of the same type.
    """
    if period <= 1:
        return image
    exact = image.float()
    strongest = _STRONGEST * span
    fine = (exact - blurred(exact, _FINE)).clamp(-strongest, strongest)
    places = blurred(F.pixel_unshuffle(fine, period), _AROUND).unflatten(1, (image.shape[1], period**2))
    places = places - places.mean(2, keepdim=True)
    return (exact - F.pixel_shuffle(places.flatten(1, 2), period)).to(image.dtype)


def evened(image: Tensor, period: int) -> Tensor:
    """A picture without what is finer than a lattice's cells, along edges, too; what is coarser is lifted in return.

    The mean over a cell has no part that repeats every ``period`` pixels, nor every half or quarter of them. It weakens what is a
    little coarser, which therefore counts twice (an unsharp mask).

    Args:
        image: (B, C, H, W). period: pixels of a cell; 0 or 1 for no lattice.

    Returns:
        (B, C, H, W) of the same type.
    """
    if period <= 1:
        return image
    # An even cell has no middle: half of either pixel at its ends keeps the picture in its place.
    ends = [] if period % 2 else [0.5]
    mean = _weighted(image.float(), [*ends, *[1.0] * (period - len(ends)), *ends])
    return (2 * mean - blurred(mean, period / 2)).to(image.dtype)


def blurred(x: Tensor, sigma: float) -> Tensor:
    """(B, C, H, W) under a Gaussian of ``sigma`` cells. Beyond its edge the picture goes on as it ends."""
    reach = round(2.5 * sigma)
    return _weighted(x, [math.exp(-(step**2) / (2 * sigma**2)) for step in range(-reach, reach + 1)])


def _weighted(x: Tensor, weights: list[float]) -> Tensor:
    """(B, C, H, W), every cell as the mean of those around it, with an odd number of weights along each axis.

    Shifted and added up: on a processor a convolution of single channels takes several times as long.
    """
    padded = F.pad(x, (len(weights) // 2,) * 4, mode="replicate")
    for axis in (2, 3):
        side, total = x.shape[axis], None
        for start, weight in enumerate(weights):
            part = padded.narrow(axis, start, side)
            total = part * weight if total is None else total.add_(part, alpha=weight)
        assert total is not None
        padded = total
    return padded.div_(sum(weights) ** 2)
