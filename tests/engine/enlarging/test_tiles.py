"""Tiles: together they are the picture, no step is seen where two meet, and little is held at a time."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from engine.enlarging.tiles import Tiling, by_tiles
from engine.errors import Cancelled


def doubled(tile: np.ndarray) -> np.ndarray:
    return tile.repeat(2, 0).repeat(2, 1)


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("size", [(1, 1), (3, 70), (64, 64), (65, 200), (151, 90)])
def test_tiles_together_are_the_picture(size):
    picture = noise(*size)
    assert np.array_equal(by_tiles(picture, 2, doubled, Tiling(64)), doubled(picture))


@pytest.mark.parametrize("length", [64, 72, 128, 400])
def test_weights_add_up_and_the_context_counts_nothing(length):
    tiling = Tiling(96)
    starts, weights = tiling.starts(length), tiling.weights(length, 4)
    total = np.zeros(length * 4)
    for start, weight in zip(starts, weights, strict=True):
        total[start * 4 : start * 4 + len(weight)] += weight
        if start > 0:
            assert not weight[: 16 * 4].any() and start % 8 == 0
        if start + 96 < length:
            assert not weight[-16 * 4 :].any()
    assert np.allclose(total, 1)


def test_tiles_that_disagree_fade_into_each_other_without_a_step():
    levels = iter(np.linspace(0.3, 0.7, 100))

    def another_level(tile):
        return np.full((2 * tile.shape[0], 2 * tile.shape[1], 3), next(levels), np.float32)

    large = by_tiles(noise(64, 400), 2, another_level, Tiling(96)).astype(int)
    assert np.ptp(large) > 5 and np.abs(np.diff(large, axis=1)).max() <= 1


def test_it_stops_between_two_tiles_and_tells_how_far_it_is():
    stop, told = threading.Event(), []

    def tell(share):
        told.append(share)
        if len(told) == 2:
            stop.set()

    with pytest.raises(Cancelled):
        by_tiles(noise(200, 200), 2, doubled, Tiling(96), tell, stop)
    assert len(told) == 2 and 0 < told[0] < told[1] < 1
    by_tiles(noise(200, 200), 2, doubled, Tiling(96), told.append)
    assert told[-1] == 1.0 and told[2:] == sorted(told[2:])
