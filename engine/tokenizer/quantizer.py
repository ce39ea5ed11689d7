"""Multi-scale binary spherical quantisation (BSQ): latent features to bits of every scale, and bits to codes.

A code is a corner of the cube on the unit sphere: (2 bit - 1) / sqrt(d), times the gain of its scale. The sum of the
codes of all scales, each brought to the final grid, is what the decoder paints; resampled to the next grid, it is what
the transformer sees. Three kinds of resampling are in play and none may be exchanged for another:

* the residual goes *down* to a scale's grid by averaging areas;
* codes go *up* to the final grid bilinearly (half-pixel centres);
* the running sum goes to the *next input's* grid bilinearly, without antialiasing, not by averaging areas.

The sampler, the trainer and the encoder below share these few functions, so they cannot drift apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.tokenizer.config import TokenizerConfig

Grid = tuple[int, int]


def codes_from_bits(bits: Tensor, config: TokenizerConfig, scale: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Codes (B, d, h, w) of the bits (B, h, w, d) of one scale: gain * (2 bit - 1) / sqrt(d)."""
    return _unit_codes(bits, dtype) * config.gain(scale)


def add_scale(total: Tensor, bits: Tensor, config: TokenizerConfig, scale: int) -> Tensor:
    """The running sum (B, d, Hf, Wf) with the codes of bits (B, h, w, d) added. The argument is not changed."""
    return total + _resample(codes_from_bits(bits, config, scale, total.dtype), _grid(total))


def next_input(total: Tensor, grid: Grid) -> Tensor:
    """The transformer's input from the running sum (B, d, Hf, Wf) at a grid (h, w): (B, h*w, d), row-major."""
    return _resample(total, grid).flatten(2).transpose(1, 2)


def normalised(features: Tensor, config: TokenizerConfig) -> Tensor:
    """Features (B, d, h, w) as they are quantised: every vector of length 1 where the tokenizer asks for it."""
    return F.normalize(features, dim=1, eps=1e-6) if config.normalise else features


@dataclass(frozen=True, eq=False)
class Quantised:
    """The quantised form of a batch of features.

    Attributes:
        labels: bits (B, h, w, d) uint8 of every scale: what the transformer has to predict.
        inputs: what the transformer sees before every scale but the first, (B, h*w, d).
        summed: sum of all codes (B, d, Hf, Wf). Its gradient goes to the features unchanged (straight through) and to
            the gains where they are learned.
        commitment: how far the features are from the sum: mean squared length per position; its gradient goes to the
            features.
        code_error: the same, averaged over the sums after every scale; its gradient goes to the gains only.
    """

    labels: tuple[Tensor, ...]
    inputs: tuple[Tensor, ...]
    summed: Tensor
    commitment: Tensor
    code_error: Tensor


class MultiScaleQuantizer(nn.Module):
    """The quantiser of one tokenizer.

    Args:
        config: the tokenizer; its gains are used as they are.
        learn_gains: make the gains of the config parameters, to be trained; ``learned_config`` writes them back.
    """

    gains: Tensor

    def __init__(self, config: TokenizerConfig, *, learn_gains: bool = False) -> None:
        super().__init__()
        if learn_gains and not config.scale_gains:
            raise ValueError("gains can only be learned from first values in the tokenizer's scale_gains")
        self.config = config
        gains = torch.tensor(config.scale_gains, dtype=torch.float32)
        if learn_gains:
            self.gains = nn.Parameter(gains)
        else:
            self.register_buffer("gains", gains, persistent=False)

    def learned_config(self) -> TokenizerConfig:
        """The tokenizer's config with the gains as they now are."""
        return replace(self.config, scale_gains=tuple(float(gain) for gain in self.gains.tolist()))

    @torch.inference_mode()
    def encode(self, features: Tensor, grids: Sequence[Grid]) -> list[Tensor]:
        """Bits (B, h, w, d) uint8 of every scale for features (B, d, Hf, Wf); the last grid is (Hf, Wf)."""
        return list(self.forward(features, grids).labels)

    def forward(
        self,
        features: Tensor,
        grids: Sequence[Grid],
        *,
        flip: float = 0.0,
        generator: torch.Generator | None = None,
        part: tuple[int, int] = (0, 1),
        early: Tensor | None = None,
        early_scales: int = 0,
    ) -> Quantised:
        """Quantise, with the published self-correction when ``flip`` is above 0.

        Self-correction: at every scale of every picture a share of the bits, drawn evenly from 0..flip, is turned
        over before its codes are added. The residual is taken from that wrong sum, so the labels of the following
        scales repair the mistakes made here; the labels themselves are never turned over. The published training used
        flip = 0.3 on every scale.

        Args:
            features: (B, d, Hf, Wf), float32, straight from the encoder.
            grids: (h, w) of every scale; the last is (Hf, Wf).
            flip: largest share of turned bits, 0..1.
            generator: source of the turned bits, on the device of the features.
            part: these features are part i of n equal ones of a batch. Bits are drawn for all of it, so that the same are
                turned over however the batch is divided.
            early: other features (B, d, Hf, Wf) that the first ``early_scales`` scales describe. The later ones repair
                what is different, as they do turned bits.
        """
        if tuple(grids[-1]) != _grid(features):
            raise ValueError(f"the last grid {tuple(grids[-1])} is not that of the features {_grid(features)}")
        target = normalised(features, self.config)
        fixed = target.detach()
        at_first = fixed if early is None else normalised(early, self.config).detach()
        total = torch.zeros_like(fixed)
        labels: list[Tensor] = []
        inputs: list[Tensor] = []
        errors: list[Tensor] = []
        for scale, grid in enumerate(grids):
            if scale:
                inputs.append(next_input(total.detach(), grid))
            bits = _signs((at_first if scale < early_scales else fixed) - total.detach(), grid)
            labels.append(bits)
            if flip > 0:
                bits = bits ^ _turned(bits, flip, generator, part)
            total = total + _resample(_unit_codes(bits, total.dtype) * self._gain(scale), _grid(features))
            errors.append(_squared_length(fixed - total))
        return Quantised(
            labels=tuple(labels),
            inputs=tuple(inputs),
            summed=total + (target - fixed),
            commitment=_squared_length(target - total.detach()),
            code_error=torch.stack(errors).mean(),
        )

    def _gain(self, scale: int) -> Tensor | float:
        self.config.gain(scale)  # refuses a scale the tokenizer has no gain for
        return self.gains[scale] if self.config.scale_gains else 1.0


def _unit_codes(bits: Tensor, dtype: torch.dtype) -> Tensor:
    """(2 bit - 1) / sqrt(d) as (B, d, h, w)."""
    return (bits.to(dtype) * 2 - 1).div(math.sqrt(bits.shape[-1])).permute(0, 3, 1, 2)


def _signs(residual: Tensor, grid: Grid) -> Tensor:
    """Bits (B, h, w, d) of a residual: 1 where its area average is above 0. Its length plays no part."""
    if tuple(grid) != _grid(residual):
        residual = F.adaptive_avg_pool2d(residual, grid)
    return (residual > 0).to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def _turned(bits: Tensor, flip: float, generator: torch.Generator | None, part: tuple[int, int]) -> Tensor:
    """A mask of bits to turn over, each picture with a share of its own."""
    index, parts = part
    rows = slice(index * len(bits), (index + 1) * len(bits))

    def drawn(*shape: int) -> Tensor:
        return torch.rand(parts * len(bits), *shape, device=bits.device, generator=generator)[rows]

    share = drawn(1, 1, 1) * flip
    return (drawn(*bits.shape[1:]) < share).to(bits.dtype)


def _resample(maps: Tensor, grid: Grid) -> Tensor:
    """Bilinear, half-pixel centres, no antialiasing; nothing happens when the grid is already right."""
    if _grid(maps) == tuple(grid):
        return maps
    return F.interpolate(maps, size=tuple(grid), mode="bilinear", align_corners=False)


def _grid(maps: Tensor) -> Grid:
    return maps.shape[-2], maps.shape[-1]


def _squared_length(difference: Tensor) -> Tensor:
    """Mean over pictures and positions of the squared length of the vectors."""
    return difference.square().sum(1).mean()
