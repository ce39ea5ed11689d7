"""A photo in the sizes that cut-outs are made at."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from engine.photo.load import photo_from_pixels
from engine.preflight.colours.working_photo import COARSE_SIDE, FINE_SIDE, WorkingPhoto, shrunk


def gradient(height: int, width: int) -> np.ndarray:
    small = np.random.default_rng(3).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize("extent", [(0, 0, 3001, 2003), (101, 55, 2990, 1777), (3, 900, 700, 1400)])
def test_a_window_of_a_large_photo_shows_what_its_pixels_show(extent: tuple[int, int, int, int]):
    rgb = gradient(2003, 3001)
    window = WorkingPhoto(photo_from_pixels(rgb)).window(extent)
    x0, y0, x1, y1 = extent
    plain = shrunk(rgb[y0:y1, x0:x1], FINE_SIDE)
    assert max(window.fine.shape) == FINE_SIDE and max(window.coarse.shape) == COARSE_SIDE
    assert max(abs(a - b) for a, b in zip(window.fine.shape, plain.shape, strict=True)) <= 1
    again = cv2.resize(window.fine, plain.shape[1::-1])
    assert np.abs(again.astype(int) - plain).mean() < 1.5
    np.testing.assert_array_equal(window.photo, rgb[y0:y1, x0:x1])


def test_a_photo_of_a_few_megapixels_is_not_shrunk_twice():
    rgb = gradient(896, 896)
    np.testing.assert_array_equal(WorkingPhoto(photo_from_pixels(rgb)).whole.fine, shrunk(rgb, FINE_SIDE))


def test_a_photo_that_is_one_pixel_high_has_windows():
    window = WorkingPhoto(photo_from_pixels(gradient(1, 9000))).whole
    assert window.fine.shape == (1, FINE_SIDE, 3)


def test_several_threads_get_the_same_window():
    working = WorkingPhoto(photo_from_pixels(gradient(400, 600)))
    extents = [(0, 0, 100 + 20 * number, 200) for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda turn: working.window(extents[turn % 4]), range(80)))
    assert len({id(window) for window in made}) == 4
