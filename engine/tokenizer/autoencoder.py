"""The convolutional autoencoder of the visual tokenizer: pixels to latent features and summed codes to pixels.

The published one is Infinity's, which EchoGen uses unchanged: base 128 channels, multipliers 1, 2, 4, 4, 4, stride 16,
no attention anywhere, and an encoder that gives the d features themselves rather than a mean and a variance. The
modules here compute it plainly, for training and as the measure of the faster decoder in ``decoding.py``.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engine.tokenizer.config import TokenizerConfig
from engine.tokenizer.decoding import decode_in_strips
from engine.tokenizer.encoder_decoder import Decoder, Encoder
from engine.tokenizer.reference import CanvasFeatures


class Autoencoder(nn.Module):
    """Encoder and decoder of one tokenizer. Can be built on the meta device.

    Training calls ``encoder`` and ``decoder`` themselves: ``decode`` keeps no gradients and cuts the pixels off at the
    ends of their range.
    """

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)

    def encode(self, pixels: Tensor) -> Tensor:
        """Pixels (B, 3, H, W) in -1..1, sides multiples of the stride, to features (B, d, H/stride, W/stride)."""
        return self.encoder(pixels)

    def decode(self, codes: Tensor, canvas: Tensor | CanvasFeatures | None = None, *, relight: bool = True) -> Tensor:
        """Summed codes (B, d, h, w) to pixels (B, 3, h*stride, w*stride) in -1..1.

        Args:
            canvas: the placed cut-out for a decoder with a reference branch, see ``decode_in_strips``. relight: as there.
        """
        return decode_in_strips(self.decoder, codes, canvas, relight=relight)


def to_uint8(pixels: Tensor) -> Tensor:
    """Pixels (B, 3, H, W) in -1..1 to RGB uint8 (B, H, W, 3).

    (x + 1) / 2 * 255 in float32, cut off and truncated, not rounded, as the published program does.
    """
    return ((pixels.float().clamp(-1, 1) + 1) / 2 * 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()
