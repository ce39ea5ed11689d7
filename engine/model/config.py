"""The numbers that fix a transformer, and the scale schedules it draws with (model.md, section 0)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from msgspec import Meta

from engine.sentence import Sentence

_Size = Annotated[int, Meta(ge=1, le=2**16)]
_Blocks = Annotated[int, Meta(ge=1, le=256)]
_Pixels = Annotated[int, Meta(ge=1, le=2**16)]
_Side = Annotated[int, Meta(ge=1, le=256)]
_Grid = tuple[_Side, _Side]


@dataclass(frozen=True)
class TransformerConfig:
    """Sizes of one transformer. Everything is read from the bundle; nothing is hard-wired.

    Attributes:
        width: C, also the conditioning width.
        heads: H; the head size C/H is a multiple of 4.
        blocks: N.
        chunks: how many groups the published keys put the blocks into (naming only).
        bits: d, bits per token.
        scale_count: rows of the level embedding.
        text_width: W_t, text feature width.
        text_limit: longest prompt in tokens (rows of the null text).
        semantic_width: W_s.
        semantic_tokens: S, patches without the class token.
        content_width: W_c.
        content_tokens: P.
        text_pool_heads: heads of the text pool; None means text_width // 128, as published.
        content_rotary: rotary code on the content keys and queries (published: off). Needs a square P.
    """

    width: _Size
    heads: _Size
    blocks: _Blocks
    chunks: _Blocks
    bits: _Size
    scale_count: _Size
    text_width: _Size
    text_limit: _Size
    semantic_width: _Size
    semantic_tokens: _Size
    content_width: _Size
    content_tokens: _Size
    text_pool_heads: _Size | None = None
    content_rotary: bool = False

    def __post_init__(self) -> None:
        if self.width % self.heads or self.head_size % 4:
            raise ValueError(
                Sentence(
                    "width {width} over {heads} heads must give a multiple of 4", width=self.width, heads=self.heads
                )
            )
        if self.blocks % self.chunks:
            raise ValueError(
                Sentence("{blocks} blocks do not divide into {chunks} chunks", blocks=self.blocks, chunks=self.chunks)
            )
        if not self.hidden:
            raise ValueError(
                Sentence(
                    "width {width} is too small: its feed-forward layers would have no width at all", width=self.width
                )
            )
        if self.width % self.pool_heads:
            raise ValueError(
                Sentence(
                    "width {width} does not divide into {heads} text pool heads",
                    width=self.width,
                    heads=self.pool_heads,
                )
            )

    @property
    def head_size(self) -> int:
        return self.width // self.heads

    @property
    def hidden(self) -> int:
        """MLP width: 256 * round(4 C / 256), half to even."""
        return 256 * round(4 * self.width / 256)

    @property
    def pool_heads(self) -> int:
        return self.text_pool_heads if self.text_pool_heads is not None else max(1, self.text_width // 128)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class ScaleSchedule:
    """The token grids of one picture size, coarse to fine.

    Attributes:
        size: (width, height) of the picture in pixels.
        grids: (h, w) of every scale; the first is (1, 1).
        rotary_grid: (Hf, Wf), the grid rotary positions are rounded to: the last grid of the template's full
            schedule, whatever the pixel budget (model.md, section 1.4).
        ratio: the name of the height/width template, for example "1.0".
    """

    size: tuple[_Pixels, _Pixels]
    grids: Annotated[tuple[_Grid, ...], Meta(min_length=1, max_length=32)]
    rotary_grid: _Grid
    ratio: Annotated[str, Meta(max_length=64)] = "1.0"

    @property
    def tokens(self) -> tuple[int, ...]:
        return tuple(h * w for h, w in self.grids)

    def first_misfit(self, shapes: Sequence[Sequence[int]], bits: int) -> int | None:
        """The first of some scales' (h, w, d) that is not the schedule's with d bits a token; None where all are."""
        wanted = ((*grid, bits) for grid in self.grids)
        pairs = enumerate(zip(shapes, wanted, strict=False))
        return next((scale for scale, (shape, due) in pairs if tuple(shape) != due), None)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
