"""A drawn subject in front of a photo: the photo goes on behind it, and the subject's shadow falls on it.

A tokenizer gives a scene back softer than a photo has it, and in colours of its own. Laid in as a whole, the drawn region
therefore shows as a ring of blur or light around the subject. Where the subject's place is known, everything beside it can be
the photo itself. Of what the model drew there only the shadow is taken: how much darker the scene became with the subject,
both times as the same decoder paints it. A thing that is put somewhere takes light away; where the scene became lighter, the
model drew another scene.
"""

from __future__ import annotations

import cv2
import numpy as np

from engine.region import Region, mixed, soft_inside

_SPREAD = 0.024
"""Of the picture's shorter side: a Gaussian's spread over which darkness is compared. Smaller than that is not shadow."""
_DARKEST = 0.35
_BESIDE = 0.05
"""Of alpha; from here on a pixel is not the scene's alone."""
_LIGHT = np.array([0.299, 0.587, 0.114], np.float32)


def in_front(
    region: Region, drawn: np.ndarray, alpha: np.ndarray, feather: float, without: np.ndarray | None = None
) -> np.ndarray:
    """The photo of a region with the drawn subject in front of it.

    Args:
        drawn: RGB uint8 (H, W, 3), as large as the region.
        alpha: float32 (H, W) in 0 … 1, the subject at its place.
        feather: pixels over which the region comes in, counted inwards from its edge.
        without: RGB uint8 (H, W, 3), the photo as the decoder paints it; None leaves the shadow out.

    Returns:
        RGB uint8 (H, W, 3); outside of the region every pixel is the photo's.
    """
    behind = region.picture.astype(np.float32)
    if without is not None:
        fading = soft_inside(region.mask, 2 * feather)
        behind *= (1 + (_shadow(drawn, without, alpha) - 1) * fading)[..., None]
    share = alpha[..., None]
    both = behind * (1 - share) + drawn * share
    return mixed(region.picture, (both + np.float32(0.5)).astype(np.uint8), soft_inside(region.mask, feather))


def _shadow(drawn: np.ndarray, without: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The light that is left beside the subject, float32 (H, W), ``_DARKEST`` … 1."""
    beside = (alpha < _BESIDE).astype(np.float32)
    spread = _SPREAD * min(alpha.shape)
    near = np.maximum(cv2.GaussianBlur(beside, (0, 0), spread), np.float32(1e-3))
    now, before = (
        cv2.GaussianBlur((picture.astype(np.float32) @ _LIGHT) * beside, (0, 0), spread) / near
        for picture in (drawn, without)
    )
    # A few grey levels more on both sides: in the dark of a photo quotients say nothing.
    return np.clip((now + 4) / (before + 4), _DARKEST, 1).astype(np.float32)
