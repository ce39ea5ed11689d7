"""Sampling a picture at any zoom."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from app.mask.brush import Rect
from app.mask.pyramid import Pyramid


def picture(height=301, width=413) -> np.ndarray:
    ys, xs = np.mgrid[:height, :width].astype(np.float32)
    return np.dstack([xs / width * 255, ys / height * 255, 128 + 100 * np.sin(xs / 30) * np.cos(ys / 40)]).astype(
        np.uint8
    )


def test_at_a_hundred_percent_it_is_the_picture():
    pixels = picture()
    assert np.array_equal(Pyramid(pixels).sample(40, 30, 1.0, 100, 80), pixels[30:110, 40:140])


@pytest.mark.parametrize("scale", [0.07, 0.25, 0.4, 0.5, 0.77, 1.5, 4.0, 11.3])
def test_every_zoom_shows_the_right_place(scale):
    pixels = picture()
    left, top = 100.0, 70.0
    width, height = min(int(200 * scale), 300), min(int(150 * scale), 200)
    shown = Pyramid(pixels).sample(left, top, scale, width, height)
    smooth = cv2.GaussianBlur(pixels, (0, 0), max(0.3, 0.3 / scale))
    ys, xs = np.mgrid[:height, :width]
    at_y = np.clip((top + (ys + 0.5) / scale).astype(int), 0, 300)
    at_x = np.clip((left + (xs + 0.5) / scale).astype(int), 0, 412)
    assert np.abs(shown.astype(int) - smooth[at_y, at_x]).mean() < 3


def test_beyond_the_edge_the_outermost_pixels_go_on():
    pixels = picture()
    shown = Pyramid(pixels).sample(-10, -10, 1.0, 20, 20)
    assert np.array_equal(shown[:10, :10], np.broadcast_to(pixels[0, 0], (10, 10, 3)))


@pytest.mark.parametrize("shape", [(301, 413), (256, 512), (65, 1000), (7, 5)])
def test_updating_a_rectangle_is_building_anew(shape):
    rng = np.random.default_rng(0)
    mask = rng.integers(0, 256, shape, dtype=np.uint8)
    pyramid = Pyramid(mask)
    for _ in range(20):
        x0, x1 = sorted(rng.integers(0, shape[1] + 1, 2))
        y0, y1 = sorted(rng.integers(0, shape[0] + 1, 2))
        mask[y0:y1, x0:x1] = rng.integers(0, 256)
        pyramid.update(Rect(int(x0), int(y0), int(x1), int(y1)))
    for level, anew in zip(pyramid.levels, Pyramid(mask.copy()).levels, strict=True):
        assert np.array_equal(level, anew)


def test_a_level_of_at_most_so_many_pixels():
    pyramid = Pyramid(picture())
    assert pyramid.at_most(250).shape[:2] == (151, 207)
    assert pyramid.at_most(1) is pyramid.levels[-1]


def test_a_panorama_wider_than_opencv_can_warp():
    wide = np.zeros((40, 40000), np.uint8)
    wide[:, 39000:] = 255
    shown = Pyramid(wide).sample(38900, 0, 1.0, 200, 40)
    assert not shown[:, :99].any() and (shown[:, 101:] == 255).all()
