"""What redrawing a region takes, beside redrawing the whole picture: both in turns, subject and prompt known."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from engine.bench.pictures import some_request
from engine.engine import Engine
from engine.events import Finished
from engine.region import Region
from engine.request import GenerationRequest


@dataclass(frozen=True)
class RegionCost:
    """Seconds, medians of the rounds; shares are medians of the rounds' own quotients.

    Attributes:
        whole_seconds: of a whole picture with another seed.
        corner_seconds, middle_seconds: of a quarter of its pixels, at a corner and in the middle.
        corner_share, middle_share: of the whole.
    """

    whole_seconds: float
    corner_seconds: float
    middle_seconds: float
    corner_share: float
    middle_share: float
    rounds: int


def measure_regions(engine: Engine, rounds: int, on_round: Callable[[int], None] = lambda index: None) -> RegionCost:
    """Redraw a picture and two quarters of it, in turns: one round to warm up, ``rounds`` that count."""
    request = some_request(engine, 0)
    finished, _ = _drawn(engine, request)
    height, width = finished.image.shape[:2]
    quarters = {
        "corner": np.s_[height // 2 :, width // 2 :],
        "middle": np.s_[height // 4 : height - height // 4, width // 4 : width - width // 4],
    }
    seconds: dict[str, list[float]] = {"whole": [], "corner": [], "middle": []}
    for index in range(rounds + 1):
        if index:
            on_round(index - 1)
        names = list(seconds)
        for name in names if index % 2 else reversed(names):
            again = request.with_seed(1000 + index)
            if name != "whole":
                mask = np.zeros((height, width), np.uint8)
                mask[quarters[name]] = 255
                again = replace(again, kept=finished.bits, region=Region(mask, finished.image))
            seconds[name].append(_drawn(engine, again)[1])
    whole, corner, middle = (times[1:] for times in seconds.values())
    return RegionCost(
        statistics.median(whole),
        statistics.median(corner),
        statistics.median(middle),
        statistics.median(part / all_of_it for part, all_of_it in zip(corner, whole, strict=True)),
        statistics.median(part / all_of_it for part, all_of_it in zip(middle, whole, strict=True)),
        rounds,
    )


def _drawn(engine: Engine, request: GenerationRequest) -> tuple[Finished, float]:
    begun = time.perf_counter()
    *_, finished = engine.generate(request, previews=False)
    assert isinstance(finished, Finished)
    return finished, time.perf_counter() - begun
