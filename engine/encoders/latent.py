"""The encoder half of an image autoencoder (``AutoencoderKL``), inference only: pixels to the mean of their latent.

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

_EPSILON = 1e-6


@dataclass(frozen=True)
class LatentSettings:
    """The sizes of the encoder in the config of an ``AutoencoderKL``."""

    in_channels: int
    latent_channels: int
    block_out_channels: tuple[int, ...]
    blocks_per_level: int
    groups: int
    act: str
    attention: bool
    moments: bool

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> LatentSettings:
        """Read a config; values it leaves out have the class's own defaults. Raises ``ValueError`` for blocks of another kind."""
        channels = tuple(int(width) for width in config.get("block_out_channels", (64,)))
        kinds = config.get("down_block_types", ("DownEncoderBlock2D",))
        if list(kinds) != ["DownEncoderBlock2D"] * len(channels):
            raise ValueError(f"levels of another kind: {kinds}")
        return cls(
            in_channels=int(config.get("in_channels", 3)),
            latent_channels=int(config.get("latent_channels", 4)),
            block_out_channels=channels,
            blocks_per_level=int(config.get("layers_per_block", 1)),
            groups=int(config.get("norm_num_groups", 32)),
            act=str(config.get("act_fn", "silu")),
            attention=bool(config.get("mid_block_add_attention", True)),
            moments=bool(config.get("use_quant_conv", True)),
        )


class Residual(nn.Module):
    """Two convolutions, each behind a norm and an activation, beside a shortcut."""

    def __init__(self, width: int, out: int, settings: LatentSettings) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(settings.groups, width, eps=_EPSILON)
        self.conv1 = nn.Conv2d(width, out, 3, padding=1)
        self.norm2 = nn.GroupNorm(settings.groups, out, eps=_EPSILON)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1)
        self.shortcut = nn.Conv2d(width, out, 1) if width != out else None
        self.act = activation(settings.act)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.conv1(self.act(self.norm1(x)))
        inner = self.conv2(self.act(self.norm2(inner)))
        return (x if self.shortcut is None else self.shortcut(x)) + inner


class LatentLevel(nn.Module):
    """The residual blocks of one resolution; all levels but the last one halve it."""

    def __init__(self, width: int, out: int, last: bool, settings: LatentSettings) -> None:
        super().__init__()
        widths = [width, *[out] * (settings.blocks_per_level - 1)]
        self.blocks = nn.ModuleList(Residual(inner, out, settings) for inner in widths)
        self.halve = None if last else nn.Conv2d(out, out, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return x if self.halve is None else self.halve(F.pad(x, (0, 1, 0, 1)))


class LatentAttention(nn.Module):
    """Every pixel looks at every other one, with one head."""

    def __init__(self, width: int, settings: LatentSettings) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(settings.groups, width, eps=_EPSILON)
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.output = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.norm(x).flatten(2).transpose(1, 2)
        q, k, v = (layer(tokens)[:, None] for layer in (self.query, self.key, self.value))
        found = self.output(F.scaled_dot_product_attention(q, k, v)[:, 0])
        return found.transpose(1, 2).unflatten(2, x.shape[2:]) + x


class Middle(nn.Module):
    """Two residual blocks at the lowest resolution, with attention between them where the settings have it."""

    def __init__(self, width: int, settings: LatentSettings) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Residual(width, width, settings) for _ in range(2))
        self.attention = LatentAttention(width, settings) if settings.attention else None

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks[0](x)
        return self.blocks[1](x if self.attention is None else self.attention(x))


class LatentEncoder(nn.Module):
    """Pixels (B, 3, S, S) in -1 … 1 to latents (B, c, s, s).

    Args:
        config: that of an ``AutoencoderKL``; what it says of the decoder is passed over.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.config = settings = LatentSettings.of(config)
        widths, latent = settings.block_out_channels, settings.latent_channels
        self.input = nn.Conv2d(settings.in_channels, widths[0], 3, padding=1)
        self.levels = nn.ModuleList(
            LatentLevel(widths[max(index - 1, 0)], width, index == len(widths) - 1, settings)
            for index, width in enumerate(widths)
        )
        self.middle = Middle(widths[-1], settings)
        self.norm = nn.GroupNorm(settings.groups, widths[-1], eps=_EPSILON)
        self.output = nn.Conv2d(widths[-1], 2 * latent, 3, padding=1)
        self.moments = nn.Conv2d(2 * latent, 2 * latent, 1) if settings.moments else None
        self.act = activation(settings.act)

    @property
    def dtype(self) -> torch.dtype:
        return self.input.weight.dtype

    def forward(self, pixels: Tensor) -> Tensor:
        x = self.input(pixels)
        for level in self.levels:
            x = level(x)
        x = self.output(self.act(self.norm(self.middle(x))))
        return (x if self.moments is None else self.moments(x)).chunk(2, dim=1)[0]
