"""A bundle that is only a manifest: enough for the window, whose engine in these tests draws plain colours."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from engine.bundle.manifest import MANIFEST, PARTS, BundleManifest
from engine.bundle.records import BundleFile, EncoderPart, Example, Language, SceneEntry
from engine.model.config import ScaleSchedule, TransformerConfig
from engine.tokenizer.config import TokenizerConfig

GRIDS = tuple((n, n) for n in (1, 2, 3, 5, 9, 16))
WORDS = "a an the in on toy robot duck ball snow beach slow memory fault die red"


def write_paper_bundle(folder: Path, title: str = "Paper") -> BundleManifest:
    """Write ``bundle.json`` and an example photo: a red disc on grey."""
    schedules = (
        ScaleSchedule((256, 256), GRIDS, (16, 16), "1"),
        ScaleSchedule((384, 256), tuple((n, n + n // 2) for n, _ in GRIDS), (16, 24), "1.5"),
    )
    scenes = tuple(
        SceneEntry(key, "scene", words, label)
        for key, words, label in (("snow", "in the snow", "Snow"), ("beach", "on the beach", "Beach"))
    )
    save_disc(_made(folder / "examples" / "ball.png"))
    for part in PARTS:
        _made(folder / part / "model.safetensors").write_bytes(b"paper")
    files = {file.relative_to(folder).as_posix(): BundleFile.of(file) for file in folder.rglob("*.*") if file.is_file()}
    manifest = BundleManifest(
        name=folder.name,
        title=title,
        licence="MIT",
        description="A manifest for tests.",
        schedules=schedules,
        reference_size=128,
        transformer=TransformerConfig(64, 4, 2, 1, 4, 6, 32, 24, 32, 16, 4, 49, text_pool_heads=2),
        tokenizer=TokenizerConfig(4, 8, (1, 2, 2), 1, 4),
        text=EncoderPart({}),
        semantic=EncoderPart({}, 56),
        content=EncoderPart({}, 56),
        language=Language(frozenset(WORDS.split()), scenes),
        examples=(Example("examples/ball.png", "a ball in the snow", "ball", 7),),
        files=files,
        random=True,
    )
    (folder / MANIFEST).write_text(json.dumps(manifest.to_json()), encoding="utf-8")
    return manifest


def _made(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def save_disc(file: Path, color: tuple[int, int, int] = (200, 40, 30), side: int = 200) -> Path:
    """A photo: a disc on grey."""
    y, x = np.mgrid[:side, :side]
    pixels = np.full((side, side, 3), 150, np.uint8)
    pixels[(x - side / 2) ** 2 + (y - side / 2) ** 2 < (side * 0.3) ** 2] = color
    Image.fromarray(pixels).save(file)
    return file
