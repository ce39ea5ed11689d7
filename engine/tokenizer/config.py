"""The numbers that fix a visual tokenizer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from msgspec import Meta

from engine.sentence import Sentence

RELIT_CELL = 4
"""Pixels that count as one where the subject is relit: broad colours have no detail."""

_Channels = Annotated[int, Meta(ge=1, le=2**14)]
_Few = Annotated[int, Meta(ge=1, le=16)]
# Whole numbers stay whole numbers: the identity of a bundle hashes them as they are written.
_Gain = Annotated[int, Meta(ge=1, le=1000)] | Annotated[float, Meta(gt=0, le=1000)]


@dataclass(frozen=True)
class TokenizerConfig:
    """Sizes of one multi-scale BSQ autoencoder. Free of torch.

    GroupNorm: the published rule is 32 groups where 32 divides the channels and 24 otherwise. Where neither divides
    them (which the published networks never meet) the largest divisor below 24 is taken, so 16 channels get 16
    groups. One channel a group loses that channel's average over the picture; a network with few channels does
    better with ``norm_groups`` set, for example to 8.

    Attributes:
        bits: d, channels of the latent = bits per token.
        base_channels: channels after the first convolution (published: 128).
        multipliers: channel multiplier of every level (published: 1, 2, 4, 4, 4); each level but the last halves the
            picture.
        blocks_per_level: residual blocks per level of the encoder; the decoder has one more (published: 2).
        patch: pixels folded into channels before the first and after the last convolution (published: 1, none).
            Small models use 2, so that no convolution runs at full resolution.
        normalise: scale every latent vector to length 1, the length of a code of gain 1, before it is quantised
            (published: off). Without it a small encoder's latents outgrow the codes, and its later scales only
            repeat the signs of the first.
        scale_gains: gain of the codes of every scale, coarse to fine, or empty for 1 everywhere (published: empty).
            Where ``normalise`` is on, gains near 0.55 let all scales take part.
        norm_groups: groups of every GroupNorm, or 0 for the published rule. Has to divide every channel count.
        reference_channels: channels of the decoder's reference branch at every level, fine to coarse, or empty for a
            decoder without one (published). With it the decoder sees the placed cut-out, see ``reference.py``.
        lattice: period in pixels of the mesh that the decoder's upsampling leaves and that is taken out of its pictures, with all
            grain in the scene that is as fine, see ``lattice.py``, or 0 for a decoder that leaves none (published). Divides
            ``stride``.
        relight: how far the subject's broad colours are brought to those that the bits alone say, 0 (not, published) to 1, see
            ``relight.py``. Only with ``reference_channels``.
    """

    bits: _Channels
    base_channels: _Channels = 128
    multipliers: Annotated[tuple[_Channels, ...], Meta(min_length=1, max_length=16)] = (1, 2, 4, 4, 4)
    blocks_per_level: _Few = 2
    patch: _Few = 1
    normalise: bool = False
    scale_gains: Annotated[tuple[_Gain, ...], Meta(max_length=32)] = ()
    norm_groups: Annotated[int, Meta(ge=0, le=2**14)] = 0
    reference_channels: Annotated[tuple[_Channels, ...], Meta(max_length=16)] = ()
    lattice: Annotated[int, Meta(ge=0, le=64)] = 0
    relight: Annotated[float, Meta(ge=0, le=1)] = 0.0

    def __post_init__(self) -> None:
        if min(self.bits, self.base_channels, self.blocks_per_level, self.patch, *self.multipliers) < 1:
            raise ValueError(Sentence("every size of a tokenizer is at least 1"))
        if self.norm_groups and any(channels % self.norm_groups for channels in self.channels):
            raise ValueError(
                Sentence(
                    "{groups} groups do not divide the channels {channels}",
                    groups=self.norm_groups,
                    channels=self.channels,
                )
            )
        if self.reference_channels and len(self.reference_channels) != len(self.multipliers):
            raise ValueError(Sentence("a reference branch has as many levels as the decoder"))
        if any(channels < 1 or channels % 8 for channels in self.reference_channels):
            raise ValueError(Sentence("the channels of a reference branch are multiples of 8"))
        if self.lattice < 0 or (self.lattice and self.stride % self.lattice):
            raise ValueError(
                Sentence(
                    "a lattice of {period} pixels does not divide tokens of {stride}",
                    period=self.lattice,
                    stride=self.stride,
                )
            )
        if self.relight and not self.reference_channels:
            raise ValueError(Sentence("a decoder that does not see the cut-out has nothing to relight"))
        if self.relight and self.stride % RELIT_CELL:
            raise ValueError(
                Sentence("cells of {cell} pixels do not divide tokens of {stride}", cell=RELIT_CELL, stride=self.stride)
            )

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels of every level, fine to coarse."""
        return tuple(self.base_channels * multiplier for multiplier in self.multipliers)

    @property
    def stride(self) -> int:
        """Pixels per token along one side."""
        return self.patch * 2 ** (len(self.multipliers) - 1)

    @property
    def feather(self) -> float:
        """Pixels over which a region that is drawn anew comes in: half a token."""
        return self.stride / 2

    def groups(self, channels: int) -> int:
        """Groups of the GroupNorm over this many channels."""
        if self.norm_groups:
            return self.norm_groups
        if channels % 32 == 0:
            return 32
        return next(count for count in range(24, 0, -1) if channels % count == 0)

    def gain(self, scale: int) -> float:
        """Gain of the codes of one scale, 0-based.

        Raises:
            ValueError: the tokenizer has learned gains, but fewer than this.
        """
        if not self.scale_gains:
            return 1.0
        if scale >= len(self.scale_gains):
            raise ValueError(f"the tokenizer knows {len(self.scale_gains)} scales; scale {scale + 1} was asked for")
        return self.scale_gains[scale]

    def to_json(self) -> dict[str, Any]:
        data = asdict(self)
        for name in ("reference_channels", "lattice", "relight"):
            if not data[name]:
                del data[name]  # the identity of bundles made before stays what it was
        return data
