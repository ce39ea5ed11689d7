"""The cache with a byte budget."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from engine.device.cache import ByteBudgetCache, byte_size


@dataclass(frozen=True)
class Pair:
    keys: torch.Tensor
    more: tuple
    mask: torch.Tensor | None = None


def test_bytes_are_counted_wherever_they_are():
    pair = Pair(torch.zeros(10), (np.zeros(3, np.uint8), [torch.zeros(2, dtype=torch.bfloat16)], {"a": torch.zeros(1)}))
    assert byte_size(pair) == 40 + 3 + 4 + 4
    assert byte_size("words") == 0


def test_a_value_is_made_once():
    cache, made = ByteBudgetCache(100), []

    def make() -> torch.Tensor:
        made.append(1)
        return torch.zeros(5)

    assert cache.get("a", make) is cache.get("a", make)
    assert len(made) == 1
    assert cache.nbytes == 20


def test_what_was_used_longest_ago_goes_first():
    cache = ByteBudgetCache(60)
    for name in "abc":
        cache.get(name, lambda: torch.zeros(5))
    cache.get("a", lambda: torch.zeros(5))
    cache.get("d", lambda: torch.zeros(5))
    assert [name in cache for name in "abcd"] == [True, False, True, True]
    assert cache.nbytes == 60


def test_a_large_value_may_push_out_several():
    cache = ByteBudgetCache(60)
    for name in "abc":
        cache.get(name, lambda: torch.zeros(5))
    cache.get("large", lambda: torch.zeros(10))
    assert [name in cache for name in ("a", "b", "c", "large")] == [False, False, True, True]


def test_a_value_over_the_budget_is_handed_out_and_pushes_nothing_out():
    cache = ByteBudgetCache(60)
    cache.get("a", lambda: torch.zeros(5))
    assert len(cache.get("huge", lambda: torch.zeros(100))) == 100
    assert "huge" not in cache
    assert "a" in cache


def test_work_that_fails_leaves_nothing():
    cache = ByteBudgetCache(60)

    def fail() -> torch.Tensor:
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError):
        cache.get("a", fail)
    assert "a" not in cache
    assert len(cache.get("a", lambda: torch.zeros(5))) == 5


def test_clearing():
    cache = ByteBudgetCache(60)
    cache.get("a", lambda: torch.zeros(5))
    cache.clear()
    assert (len(cache), cache.nbytes) == (0, 0)
