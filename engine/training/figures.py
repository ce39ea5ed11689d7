"""The figures that tell how good a bundle is: their names, and what they have to reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Target:
    """A figure's name, and the value it has to reach.

    Attributes:
        must, aim: (lowest, highest) that is good enough, and that is wished for; None for no target.
        unit: "%" for shares, else what is written behind the number.
        beside: figures to be read beside it, as (words, key).
    """

    key: str
    words: str
    must: tuple[float, float] | None = None
    aim: tuple[float, float] | None = None
    unit: str = "%"
    beside: tuple[tuple[str, str], ...] = ()


NO_LIMIT = float("inf")

TARGETS: tuple[Target, ...] = (
    Target(
        "photos_top1",
        "Photos: the picture shows the right subject",
        (0.83, 1),
        (0.90, 1),
        beside=(("of subjects", "photos_of"), ("chance", "photos_chance"), ("real photos", "photos_trust")),
    ),
    Target("photos_ceiling", "… of true renders"),
    Target("photos_ceiling_bits", "… of true renders after the bits", (0.86, 1), (0.92, 1)),
    Target("photos_similarity", "Mean similarity to the subject's photos", unit=""),
    Target("pasted_share", "Not pasted: error left of pasting, from true bits", (0, 0.35), (0, 0.20)),
    Target(
        "light_correlation",
        "Not pasted, drawn: colours follow the light (correlation)",
        (0.7, 1),
        (0.9, 1),
        "",
        (("amount", "light_amount"),),
    ),
    Target("edge_energy", "Energy of the subject's edge, against true renders", (0.8, 1.25), (0.9, 1.1), ""),
    Target("sharpness", "Sharpness of the scene, against true renders", (0.50, NO_LIMIT), (0.75, NO_LIMIT)),
    Target(
        "scene_accuracy", "Scenes, by the scene judge", (0.95, 1), (0.98, 1), beside=(("ceiling", "scene_ceiling"),)
    ),
    Target(
        "scene_accuracy_imagenet",
        "Scenes, by the judge of photos",
        (0.95, 1),
        (0.98, 1),
        beside=(("ceiling", "scene_ceiling_imagenet"),),
    ),
    Target(
        "look_accuracy", "With a look: the look is there", (0.90, 1), (0.95, 1), beside=(("ceiling", "look_ceiling"),)
    ),
    Target(
        "look_top1",
        "With a look: the subject is there",
        (0.65, 1),
        (0.80, 1),
        beside=(("ceiling", "look_top1_ceiling"),),
    ),
    Target("seed_distance", "Two seeds: their distance, against true renders", (0.50, NO_LIMIT), (0.80, NO_LIMIT)),
    Target(
        "best_of_4",
        "Best of four: similarity to the subject's photos",
        unit="",
        beside=(("of any of them", "any_of_4"),),
    ),
    Target(
        "placement_iou",
        "Given place: overlap of what is drawn with it",
        (0.85, 1),
        (0.93, 1),
        "",
        (("ceiling", "placement_ceiling"),),
    ),
    Target("seconds_per_picture", "Seconds a picture, here", (0, 4), (0, 1.5), " s"),
    Target("first_preview_seconds", "Seconds to the first preview, here", (0, 0.6), (0, 0.6), " s"),
    Target("bundle_mb", "Size of the bundle", (0, 40), (0, 32), " MB"),
    Target("retrieval_top1", "Drawn subjects never trained on, told apart by a judge of our own"),
)


def verdict(target: Target, value: float) -> str:
    """ "aim", "must", "missed", or "" without a target."""
    for words, ends in (("aim", target.aim), ("must", target.must)):
        if ends is not None and ends[0] <= value <= ends[1]:
            return words
    return "missed" if target.must is not None else ""


def number(value: Any, unit: str) -> str:
    """A figure in words."""
    if value is None:
        return "–"
    if unit == "%":
        return f"{value:.0%}"
    return f"{value}{unit}" if isinstance(value, int) else f"{value:.2f}{unit}"
