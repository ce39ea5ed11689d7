"""Bundles with random weights, for tests, benchmarks and for trying the window: every part is there and of its real class.

Such a bundle draws noise. Its manifest says so, and it never ships.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from tokenizers import Tokenizer
from torch import Tensor, nn

from engine.bundle import published
from engine.bundle.manifest import PARTS, BundleManifest
from engine.bundle.placement_ranges import PlacementRanges
from engine.bundle.records import EncoderPart, Example, Language, PlacedContent, SceneEntry
from engine.bundle.writer import BundleWriter
from engine.encoders.dinov2 import Dinov2
from engine.encoders.latent import LatentEncoder
from engine.encoders.t5 import T5Encoder
from engine.errors import InputError
from engine.model.config import ScaleSchedule, TransformerConfig
from engine.model.schedules import published_schedules
from engine.model.transformer import Transformer
from engine.sentence import Sentence
from engine.tokenizer import preview
from engine.tokenizer.autoencoder import Autoencoder
from engine.tokenizer.config import TokenizerConfig
from engine.training.data import language
from engine.training.data.words import word_tokenizer


@dataclass(frozen=True)
class Sizes:
    """The parameters of a random bundle."""

    schedules: tuple[ScaleSchedule, ...]
    reference_size: int
    transformer: TransformerConfig
    tokenizer: TokenizerConfig
    text: Mapping[str, Any]
    semantic: Mapping[str, Any]
    semantic_input: int
    content: Mapping[str, Any]
    small_language: bool
    placed_content: PlacedContent | None = None
    text_dtype: torch.dtype = torch.float32


def _schedule(*grids: tuple[int, int], stride: int) -> ScaleSchedule:
    rows, columns = grids[-1]
    return ScaleSchedule((columns * stride, rows * stride), grids, grids[-1], f"{rows / columns:.3g}")


def _tiny(schedules: tuple[ScaleSchedule, ...]) -> Sizes:
    return Sizes(
        schedules=schedules,
        reference_size=56,
        transformer=TransformerConfig(
            width=64,
            heads=4,
            blocks=2,
            chunks=1,
            bits=8,
            scale_count=8,
            text_width=32,
            text_limit=24,
            semantic_width=32,
            semantic_tokens=16,
            content_width=4,
            content_tokens=49,
            text_pool_heads=2,
            content_rotary=True,
        ),
        tokenizer=TokenizerConfig(8, 8, (1, 2), 1, patch=4),
        text={"d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 1, "num_heads": 2, "vocab_size": 400},
        semantic={
            "hidden_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "image_size": 56,
            "patch_size": 14,
            "mlp_ratio": 2,
        },
        semantic_input=56,
        content={
            "in_channels": 3,
            "out_channels": 3,
            "down_block_types": ["DownEncoderBlock2D"] * 4,
            "up_block_types": ["UpDecoderBlock2D"] * 4,
            "block_out_channels": [8, 8, 16, 16],
            "layers_per_block": 1,
            "latent_channels": 4,
            "norm_num_groups": 4,
            "mid_block_add_attention": False,
            "use_quant_conv": False,
            "use_post_quant_conv": False,
        },
        small_language=True,
    )


def _placed() -> Sizes:
    """The tiny network with a placed content path and a decoder that sees the placed cut-out."""
    sizes = _tiny((_SQUARE,))
    side, fold = sizes.schedules[0].size[0], 2
    return replace(
        sizes,
        reference_size=side,
        transformer=replace(sizes.transformer, content_width=4 * fold**2, content_tokens=(side // 8 // fold) ** 2),
        tokenizer=replace(sizes.tokenizer, reference_channels=(8, 8), relight=0.5),
        placed_content=PlacedContent(PlacementRanges(), fold),
    )


_SQUARE = _schedule((1, 1), (2, 2), (3, 3), (5, 5), (8, 8), stride=8)


def _published_125m() -> Sizes:
    return Sizes(
        schedules=published_schedules("0.06M"),
        reference_size=256,
        transformer=published.ECHOGEN_125M,
        tokenizer=published.TOKENIZER_D16,
        text=published.TEXT,
        semantic=published.SEMANTIC,
        semantic_input=224,
        content=published.CONTENT,
        small_language=False,
        text_dtype=torch.bfloat16,  # half of 5 GB
    )


CONFIGS: dict[str, Callable[[], Sizes]] = {
    # 64 × 64 pixels in five scales; a picture takes milliseconds.
    "tiny": lambda: _tiny((_SQUARE,)),
    # The same network with wide and tall pictures besides.
    "tiny-wide": lambda: _tiny(
        (
            _SQUARE,
            _schedule((1, 1), (2, 3), (3, 4), (4, 6), (6, 9), stride=8),
            _schedule((1, 1), (3, 2), (4, 3), (6, 4), (9, 6), stride=8),
            _schedule((1, 1), (1, 2), (2, 4), (3, 6), (5, 10), stride=8),
        )
    ),
    "tiny-placed": _placed,
    "echogen-125m": _published_125m,
}


def make_random_bundle(folder: Path, config: str = "tiny", seed: int = 0) -> BundleManifest:
    """Write a bundle with random weights.

    Args:
        config: one of ``CONFIGS``.
        seed: of the weights; the same seed gives the same files.

    Raises:
        InputError: there is no such config. CannotWrite: the folder cannot be written.
    """
    if config not in CONFIGS:
        raise InputError(
            Sentence("There is no configuration “{config}”.", config=config),
            Sentence("There are {configs}.", configs=", ".join(CONFIGS)),
        )
    sizes = CONFIGS[config]()
    words = word_tokenizer(("ball",))
    with BundleWriter(folder) as writer:
        for part, weights in _weights(sizes).items():
            writer.add_weights(part, weights(_generator(seed, part)))
        writer.add_file("text/tokenizer.json", words.to_str().encode())
        writer.add_file("examples/ball.png", _ball())
        if not sizes.tokenizer.reference_channels:  # its decoder paints its previews itself
            writer.add_file(preview.FILE, _preview_map(sizes, seed))
        return writer.finish(_manifest(config, sizes, words))


def _manifest(config: str, sizes: Sizes, words: Tokenizer) -> BundleManifest:
    scenes = tuple(SceneEntry(s.key, s.kind, s.prompt, s.label) for s in language.SCENES)
    known = frozenset(word for word in words.get_vocab() if word.isalnum())
    return BundleManifest(
        name=f"random-{config}",
        title="Random weights, for tests",
        licence="MIT",
        description=f"The sizes of {config} with random weights. It draws noise.",
        schedules=sizes.schedules,
        reference_size=sizes.reference_size,
        transformer=sizes.transformer,
        tokenizer=sizes.tokenizer,
        text=EncoderPart(dict(sizes.text)),
        semantic=EncoderPart(dict(sizes.semantic), sizes.semantic_input),
        content=EncoderPart(dict(sizes.content), sizes.reference_size),
        placed_content=sizes.placed_content,
        language=Language(known, scenes) if sizes.small_language else None,
        examples=(Example("examples/ball.png", "a ball in the snow", "ball", 1),),
        random=True,
    )


def _weights(sizes: Sizes) -> dict[str, Callable[[torch.Generator], Iterator[tuple[str, Tensor]]]]:
    def of(
        build: Callable[[], nn.Module], dtype: torch.dtype = torch.float32
    ) -> Callable[[torch.Generator], Iterator[tuple[str, Tensor]]]:
        return lambda generator: ((name, tensor.to(dtype)) for name, tensor in _random(build, generator))

    return {
        "text": of(lambda: T5Encoder(sizes.text), sizes.text_dtype),
        "semantic": of(lambda: Dinov2(sizes.semantic)),
        "content": of(lambda: LatentEncoder(sizes.content)),
        "transformer": lambda generator: _random_transformer(sizes.transformer, generator),
        "tokenizer": of(lambda: Autoencoder(sizes.tokenizer)),
    }


def _generator(seed: int, part: str) -> torch.Generator:
    return torch.Generator().manual_seed(seed * 16 + PARTS.index(part))


def _preview_map(sizes: Sizes, seed: int) -> bytes:
    """Colours at random: a fitted map would show the noise no better, and costs the same."""
    generator = torch.Generator().manual_seed(seed)
    bits, scales = sizes.tokenizer.bits, len(sizes.schedules[0].grids)
    weight = torch.randn(1, bits, 3, generator=generator).mul_(0.5).repeat(scales, 1, 1)
    return preview.PreviewMap(weight, torch.zeros(scales, 3)).to_bytes()


def _random(build: Callable[[], nn.Module], generator: torch.Generator) -> Iterator[tuple[str, Tensor]]:
    """Random weights one by one: matrices that keep the size of what goes through, norms that do nothing."""
    with torch.device("meta"):
        shapes = {name: tensor.shape for name, tensor in build().state_dict().items()}
    for name, shape in shapes.items():
        if len(shape) == 1:
            yield name, torch.ones(shape) if name.endswith(("weight", "scale1", "scale2")) else torch.zeros(shape)
        else:
            yield name, torch.randn(shape, generator=generator) / math.sqrt(shape.numel() / shape[0])


def _random_transformer(config: TransformerConfig, generator: torch.Generator) -> Iterator[tuple[str, Tensor]]:
    with torch.device("meta"):
        net = Transformer(config)
    net.to_empty(device="cpu").initialise(generator)
    yield from net.state_dict().items()


def _ball() -> bytes:
    """A shaded red ball on transparent ground, PNG."""
    side = 128
    y, x = np.mgrid[:side, :side] / (side / 2) - 1
    distance = np.hypot(x, y)
    light = np.clip(1.1 - np.hypot(x + 0.35, y + 0.4), 0.15, 1)
    pixels = np.zeros((side, side, 4), np.uint8)
    for channel, colour in enumerate((230, 60, 50)):
        pixels[..., channel] = colour * light
    pixels[..., 3] = np.clip((0.8 - distance) * side / 2, 0, 1) * 255
    out = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(out, "PNG")
    return out.getvalue()
