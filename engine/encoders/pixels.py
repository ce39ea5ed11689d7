"""Pictures at the border between numpy and torch."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor


def to_unit_range(rgb: np.ndarray) -> Tensor:
    """RGB uint8 (H, W, 3) to float32 (1, 3, H, W) in 0..1."""
    return torch.tensor(rgb).permute(2, 0, 1)[None].float() / 255


def at_size(rgb: np.ndarray, size: int) -> np.ndarray:
    """A square picture at size*size, with Pillow's Lanczos filter; unchanged where it has that size."""
    if rgb.shape[:2] == (size, size):
        return rgb
    return np.asarray(Image.fromarray(rgb).resize((size, size), Image.Resampling.LANCZOS))
