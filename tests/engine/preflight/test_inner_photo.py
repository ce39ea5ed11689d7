"""A subject between bars is looked for between them; hints and masks keep the coordinates of the whole photo."""

from __future__ import annotations

import numpy as np
import pytest

from engine.photo.framing import cut_out
from engine.photo.hints import Box, Click, Hint, Stroke
from engine.photo.load import photo_from_pixels
from engine.preflight.inner_photo import InnerPhoto
from engine.preflight.segmenter import Segmenter
from tests.engine.photo.test_bars import scene

LEFT, RIGHT = 90, 320


@pytest.fixture
def photo():
    """A red disc at (190, 160) before a picture between black bars."""
    pixels = np.zeros((300, 400, 3), np.uint8)
    pixels[:, LEFT:RIGHT] = scene(300, RIGHT - LEFT) // 3 + 120
    ys, xs = np.mgrid[:300, :400]
    pixels[(ys - 160) ** 2 + (xs - 190) ** 2 < 60**2] = (200, 20, 20)
    return photo_from_pixels(pixels)


def disc() -> np.ndarray:
    ys, xs = np.mgrid[:300, :400]
    return (ys - 160) ** 2 + (xs - 190) ** 2 < 60**2


def overlap(mask: np.ndarray) -> float:
    found = mask >= 128
    return float((found & disc()).sum() / (found | disc()).sum())


def test_the_subject_is_found_between_the_bars(photo):
    found = Segmenter().find_subject(photo)
    assert found.mask.shape == (300, 400) and overlap(found.mask) > 0.85
    assert all(box.x0 >= LEFT and box.x1 <= RIGHT for box in found.boxes)


@pytest.mark.parametrize(
    "hint",
    [
        Hint(box=Box(128, 98, 252, 222)),
        Hint(clicks=(Click(190, 160),)),
        Hint(clicks=(Click(190, 160), Click(20, 20, False))),
        Hint(strokes=(Stroke(((170, 150), (210, 170)), 12),)),
    ],
)
def test_hints_are_of_the_whole_photo(photo, hint):
    assert overlap(Segmenter().find_subject(photo, hint).mask) > 0.85


def test_a_correction_keeps_its_place(photo):
    start = np.zeros((300, 400), np.uint8)
    start[100:220, 130:190] = 255
    mask = Segmenter().refine_mask(photo, (Click(225, 160),), start=start)
    assert mask.shape == start.shape and mask[160, 225] >= 128 and not mask[:, :LEFT].any()


def test_a_mark_or_a_mask_on_a_bar_means_all_of_the_photo(photo):
    inner = InnerPhoto.of(photo)
    assert inner is not None and inner.holds(Hint()) and inner.holds(Hint(clicks=(Click(5, 5, False),)))
    assert not inner.holds(Hint(clicks=(Click(5, 5),)))
    assert not inner.holds(Hint(box=Box(0, 0, 80, 300)))
    assert not inner.holds(Hint(), np.full((300, 400), 255, np.uint8))
    assert inner.holds(Hint(), inner.mask(np.full(inner.photo.rgb.shape[:2], 255, np.uint8)))


def test_no_bars_and_transparency_are_as_before(photo):
    assert InnerPhoto.of(photo_from_pixels(scene(200, 300))) is None
    assert InnerPhoto.of(photo_from_pixels(photo.rgb, np.where(disc(), 255, 0).astype(np.uint8))) is None


def test_a_cut_out_knows_that_a_bar_cut_it_off(photo):
    mask = np.zeros((300, 400), np.uint8)
    mask[60:240, LEFT:250] = 255
    assert cut_out(photo, mask, 128).cut_beside == "left"
