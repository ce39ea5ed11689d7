"""Every value of a manifest is checked here before it is used: what was read may be damaged or hostile.

The functions take what JSON holds and return what a manifest is made of. They raise ``ValueError``, ``KeyError`` or
``TypeError`` for a value that cannot be, and ``BundleManifest.from_json`` turns these into ``BundleError``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeVar

from engine.bundle.placement_ranges import PlacementRanges
from engine.bundle.records import (
    BundleFile,
    Defaults,
    EncoderPart,
    Example,
    Language,
    LikenessScale,
    Origin,
    PlacedContent,
    SceneEntry,
)
from engine.errors import BundleError, RequestError
from engine.model.config import ScaleSchedule, TransformerConfig
from engine.request import GenerationRequest
from engine.sentence import Sentence
from engine.tokenizer.config import TokenizerConfig

MANIFEST = "bundle.json"
GET_AGAIN = Sentence("Get the model again, or verify it under Models.")

T = TypeVar("T")

_PATH = re.compile(r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HASH = re.compile(r"[0-9a-f]{64}")


def damaged(why: str) -> BundleError:
    """The error for a manifest that cannot be used, and why."""
    return BundleError(
        Sentence("The model's description ({manifest}) is damaged: {why}.", manifest=MANIFEST, why=why), GET_AGAIN
    )


def inside(name: Any) -> str:
    """A path inside a bundle as it is written: relative, with forward slashes, plain letters.

    Raises:
        BundleError: it could lead out of the folder, or mean another file on another system.
    """
    if not isinstance(name, str) or not _PATH.fullmatch(name) or len(name) > 200:
        raise damaged(f"the file name {str(name)[:80]!r} is not allowed")
    if any(part.strip(". ") == "" or part.endswith(".") for part in name.split("/")):
        raise damaged(f"the file name {name[:80]!r} leads out of the folder")
    return name


def a_name(value: Any) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError(f"{str(value)[:80]!r} is no name")
    return value


def a_text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 4000:
        raise ValueError("a text is missing or too long")
    return value


def a_whole_number(value: Any, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{str(value)[:40]} is no whole number from {low} to {high}")
    return value


def read_schedules(data: Any) -> tuple[ScaleSchedule, ...]:
    schedules = tuple(ScaleSchedule.from_json(item) for item in data)
    if not 1 <= len(schedules) <= 256:
        raise ValueError("no sizes")
    for schedule in schedules:
        if not 1 <= len(schedule.grids) <= 32 or schedule.grids[0] != (1, 1):
            raise ValueError("a size has no scales")
        for pair in (schedule.size, schedule.rotary_grid, *schedule.grids):
            if len(pair) != 2:
                raise ValueError("a grid has two sides")
        for number in (n for grid in (schedule.rotary_grid, *schedule.grids) for n in grid):
            a_whole_number(number, 1, 256)
    return schedules


def read_transformer(data: Any) -> TransformerConfig:
    config = TransformerConfig.from_json(dict(data))
    for number in (config.width, config.bits, config.text_limit, config.semantic_tokens, config.content_tokens):
        a_whole_number(number, 1, 2**16)
    a_whole_number(config.blocks, 1, 256)
    return config


def read_tokenizer(data: Any) -> TokenizerConfig:
    config = TokenizerConfig.from_json(dict(data))
    for number in (config.bits, *config.channels, *config.reference_channels):
        a_whole_number(number, 1, 2**14)
    for number in (len(config.multipliers), config.blocks_per_level, config.patch):
        a_whole_number(number, 1, 16)
    return config


def read_encoder(data: Any, smallest: int = 0) -> EncoderPart:
    config = dict(data["config"])
    for name, value in config.items():
        # What the library would build from such a number would not end.
        if isinstance(value, int) and value > (512 if "layer" in name else 2**20):
            raise ValueError(f"{name} is {value}")
        if isinstance(value, (list, str)) and len(value) > 512:
            raise ValueError(f"{name} is too long")
    return EncoderPart(config, a_whole_number(data["input_size"], smallest, 2048))


def read_placed_content(data: Any) -> PlacedContent:
    return PlacedContent(PlacementRanges.from_json(data["ranges"]), a_whole_number(data.get("fold", 1), 1, 16))


def read_likeness(data: Any) -> LikenessScale:
    numbers = dict(data)
    blocks = a_whole_number(numbers.pop("blocks"), 0, 512)
    scale = LikenessScale(blocks, **{name: float(value) for name, value in numbers.items()})
    if not all(-1 <= float(value) <= 1 for value in numbers.values()) or not scale.other < scale.same <= 1:
        raise ValueError("the scale of likeness cannot be")
    if min(scale.same_spread, scale.other_spread, scale.area) < 0:
        raise ValueError("the scale of likeness cannot be")
    return scale


def read_defaults(data: Any) -> Defaults:
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in dict(data).items()
    }
    defaults = Defaults(**values)
    try:
        GenerationRequest("", **asdict(defaults))
    except RequestError as error:
        raise ValueError(error.fact) from error
    return defaults


def read_mapping(data: Any, key: Callable[[Any], str], value: Callable[[Any], T]) -> dict[str, T]:
    return {key(name): value(entry) for name, entry in dict(data).items()}


def read_file(data: Any) -> BundleFile:
    if not isinstance(data["sha256"], str) or not _HASH.fullmatch(data["sha256"]):
        raise ValueError("a file has no SHA-256")
    return BundleFile(a_whole_number(data["size"], 0, 2**50), data["sha256"])


def read_origin(data: Any) -> Origin:
    return Origin(a_text(data["source"]), a_text(data["licence"]))


def read_language(data: Any) -> Language:
    return Language(
        words=frozenset(a_text(word).lower() for word in data["words"]),
        scenes=tuple(_scene(item) for item in data.get("scenes", ())),
    )


def _scene(data: Any) -> SceneEntry:
    thumb = data.get("thumb", "")
    return SceneEntry(
        a_text(data["key"]),
        a_text(data["kind"]),
        a_text(data["prompt"]),
        a_text(data["label"]),
        inside(thumb) if thumb else "",
    )


def read_example(data: Any) -> Example:
    return Example(
        inside(data["image"]),
        a_text(data["prompt"]),
        a_text(data.get("subject_name", "")),
        a_whole_number(data.get("seed", 0), 0, 2**32 - 1),
    )
