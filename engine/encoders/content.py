"""The content encoder: the subject's cut-out to the latent of an image autoencoder, one vector per latent pixel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.encoders.assembly import assemble
from engine.encoders.latent import LatentEncoder
from engine.encoders.pixels import at_size, to_unit_range

DECODER_WEIGHTS = ("decoder.", "post_quant_conv.")


class ContentEncoder:
    """The encoder half of an ``AutoencoderKL``; its decoder is not needed.

    The latent is the mean of its distribution. The published program draws from it with an unseeded generator, so the
    same seed gave another picture each time. Its latents are not shifted and scaled as FLUX itself does it, and so they
    are not here: the weights were trained on them as they come.
    """

    def __init__(self, model: LatentEncoder, input_size: int, fold: int = 1) -> None:
        self.model = model
        self.input_size = input_size
        self.fold = fold

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], state: Mapping[str, Tensor], input_size: int, fold: int = 1
    ) -> ContentEncoder:
        """Build from an ``AutoencoderKL`` config and weights, of which those of the decoder are passed over.

        Args:
            fold: latent pixels a side that make one token (published: 1).

        Raises:
            BundleError: the weights do not fit the config.
        """
        state = {name: tensor for name, tensor in state.items() if not name.startswith(DECODER_WEIGHTS)}
        return cls(assemble("content", lambda: LatentEncoder(config), state), input_size, fold)

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> ContentEncoder:
        self.model.to(device=device, dtype=dtype)
        return self

    @torch.inference_mode()
    def encode(self, rgb: np.ndarray) -> Tensor:
        """A square picture, RGB uint8 (S, S, 3): the cut-out, or the canvas it was placed on. To tokens (P, W_c) float32,
        row-major.

        A cut-out of another size than ``input_size`` is brought there with Pillow's Lanczos filter.
        """
        pixels = (to_unit_range(at_size(rgb, self.input_size)) * 2 - 1).to(self.device, self.model.dtype)
        return fold_latent(self.model(pixels), self.fold)[0]


def fold_latent(latent: Tensor, fold: int) -> Tensor:
    """Latents (B, c, h, w) to tokens (B, h·w / fold², c·fold²) float32, row-major."""
    return torch.pixel_unshuffle(latent.float(), fold).flatten(2).transpose(1, 2).contiguous()
