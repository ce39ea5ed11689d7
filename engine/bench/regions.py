"""The cost of redrawing a region beside redrawing the whole picture, measured alternately in one process, subject and prompt known."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from engine.bench.comparison import Comparer
from engine.bench.pictures import some_request
from engine.bench.random_models import random_autoencoder
from engine.engine import Engine
from engine.events import Finished
from engine.painting import codes_around, in_its_picture
from engine.region import Region
from engine.request import GenerationRequest
from engine.sampling.region_tokens import RegionTokens
from engine.tokenizer.autoencoder import to_uint8
from engine.tokenizer.decoding import decode_in_strips

OnRound = Callable[[int], None]
_NAMES = ("new", "whole", "corner", "middle")


@dataclass(frozen=True)
class RegionCost:
    """Seconds, medians of the rounds; shares are medians of the rounds' own quotients.

    Attributes:
        whole_seconds: of a whole picture with another seed, nothing else changed: same place, same layout.
        new_seconds: of a whole picture as a press of the button draws it: where the model has layouts and places, the seed
            picks others. The same as ``whole_seconds`` for a configuration, which has neither.
        corner_seconds, middle_seconds: of a quarter of its pixels, at a corner and in the middle.
        corner_share, middle_share: of ``whole_seconds``.
        corner_share_of_new, middle_share_of_new: of ``new_seconds``.
        corner_work_share, middle_work_share: of the whole, as ``corner_share``, in seconds of the processor, all threads
            together. On a machine that is busy with other things the clock is kinder to what is short.
    """

    whole_seconds: float
    new_seconds: float
    corner_seconds: float
    middle_seconds: float
    corner_share: float
    middle_share: float
    corner_share_of_new: float
    middle_share_of_new: float
    corner_work_share: float
    middle_work_share: float
    rounds: int


def measure_regions(engine: Engine, rounds: int, on_round: OnRound = lambda index: None) -> RegionCost:
    """Redraw a picture and two quarters of it, as the window asks for them: one round to warm up, ``rounds`` that count.

    The picture was drawn by the same engine, as it mostly was in the window too: its first scales are remembered.
    """
    manifest, request = engine.bundle.manifest, some_request(engine, 0)
    finished = _drawn(engine, request)
    regions = _quarters(finished.image)

    def again(name: str, index: int) -> GenerationRequest:
        # A seed of its own for each, also where as many as there are layouts become one: nothing of one picture is another's.
        seed = max(manifest.layouts, 1) * (1000 * (1 + _NAMES.index(name)) + index)
        if name == "new":
            return request.with_seed(seed)
        same = replace(request, seed=manifest.with_layout_of(seed, request.seed), placement=manifest.place(request))
        return same if name == "whole" else replace(same, kept=finished.bits, region=regions[name])

    def draw(name: str, index: int) -> None:
        _drawn(engine, again(name, index))

    def after(name: str) -> None:
        if name == "new":  # The others are drawn at the first picture's place, which the decoder has seen.
            _drawn(engine, replace(request, placement=manifest.place(request)))

    return _alternating(draw, _NAMES, rounds, on_round, after)


def measure_random_regions(comparer: Comparer, rounds: int, on_round: OnRound = lambda index: None) -> RegionCost:
    """The same with random weights in a published size, from encoded features to pixels."""
    config, schedule = comparer.config, comparer.config.schedule
    autoencoder = random_autoencoder(config.tokenizer, comparer.device, comparer.dtype)
    sampler, conditions = comparer.sampler(config.text_tokens), comparer.conditions()
    kept = [scale.bits for scale in sampler.draw(conditions, comparer.equal, schedule, 0)]
    width, height = schedule.size
    regions = _quarters(np.zeros((height, width, 3), np.uint8))

    @torch.inference_mode()
    def draw(name: str, index: int) -> None:
        region = regions.get(name)
        tokens = window = None
        if region is not None:
            tokens = RegionTokens([torch.from_numpy(places) for places in region.scales(schedule.grids)])
            window = codes_around(region, schedule.grids[-1], config.tokenizer.stride)
        drawing = sampler.draw(
            conditions, comparer.equal, schedule, 1000 + index, kept=kept if region is not None else (), region=tokens
        )
        *_, last = drawing
        drawn = to_uint8(decode_in_strips(autoencoder.decoder, last.summed, window=window))[0].cpu().numpy()
        if region is not None:
            region.lay_in(in_its_picture(region, drawn, window, config.tokenizer.stride), config.tokenizer.feather)

    return _alternating(draw, ("whole", "corner", "middle"), rounds, on_round)


def _alternating(
    draw: Callable[[str, int], None],
    names: tuple[str, ...],
    rounds: int,
    on_round: OnRound,
    after: Callable[[str], None] = lambda name: None,
) -> RegionCost:
    seconds: dict[str, list[float]] = {name: [] for name in names}
    work: dict[str, list[float]] = {name: [] for name in names}
    for index in range(rounds + 1):
        if index:
            on_round(index - 1)
        for name in names if index % 2 else reversed(names):
            begun, processor = time.perf_counter(), time.process_time()
            draw(name, index)
            seconds[name].append(time.perf_counter() - begun)
            work[name].append(time.process_time() - processor)
            after(name)
    # Without the round that warmed up.
    times, worked = ({name: values[1:] for name, values in found.items()} for found in (seconds, work))
    times.setdefault("new", times["whole"])
    share, work_share = _shares(times), _shares(worked)
    median = {name: statistics.median(values) for name, values in times.items()}
    return RegionCost(
        whole_seconds=median["whole"],
        new_seconds=median["new"],
        corner_seconds=median["corner"],
        middle_seconds=median["middle"],
        corner_share=share("corner", "whole"),
        middle_share=share("middle", "whole"),
        corner_share_of_new=share("corner", "new"),
        middle_share_of_new=share("middle", "new"),
        corner_work_share=work_share("corner", "whole"),
        middle_work_share=work_share("middle", "whole"),
        rounds=rounds,
    )


def _shares(times: Mapping[str, list[float]]) -> Callable[[str, str], float]:
    return lambda part, whole: statistics.median(a / b for a, b in zip(times[part], times[whole], strict=True))


def _quarters(picture: np.ndarray) -> dict[str, Region]:
    height, width = picture.shape[:2]
    places = {
        "corner": np.s_[height // 2 :, width // 2 :],
        "middle": np.s_[height // 4 : height - height // 4, width // 4 : width - width // 4],
    }
    regions = {}
    for name, place in places.items():
        mask = np.zeros((height, width), np.uint8)
        mask[place] = 255
        regions[name] = Region(mask, picture)
    return regions


def _drawn(engine: Engine, request: GenerationRequest) -> Finished:
    *_, finished = engine.generate(request, previews=False)
    assert isinstance(finished, Finished)
    return finished
