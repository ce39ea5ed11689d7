"""Bars beside a picture are found, and nothing else is taken for one."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from engine.photo.bars import between_bars
from engine.photo.mask_ops import cut_sides


def scene(height: int, width: int) -> np.ndarray:
    """A picture with something in every corner."""
    rng = np.random.default_rng(3)
    small = rng.integers(90, 220, (6, 8, 3), dtype=np.uint8)
    return np.array(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


def as_jpeg(rgb: np.ndarray, quality: int = 60) -> np.ndarray:
    packed = io.BytesIO()
    Image.fromarray(rgb).save(packed, "JPEG", quality=quality)
    return np.array(Image.open(packed))


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (18, 40, 12)])
@pytest.mark.parametrize("upright", [True, False])
def test_bars_on_both_sides(colour, upright):
    whole = np.full((300, 400, 3), colour, np.uint8)
    whole[:, 90:320] = scene(300, 230)
    x0, y0, x1, y1 = between_bars(as_jpeg(whole if upright else whole.transpose(1, 0, 2)))
    if not upright:
        x0, y0, x1, y1 = y0, x0, y1, x1
    assert 90 <= x0 <= 94 and 316 <= x1 <= 320 and (y0, y1) == (0, 300)


def _one_bar(picture: np.ndarray) -> None:
    picture[:, :80] = 0


def _two_colours(picture: np.ndarray) -> None:
    picture[:, :80], picture[:, -80:] = 0, 255


def _thing_on_a_plain_ground(picture: np.ndarray) -> None:
    picture[:] = 250
    picture[30:270, 100:300] = 40


def _sky_and_sea(picture: np.ndarray) -> None:
    picture[:140], picture[140:] = (240, 245, 250), (60, 90, 110)
    picture[110:200, 150:250] = (200, 160, 20)


def _soft_ground(picture: np.ndarray) -> None:
    picture[:] = np.linspace(120, 250, 400)[None, :, None]


def _post_of_one_colour(picture: np.ndarray) -> None:
    """As tall as the photo, in the middle of a plain ground."""
    picture[:] = (236, 238, 240)
    picture[:, 150:250] = (170, 60, 40)
    picture[120:180, 180:220] = (240, 220, 60)


def _post_aside(picture: np.ndarray) -> None:
    """As tall as the photo, of many colours, and not in the middle."""
    picture[:, :60], picture[:, 260:] = (236, 238, 240), (236, 238, 240)


def _shelf_of_one_colour(picture: np.ndarray) -> None:
    picture[:] = 250
    picture[110:190] = (90, 60, 40)


def _almost_all_bar(picture: np.ndarray) -> None:
    picture[:, :190], picture[:, 210:] = 0, 0


def _one_colour(picture: np.ndarray) -> None:
    picture[:] = 128


@pytest.mark.parametrize(
    "spoil",
    [
        _one_bar,
        _two_colours,
        _thing_on_a_plain_ground,
        _sky_and_sea,
        _soft_ground,
        _almost_all_bar,
        _one_colour,
        _post_of_one_colour,
        _post_aside,
        _shelf_of_one_colour,
    ],
)
def test_what_is_no_pair_of_bars(spoil):
    picture = scene(300, 400)
    spoil(picture)
    assert between_bars(picture) == (0, 0, 400, 300)


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (3, 3)])
def test_tiny_photos(shape):
    assert between_bars(np.zeros((*shape, 3), np.uint8)) == (0, 0, shape[1], shape[0])


def test_a_bar_cuts_a_subject_off_as_the_photos_side_does():
    mask = np.zeros((300, 400), np.uint8)
    mask[100:300, 90:200] = 255
    assert cut_sides(mask) == ["bottom"]
    assert cut_sides(mask, (90, 0, 320, 300)) == ["left", "bottom"]
