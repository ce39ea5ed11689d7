"""A mirror image in a cut-out is told from a thing that is the same above and below."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.photo.load import photo_from_pixels
from engine.preflight.colours.working_photo import WorkingPhoto
from engine.preflight.segmenter import Segmenter
from engine.preflight.shipped.candidates import Candidate
from engine.preflight.shipped.mirror_image import without_mirror_image
from tests.engine.preflight.scenes import background, ellipse, overlap

SIDE, LINE = 300, 150
"""Pixels a side, and the row where the thing stands on what mirrors it."""

GROUND = (150, 155, 160)


def thing() -> tuple[np.ndarray, np.ndarray]:
    """A red toy with a yellow belly and a blue hat that ends at ``LINE``: RGB uint8, and bool."""
    body, hat = ellipse(SIDE, SIDE, 150, 105, 45, 46), ellipse(SIDE, SIDE, 150, 52, 28, 20)
    arm = np.zeros_like(body)
    arm[80:94, 95:205] = True
    rgb = background(SIDE, SIDE, GROUND)
    for shape, colour in (
        (body | arm, (200, 50, 40)),
        (ellipse(SIDE, SIDE, 150, 115, 22, 25), (230, 200, 60)),
        (hat, (40, 60, 190)),
    ):
        rgb[shape] = colour
    return rgb, body | arm | hat


def mirrored(strength: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The thing over its mirror image, and the masks of both: RGB uint8, bool, bool."""
    rgb, above = thing()
    below = np.zeros_like(above)
    below[LINE:] = above[:LINE][::-1]
    image = background(SIDE, SIDE, GROUND)
    faint = cv2.addWeighted(np.vstack([rgb[:LINE], rgb[:LINE][::-1]]), strength, image, 1 - strength, 0)
    image[below] = faint[below]
    image = np.asarray(cv2.GaussianBlur(image, (0, 0), 1.5))
    image[above] = rgb[above]
    return image, above, below


def cut(rgb: np.ndarray, mask: np.ndarray) -> Candidate | None:
    return without_mirror_image(Candidate(WorkingPhoto(photo_from_pixels(rgb)).whole, mask, "network", 0.9))


@pytest.mark.parametrize("strength", [0.3, 0.5, 0.65])
def test_the_part_above_the_mirror_image_is_the_thing(strength: float) -> None:
    rgb, above, below = mirrored(strength)
    found = cut(rgb, above | below)
    assert found is not None and found.score == 0.9
    assert overlap(found.inside, above) > 0.95


def test_a_mirror_image_that_the_photo_cuts_off_is_none_of_the_thing() -> None:
    rgb, above, below = mirrored(0.5)
    found = cut(rgb[:235], (above | below)[:235])
    assert found is not None and overlap(found.inside, above[:235]) > 0.95


def test_a_thing_that_is_the_same_above_and_below_stays_whole() -> None:
    rgb, above, below = mirrored(1.0)
    assert cut(rgb, above | below) is None


def test_a_ball_in_the_light_from_above_stays_whole() -> None:
    ball = ellipse(SIDE, SIDE, 150, 150, 90, 90)
    rgb = background(SIDE, SIDE, GROUND)
    light = np.linspace(1.3, 0.3, SIDE)[:, None, None]
    rgb[ball] = np.clip(np.array((170, 60, 50)) * light, 0, 255).repeat(SIDE, 1)[ball].astype(np.uint8)
    assert cut(rgb, ball) is None


def test_a_thing_without_a_mirror_image_stays_whole() -> None:
    assert cut(*thing()) is None


@pytest.mark.parametrize("mask", [np.zeros((SIDE, SIDE), bool), ellipse(SIDE, SIDE, 150, 150, 1, 1)])
def test_a_cut_out_of_nothing_or_of_a_few_pixels_stays_as_it_is(mask: np.ndarray) -> None:
    assert cut(thing()[0], mask) is None


def test_the_subject_of_a_photo_is_found_without_its_mirror_image() -> None:
    rgb, above, _ = mirrored(0.5)
    found = Segmenter().find_subject(photo_from_pixels(rgb))
    assert overlap(found.mask, above) > 0.9


def test_a_strip_has_no_line_that_could_be_compared() -> None:
    rgb = background(8, 500, GROUND)
    mask = np.zeros(rgb.shape[:2], bool)
    mask[:, 20:480] = True
    assert cut(rgb, mask) is None
