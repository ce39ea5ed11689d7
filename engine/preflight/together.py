"""Independent pieces of a cut-out at the same time: OpenCV lets go of Python's lock while it works."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")

_MOST = 4
"""Threads at the same time: more of them wait for each other's memory."""


def together(tasks: Sequence[Callable[[], Result]]) -> list[Result]:
    """Results of all tasks, in their order; an error of the first that has one is raised when all have ended.

    A machine with one core runs them one after the other, in the thread that asks.
    """
    count = min(len(tasks), os.cpu_count() or 1, _MOST)
    if count < 2:
        return [task() for task in tasks]
    with ThreadPoolExecutor(count, "cut-out") as pool:
        return [future.result() for future in [pool.submit(task) for task in tasks]]
