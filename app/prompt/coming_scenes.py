"""The scenes that the open model will offer, as far as they are known before it is read: their chips take their room from the
first moment on."""

from __future__ import annotations

import logging
from typing import Annotated, Any

from msgspec import Meta, Struct

from app.resources import resource
from engine import Damage, read_json, read_value

log = logging.getLogger(__name__)

_LARGEST = 2**20
_Words = Annotated[str, Meta(max_length=200)]


class ComingScene(Struct, frozen=True):
    """The words of a chip, and the name of its small picture or ""."""

    label: _Words
    thumb: _Words = ""
    prompt: _Words = ""


class ComingScenes(Struct, frozen=True):
    """The first scenes of a model, and how many there are in all; none for a model that offers no scenes."""

    first: Annotated[tuple[ComingScene, ...], Meta(max_length=20)] = ()
    count: Annotated[int, Meta(ge=0, le=10_000)] = 0


class _Language(Struct, frozen=True):
    scenes: tuple[ComingScene, ...] = ()


class _Manifest(Struct, frozen=True):
    """The part that is read of the manifest of the model that ships; reading all of it would take the window too long."""

    language: _Language = _Language()


def scenes_of_last_time(saved: Any, most: int) -> ComingScenes:
    """The scenes as the last session kept them; those of the model that ships where it kept none."""
    try:
        if saved is not None:
            return read_value(saved, ComingScenes)
        scenes = read_json(resource("mini", "bundle.json"), _Manifest, _LARGEST).language.scenes
    except (Damage, OSError):
        log.warning("it is not known which scenes will be offered", exc_info=True)
        return ComingScenes()
    return ComingScenes(scenes[:most], len(scenes))
