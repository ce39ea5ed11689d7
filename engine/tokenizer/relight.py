"""The subject in the light and the colours that the bits ask for.

A decoder that sees the placed cut-out (``reference.py``) is tempted to show it as it was photographed: that is nearly right in most
places, and the bits that say otherwise are few and often wrong. The same decoder without the cut-out has only the bits to go by. It knows
nothing of the subject's detail, and more of its broad colours: what dusk makes of it, or the word *purple*. Both are estimates of one
thing, and between them they are nearer to it than either: the detail of one, brought part of the way to the broad colours of the other.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from engine.tokenizer.config import RELIT_CELL
from engine.tokenizer.lattice import blurred

_BROAD = 2.0
"""Cells (σ) over which colours are compared."""

_DARK = 0.05
"""Of the span from black to white, added to both sides of a quotient: black has no colour, and would have any gain."""

_MOST = 4.0
"""Largest gain, and the smallest is its inverse."""


def relit(picture: Tensor, alone: Tensor, covered: Tensor, share: float) -> Tensor:
    """A subject brought nearer to the broad colours of another estimate of it.

    Colours are multiplied, as light does: black stays black and contrast is kept.

    Args:
        picture: the subject with its detail, (B, 3, H, W) in about -1..1; sides multiples of 4.
        alone: the same place as the bits alone say it, of the same shape.
        covered: how much of every pixel is the subject, (B, 1, H, W) in 0..1. Outside nothing changes.
        share: how far to go, 0 (nowhere) to 1 (all the way; on a logarithmic scale).

    Returns:
        (B, 3, H, W), not cut off.
    """
    own, wanted = ((_broad(x, covered) + _DARK).clamp_min(_DARK) for x in (picture, alone))
    gain = (wanted / own).clamp(1 / _MOST, _MOST) ** share
    gain = F.interpolate(gain, scale_factor=RELIT_CELL, mode="bilinear", align_corners=False)
    # (x + dark) · gain - dark for x in 0..1, which is where -1 is black.
    return picture + covered * (picture + 1 + 2 * _DARK) * (gain - 1)


def _broad(picture: Tensor, covered: Tensor) -> Tensor:
    """The subject's colours around every cell, (B, 3, H / 4, W / 4) in about 0..1."""
    weight = F.avg_pool2d(covered, RELIT_CELL)
    colours = F.avg_pool2d((picture + 1) / 2 * covered, RELIT_CELL)
    return blurred(colours, _BROAD) / blurred(weight, _BROAD).clamp_min(1e-3)
