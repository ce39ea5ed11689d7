"""Zoom and pan keep a picture where the eye expects it, at every size of the widget and every scale factor."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QNativeGestureEvent, QPointingDevice, QWheelEvent

from app.look.zoom import MAX_SCALE, STEP, Zoom, zoom_of

RATIOS = [1.0, 1.25, 2.0]
PLACE = Zoom((300, 300), (400.0, 300.0), origin=(16.0, 16.0), covers=True)


@pytest.mark.parametrize("ratio", RATIOS)
def test_a_hundred_percent_is_one_pixel_of_the_screen(ratio):
    zoom = Zoom((6000, 4000), (1060, 736), ratio, 1.0, (3000, 2000))
    assert zoom.percent == 100
    x0, y0 = zoom.to_picture(0, 0)
    x1, y1 = zoom.to_picture(1060, 736)
    assert (x1 - x0, y1 - y0) == pytest.approx((1060 * ratio, 736 * ratio))


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("picture", [(6000, 4000), (300, 2000), (64, 64)])
def test_fitting_shows_the_whole_picture(ratio, picture):
    zoom = Zoom(picture, (1060, 736), ratio).fitted(20)
    left, top = zoom.to_widget(0, 0)
    right, bottom = zoom.to_widget(*picture)
    assert left >= 20 - 1e-6 and top >= 20 - 1e-6 and right <= 1040 + 1e-6 and bottom <= 716 + 1e-6
    if zoom.scale < MAX_SCALE:
        assert min(left, top) == pytest.approx(20)


def test_a_fitted_picture_is_centred_in_its_place_and_no_larger_than_it_may_be():
    assert replace(PLACE, picture=(100, 100)).fitted(most=2.0).rect() == (116.0, 66.0, 200.0, 200.0)
    assert replace(PLACE, picture=(800, 400)).fitted(most=2.0).rect() == (16.0, 66.0, 400.0, 200.0)


zooms = st.builds(
    lambda ratio, scale, x, y, covers: Zoom((6000, 4000), (1060, 736), ratio, scale, (x, y), covers=covers),
    st.sampled_from(RATIOS),
    st.floats(0.1, 32),
    st.floats(0, 6000),
    st.floats(0, 4000),
    st.booleans(),
)


@given(zooms, st.floats(-200, 1300), st.floats(-200, 900))
def test_there_and_back(zoom, x, y):
    assert zoom.to_widget(*zoom.to_picture(x, y)) == pytest.approx((x, y), abs=1e-6)


@given(zooms, st.floats(0, 1060), st.floats(0, 736), st.floats(0.5, 2))
def test_zooming_keeps_the_point_under_the_pointer(zoom, x, y, factor):
    zoom = replace(zoom, covers=False)
    point = zoom.to_picture(x, y)
    closer = zoom.zoomed(factor, (x, y))
    if 0 < closer.centre[0] < 6000 and 0 < closer.centre[1] < 4000:
        assert closer.to_widget(*point) == pytest.approx((x, y), abs=1e-4)


@given(
    st.floats(0, 3),
    st.tuples(st.floats(20, 400), st.floats(20, 300)),
    st.tuples(st.integers(16, 2000), st.integers(16, 2000)),
)
def test_the_point_under_the_pointer_stays_while_the_picture_covers_its_place(steps, at, picture):
    zoom = replace(PLACE, picture=picture, centre=(picture[0] / 2, picture[1] / 2))
    zoom = replace(zoom, scale=min(max(400 / picture[0], 300 / picture[1]) * 1.5, MAX_SCALE))
    point = zoom.to_picture(*at)
    closer = zoom.zoomed(STEP**steps, at)
    if all(0 <= value <= side for value, side in zip(point, picture, strict=True)):
        assert closer.to_widget(*point) == pytest.approx(at, abs=0.5)


@given(zooms, st.integers(-300, 300), st.integers(-300, 300))
def test_panning_moves_by_whole_pixels_of_the_screen(zoom, dx, dy):
    moved = replace(zoom, covers=False).panned(dx, dy)
    if 0 < moved.centre[0] < 6000 and 0 < moved.centre[1] < 4000:
        before, after = zoom.to_widget(3000, 2000), moved.to_widget(3000, 2000)
        steps = [(new - old) * zoom.ratio for new, old in zip(after, before, strict=True)]
        assert steps == pytest.approx([round(dx * zoom.ratio), round(dy * zoom.ratio)], abs=1e-3)


@given(st.lists(st.tuples(st.floats(-3000, 3000), st.floats(-3000, 3000)), max_size=5), st.floats(0.05, 20))
def test_no_pan_shows_what_is_beyond_a_picture_that_covers_its_place(pans, scale):
    zoom = replace(PLACE, scale=scale).with_point((150, 150), PLACE.middle)
    for dx, dy in pans:
        zoom = zoom.panned(dx, dy)
    x, y, w, h = zoom.rect()
    for start, length, origin, place in ((x, w, 16.0, 400.0), (y, h, 16.0, 300.0)):
        if length >= place:
            assert start <= origin + 1e-6
            assert start + length >= origin + place - 1e-6
        else:
            assert start == pytest.approx(origin + (place - length) / 2)


@given(zooms, st.tuples(st.integers(50, 3000), st.integers(50, 3000)), st.sampled_from(RATIOS))
def test_a_widget_of_another_size_shows_the_picture_as_large_and_still_covered(zoom, size, ratio):
    other = zoom.resized(size, ratio)
    assert other.scale / ratio == pytest.approx(zoom.scale / zoom.ratio)
    if zoom.covers:
        x, y, w, h = other.rect()
        assert (x <= 1e-6 and x + w >= size[0] - 1e-6) or x == pytest.approx((size[0] - w) / 2)
        assert (y <= 1e-6 and y + h >= size[1] - 1e-6) or y == pytest.approx((size[1] - h) / 2)


@pytest.mark.parametrize("covers", [False, True])
def test_zoom_has_limits(covers):
    zoom = Zoom((6000, 4000), (1060, 736), covers=covers)
    assert zoom.zoomed(1e9).scale == MAX_SCALE
    assert zoom.zoomed(1e-9).scale == zoom.fit_scale() / 2


def test_revealing_moves_only_as_far_as_needed():
    zoom = Zoom((6000, 4000), (1000, 700), 1.0, 1.0, (3000, 2000))
    assert zoom.revealing(3100, 2100) is zoom
    moved = zoom.revealing(3600, 2000, margin=20)
    assert moved.to_widget(3600, 2000) == pytest.approx((980, 350))


def wheel(x: int, y: int, modifiers: Qt.KeyboardModifier) -> QWheelEvent:
    return QWheelEvent(
        QPointF(20, 30),
        QPointF(20, 30),
        QPoint(),
        QPoint(x, y),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )


def two_fingers(kind: Qt.NativeGestureType, value: float) -> QNativeGestureEvent:
    device, at = QPointingDevice.primaryPointingDevice(), QPointF(20, 30)
    return QNativeGestureEvent(kind, device, 2, at, at, at, value, QPointF())


def test_the_wheel_with_ctrl_and_two_fingers_zoom(qapp):
    control, alt = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
    assert zoom_of(wheel(0, 240, control)) == (pytest.approx(STEP**2), (20, 30))
    assert zoom_of(wheel(-120, 0, control | alt)) == (pytest.approx(1 / STEP), (20, 30))
    assert zoom_of(two_fingers(Qt.NativeGestureType.ZoomNativeGesture, 0.25)) == (1.25, (20, 30))


def test_nothing_else_zooms(qapp):
    assert zoom_of(wheel(0, 120, Qt.KeyboardModifier.NoModifier)) is None
    assert zoom_of(two_fingers(Qt.NativeGestureType.RotateNativeGesture, 0.25)) is None
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier
    press = QMouseEvent(QMouseEvent.Type.MouseButtonPress, QPointF(), QPointF(), left, left, none)
    assert zoom_of(press) is None
