"""Where the photo lies in the canvas, at every zoom and scale factor."""

from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.editor.photo_view import MAX_SCALE, PhotoView
from app.mask.brush import Rect

RATIOS = [1.0, 1.25, 2.0]


@pytest.mark.parametrize("ratio", RATIOS)
def test_a_hundred_percent_is_one_pixel_of_the_screen(ratio):
    view = PhotoView((6000, 4000), (1060, 736), ratio, 1.0, (3000, 2000))
    assert view.percent == 100
    x0, y0 = view.to_photo(0, 0)
    x1, y1 = view.to_photo(1060, 736)
    assert (x1 - x0, y1 - y0) == pytest.approx((1060 * ratio, 736 * ratio))


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("photo", [(6000, 4000), (300, 2000), (64, 64)])
def test_fitting_shows_the_whole_photo(ratio, photo):
    view = PhotoView(photo, (1060, 736), ratio).fitted(20)
    left, top = view.to_widget(0, 0)
    right, bottom = view.to_widget(*photo)
    assert left >= 20 - 1e-6 and top >= 20 - 1e-6 and right <= 1040 + 1e-6 and bottom <= 716 + 1e-6
    if view.scale < MAX_SCALE:
        assert min(left, top) == pytest.approx(20)
    shown = view.photo_on_screen()
    assert shown.width == pytest.approx(photo[0] * view.scale, abs=1)
    assert shown.height == pytest.approx(photo[1] * view.scale, abs=1)


views = st.builds(
    lambda ratio, scale, x, y: PhotoView((6000, 4000), (1060, 736), ratio, scale, (x, y)),
    st.sampled_from(RATIOS),
    st.floats(0.1, 32),
    st.floats(0, 6000),
    st.floats(0, 4000),
)


@given(views, st.floats(-200, 1300), st.floats(-200, 900))
def test_there_and_back(view, x, y):
    assert view.to_widget(*view.to_photo(x, y)) == pytest.approx((x, y), abs=1e-6)


@given(views, st.floats(0, 1060), st.floats(0, 736), st.floats(0.5, 2))
def test_zooming_keeps_what_is_under_the_pointer(view, x, y, factor):
    spot = view.to_photo(x, y)
    closer = view.zoomed(factor, (x, y))
    if 0 < closer.centre[0] < 6000 and 0 < closer.centre[1] < 4000:
        assert closer.to_widget(*spot) == pytest.approx((x, y), abs=1e-4)


@given(views, st.integers(-300, 300), st.integers(-300, 300))
def test_panning_moves_by_whole_pixels_of_the_screen(view, dx, dy):
    moved = view.panned(dx, dy)
    if 0 < moved.centre[0] < 6000 and 0 < moved.centre[1] < 4000:
        assert view.shift_to(moved) == (round(dx * view.ratio), round(dy * view.ratio))


def test_zoom_has_limits():
    view = PhotoView((6000, 4000), (1060, 736))
    assert view.zoomed(1e9).scale == MAX_SCALE
    assert view.zoomed(1e-9).scale == view.fit_scale() / 2


def test_another_zoom_is_no_shift():
    view = PhotoView((6000, 4000), (1060, 736), 1.0, 1.0, (3000, 2000))
    assert view.shift_to(view.zoomed(1.5)) is None
    assert view.shift_to(view) == (0, 0)


@given(views, st.integers(0, 5999), st.integers(0, 3999), st.integers(1, 500), st.integers(1, 500))
def test_the_screen_rectangle_covers_every_pixel_of_the_photo_rectangle(view, x, y, width, height):
    rect = Rect(x, y, min(x + width, 6000), min(y + height, 4000))
    on_screen, shown = view.on_screen(rect), view.photo_on_screen()
    for corner in ((rect.x0, rect.y0), (rect.x1, rect.y1)):
        sx, sy = (value * view.ratio for value in view.to_widget(*corner))
        if shown.x0 <= sx <= shown.x1 and shown.y0 <= sy <= shown.y1:
            assert on_screen.x0 - 1e-6 <= sx <= on_screen.x1 + 1e-6
            assert on_screen.y0 - 1e-6 <= sy <= on_screen.y1 + 1e-6


@pytest.mark.parametrize("ratio", RATIOS)
def test_the_screen_is_never_smaller_than_the_widget(ratio):
    assert PhotoView((10, 10), (333, 217), ratio).screen_size == (ceil(333 * ratio), ceil(217 * ratio))


def test_revealing_moves_only_as_far_as_needed():
    view = PhotoView((6000, 4000), (1000, 700), 1.0, 1.0, (3000, 2000))
    assert view.revealing(3100, 2100) is view
    moved = view.revealing(3600, 2000, margin=20)
    assert moved.to_widget(3600, 2000) == pytest.approx((980, 350))
