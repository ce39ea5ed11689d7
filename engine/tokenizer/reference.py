"""A decoder's view of the placed cut-out: fine detail comes from the photo, light and place in the scene from the bits.

In the spirit of diffusers' ``AsymmetricAutoencoderKL``, a decoder that looks at the picture it edits. The bits of a small
tokenizer say scene, shadow, colour and light; they are far too few for fur, print or a face. So the decoder is given the
subject as it was photographed, at its place on the canvas, in two ways:

- features of the canvas, added to the decoder's own before each of its levels;
- the canvas itself, laid over the decoded scene: ``scene · (1 - v·a) + v · L · canvas + residual``, where a is its alpha.
  How much of it is visible (v: grass in front, water around), the light on it (L, a smooth 3×3 matrix: on its diagonal the
  light of each colour as e^g, beside it how colours turn into others, for a thing that is to be purple), and what is left
  (residual: a highlight, drops) are read from the decoder's features at every place.

A subject in a costume is left to the bits: v falls to 0 there.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.tokenizer.config import TokenizerConfig
from engine.tokenizer.lattice import evened, without_lattice
from engine.tokenizer.layers import NORM_EPS

MOST_LIGHT = 2.0
"""Largest |g|: light from a seventh to seven times that of the photo."""

_conv = partial(nn.Conv2d, kernel_size=3, padding=1, padding_mode="replicate")
"""A subject that the picture's edge cuts off goes on behind it. Zeros there would be a place where it ends, with a rim and a
shadow."""

_VISIBLE = 3.0  # bias of v before the sigmoid: a fresh network shows what it is given


class CanvasFeatures(NamedTuple):
    """The placed cut-out as a decoder sees it: the same for the picture and all its previews, so it is looked at once.

    Attributes:
        pixels: premultiplied RGBA (B, 4, H, W) in 0..1.
        maps: features of it for every level, fine to coarse; each level has half the resolution of the one before.
    """

    pixels: Tensor
    maps: Sequence[Tensor]

    def part(self, rows: slice, columns: slice, grid: tuple[int, int]) -> CanvasFeatures:
        """The part of the canvas under some rows and columns of a token grid (h, w), which lies over all of it."""
        pixels, *maps = (part_of(x, rows, columns, grid) for x in (self.pixels, *self.maps))
        return CanvasFeatures(pixels, maps)


def part_of(x: Tensor, rows: slice, columns: slice, grid: tuple[int, int]) -> Tensor:
    """The part of a map (B, C, H, W) that lies under some rows and columns of a coarser grid (h, w)."""
    down, right = x.shape[2] // grid[0], x.shape[3] // grid[1]
    return x[:, :, rows.start * down : rows.stop * down, columns.start * right : columns.stop * right].contiguous()


class ReferenceBranch(nn.Module):
    """Features of the placed cut-out for every level of a decoder, and the last step that joins both.

    Args:
        config: with ``reference_channels``.
    """

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        widths, inner = config.reference_channels, config.channels
        patch = config.patch
        self.patch, self.lattice = patch, config.lattice
        self.fold = nn.PixelUnshuffle(patch) if patch > 1 else nn.Identity()
        self.input = _conv(4 * patch**2, widths[0])
        self.blocks = nn.ModuleList(_Block(width) for width in widths)
        self.downs = nn.ModuleList(_conv(width, below, stride=2) for width, below in pairwise(widths))
        # A level of the decoder begins with the channels of the level below it.
        entering = [*inner[1:], inner[-1]]
        self.joins = nn.ModuleList(nn.Conv2d(width, to, 1) for width, to in zip(widths, entering, strict=True))
        self.merge = _conv(inner[0] + widths[0], widths[0])
        self.detail = _conv(widths[0], 4 * patch**2)  # residual RGB and visibility, per pixel
        # One per token of the finest level, because light is smooth: the diagonal, then the other six, row by row.
        self.light = _conv(widths[0], 9)
        for layer in (*self.joins, self.detail, self.light):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def features(self, canvas: Tensor) -> list[Tensor]:
        """The canvas, premultiplied RGBA (B, 4, H, W) in 0..1, to a map for every level, fine to coarse."""
        x = self.input(self.fold(canvas * 2 - 1))
        maps = []
        for index, block in enumerate(self.blocks):
            x = block(x if index == 0 else self.downs[index - 1](x))
            maps.append(x)
        return maps

    def empty(self, codes: Tensor, stride: int) -> CanvasFeatures:
        """The canvas that goes with codes (B, d, h, w) of so many pixels each where there is no subject.

        It is the same everywhere, and so are its features: two codes of it are looked at, as a norm wants more than one value.
        """
        batch, _, height, width = codes.shape
        two = codes.new_zeros(1, 4, stride, 2 * stride)
        pixels, *maps = (
            x[:, :, :1, :1].expand(batch, -1, height * x.shape[2], width * x.shape[3] // 2)
            for x in (two, *self.features(two))
        )
        return CanvasFeatures(pixels, maps)

    def join(self, x: Tensor, maps: Sequence[Tensor], level: int) -> Tensor:
        """A decoder's features before a level, with those of the canvas added."""
        return x + self.joins[level](maps[level])

    def compose(self, scene: Tensor, x: Tensor, maps: Sequence[Tensor], canvas: Tensor) -> tuple[Tensor, Tensor]:
        """Lay the canvas over the decoded scene.

        Args:
            scene: (B, 3, H, W) in about -1..1. x: what the decoder painted it from, (B, C, h, w), normed.
            maps: of ``features``. canvas: premultiplied RGBA (B, 4, H, W) in 0..1.

        Returns:
            The picture, (B, 3, H, W) in about -1..1, not cut off, and how much of every pixel the subject covers, (B, 1, H, W).
        """
        joined = F.silu(self.merge(torch.cat([x, maps[0]], dim=1)))
        detail = self.detail(joined)
        detail = F.pixel_shuffle(detail, self.patch) if self.patch > 1 else detail
        light = MOST_LIGHT * torch.tanh(self.light(joined) / MOST_LIGHT)
        light = F.interpolate(light, scene.shape[-2:], mode="bilinear", align_corners=False)
        visible = torch.sigmoid(detail[:, 3:] + _VISIBLE)
        subject = _lit(canvas[:, :3], light) * visible
        covered = canvas[:, 3:] * visible
        # In 0..1, then back: -1 is black, and light multiplies. The canvas is a photo, so no lattice lies over it.
        residual = detail[:, :3]
        scene = evened((scene + 1) / 2 + residual, self.lattice)
        subject = subject + covered * without_lattice(residual, self.lattice)
        return (scene * (1 - covered) + subject) * 2 - 1, covered


def _lit(colour: Tensor, light: Tensor) -> Tensor:
    """Colours (B, 3, H, W) through the matrices (B, 9, H, W) of ``ReferenceBranch.light``."""
    red, green, blue = colour.split(1, dim=1)
    others = torch.cat([green, blue, red, blue, red, green], dim=1) * light[:, 3:]
    return colour * light[:, :3].exp() + others[:, 0::2] + others[:, 1::2]


class _Block(nn.Module):
    """x + conv(silu(norm(conv(silu(norm(x))))))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = (nn.GroupNorm(8, width, eps=NORM_EPS) for _ in range(2))
        self.conv1, self.conv2 = (_conv(width, width) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(x))))))
