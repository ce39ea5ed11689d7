"""The scale of a bundle's likeness: its own pictures of things beside pictures of other things.

A picture is compared with its own cut-out; then a picture of another thing is, through the outline of the same cut-out, so
that the outline does not tell them apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.bundle.records import LikenessScale
from engine.encoders.features import Features
from engine.encoders.likeness import similarity
from engine.evaluation.measures import area_under_curve
from engine.events import Finished
from engine.placement import Placement
from engine.request import CutOut, GenerationRequest

if TYPE_CHECKING:
    from engine.engine import Engine

OTHERS = 3
"""Pictures of other things that each cut-out is compared with."""
BLOCKS = (1, 0)
"""Patches after the first block see around themselves, and have not forgotten yet how it looks there; those before it know
nothing of what is around. Which of them tell more is another matter with each training, and measured."""


@dataclass(frozen=True, eq=False)
class DrawnThing:
    """A picture of a thing.

    Attributes:
        subject: its cut-out. picture: RGB uint8 (H, W, 3). placement: where it stands there, or None.
    """

    subject: CutOut
    picture: np.ndarray
    placement: Placement | None


def draw_things(
    engine: Engine, requests: Sequence[GenerationRequest], tell: Callable[[float], None] = lambda share: None
) -> list[DrawnThing]:
    """Draw a picture of each request."""
    things = []
    for request in requests:
        finished = list(engine.generate(request, previews=False))[-1]
        assert request.subject is not None and isinstance(finished, Finished)
        things.append(DrawnThing(request.subject, finished.image, engine.bundle.manifest.place(finished.request)))
        tell(len(things) / len(requests))
    return things


def similarities(features: Features, things: Sequence[DrawnThing], blocks: int) -> tuple[np.ndarray, np.ndarray]:
    """Similarities of pictures to their own cut-outs (n,), and of others to these cut-outs (n · others,)."""
    chance = np.random.default_rng(0)
    same, other = [], []
    for thing in things:
        same.append(similarity(features, thing.subject, thing.picture, thing.placement, blocks))
        rivals = [one for one in things if one.subject.digest != thing.subject.digest]
        for index in chance.permutation(len(rivals))[:OTHERS]:
            rival = rivals[index]
            other.append(similarity(features, thing.subject, rival.picture, rival.placement, blocks))
    return np.array(same), np.array(other)


def scale_of(same: np.ndarray, other: np.ndarray, blocks: int) -> LikenessScale:
    """The scale of a bundle from its similarities, which ``similarities`` measures."""
    return LikenessScale(
        blocks=blocks,
        same=round(float(same.mean()), 4),
        same_spread=round(float(same.std()), 4),
        other=round(float(other.mean()), 4),
        other_spread=round(float(other.std()), 4),
        area=round(area_under_curve(same, other), 4),
    )


def best_scale(features: Features, things: Sequence[DrawnThing]) -> LikenessScale:
    """The scale of a bundle, read where its encoder tells things apart best."""
    scales = [scale_of(*similarities(features, things, blocks), blocks) for blocks in BLOCKS]
    return max(scales, key=lambda scale: scale.area)
