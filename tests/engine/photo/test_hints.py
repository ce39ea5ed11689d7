"""Boxes as people draw them become whole pixels inside the photo."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.photo.hints import Box

COORDINATES = st.floats(-1e7, 1e7)


def test_corners_in_any_order_and_outside_are_put_right():
    assert Box(10, 5, 30, 20).pixels(40, 50) == (10, 5, 30, 20)
    assert Box(30, 20, 10, 5).pixels(40, 50) == (10, 5, 30, 20)
    assert Box(-5, -5, 500, 500).pixels(40, 50) == (0, 0, 50, 40)
    assert Box(60, 60, 70, 70).pixels(40, 50) == (49, 39, 50, 40)
    assert Box(3.9, 3.9, 4.1, 4.1).pixels(40, 50) == (3, 3, 4, 4)


@given(COORDINATES, COORDINATES, COORDINATES, COORDINATES, st.integers(1, 300), st.integers(1, 300))
def test_a_box_always_has_an_inside_and_lies_in_the_photo(x0, y0, x1, y1, height, width):
    left, top, right, bottom = Box(x0, y0, x1, y1).pixels(height, width)
    assert 0 <= left < right <= width and 0 <= top < bottom <= height


def test_boxes_overlap_by_what_they_share_and_those_apart_not_at_all():
    assert Box(0, 0, 10, 10).overlap(Box(0, 0, 10, 10)) == 1
    assert Box(0, 0, 10, 10).overlap(Box(5, 0, 15, 10)) == 1 / 3
    assert Box(0, 0, 10, 10).overlap(Box(20, 20, 30, 30)) == 0
