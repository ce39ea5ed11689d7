"""Zoom and pan keep the picture where the eye expects it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.canvas.picture_view import LEAST, MOST, PictureView

ROOM = (16.0, 16.0, 400.0, 300.0)


def test_a_small_picture_is_centred_and_at_most_doubled():
    assert PictureView().rect((100, 100), ROOM) == (116.0, 66.0, 200.0, 200.0)
    assert PictureView().scale((256, 256), (1000, 1000)) == 2.0
    assert PictureView().scale((400, 300), (1000, 1000)) == 512 / 400
    assert PictureView().scale((600, 300), (1000, 1000)) == 1.0


def test_a_large_picture_fits():
    x, y, w, h = PictureView().rect((800, 400), ROOM)
    assert (w, h) == (400.0, 200.0)
    assert (x, y) == (16.0, 66.0)


@given(
    st.floats(-3, 3),
    st.tuples(st.floats(20, 400), st.floats(20, 300)),
    st.tuples(st.integers(16, 2000), st.integers(16, 2000)),
)
def test_the_point_under_the_pointer_stays_while_the_picture_covers_the_room(steps, at, picture):
    view = PictureView()
    view.zoom = max(ROOM[2] / picture[0], ROOM[3] / picture[1]) * 1.5
    view.zoom = min(view.zoom, MOST)
    x, y, w, h = view.rect(picture, ROOM)
    u, v = (at[0] - x) / w, (at[1] - y) / h
    view.zoom_at(1.25 ** abs(steps), at, picture, ROOM)
    x, y, w, h = view.rect(picture, ROOM)
    if w >= ROOM[2] and h >= ROOM[3] and 0 <= u <= 1 and 0 <= v <= 1:
        assert x + u * w == pytest.approx(at[0], abs=0.5)
        assert y + v * h == pytest.approx(at[1], abs=0.5)


@given(st.lists(st.tuples(st.floats(-3000, 3000), st.floats(-3000, 3000)), max_size=5), st.floats(0.05, 20))
def test_no_pan_shows_what_is_beyond_the_picture(pans, zoom):
    view = PictureView(zoom=min(MOST, zoom))
    for dx, dy in pans:
        view.pan(dx, dy, (300, 300), ROOM)
    x, y, w, h = view.rect((300, 300), ROOM)
    if w >= ROOM[2]:
        assert x <= ROOM[0] + 1e-6
        assert x + w >= ROOM[0] + ROOM[2] - 1e-6
    else:
        assert x == pytest.approx(ROOM[0] + (ROOM[2] - w) / 2)
    if h >= ROOM[3]:
        assert y <= ROOM[1] + 1e-6
        assert y + h >= ROOM[1] + ROOM[3] - 1e-6


def test_zoom_has_limits_and_fit_forgets_it():
    view = PictureView()
    for _ in range(100):
        view.zoom_at(2.0, (200, 150), (300, 300), ROOM)
    assert view.zoom == MOST
    for _ in range(100):
        view.zoom_at(0.5, (200, 150), (300, 300), ROOM)
    assert view.zoom == pytest.approx(LEAST)
    view.fit()
    assert view.scale((300, 300), ROOM[2:]) == 1.0
