"""The semantic encoder: the subject's cut-out to DINOv2's class token and patch tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.encoders.assembly import assemble
from engine.encoders.dinov2 import Dinov2
from engine.encoders.pixels import to_unit_range
from engine.errors import BundleError
from engine.sentence import Sentence

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class SemanticEncoder:
    """DINOv2, at one input size.

    The table of learned positions is resampled once, here, to the grid of that size (the published program does so with
    timm's bicubic with antialiasing), so that the model itself, which would resample otherwise, does not.
    """

    def __init__(self, model: Dinov2, input_size: int) -> None:
        self.model = model
        self.input_size = input_size

    @classmethod
    def from_config(cls, config: Mapping[str, Any], state: Mapping[str, Tensor], input_size: int) -> SemanticEncoder:
        """Build from a ``Dinov2Config`` as a dict and the model's weights in any spelling, with positions of any square grid.

        Raises:
            BundleError: the weights do not fit the config.
        """
        model = assemble("semantic", lambda: Dinov2(config), state)
        side = input_size // model.config.patch_size
        if side < 1 or input_size % model.config.patch_size:
            raise BundleError(
                Sentence(
                    "The semantic encoder's input of {input_size} pixels does not divide into its patches of "
                    "{patch_size}.",
                    input_size=input_size,
                    patch_size=model.config.patch_size,
                ),
                Sentence("Get the model again, or verify it under Models."),
            )
        model.positions = torch.nn.Parameter(resample_positions(model.positions, side), requires_grad=False)
        return cls(model, input_size)

    @property
    def device(self) -> torch.device:
        return self.model.device

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> SemanticEncoder:
        self.model.to(device=device, dtype=dtype)
        return self

    @torch.inference_mode()
    def encode(self, rgb: np.ndarray) -> tuple[Tensor, Tensor]:
        """A square cut-out, RGB uint8 (S, S, 3) of any size, to its class token (W_s,) and patches (n, W_s), float32.

        Both come from behind the last LayerNorm; patches are row-major.
        """
        pixels = prepared(to_unit_range(rgb).to(self.device), self.input_size)
        tokens = self.model(pixels.to(self.model.dtype))[0].float()
        return tokens[0], tokens[1:]

    @torch.inference_mode()
    def patches_after(self, rgb: np.ndarray, blocks: int) -> Tensor:
        """Patches (n, W_s), float32, of a square cut-out after so many blocks, 0 … all: the earlier, the more they say of
        how it looks there, and the less of what it is."""
        pixels = prepared(to_unit_range(rgb).to(self.device), self.input_size)
        return self.model.after(pixels.to(self.model.dtype), blocks)[0, 1:].float()


def prepared(pixels: Tensor, size: int) -> Tensor:
    """Pixels (B, 3, S, S) in 0..1 as the published program shows them to DINOv2: (B, 3, size, size).

    ImageNet mean and deviation first, then bicubic resampling without antialiasing, in this order.
    """
    mean, std = (pixels.new_tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
    pixels = (pixels - mean) / std
    if pixels.shape[-2:] == (size, size):
        return pixels
    return F.interpolate(pixels, size=(size, size), mode="bicubic", align_corners=False)


def resample_positions(table: Tensor, side: int) -> Tensor:
    """Position table (1, 1 + n*n, W) for a grid of side*side: bicubic with antialiasing; the class row stays."""
    count = round((table.shape[1] - 1) ** 0.5)
    if count == side:
        return table.detach()
    grid = table[:, 1:].detach().float().reshape(1, count, count, -1).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, size=(side, side), mode="bicubic", align_corners=False, antialias=True)
    rows = grid.permute(0, 2, 3, 1).reshape(1, side * side, -1).to(table.dtype)
    return torch.cat((table[:, :1].detach(), rows), dim=1)
