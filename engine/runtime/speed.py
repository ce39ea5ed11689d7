"""How fast the processor multiplies, for a first idea of how long a picture takes without a graphics card."""

from __future__ import annotations

import time

import torch

from engine.model.config import TransformerConfig
from engine.sampling.expectation import Task, content_work, scale_work
from engine.tokenizer.config import TokenizerConfig

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


def about(seconds: float) -> str:
    """A time in rough words: “a second”, “8 seconds”, “40 seconds”, “3 minutes”, “2 hours”."""
    if seconds < 1.5:
        return "a second"
    if seconds < 100:
        return f"{_round(seconds)} seconds"
    if seconds < 100 * 60:
        return f"{_round(seconds / 60)} minutes"
    return f"{_round(seconds / 3600)} hours"


def _round(number: float) -> int:
    return round(number) if number < 15 else 5 * round(number / 5)
