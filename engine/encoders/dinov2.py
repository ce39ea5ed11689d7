"""DINOv2, as far as it is used: one size of pictures, whose positions are there already, inference only.

The libraries that have it need seconds to be imported, which every start would pay. Weights have the names of
``engine/encoders/names.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.encoders.activations import activation


@dataclass(frozen=True)
class DinoSettings:
    """The sizes in a ``Dinov2Config``. ``layers``: blocks; ``hidden``: inner width of a feed-forward."""

    hidden_size: int
    layers: int
    heads: int
    hidden: int
    patch_size: int
    image_size: int
    channels: int
    epsilon: float
    act: str
    qkv_bias: bool
    mask_token: bool

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> DinoSettings:
        """From a ``Dinov2Config`` as a dict; what it leaves out has the class's own defaults. Raises ``ValueError``."""
        if config.get("use_swiglu_ffn"):
            raise ValueError("the gated feed-forward of the giant model is not known here")
        width = int(config.get("hidden_size", 768))
        return cls(
            hidden_size=width,
            layers=int(config.get("num_hidden_layers", 12)),
            heads=int(config.get("num_attention_heads", 12)),
            hidden=int(width * config.get("mlp_ratio", 4)),
            patch_size=_side(config.get("patch_size", 14)),
            image_size=_side(config.get("image_size", 224)),
            channels=int(config.get("num_channels", 3)),
            epsilon=float(config.get("layer_norm_eps", 1e-6)),
            act=str(config.get("hidden_act", "gelu")),
            qkv_bias=bool(config.get("qkv_bias", True)),
            mask_token=bool(config.get("use_mask_token", True)),
        )


class DinoAttention(nn.Module):
    """Self-attention over class token and patches, (B, n, W)."""

    def __init__(self, settings: DinoSettings) -> None:
        super().__init__()
        width = settings.hidden_size
        if width % settings.heads:
            raise ValueError("the width does not divide into the heads")
        self.heads = settings.heads
        self.query = nn.Linear(width, width, bias=settings.qkv_bias)
        self.key = nn.Linear(width, width, bias=settings.qkv_bias)
        self.value = nn.Linear(width, width, bias=settings.qkv_bias)
        self.output = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (
            layer(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for layer in (self.query, self.key, self.value)
        )
        return self.output(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class DinoFeedForward(nn.Module):
    """Two linear layers with an activation between them."""

    def __init__(self, settings: DinoSettings) -> None:
        super().__init__()
        self.fc1 = nn.Linear(settings.hidden_size, settings.hidden)
        self.fc2 = nn.Linear(settings.hidden, settings.hidden_size)
        self.act = activation(settings.act)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.act(self.fc1(x)))


class DinoBlock(nn.Module):
    """Attention and feed-forward, each with a norm before and a learned scale behind it."""

    def __init__(self, settings: DinoSettings) -> None:
        super().__init__()
        width = settings.hidden_size
        self.norm1 = nn.LayerNorm(width, eps=settings.epsilon)
        self.attention = DinoAttention(settings)
        self.scale1 = nn.Parameter(torch.ones(width))
        self.norm2 = nn.LayerNorm(width, eps=settings.epsilon)
        self.feed_forward = DinoFeedForward(settings)
        self.scale2 = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        x = self.attention(self.norm1(x)) * self.scale1 + x
        return self.feed_forward(self.norm2(x)) * self.scale2 + x


class Dinov2(nn.Module):
    """Pixels (B, 3, S, S), normalised, to class and patch tokens (B, 1 + n, W), behind the last norm.

    Args:
        config: a ``Dinov2Config`` as a dict.

    Attributes:
        positions: (1, 1 + n, W); ``SemanticEncoder`` brings it to the grid of its pictures.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.config = settings = DinoSettings.of(config)
        width, side = settings.hidden_size, settings.image_size // settings.patch_size
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        if settings.mask_token:  # of the training; it is in every file
            self.mask_token = nn.Parameter(torch.zeros(1, width))
        self.positions = nn.Parameter(torch.zeros(1, 1 + side * side, width))
        self.patches = nn.Conv2d(settings.channels, width, settings.patch_size, stride=settings.patch_size)
        self.blocks = nn.ModuleList(DinoBlock(settings) for _ in range(settings.layers))
        self.norm = nn.LayerNorm(width, eps=settings.epsilon)

    @property
    def device(self) -> torch.device:
        return self.class_token.device

    @property
    def dtype(self) -> torch.dtype:
        return self.class_token.dtype

    def forward(self, pixels: Tensor) -> Tensor:
        return self.norm(self.after(pixels, len(self.blocks)))

    def after(self, pixels: Tensor, blocks: int) -> Tensor:
        """The tokens (B, 1 + n, W) after so many of the blocks, 0 … all, before the last norm."""
        patches = self.patches(pixels).flatten(2).transpose(1, 2)
        x = torch.cat((self.class_token.expand(len(pixels), -1, -1), patches), dim=1) + self.positions
        for block in self.blocks[:blocks]:
            x = block(x)
        return x


def _side(size: Any) -> int:
    return int(size if isinstance(size, int) else size[0])
