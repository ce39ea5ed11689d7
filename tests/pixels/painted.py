"""A model of paper for pictures of the window: what it draws depends on its own code alone, never on trained weights."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from tokenizers import Tokenizer, models, pre_tokenizers

from app.resources import resource
from engine.bundle.manifest import MANIFEST
from engine.bundle.records import BundleFile, EncoderPart, Example, Language, SceneEntry
from engine.errors import Cancelled
from engine.events import Finished, ScalePreview, Started, Timing
from engine.model.config import ScaleSchedule
from engine.request import GenerationRequest, ScaleBits
from engine.tokenizer.config import TokenizerConfig
from tests.e2e.paper import write_paper_bundle
from tests.engine.fake_engine import FakeEngine

ENGINE = "tests.pixels.painted:PaintedEngine"
SIDE = 512
GRIDS = tuple((n, n) for n in (1, 2, 4, 6, 8, 12, 16, 20, 24, 32, 40, 48, 64))
HOLD = 9000
"""A seed of ``HOLD + n`` draws n scales and then waits until it is stopped."""

# Sky, ground and light of the scenes that are painted; the first word of a prompt that is found here decides.
_SCENES = {
    "snow": ((120, 150, 190), (236, 241, 247), (255, 214, 170)),
    "beach": ((120, 196, 226), (233, 206, 160), (255, 246, 214)),
    "jungle": ((36, 84, 52), (52, 70, 38), (170, 214, 120)),
    "fabric": ((238, 160, 190), (226, 128, 168), (255, 214, 230)),
    "cobblestones": ((150, 146, 140), (104, 100, 96), (214, 206, 190)),
    "city": ((52, 56, 84), (66, 62, 70), (240, 180, 110)),
}
_OTHER = ((140, 150, 170), (176, 170, 158), (230, 226, 214))
_EXAMPLES = (
    ("duck_toy", "a duck toy on the beach", "duck toy"),
    ("robot_toy", "a robot toy in the snow", "robot toy"),
    ("colorful_sneaker", "a colorful sneaker in the jungle", "colorful sneaker"),
)
_WORDS = (
    "a an the in on top of with and at its red blue purple wet shiny pink night toy duck robot sneaker colorful "
    "snow beach jungle fabric cobblestones city street"
)


def write_painted_bundle(folder: Path) -> None:
    """Write a manifest of thirteen scales, five scenes and the examples that ship."""
    manifest = write_paper_bundle(folder, "Painted")
    vocabulary = {word: number for number, word in enumerate(("<unk>", *_WORDS.split()))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "text" / "tokenizer.json"))
    examples = []
    for name, prompt, subject in _EXAMPLES:
        with Image.open(resource("examples", f"{name}.webp")) as photo:
            photo.save(folder / "examples" / f"{name}.png")
        examples.append(Example(f"examples/{name}.png", prompt, subject, 1))
    wide = tuple((max(1, round(n * 0.75)), n) for n, _ in GRIDS)
    scenes = [SceneEntry(key, "scene", f"in the {key}", key.capitalize()) for key in ("jungle", "snow", "city")]
    scenes += [SceneEntry("beach", "scene", "on the beach", "Beach"), SceneEntry("red", "colour", "red", "Red")]
    files = {
        file.relative_to(folder).as_posix(): BundleFile.of(file)
        for file in folder.rglob("*.*")
        if file.is_file() and file.name != MANIFEST
    }
    manifest = replace(
        manifest,
        schedules=(
            ScaleSchedule((SIDE, SIDE), GRIDS, (64, 64), "1"),
            ScaleSchedule((SIDE, SIDE * 3 // 4), wide, (48, 64), "1.333"),
        ),
        transformer=replace(manifest.transformer, scale_count=len(GRIDS)),
        tokenizer=TokenizerConfig(4, 8, (1, 2), 1, 4),
        text=EncoderPart(
            {"d_model": 32, "d_kv": 8, "num_heads": 4, "d_ff": 64, "num_layers": 1, "vocab_size": len(vocabulary)}
        ),
        language=Language(frozenset(_WORDS.split()), tuple(scenes)),
        description="Paints the cut-out into a scene. For pictures of the window.",
        examples=tuple(examples),
        files=files,
    )
    (folder / MANIFEST).write_text(json.dumps(manifest.to_json()), encoding="utf-8")


class PaintedEngine(FakeEngine):
    """Pastes the cut-out into a painted scene, and shows it from coarse to fine."""

    def generate(self, request, *, cancel=None, until_scale=None):
        start = time.monotonic()
        first = len(request.kept or ())
        costs = np.array([h * w + 40.0 for h, w in GRIDS])
        yield Started(request, GRIDS, tuple(costs / costs.sum()), first, expected_seconds=4.0)
        if "memory" in request.prompt:
            yield from super().generate(request, cancel=cancel)
        picture = paint(request)
        for index in range(first, until_scale or len(GRIDS)):
            if cancel is not None and cancel.is_set():
                raise Cancelled()
            time.sleep(0.004)
            image = np.asarray(coarse(picture, GRIDS[index][0]))
            yield ScalePreview(index, len(GRIDS), GRIDS[index], image, time.monotonic() - start)
            while request.seed == HOLD + index + 1:
                if cancel.is_set():
                    raise Cancelled()
                time.sleep(0.01)
        rng = np.random.default_rng(request.seed)
        bits = ScaleBits(tuple(rng.integers(0, 2, (h, w, 4), dtype=np.uint8) for h, w in GRIDS))
        timing = Timing(scales=tuple(0.3 for _ in GRIDS), total=4.0)
        yield Finished(request, np.asarray(picture), bits, timing)

    def previews(self, bits, request, *, cancel=None):
        return tuple(np.full((64, 64, 3), 60 + 10 * index, np.uint8) for index in range(len(bits.scales)))


def paint(request: GenerationRequest) -> Image.Image:
    """The finished picture of a request."""
    rng = np.random.default_rng(request.seed)
    sky, ground, light = next((c for word, c in _SCENES.items() if word in request.prompt), _OTHER)
    rows = np.linspace(0, 1, SIDE)[:, None, None]
    air = np.array(sky) * (1 - rows) + np.array(light) * rows
    floor = np.array(ground) * (1.06 - 0.25 * rows)
    horizon = 0.55 + 0.1 * rng.random()
    pixels = np.where(rows < horizon, air, floor) + rng.normal(0, 3, (SIDE, SIDE, 1))
    scene = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1.5))
    draw = ImageDraw.Draw(scene)
    sun = SIDE * (0.15 + 0.7 * rng.random())
    draw.ellipse((sun - 28, 50, sun + 28, 106), fill=tuple(light))
    if request.subject is not None:
        side = round(SIDE * (0.6 + 0.1 * rng.random()))
        subject = Image.fromarray(request.subject.pixels, "RGBA").resize((side, side), Image.Resampling.BICUBIC)
        left, top = round((SIDE - side) * (0.3 + 0.4 * rng.random())), round(SIDE * 0.95) - side
        shadow = Image.new("L", (SIDE, SIDE))
        ImageDraw.Draw(shadow).ellipse((left + side * 0.15, top + side * 0.82, left + side * 0.9, top + side), fill=110)
        scene = Image.composite(Image.new("RGB", scene.size), scene, shadow.filter(ImageFilter.GaussianBlur(14)))
        scene.paste(subject, (left, top), subject.getchannel("A"))
    return scene


def coarse(picture: Image.Image, tokens: int) -> Image.Image:
    """The picture as it looks when ``tokens`` × ``tokens`` are known."""
    if tokens >= GRIDS[-1][0]:
        return picture
    small = picture.resize((tokens, tokens), Image.Resampling.BOX)
    return small.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
