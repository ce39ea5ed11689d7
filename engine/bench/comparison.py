"""Ours against the plain baseline, in turns, in one process, and beside a bare matrix product.

What is timed goes from encoded features to the sum of codes; encoders and the visual decoder are not in it. In turns,
because the speed of a machine changes with heat and with what else it does: every ratio is taken within one round, and the
median of the rounds is reported.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from engine.bench.baseline import Baseline
from engine.bench.memory import PeakMemory
from engine.bench.random_models import (
    BenchConfig,
    random_autoencoder,
    random_prompt,
    random_subject,
    random_transformer,
)
from engine.bench.work import multiply_adds
from engine.device.devices import wait_for
from engine.sampling.guidance import BranchOrder, Guidance
from engine.sampling.sampler import Conditions, Sampler

_CACHE_BYTES = 2**40  # nothing is to be given up while we measure
_PRODUCT_SECONDS = 0.3
_PRODUCT_SIDE = {"cuda": 8192, "mps": 4096, "cpu": 1536}


@dataclass(frozen=True)
class ComparedTimes:
    """The measured times. Ratios are the baseline's time over ours; seconds are medians of the rounds.

    Attributes:
        first_run_ratio: a new prompt and subject; a prompt of that length was drawn before.
        first_run_new_length_ratio: the same for a length that was not.
        reroll_ratio: the same prompt and subject, another seed.
        reroll_ratio_unequal: the same with different strengths, so that all three branches are needed.
        matmul_fraction: multiply-adds a second as a share of a bare product's; the lower of first run and re-roll.
        matmul_rate: multiply-adds a second of the bare product.
        multiply_adds: of each run, counted.
        seconds: of each run; of our stages (``content_stream`` with all that precedes it, ``scales``, ``decode``).
        peak_bytes: of our first run: on the card, or of this process where there is none.
    """

    first_run_ratio: float
    first_run_new_length_ratio: float
    reroll_ratio: float
    reroll_ratio_unequal: float
    matmul_fraction: float
    matmul_rate: float
    multiply_adds: dict[str, int]
    seconds: dict[str, float | list[float]]
    peak_bytes: int
    rounds: int


class Comparer:
    """Holds one random network and measures it.

    Args:
        branches: how guidance's branches go through the network (see ``Sampler``).
    """

    def __init__(
        self,
        config: BenchConfig,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
        *,
        branches: BranchOrder = "together",
    ) -> None:
        self.config, self.device, self.dtype, self.branches = config, device, dtype, branches
        self.net = random_transformer(config.transformer, device, dtype)
        scales = len(config.schedule.grids)
        self.equal = Guidance.of(scales, 3.0, 3.0, top_p=0.97)
        self.unequal = Guidance.of(scales, 3.0, 2.0, top_p=0.97)
        self._only_null = Guidance.of(scales, 0.0, 0.0)
        self._keys = 0

    def conditions(self, length: int | None = None) -> Conditions:
        """A prompt and a subject that were never seen before."""
        self._keys += 1
        config, length = self.config.transformer, length or self.config.text_tokens
        return Conditions(random_prompt(config, self._keys, length), random_subject(config, self._keys))

    def sampler(self, *lengths: int, branches: BranchOrder | None = None) -> Sampler:
        """A sampler that has drawn prompts of these lengths before."""
        branches = branches or self.branches
        sampler = Sampler(self.net, self.config.tokenizer, cache_bytes=_CACHE_BYTES, branches=branches)
        for length in lengths:
            sampler.prepare(self.conditions(length), self._only_null, self.config.schedule)
        return sampler

    def draw(self, sampler: Sampler, conditions: Conditions, guidance: Guidance, seed: int) -> list[float]:
        """Draw all scales; returns the seconds of each."""
        return [scale.seconds for scale in sampler.draw(conditions, guidance, self.config.schedule, seed)]

    def timed(self, run: Callable[[], object]) -> float:
        wait_for(self.device)
        started = time.perf_counter()
        run()
        wait_for(self.device)
        return time.perf_counter() - started

    def matmul_rate(self) -> float:
        """Multiply-adds a second of a bare matrix product, in the number format of the blocks."""
        side = _PRODUCT_SIDE[self.device.type]
        left, right = (torch.randn(side, side, device=self.device).to(self.dtype) for _ in range(2))
        out = torch.empty_like(left)
        torch.mm(left, right, out=out)
        done, seconds = 0, 0.0
        while seconds < _PRODUCT_SECONDS:
            seconds += self.timed(lambda: torch.mm(left, right, out=out))
            done += side**3
        return done / seconds

    def compare(self, rounds: int = 3, on_round: Callable[[int], None] = lambda index: None) -> ComparedTimes:
        """Measure in ``rounds`` rounds after one to warm up, in which the multiply-adds are counted."""
        config, schedule = self.config, self.config.schedule
        length, other_length = config.text_tokens, config.text_tokens + 1
        with PeakMemory(self.device) as peak:
            self.draw(self.sampler(), self.conditions(), self.equal, 0)
        baseline = Baseline(self.net, config.tokenizer)

        def runs(seed: int, branches: BranchOrder | None = None) -> dict[str, Callable[[], object]]:
            """The runs to compare, in their order: each finds what the ones before left in the cache."""
            given = self.conditions()
            assert given.subject is not None
            subject = given.subject
            known, unknown = (self.sampler(tokens, branches=branches) for tokens in (length, other_length))
            return {
                "first_run": lambda: self.draw(known, given, self.equal, seed),
                "baseline": lambda: baseline.draw(given.prompt, subject, self.equal, schedule, seed),
                "reroll": lambda: self.draw(known, given, self.equal, seed + 1),
                "first_run_new_length": lambda: self.draw(unknown, given, self.equal, seed),
                # Not timed: the text-only branch is brought to where the others are.
                "": lambda: known.prepare(given, self.unequal, schedule),
                "reroll_unequal": lambda: self.draw(known, given, self.unequal, seed),
            }

        # The same work in any order, and only this thread's is counted.
        work = {name: multiply_adds(run) for name, run in runs(0, "together").items()}
        times: dict[str, list[float]] = {name: [] for name in work}
        rates: list[float] = []
        for index in range(rounds):
            on_round(index)
            rates.append(self.matmul_rate())
            for name, run in runs(index).items():
                times[name].append(self.timed(run))
        del work[""], times[""]

        def ratio(name: str) -> float:
            return statistics.median(a / b for a, b in zip(times["baseline"], times[name], strict=True))

        def fraction(name: str) -> float:
            pairs = zip(times[name], rates, strict=True)
            return statistics.median(work[name] / seconds / rate for seconds, rate in pairs)

        seconds: dict[str, float | list[float]] = {name: statistics.median(values) for name, values in times.items()}
        return ComparedTimes(
            first_run_ratio=ratio("first_run"),
            first_run_new_length_ratio=ratio("first_run_new_length"),
            reroll_ratio=ratio("reroll"),
            reroll_ratio_unequal=ratio("reroll_unequal"),
            matmul_fraction=min(fraction("first_run"), fraction("reroll")),
            matmul_rate=statistics.median(rates),
            multiply_adds=work,
            seconds=seconds | self.stages(),
            peak_bytes=peak.bytes,
            rounds=rounds,
        )

    def stages(self) -> dict[str, float | list[float]]:
        """Seconds of our stages, each once: the full branch's content stream, every scale, and the visual decoder."""
        given, schedule = self.conditions(), self.config.schedule
        sampler = self.sampler(self.config.text_tokens)
        stream = self.timed(lambda: sampler.prepare(given, self.equal, schedule))
        scales = self.draw(sampler, given, self.equal, 0)
        autoencoder = random_autoencoder(self.config.tokenizer, self.device, self.dtype)
        summed = torch.randn(1, self.config.tokenizer.bits, *schedule.grids[-1], device=self.device)
        return {
            "content_stream": stream,
            "scales": scales,
            "decode": self.timed(lambda: autoencoder.decode(summed)),
        }
