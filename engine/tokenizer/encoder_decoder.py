"""The two halves of the visual tokenizer's network: pixels to latent features, and summed codes to pixels."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

from torch import Tensor, nn
from torch.nn import functional as F

from engine.tokenizer.config import TokenizerConfig
from engine.tokenizer.lattice import evened
from engine.tokenizer.layers import Double, Halve, ResidualBlock, group_norm
from engine.tokenizer.reference import CanvasFeatures, ReferenceBranch


class Encoder(nn.Module):
    """Pixels (B, 3, H, W) to latent features (B, d, h, w)."""

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        channels = config.channels
        self.stride = config.stride
        self.fold = nn.PixelUnshuffle(config.patch) if config.patch > 1 else nn.Identity()
        self.input = nn.Conv2d(3 * config.patch**2, channels[0], 3, padding=1)
        self.levels = nn.ModuleList()
        width = channels[0]
        for index, level_width in enumerate(channels):
            down = Halve(level_width) if index < len(channels) - 1 else None
            self.levels.append(Level(config, width, level_width, config.blocks_per_level, down))
            width = level_width
        self.middle = nn.Sequential(ResidualBlock(config, width, width), ResidualBlock(config, width, width))
        self.norm = group_norm(config, width)
        self.output = nn.Conv2d(width, config.bits, 3, padding=1)

    def forward(self, pixels: Tensor) -> Tensor:
        if pixels.shape[-2] % self.stride or pixels.shape[-1] % self.stride:
            raise ValueError(f"picture sides {tuple(pixels.shape[-2:])} are no multiples of {self.stride}")
        x = self.input(self.fold(pixels))
        for level in self.levels:
            x = level(x)
        return self.output(F.silu(self.norm(self.middle(x))))


class Decoder(nn.Module):
    """Summed codes (B, d, h, w) to pixels (B, 3, H, W), not cut off at -1 and 1.

    ``levels`` are numbered as in the encoder, 0 the finest; they run from last to first. ``reference`` is the branch that
    sees the placed cut-out, or None (published).
    """

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        channels = config.channels
        width = channels[-1]
        self.stride, self.lattice, self.relight = config.stride, config.lattice, config.relight
        self.input = nn.Conv2d(config.bits, width, 3, padding=1)
        self.middle = nn.Sequential(ResidualBlock(config, width, width), ResidualBlock(config, width, width))
        levels: list[Level] = []
        for index in reversed(range(len(channels))):
            up = Double(channels[index]) if index else None
            levels.insert(0, Level(config, width, channels[index], config.blocks_per_level + 1, up))
            width = channels[index]
        self.levels = nn.ModuleList(levels)
        self.norm = group_norm(config, width)
        self.output = nn.Conv2d(width, 3 * config.patch**2, 3, padding=1)
        self.unfold = nn.PixelShuffle(config.patch) if config.patch > 1 else nn.Identity()
        self.reference = ReferenceBranch(config) if config.reference_channels else None

    def steps(self) -> list[tuple[int | None, ResidualBlock | Double]]:
        """All that lies between the first convolution and the last norm, in the order it runs.

        With every step the number of the level that begins with it, or None: there the reference branch joins in.
        """
        steps: list[tuple[int | None, nn.Module]] = [(None, step) for step in self.middle]
        for index, level in reversed([*enumerate(cast("list[Level]", [*self.levels]))]):
            own = [*level.blocks] if level.resize is None else [*level.blocks, level.resize]
            steps += [(index if step is own[0] else None, step) for step in own]
        return cast("list[tuple[int | None, ResidualBlock | Double]]", steps)

    def canvas_features(self, codes: Tensor, canvas: Tensor | CanvasFeatures | None) -> CanvasFeatures | None:
        """The canvas that goes with codes (B, d, h, w), looked at; None without a reference branch."""
        if self.reference is None:
            return None
        if isinstance(canvas, CanvasFeatures):
            return canvas
        if canvas is None:
            return self.reference.empty(codes, self.stride)
        pixels = canvas.to(codes.device, codes.dtype)
        return CanvasFeatures(pixels, self.reference.features(pixels))

    def forward(self, codes: Tensor, canvas: Tensor | None = None) -> Tensor:
        """
        Args:
            canvas: the placed cut-out, premultiplied RGBA (B, 4, H, W) in 0..1; None for a picture without a subject.
                A decoder without a reference branch passes it over.
        """
        reference, features = self.reference, self.canvas_features(codes, canvas)
        x = self.input(codes)
        for level, step in self.steps():
            if reference is not None and features is not None and level is not None:
                x = reference.join(x, features.maps, level)
            x = step(x)
        x = F.silu(self.norm(x))
        scene = self.unfold(self.output(x))
        if reference is None or features is None:
            return evened(scene, self.lattice)
        return reference.compose(scene, x, features.maps, features.pixels)[0]


class Level(nn.Module):
    """Residual blocks at one resolution, then the step to the next resolution, if there is one."""

    def __init__(self, config: TokenizerConfig, width: int, out_width: int, blocks: int, resize: nn.Module | None):
        super().__init__()
        widths = [width] + [out_width] * blocks
        self.blocks = nn.ModuleList(ResidualBlock(config, here, there) for here, there in pairwise(widths))
        self.resize = resize

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return x if self.resize is None else self.resize(x)
