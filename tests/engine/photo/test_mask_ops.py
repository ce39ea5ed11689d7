"""What the mask tools do to a mask, measured on shapes whose answer is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ExitCode
from engine.photo.mask_ops import (
    MaskPart,
    adjusted,
    bounding_box,
    edge_reach,
    feather,
    fill_holes,
    grow,
    largest_part,
    mask_problem,
    parts,
)


def blank(height: int = 100, width: int = 140) -> np.ndarray:
    return np.zeros((height, width), np.uint8)


def rectangle(x0: int, y0: int, x1: int, y1: int, mask: np.ndarray | None = None) -> np.ndarray:
    mask = blank() if mask is None else mask
    mask[y0:y1, x0:x1] = 255
    return mask


def disc(radius: int, centre: tuple[int, int] = (70, 50)) -> np.ndarray:
    ys, xs = np.mgrid[:100, :140]
    return np.where((xs - centre[0]) ** 2 + (ys - centre[1]) ** 2 <= radius**2, 255, 0).astype(np.uint8)


MASKS = st.builds(lambda seed, blobs: _random_mask(seed, blobs), st.integers(0, 10_000), st.integers(0, 5))


def _random_mask(seed: int, blobs: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    mask = np.zeros((40, 50), np.uint8)
    for _ in range(blobs):
        x, y = int(random.integers(-5, 55)), int(random.integers(-5, 45))
        cv2.circle(mask, (x, y), int(random.integers(1, 12)), int(random.integers(60, 256)), -1)
    return mask


def test_bounding_box():
    assert bounding_box(blank()) is None
    assert bounding_box(rectangle(10, 20, 30, 25)) == (10, 20, 30, 25)
    assert bounding_box(np.full((5, 7), 255, np.uint8)) == (0, 0, 7, 5)
    faint = blank()
    faint[3, 4] = 12
    assert bounding_box(faint) is None
    assert bounding_box(faint, 12) == (4, 3, 5, 4)


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (blank(), "The cut-out is empty."),
        (np.full((100, 140), 127, np.uint8), "The cut-out is empty."),
        (np.full((100, 140), 255, np.uint8), "The cut-out covers the whole photo."),
        (rectangle(5, 5, 12, 13), "The cut-out is only 7 × 8 pixels, too small to show anything."),
    ],
)
def test_masks_that_cannot_be_used_are_said_in_words(mask: np.ndarray, words: str):
    problem = mask_problem(mask)
    assert problem is not None
    assert problem.fact == words
    assert problem.step
    assert problem.exit_code == ExitCode.BAD_INPUT


def test_small_but_usable_masks_have_no_problem():
    assert mask_problem(rectangle(5, 5, 13, 13)) is None
    nearly_all = np.full((100, 140), 255, np.uint8)
    nearly_all[:, :1] = 0
    assert mask_problem(nearly_all) is None
    # The limit grows with the photo: 64 pixels of a large photo show nothing.
    large = np.zeros((1000, 1000), np.uint8)
    large[:10, :10] = 255
    assert mask_problem(large) is not None


def test_parts_are_sorted_by_size_and_specks_left_out():
    mask = rectangle(0, 0, 40, 40)
    rectangle(60, 10, 80, 20, mask)
    mask[90, 100] = 255
    assert parts(mask) == (MaskPart(0, 0, 40, 40, 1600), MaskPart(60, 10, 80, 20, 200))
    assert len(parts(mask, 0)) == 3
    assert parts(blank()) == ()
    diagonal = blank()
    diagonal[10, 10] = diagonal[11, 11] = 255
    assert len(parts(diagonal)) == 1


def test_largest_part_keeps_its_own_soft_edge_and_drops_the_rest():
    mask = feather(rectangle(0, 0, 40, 40, rectangle(60, 60, 75, 75)), 3)
    kept = largest_part(mask)
    np.testing.assert_array_equal(kept[:45, :45], mask[:45, :45])
    assert not kept[52:, 52:].any()
    assert not largest_part(blank()).any()
    assert not largest_part(np.full((9, 9), 60, np.uint8)).any()


def test_holes_are_filled_up_to_a_share_and_bays_stay_open():
    mask = rectangle(10, 10, 90, 90)
    mask[20:30, 20:30] = 0  # a small hole
    mask[40:80, 40:80] = 0  # a large one
    mask[10:30, 50:55] = 0  # a bay, open at the top
    filled = fill_holes(mask)
    assert (filled[20:30, 20:30] == 255).all() and (filled[40:80, 40:80] == 255).all()
    assert (filled[10:30, 50:55] == 0).all()
    some = fill_holes(mask, 0.1)
    assert (some[20:30, 20:30] == 255).all() and (some[40:80, 40:80] == 0).all()
    np.testing.assert_array_equal(fill_holes(rectangle(1, 1, 9, 9)), rectangle(1, 1, 9, 9))


def test_a_ring_that_is_open_at_one_diagonal_step_is_closed():
    ring = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.uint8) * 255
    assert fill_holes(ring)[1, 1] == 255


@pytest.mark.parametrize("pixels", [1, 4, 9])
def test_growing_and_shrinking_move_the_outline_by_true_distance(pixels: int):
    grown, shrunk = grow(disc(20), pixels), grow(disc(20), -pixels)

    def radius(mask: np.ndarray) -> float:
        return float(np.sqrt(mask.astype(float).sum() / 255 / np.pi))

    assert radius(grown) == pytest.approx(radius(disc(20)) + pixels, abs=0.5)
    assert radius(shrunk) == pytest.approx(radius(disc(20)) - pixels, abs=0.5)
    # A square's corner becomes round: growing by distance, not by a box.
    square = grow(rectangle(40, 40, 60, 60), 8)
    assert square[50, 32] == 255 and square[33, 33] == 0


def test_the_edge_of_the_photo_does_not_eat_into_the_subject():
    touching = rectangle(0, 0, 50, 100)
    shrunk = grow(touching, -5)
    assert (shrunk[:, :44] == 255).all() and (shrunk[:, 46:] == 0).all()
    soft = feather(touching, 6)
    assert (soft[:, 0] == 255).all() and 0 < soft[50, 50] < 255


def test_growing_by_nothing_and_of_nothing():
    mask = disc(9)
    assert grow(mask, 0) is not mask
    np.testing.assert_array_equal(grow(mask, 0), mask)
    assert not grow(blank(), 5).any() and not grow(blank(), -5).any()
    assert not grow(disc(5), -20).any()


def test_feather_is_soft_symmetric_and_as_wide_as_asked():
    mask = rectangle(40, 0, 140, 100)
    for width in (2, 6, 12):
        row = feather(mask, width)[50].astype(int)
        assert (np.diff(row) >= 0).all()
        soft = np.flatnonzero((row > 8) & (row < 247))
        assert width * 0.7 <= len(soft) <= width * 2.4
        assert abs(np.interp(127.5, row, np.arange(len(row))) - 39.5) < 0.6
    np.testing.assert_array_equal(feather(mask, 0), mask)
    assert not feather(blank(), 5).any()


@settings(max_examples=60, deadline=None)
@given(MASKS, st.floats(0.5, 6))
def test_what_holds_for_any_mask(mask: np.ndarray, pixels: float):
    before = mask.copy()
    solid = mask >= 128
    grown, shrunk = grow(mask, pixels), grow(mask, -pixels)
    assert (grown[solid] == 255).all()
    assert not shrunk[~solid].any()
    filled, largest = fill_holes(mask), largest_part(mask)
    assert (filled >= mask).all() and (largest <= mask).all()
    np.testing.assert_array_equal(fill_holes(filled), filled)
    if solid.any():
        assert np.count_nonzero(largest >= 128) == parts(mask)[0].area
    soft = feather(mask, pixels)
    for out in (grown, shrunk, filled, largest, soft):
        assert out.shape == mask.shape and out.dtype == np.uint8 and out is not mask
    np.testing.assert_array_equal(mask, before)


@settings(max_examples=40, deadline=None)
@given(MASKS, st.floats(-4, 4), st.floats(0, 4), st.integers(0, 30), st.integers(0, 40))
def test_an_edge_adjusted_in_a_window_is_the_edge_adjusted_as_a_whole(
    mask: np.ndarray, grown: float, feathered: float, top: int, left: int
):
    rows, columns = slice(top, top + 10), slice(left, left + 10)
    whole = feather(grow(mask, grown), feathered)[rows, columns]
    part = adjusted(mask, grown, feathered, rows, columns)
    assert part.shape == whole.shape
    assert np.abs(part.astype(int) - whole).max(initial=0) <= 1


def test_the_reach_of_an_edge_covers_what_it_can_change():
    assert edge_reach(0, 0) == 0
    mask = np.zeros((80, 80), np.uint8)
    mask[40:, :] = 255
    for grown, feathered in ((3, 0), (-5, 2), (0, 6), (4, 4)):
        changed = np.flatnonzero((feather(grow(mask, grown), feathered) != mask).any(axis=1))
        reach = edge_reach(grown, feathered)
        assert changed.min() >= 40 - reach and changed.max() < 40 + reach
