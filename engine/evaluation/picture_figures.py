"""Figures of pictures and masks: sharpness, edges, light, place, and whether a decoder relights or pastes.

All are functions of plain tensors. Pictures are (B, 3, H, W) in [-1, 1], masks (B, 1, H, W) in 0 … 1, where 1 is the subject.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

FINE = 1 / 8
"""Cycles a pixel above which detail counts as fine: what a blurred picture lacks."""

BAND = 3
"""Pixels on either side of a subject's edge."""


def luma(pictures: Tensor) -> Tensor:
    """Brightness (B, 1, H, W) in [-1, 1]."""
    weights = pictures.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    return (pictures * weights).sum(1, keepdim=True)


def fine_energy(pictures: Tensor, where: Tensor) -> Tensor:
    """Mean square of the brightness's detail above ``FINE`` cycles a pixel, within a mask: (B,); 0 for an empty mask."""
    border = min(16, min(pictures.shape[-2:]) - 1)
    # Continued as in a mirror: a jump from one edge of the picture to the other would count as detail.
    padded = F.pad(luma(pictures), (border,) * 4, mode="reflect")
    height, width = padded.shape[-2:]
    across = torch.fft.fftfreq(height).view(-1, 1).square() + torch.fft.rfftfreq(width).square()
    fine = torch.fft.irfft2(torch.fft.rfft2(padded) * (across > FINE**2), s=(height, width))
    return _mean_within(fine[..., border:-border, border:-border].square(), where)


def outside(masks: Tensor, distance: int = 6) -> Tensor:
    """Return the complement of the masks grown by ``distance`` pixels: scene, some way from the subject's edge."""
    return 1 - _grown(masks, distance)


def frame(height: int, width: int) -> Tensor:
    """The outer sixth of a picture (1, 1, H, W): scene, wherever exactly the subject stands."""
    where = torch.ones(1, 1, height, width)
    where[..., height // 6 : height - height // 6, width // 6 : width - width // 6] = 0
    return where


def edge_energy(pictures: Tensor, masks: Tensor) -> Tensor:
    """Mean square of the brightness's gradient in a band of ``BAND`` pixels on either side of the masks' edges: (B,)."""
    grey = F.pad(luma(pictures), (1, 1, 1, 1), mode="replicate")
    right = (grey[..., 1:-1, 2:] - grey[..., 1:-1, :-2]) / 2
    down = (grey[..., 2:, 1:-1] - grey[..., :-2, 1:-1]) / 2
    band = _grown(masks, BAND) * _grown(1 - masks, BAND)
    return _mean_within(right.square() + down.square(), band)


def ratio(drawn: Tensor, true: Tensor) -> float:
    """Mean of a figure of drawn pictures as a share of its mean over true ones; 0 where the true ones have none of it."""
    reference = float(true.mean()) if len(true) else 0.0
    return float(drawn.mean()) / reference if reference > 0 else 0.0


def mean_colour(pictures: Tensor, masks: Tensor) -> Tensor:
    """Mean colour of the subject, (B, 3) in [-1, 1]."""
    inside = (masks > 0.5).to(pictures.dtype)
    return (pictures * inside).sum((2, 3)) / inside.sum((2, 3)).clamp_min(1)


def light_agreement(drawn: Tensor, true: Tensor) -> tuple[float, float]:
    """Measure how well the subjects' colours follow the scenes' light.

    Each subject's colours are compared with its own mean over the scenes, so that only what the scene changes counts.

    Args:
        drawn, true: mean colours (subjects, scenes, 3).

    Returns:
        Correlation of the two changes, -1 … 1, and the amount: 1 where drawn colours move as far as true ones, 0 where a
        subject is pasted as it was photographed.
    """
    made, wanted = ((colours - colours.mean(1, keepdim=True)).double().flatten() for colours in (drawn, true))
    both, own, reference = (float((a * b).sum()) for a, b in ((made, wanted), (made, made), (wanted, wanted)))
    correlation = both / (own * reference) ** 0.5 if own > 1e-9 and reference > 1e-9 else 0.0
    return correlation, both / reference if reference > 1e-9 else 0.0


def pasted_share(made: Tensor, target: Tensor, canvas: Tensor, masks: Tensor) -> float:
    """The error left inside the subject, as a share of the error of pasting it: 0 is the target, 1 a collage.

    Args:
        made: what a decoder made of the target's bits and the canvas. target: the subject relit, tinted or wet.
        canvas: the subject as it was photographed, at the same place, (B, 3, H, W) in [-1, 1].
    """
    inside = (masks > 0.5).to(made.dtype)
    left, pasted = (float(((picture - target).abs() * inside).sum()) for picture in (made, canvas))
    return left / pasted if pasted > 0 else 0.0


def changed(picture: Tensor, without: Tensor) -> Tensor:
    """Mark the places where two pictures (3, H, W) differ clearly: what one drew and the other did not, bool (H, W).

    The threshold is Otsu's; holes are filled, and of several patches the largest counts.
    """
    difference = (picture - without).abs().amax(0).clamp(0, 2).numpy() * 127.5
    smooth = cv2.blur(difference.astype(np.float32), (5, 5)).round().astype(np.uint8)
    if smooth.max() == 0:
        return torch.zeros(picture.shape[1:], dtype=torch.bool)
    _, rough = cv2.threshold(smooth, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    contours, _ = cv2.findContours(rough, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros_like(rough)
    if contours:
        cv2.drawContours(filled, [max(contours, key=cv2.contourArea)], -1, 255, cv2.FILLED)
    return torch.from_numpy(filled > 0)


def overlap(one: Tensor, other: Tensor) -> float:
    """Area that two bool masks share, as a share of the area that either has (IoU); 0 for two empty ones."""
    either = int((one | other).sum())
    return int((one & other).sum()) / either if either else 0.0


def _grown(masks: Tensor, distance: int) -> Tensor:
    """1 within so many pixels of where a mask is more than half."""
    return F.max_pool2d((masks > 0.5).float(), 2 * distance + 1, 1, distance)


def _mean_within(values: Tensor, where: Tensor) -> Tensor:
    where = where.expand_as(values).to(values.dtype)
    return (values * where).sum((1, 2, 3)) / where.sum((1, 2, 3)).clamp_min(1)
