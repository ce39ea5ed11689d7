"""Branches of guidance side by side on the processor, each on a thread with its share of the cores.

Going through a layer together, the cores wait for each other after every operation, and at a small scale an operation takes
less than a millisecond. The branches have nothing to tell each other before a scale is done: apart, they wait once a scale.
The smallest scales are the exception (``MEETING_TOKENS`` in the sampler): there the time goes into reading weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache

import torch
from torch import Tensor


def run_side_by_side(tasks: Sequence[Callable[[], Tensor]]) -> list[Tensor]:
    """The tasks' results, in their order. Returns, or raises what the first of them raised, when all have ended.

    Args:
        tasks: run without gradients; no more of them than torch has threads.
    """
    cores = torch.get_num_threads()
    pool = _threads(len(tasks), cores // len(tasks))
    futures = [pool.submit(_without_gradients, task) for task in tasks]
    wait(futures)
    # A thread's share is its own, but what threads begun later start with is one number for the whole process.
    torch.set_num_threads(cores)
    return [future.result() for future in futures]


@cache
def _threads(count: int, share: int) -> ThreadPoolExecutor:
    """Threads that compute with ``share`` cores each. They stay: a new one has to find its working memory anew."""
    return ThreadPoolExecutor(count, "branch", initializer=_take, initargs=(share,))


def _take(share: int) -> None:
    torch.get_num_threads()  # the first question in a thread brings in the process's number, over any set before
    torch.set_num_threads(share)


def _without_gradients(task: Callable[[], Tensor]) -> Tensor:
    with torch.inference_mode():  # each thread has a switch of its own
        return task()
