"""Measures how near a picture is to the one it should be: peak signal-to-noise ratio and structural similarity."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def psnr(made: Tensor, wanted: Tensor) -> float:
    """Mean over the pictures of the peak signal-to-noise ratio, in dB; (B, 3, H, W) in [-1, 1]."""
    error = ((made.clamp(-1, 1) - wanted) / 2).square().mean((1, 2, 3)).clamp_min(1e-10)
    return float((-10 * error.log10()).mean())


def ssim(made: Tensor, wanted: Tensor) -> float:
    """Mean structural similarity of the luma (Wang et al. 2004: Gaussian window of 11 pixels, sigma 1.5; K 0.01, 0.03)."""
    # In double precision: a variance here is a small difference of large numbers.
    x, y = (_luma((picture.double().clamp(-1, 1) + 1) / 2) for picture in (made, wanted))
    line = torch.exp(-((torch.arange(11, dtype=x.dtype, device=x.device) - 5) ** 2) / (2 * 1.5**2))
    line = line / line.sum()

    def blurred(z: Tensor) -> Tensor:
        return F.conv2d(F.conv2d(z, line.view(1, 1, 1, -1)), line.view(1, 1, -1, 1))

    mean_x, mean_y = blurred(x), blurred(y)
    spread_x = blurred(x * x) - mean_x * mean_x
    spread_y = blurred(y * y) - mean_y * mean_y
    common = blurred(x * y) - mean_x * mean_y
    small, smaller = 0.03**2, 0.01**2
    likeness = (2 * mean_x * mean_y + smaller) * (2 * common + small)
    return float((likeness / ((mean_x**2 + mean_y**2 + smaller) * (spread_x + spread_y + small))).mean())


def _luma(picture: Tensor) -> Tensor:
    weights = picture.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    return (picture * weights).sum(1, keepdim=True)
