"""Whole pictures with an open engine: from a cut-out and a prompt to pixels, encoders and decoder included."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.engine import Engine
from engine.events import Finished, ScalePreview
from engine.request import CutOut, GenerationRequest


@dataclass(frozen=True)
class PictureTimes:
    """The measured times, models resident; medians of the rounds.

    Attributes:
        first_run_seconds: a subject and a prompt that were never seen.
        first_preview_seconds: of that, until the first preview.
        reroll_seconds: the same with another seed.
        previews_share: of a re-roll, the part spent on previews.
        stages: seconds of a first run by stage.
    """

    first_run_seconds: float
    first_preview_seconds: float
    reroll_seconds: float
    previews_share: float
    stages: dict[str, float]
    rounds: int


def measure_pictures(
    engine: Engine, rounds: int = 3, on_round: Callable[[int], None] = lambda index: None
) -> PictureTimes:
    """Draw pictures, one round to warm up and ``rounds`` that count."""
    totals, firsts, rerolls, shares = [], [], [], []
    stages: dict[str, list[float]] = {}
    for index in range(rounds + 1):
        if index:
            on_round(index - 1)
        request = some_request(engine, index)
        first_preview, total, finished = _drawn(engine, request)
        _, reroll, again = _drawn(engine, request.with_seed(index + 1000))
        if not index:
            continue
        totals.append(total)
        firsts.append(first_preview)
        rerolls.append(reroll)
        shares.append(again.timing.previews / again.timing.total)
        timing = finished.timing
        for name in ("text", "semantic", "content", "content_stream", "previews", "decode"):
            stages.setdefault(name, []).append(getattr(timing, name))
        stages.setdefault("scales", []).append(sum(timing.scales))
    return PictureTimes(
        first_run_seconds=statistics.median(totals),
        first_preview_seconds=statistics.median(firsts),
        reroll_seconds=statistics.median(rerolls),
        previews_share=statistics.median(shares),
        stages={name: statistics.median(values) for name, values in stages.items()},
        rounds=rounds,
    )


def _drawn(engine: Engine, request: GenerationRequest) -> tuple[float, float, Finished]:
    """Seconds until the first preview, seconds until the picture, and the picture."""
    started = time.perf_counter()
    first = None
    for event in engine.generate(request):
        if isinstance(event, ScalePreview) and first is None:
            first = time.perf_counter() - started
        if isinstance(event, Finished):
            assert first is not None
            return first, time.perf_counter() - started, event
    raise AssertionError("a generation ends with Finished or an error")


_WORDS = ("in the snow", "on the beach", "in the jungle", "on a cobblestone street")


def some_request(engine: Engine, index: int) -> GenerationRequest:
    """A subject and a prompt that differ from round to round; all prompts are of about one length."""
    manifest = engine.bundle.manifest
    side = manifest.reference_size
    rows, columns = np.mgrid[:side, :side] / side - 0.5
    pixels = np.full((side, side, 4), 255, np.uint8)
    inside = rows**2 + columns**2 < 0.16
    pixels[inside, :3] = np.random.default_rng(index).integers(0, 256, 3)
    pixels[~inside, 3] = 0
    return GenerationRequest(
        f"a toy {_WORDS[index % len(_WORDS)]}", CutOut(pixels), seed=index, **manifest.request_defaults()
    )
