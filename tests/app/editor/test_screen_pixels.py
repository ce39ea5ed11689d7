"""Which pixels of the screen show which part of the photo, at every zoom and scale factor."""

from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.editor.screen_pixels import on_screen, photo_on_screen, screen_size, shift_between
from app.look.zoom import Zoom
from app.mask.brush import Rect

RATIOS = [1.0, 1.25, 2.0]

zooms = st.builds(
    lambda ratio, scale, x, y: Zoom((6000, 4000), (1060, 736), ratio, scale, (x, y)),
    st.sampled_from(RATIOS),
    st.floats(0.1, 32),
    st.floats(0, 6000),
    st.floats(0, 4000),
)


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("photo", [(6000, 4000), (300, 2000), (64, 64)])
def test_a_fitted_photo_is_on_the_screen_as_a_whole(ratio, photo):
    zoom = Zoom(photo, (1060, 736), ratio).fitted(20)
    shown = photo_on_screen(zoom)
    assert shown.width == pytest.approx(photo[0] * zoom.scale, abs=1)
    assert shown.height == pytest.approx(photo[1] * zoom.scale, abs=1)


@given(zooms, st.integers(-300, 300), st.integers(-300, 300))
def test_a_panned_photo_is_the_same_picture_moved_by_whole_pixels(zoom, dx, dy):
    moved = zoom.panned(dx, dy)
    if 0 < moved.centre[0] < 6000 and 0 < moved.centre[1] < 4000:
        assert shift_between(zoom, moved) == (round(dx * zoom.ratio), round(dy * zoom.ratio))


def test_another_zoom_is_no_shift():
    zoom = Zoom((6000, 4000), (1060, 736), 1.0, 1.0, (3000, 2000))
    assert shift_between(zoom, zoom.zoomed(1.5)) is None
    assert shift_between(zoom, zoom) == (0, 0)


@given(zooms, st.integers(0, 5999), st.integers(0, 3999), st.integers(1, 500), st.integers(1, 500))
def test_the_screen_rectangle_covers_every_pixel_of_the_photo_rectangle(zoom, x, y, width, height):
    rect = Rect(x, y, min(x + width, 6000), min(y + height, 4000))
    area, shown = on_screen(zoom, rect), photo_on_screen(zoom)
    for corner in ((rect.x0, rect.y0), (rect.x1, rect.y1)):
        sx, sy = (value * zoom.ratio for value in zoom.to_widget(*corner))
        if shown.x0 <= sx <= shown.x1 and shown.y0 <= sy <= shown.y1:
            assert area.x0 - 1e-6 <= sx <= area.x1 + 1e-6
            assert area.y0 - 1e-6 <= sy <= area.y1 + 1e-6


@pytest.mark.parametrize("ratio", RATIOS)
def test_the_screen_is_never_smaller_than_the_widget(ratio):
    assert screen_size(Zoom((10, 10), (333, 217), ratio)) == (ceil(333 * ratio), ceil(217 * ratio))
