"""A bundle the window can read everything from but its weights: no model library is needed to make it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers

from engine.bundle.manifest import BundleManifest
from engine.bundle.records import Defaults, EncoderPart, Language, SceneEntry
from engine.model.config import ScaleSchedule, TransformerConfig
from engine.request import CutOut, ScaleBits
from engine.tokenizer.config import TokenizerConfig

WORDS = ("a", "toy", "robot", "in", "the", "snow", "on", "beach", "red", "blue", "dusk")
GRIDS = ((1, 1), (2, 2), (3, 3), (5, 5), (8, 8))
SCENES = (
    SceneEntry("snow", "scene", "in the snow", "in the snow", "thumbs/snow.png"),
    SceneEntry("beach", "scene", "on the beach", "on the beach"),
    *(SceneEntry(f"place{n}", "scene", f"at place {n}", f"at place {n}") for n in range(5)),
    SceneEntry("red", "colour", "red", "red"),
    SceneEntry("blue", "colour", "blue", "blue"),
)


def cut_out() -> CutOut:
    """A red box on white, in the middle of its square."""
    pixels = np.full((56, 56, 4), 255, np.uint8)
    pixels[..., 3] = 0
    pixels[14:42, 14:42] = (200, 30, 30, 255)
    return CutOut(pixels)


def bits(seed: int = 0) -> ScaleBits:
    """Bits of a picture of the bundle's first size."""
    chance = np.random.default_rng(seed)
    return ScaleBits(tuple(chance.integers(0, 2, (h, w, 8), dtype=np.uint8) for h, w in GRIDS))


def fake_bundle(folder: Path, limit: int = 12) -> BundleManifest:
    """Write tokenizer and thumbnails, and return the manifest of three sizes, nine scenes and eleven words."""
    vocabulary = {word: number for number, word in enumerate(("<unk>", *WORDS))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    for part in ("text", "thumbs"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "text" / "tokenizer.json"))
    Image.fromarray(np.full((64, 64, 3), 200, np.uint8)).save(folder / "thumbs" / "snow.png")
    wide = ((1, 1), (2, 3), (3, 4), (4, 6), (6, 9))
    tall = tuple((w, h) for h, w in wide)
    part = EncoderPart({}, 56)
    return BundleManifest(
        name="fake",
        title="Fake",
        licence="MIT",
        description="For tests.",
        schedules=tuple(
            ScaleSchedule((grids[-1][1] * 8, grids[-1][0] * 8), grids, grids[-1], "") for grids in (GRIDS, wide, tall)
        ),
        reference_size=56,
        transformer=TransformerConfig(
            width=64,
            heads=4,
            blocks=2,
            chunks=1,
            bits=8,
            scale_count=8,
            text_width=32,
            text_limit=limit,
            semantic_width=32,
            semantic_tokens=16,
            content_width=4,
            content_tokens=49,
            text_pool_heads=2,
        ),
        tokenizer=TokenizerConfig(8, 8, (1, 2), 1, patch=4),
        text=EncoderPart({}),
        semantic=part,
        content=part,
        defaults=Defaults(prompt_strength=2.5, subject_strength=4.0, temperature=1.2, top_p=0.9),
        language=Language(frozenset(WORDS), SCENES),
    )
