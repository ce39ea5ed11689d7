"""The pool of backgrounds: painted when first needed, kept in memory, and in a folder where there is one.

Painting a background takes a hundred times as long as using it. A folder lets every slice of a training, and a machine
that paints slowly, begin with what is there. Files: a JPEG, a JSON with the setting and the light, sometimes a PNG of what
stands before the subject.
"""

from __future__ import annotations

import dataclasses
import json
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from msgspec import Struct, structs
from PIL import Image
from torch import Tensor

from engine.errors import CannotWrite, os_reason
from engine.files import replacing
from engine.sentence import Sentence
from engine.training.data import language
from engine.training.render import scenes
from engine.training.render.light import Colour, Light
from engine.training.render.photos import Photographs
from engine.training.render.world import Setting, World
from engine.validation import Finite, read_json

VERSION = 1
"""Of the painters: what an older one painted is not used."""
_MAX_WORDS = 2**16


class _Setting(Struct):
    """A ``Setting`` as the file has it."""

    horizon: Finite
    ground: Finite
    mirror: Finite
    ripple: Finite
    sink: Finite
    surface: Colour | None
    shadow: Finite


class _Words(Struct):
    """The contents of a background's JSON."""

    setting: _Setting
    light: Light
    front: bool


@dataclass(frozen=True)
class Background:
    """A painted scene without its subject.

    Attributes:
        picture: uint8 (3, S, S).
        front: what stands before the subject, premultiplied RGBA uint8 (4, S, S), or None.
    """

    picture: Tensor
    front: Tensor | None
    setting: Setting
    light: Light


class Backgrounds:
    """Backgrounds by (place, light, index), always the same for one seed.

    Args:
        size: S in pixels. photos: material. folder: where they are kept between runs.
    """

    def __init__(
        self, size: int, seed: int, device: torch.device | str, photos: Photographs, folder: Path | None = None
    ) -> None:
        self.size, self.seed, self.device, self.photos, self.folder = size, seed, torch.device(device), photos, folder
        self._kept: dict[tuple[int, int, int], Background] = {}

    def __len__(self) -> int:
        """Return the number of backgrounds in memory."""
        return len(self._kept)

    def get(self, place: int, light: int, index: int) -> Background:
        """Find or paint one.

        Args:
            place: index into ``language.PLACES``, or more for a plain backdrop.
            light: index into ``language.LIGHTS``, or more for what suits the place.

        Raises:
            CannotWrite: the folder takes no files.
        """
        place, light = min(place, len(language.PLACES)), min(light, len(language.LIGHTS))
        known = self._kept.get((place, light, index))
        if known is not None:
            return known
        stem = None if self.folder is None else self.folder / self._name(place, light, index)
        found = None if stem is None else _read(stem)
        if found is None:
            found = self.paint(place, light, index)
            if stem is not None:
                _write(stem, found)
                found = _read(stem) or found  # as every later run is going to see it
        front = None if found.front is None else found.front.to(self.device)
        found = dataclasses.replace(found, picture=found.picture.to(self.device), front=front)
        self._kept[place, light, index] = found
        return found

    def paint(self, place: int, light: int, index: int) -> Background:
        """Paint one anew."""
        named = light < len(language.LIGHTS)
        seed = self.seed * 1_000_003 + (place * 16 + light) * 10_007 + index
        world = World(
            self.size,
            torch.Generator(self.device).manual_seed(seed),
            random.Random(seed),
            self.photos,
            index,
            language.LIGHTS[light].key if named else None,
        )
        setting = getattr(scenes, self._key(place))(world)
        front = None if world.front is None else _bytes(world.front[0])
        return Background(_bytes(world.image[0]), front, setting, world.light)

    def _key(self, place: int) -> str:
        return language.PLACES[place].key if place < len(language.PLACES) else "studio"

    def _name(self, place: int, light: int, index: int) -> str:
        weather = language.LIGHTS[light].key if light < len(language.LIGHTS) else "any"
        photos = "photos" if self.photos else "plain"
        return f"{self._key(place)}-{weather}-{index:04d}-{self.seed}-{self.size}-{photos}-v{VERSION}"


def _bytes(picture: Tensor) -> Tensor:
    return (picture.clamp(0, 1) * 255).round().to(torch.uint8)


def _write(stem: Path, background: Background) -> None:
    setting = dataclasses.asdict(background.setting)
    if background.setting.surface is not None:
        setting["surface"] = background.setting.surface.tolist()
    words = {"setting": setting, "light": dataclasses.asdict(background.light), "front": background.front is not None}
    try:
        stem.parent.mkdir(parents=True, exist_ok=True)
        _save(stem.with_suffix(".jpg"), _image(background.picture), "JPEG", quality=93, subsampling=0)
        if background.front is not None:
            _save(stem.with_suffix(".png"), _image(background.front), "PNG")
        # Last: who finds it finds the others.
        _replace(stem.with_suffix(".json"), json.dumps(words).encode())
    except OSError as error:
        raise CannotWrite(
            Sentence(
                "The backgrounds cannot be kept in {parent}: {reason}.", parent=stem.parent, reason=os_reason(error)
            )
        ) from error


def _image(picture: Tensor) -> Image.Image:
    return Image.fromarray(picture.permute(1, 2, 0).cpu().numpy())


def _save(path: Path, image: Image.Image, kind: str, **settings: int) -> None:
    with replacing(path, durable=False) as part:
        image.save(part, kind, **settings)


def _replace(path: Path, data: bytes) -> None:
    with replacing(path, durable=False) as part:
        part.write_bytes(data)


def _read(stem: Path) -> Background | None:
    """Read a kept background, or None where it is missing or damaged."""
    try:
        words = read_json(stem.with_suffix(".json"), _Words, _MAX_WORDS)
        picture = _pixels(stem.with_suffix(".jpg"), "RGB")
        front = _pixels(stem.with_suffix(".png"), "RGBA") if words.front else None
    except (OSError, ValueError):
        return None
    setting = structs.asdict(words.setting)
    if words.setting.surface is not None:
        setting["surface"] = torch.tensor(words.setting.surface)
    return Background(picture, front, Setting(**setting), words.light)


def _pixels(path: Path, mode: str) -> Tensor:
    with Image.open(path) as file:
        return torch.from_numpy(np.asarray(file.convert(mode)).transpose(2, 0, 1).copy())
