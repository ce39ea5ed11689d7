"""Figures of many answers: shares with their uncertainty, how well a value tells two kinds apart."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from torch import Tensor


def share(right: Sequence[bool] | Tensor) -> float:
    """Share of the right ones, 0 … 1; 0 of none."""
    values = [bool(value) for value in right]
    return sum(values) / len(values) if values else 0.0


def margin(value: float, count: int) -> float:
    """Half the width of the 95 % interval of a share of ``count`` (Wilson), so that 100 % of 10 is not taken for certain."""
    if count == 0:
        return 1.0
    z = 1.96
    return z / (1 + z * z / count) * math.sqrt(value * (1 - value) / count + z * z / (4 * count * count))


def area_under_curve(right: Sequence[float] | np.ndarray, wrong: Sequence[float] | np.ndarray) -> float:
    """Return how often a value of the first kind is larger than one of the second, 0 … 1; equal ones count half."""
    first, second = np.asarray(right, float)[:, None], np.asarray(wrong, float)[None]
    return float((first > second).mean() + (first == second).mean() / 2)
