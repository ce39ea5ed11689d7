"""The brush: true size, hardness, paths."""

from __future__ import annotations

from math import hypot, pi

import numpy as np
import pytest

from app.mask.brush import Brush, Rect, paint, smooth, steps


@pytest.mark.parametrize("size", [1, 2, 3, 7.5, 20, 46, 200])
@pytest.mark.parametrize("hardness", [1.0, 0.7, 0.0])
def test_a_dab_covers_half_exactly_on_its_ring(size, hardness):
    mask = np.zeros((640, 640), np.uint8)
    paint(mask, [(320.5, 320.5)], Brush(size, hardness))
    area = np.count_nonzero(mask >= 128)
    if size == 1:
        assert area == 1
    else:
        assert 2 * np.sqrt(area / pi) == pytest.approx(size, abs=0.8)


def test_hardness_decides_how_wide_the_edge_is():
    widths = []
    for hardness in (1.0, 0.7, 0.3, 0.0):
        mask = np.zeros((300, 300), np.uint8)
        paint(mask, [(150.5, 150.5)], Brush(100, hardness))
        widths.append(np.count_nonzero((mask[150] > 5) & (mask[150] < 250)))
    assert widths[0] <= 4
    assert widths == sorted(widths)
    assert widths[-1] > 80


def test_painting_twice_is_painting_once():
    once, twice = np.zeros((2, 100, 100), np.uint8)
    path = [(20.0, 20.0), *steps((20.0, 20.0), (80.0, 60.0), Brush(30, 0.2))]
    paint(once, path, Brush(30, 0.2))
    paint(twice, path * 3, Brush(30, 0.2))
    assert np.array_equal(once, twice)


def test_a_line_of_dabs_has_a_straight_edge():
    mask = np.zeros((300, 700), np.uint8)
    brush = Brush(199.5, 1.0)  # the edge lies between two rows of pixels
    paint(mask, list(steps((150.5, 150.5), (550.5, 150.5), brush)), brush)
    heights = (mask[:, 200:500] >= 128).sum(axis=0)
    assert heights.max() - heights.min() <= 1
    assert heights.max() == 199


def test_the_eraser_is_the_brush_on_the_other_side():
    black, white = np.zeros((80, 80), np.uint8), np.full((80, 80), 255, np.uint8)
    paint(black, [(40.2, 33.1)], Brush(31, 0.4))
    paint(white, [(40.2, 33.1)], Brush(31, 0.4, include=False))
    assert np.array_equal(black, 255 - white)


def test_what_lies_outside_the_photo_is_nobodys_business():
    mask = np.zeros((50, 60), np.uint8)
    assert paint(mask, [(-500.0, 20.0), (30.0, 900.0)], Brush(40)).empty
    assert not mask.any()
    touched = paint(mask, [(0.0, 0.0)], Brush(20, 1.0))
    assert (touched.x0, touched.y0) == (0, 0)
    assert mask[0, 0] == 255 and mask[20, 20] == 0


def test_only_the_returned_rectangle_changes():
    rng = np.random.default_rng(1)
    mask = np.zeros((200, 200), np.uint8)
    touched = paint(mask, [tuple(rng.uniform(60, 140, 2)) for _ in range(5)], Brush(25, 0.1))
    outside = mask.copy()
    outside[touched.slices] = 0
    assert not outside.any()


def test_smoothing_keeps_every_point_and_bends_gently():
    corner = [(0.0, 0.0), (40.0, 0.0), (40.0, 40.0)]
    path = smooth(corner)
    assert len(path) > len(corner)
    for point in corner:
        assert min(hypot(point[0] - x, point[1] - y) for x, y in path) < 1e-6
    assert max(x for x, _ in path) < 48  # no overshoot to speak of


def test_smoothing_leaves_dots_and_lines_alone():
    assert smooth([(3.0, 4.0)]) == [(3.0, 4.0)]
    assert smooth([(3.0, 4.0), (3.0, 4.0), (5.0, 4.0)]) == [(3.0, 4.0), (5.0, 4.0)]
    line = smooth([(0.0, 0.0), (50.0, 0.0), (100.0, 0.0)])
    assert all(abs(y) < 1e-9 for _, y in line)


def test_rectangles():
    a, b = Rect(0, 0, 10, 10), Rect(5, 5, 20, 8)
    assert a.united(b) == Rect(0, 0, 20, 10)
    assert Rect(0, 0, 0, 0).united(b) == b == b.united(None)
    assert Rect(-5, -5, 500, 500).clipped(20, 30) == Rect(0, 0, 30, 20)
    assert Rect(50, 0, 60, 10).clipped(20, 30).empty
