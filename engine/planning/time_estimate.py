"""Estimates how long a picture will take: from counted work, and from what was measured on this machine as soon as
there is any."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch

from engine.model.config import ScaleSchedule, TransformerConfig
from engine.sentence import Sentence
from engine.tokenizer.config import TokenizerConfig

_WEIGHT = 0.5
"""Of the newest measurement in the running average."""


@dataclass(frozen=True)
class Task:
    """The sizes of the pictures to draw.

    Attributes:
        branches: how many go through all scales.
        streams: how many content streams have to run first; 0 when everything is cached.
        text_tokens: of the prompt.
    """

    schedule: ScaleSchedule
    branches: int
    streams: int
    text_tokens: int


class TimeEstimate:
    """Learns from every finished picture. One per open bundle."""

    def __init__(self, config: TransformerConfig) -> None:
        self.config = config
        self._scales: dict[tuple[tuple[int, int], int], list[float]] = {}
        self._rate: dict[str, float] = {}
        self._rest: dict[tuple[int, int], float] = {}

    def costs(self, task: Task) -> tuple[float, ...]:
        """Share of every scale in the drawing, summing to 1; what comes before the first scale counts to it."""
        seconds = self._scale_seconds(task)
        total = sum(seconds)
        return tuple(second / total for second in seconds)

    def seconds(self, task: Task) -> float | None:
        """Seconds for the whole picture, or None before the first one was drawn."""
        if "scales" not in self._rate:
            return None
        rest = self._rest.get(task.schedule.size)
        if rest is None:
            # Decoding grows with the pixels.
            size, known = next(iter(self._rest.items()))
            rest = known * _pixels(task.schedule.size) / _pixels(size)
        return sum(self._scale_seconds(task)) + rest

    def learn(self, task: Task, scales: list[float], before: float, rest: float, remembered: int = 0) -> None:
        """Take in one finished picture.

        Args:
            scales: measured seconds of every scale.
            before: of the content streams. rest: of decoding and previews.
            remembered: so many of the first scales took no time, which tells nothing of the next picture.
        """
        key, work = (task.schedule.size, task.branches), scale_work(self.config, task)
        self._measure("scales", sum(scales[remembered:]), sum(work[remembered:]))
        old = self._scales.get(key)
        if old is None:  # what was not measured is counted
            counted = [one * self._rate["scales"] for one in work[:remembered]]
            self._scales[key] = [*counted, *scales[remembered:]]
        else:
            fresh = [_mixed(a, b) for a, b in zip(old, scales, strict=True)]
            self._scales[key] = [*old[:remembered], *fresh[remembered:]]
        if task.streams:
            self._measure("streams", before, content_work(self.config, task))
        self._rest[task.schedule.size] = _mixed(self._rest.get(task.schedule.size, rest), rest)

    def _measure(self, what: str, seconds: float, work: float) -> None:
        self._rate[what] = _mixed(self._rate.get(what, seconds / work), seconds / work)

    def _scale_seconds(self, task: Task) -> list[float]:
        """Seconds of every scale, or multiply-adds where nothing was measured yet."""
        rate = self._rate.get("scales", 1.0)
        seconds = self._scales.get((task.schedule.size, task.branches))
        if seconds is None:
            seconds = [work * rate for work in scale_work(self.config, task)]
        before = content_work(self.config, task) * self._rate.get("streams", rate)
        return [seconds[0] + before, *seconds[1:]]


def scale_work(config: TransformerConfig, task: Task) -> list[float]:
    """Multiply-adds of the image stream at every scale, all branches; scale 0 has the two start tokens."""
    width = config.width
    per_token = 7 * width * width + 2 * width * config.hidden
    fixed = config.content_tokens + config.semantic_tokens + task.text_tokens
    before, work = 0, []
    for tokens in (2, *task.schedule.tokens[1:]):
        before += tokens
        work.append(float(task.branches * config.blocks * tokens * (per_token + 2 * width * (before + fixed))))
    return work


def content_work(config: TransformerConfig, task: Task) -> float:
    """Multiply-adds of the content streams that have to run."""
    width, tokens = config.width, config.content_tokens
    per_token = 6 * width * width + 2 * width * config.hidden + 2 * width * (tokens + task.text_tokens)
    return float(task.streams * config.blocks * tokens * per_token)


def _mixed(old: float, new: float) -> float:
    return old + _WEIGHT * (new - old)


def _pixels(size: tuple[int, int]) -> int:
    return size[0] * size[1]


# How fast the processor multiplies, for a first idea of how long a picture takes without a graphics card.


EFFICIENCY = 0.5
"""Share of a bare matrix product's rate that a whole picture reaches."""

_SIDE = 384

_PROBES = 12


def multiply_rate() -> float:
    """Multiply-adds a second in a float32 matrix product on the processor, measured in a few hundredths of a second.

    One thread's fastest of several products, times the threads: other programs hardly show.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        a = torch.ones(_SIDE, _SIDE)
        best = float("inf")
        for _ in range(_PROBES):
            started = time.perf_counter()
            torch.mm(a, a)
            best = min(best, time.perf_counter() - started)
    finally:
        torch.set_num_threads(threads)
    return threads * _SIDE**3 / best


def guess_seconds(config: TransformerConfig, tokenizer: TokenizerConfig, task: Task, rate: float) -> float:
    """Seconds of a picture from counted work: the network and the visual decoder, without the encoders."""
    work = sum(scale_work(config, task)) + content_work(config, task) + decode_work(tokenizer, task.schedule.size)
    return work / (EFFICIENCY * rate)


def decode_work(config: TokenizerConfig, size: tuple[int, int]) -> float:
    """Multiply-adds of the visual decoder's convolutions for a picture of (width, height)."""
    channels = config.channels
    cells = size[0] * size[1] / config.stride**2
    width = channels[-1]
    work = cells * 9 * width * (config.bits + 4 * width)  # the first convolution and the two blocks in the middle
    for level in reversed(range(len(channels))):
        out = channels[level]
        work += cells * 9 * out * (width + out + config.blocks_per_level * 2 * out)
        if width != out:
            work += cells * width * out
        width = out
        if level:
            cells *= 4
            work += cells * 9 * width**2
    return work + cells * 9 * width * 3 * config.patch**2


def about(seconds: float) -> Sentence:
    """A time in rough words: “a few seconds”, “about 8 seconds”, “about 3 minutes”, “about 2 hours”."""
    if seconds < 5:  # the count leaves out whatever else the processor does: one second can become four
        return Sentence("a few seconds")
    if seconds < 100:
        return Sentence("about {count} seconds", count=_round(seconds))
    if seconds < 100 * 60:
        return Sentence("about {count} minutes", count=_round(seconds / 60))
    return Sentence("about {count} hours", count=_round(seconds / 3600))


def _round(number: float) -> int:
    return round(number) if number < 15 else 5 * round(number / 5)
