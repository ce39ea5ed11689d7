"""The few layers the encoder and the decoder of the visual tokenizer are made of."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from engine.tokenizer.config import TokenizerConfig

NORM_EPS = 1e-6


class ResidualBlock(nn.Module):
    """x + conv2(silu(norm2(conv1(silu(norm1(x)))))), with a 1x1 convolution on x where the channel count changes."""

    def __init__(self, config: TokenizerConfig, width: int, out_width: int) -> None:
        super().__init__()
        self.norm1 = group_norm(config, width)
        self.conv1 = nn.Conv2d(width, out_width, 3, padding=1)
        self.norm2 = group_norm(config, out_width)
        self.conv2 = nn.Conv2d(out_width, out_width, 3, padding=1)
        self.shortcut = nn.Conv2d(width, out_width, 1) if width != out_width else None

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(F.silu(self.norm1(x)))
        y = self.conv2(F.silu(self.norm2(y)))
        return y + (x if self.shortcut is None else self.shortcut(x))


class Halve(nn.Module):
    """Half the resolution: one column of zeros right, one row below, then a 3x3 convolution of stride 2."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x, (0, 1, 0, 1)))


class Double(nn.Module):
    """Twice the resolution: every cell four times, then a 3x3 convolution."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


def group_norm(config: TokenizerConfig, width: int) -> nn.GroupNorm:
    return nn.GroupNorm(config.groups(width), width, eps=NORM_EPS)
