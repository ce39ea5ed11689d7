"""Holes are opened where the plain ground is seen through them and the network is less certain."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.photo.hints import Box, Hint
from engine.photo.load import photo_from_pixels
from engine.preflight.colours.working_photo import WorkingPhoto
from engine.preflight.segmenter import Segmenter
from engine.preflight.shipped.candidates import Candidate
from engine.preflight.shipped.holes import with_holes
from engine.preflight.shipped.network import SIDE, View
from tests.engine.preflight.scenes import background, ellipse, overlap, painted
from tests.engine.preflight.shipped.test_candidates import Told

FILLED, HOLE = ellipse(SIDE, SIDE, 128, 128, 80, 90), ellipse(SIDE, SIDE, 140, 120, 25, 32)
BLUE, GROUND = (50, 80, 190), (170, 150, 120)


class Certain(Told):
    """A network that takes the hole for a part of the thing, as certainly as ``in_hole`` says (5 elsewhere)."""

    def __init__(self, in_hole: float) -> None:
        super().__init__(lambda hints: FILLED)
        self.in_hole = in_hole

    def predict(self, rgb: np.ndarray, *hints: object, **sides: object) -> View | None:
        view = super().predict(rgb)
        assert view is not None
        view.logits[HOLE] = self.in_hole
        return view


def opened(rgb: np.ndarray, in_hole: float = 3.0) -> np.ndarray:
    candidate = Candidate(WorkingPhoto(photo_from_pixels(rgb)).whole, FILLED, "network", 0.9)
    return with_holes(candidate, Certain(in_hole)).inside  # type: ignore[arg-type]


def test_the_ground_that_is_seen_through_a_thing_is_left_out():
    assert overlap(opened(painted(FILLED & ~HOLE, BLUE, GROUND)), FILLED & ~HOLE) > 0.97


def test_a_label_of_the_grounds_colour_stays_where_the_network_is_certain_of_it():
    assert (opened(painted(FILLED & ~HOLE, BLUE, GROUND), in_hole=5.0) == FILLED).all()


def test_what_has_another_colour_than_the_ground_stays():
    rgb = painted(FILLED & ~HOLE, BLUE, GROUND)
    rgb[HOLE] = (200, 60, 60)
    assert (opened(rgb) == FILLED).all()


def test_a_thing_of_the_grounds_colour_stays_whole():
    assert (opened(background(SIDE, SIDE, GROUND)) == FILLED).all()


def test_a_line_drawing_is_more_than_its_lines():
    lines = FILLED & ~ellipse(SIDE, SIDE, 128, 128, 76, 86)
    rgb = painted(lines, (20, 20, 20), (245, 245, 245))
    candidate = Candidate(WorkingPhoto(photo_from_pixels(rgb)).whole, FILLED, "network", 0.9)
    less_certain_of_paper = Told(lambda hints: lines)
    assert (with_holes(candidate, less_certain_of_paper).inside == FILLED).all()  # type: ignore[arg-type]


def test_on_a_ground_of_many_colours_nothing_is_opened():
    dice = np.random.default_rng(3)
    many = cv2.resize(dice.integers(0, 255, (20, 20, 3), np.uint8), (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)
    rgb = painted(FILLED & ~HOLE, BLUE, GROUND)
    rgb[~FILLED | HOLE] = many[~FILLED | HOLE]
    assert (opened(rgb) == FILLED).all()


@pytest.mark.parametrize("box", [None, (0.3, 0.24, 0.8, 0.86)])
def test_the_handle_of_a_mug_is_open(box: tuple[float, float, float, float] | None):
    """With the network that ships: it fills the hole by itself."""
    mug = np.zeros((350, 450), np.uint8)
    cv2.rectangle(mug, (150, 100), (280, 280), 1, -1)
    cv2.ellipse(mug, (215, 280), (65, 15), 0, 0, 360, 1, -1)
    filled = mug.copy()
    cv2.ellipse(mug, (285, 185), (55, 60), 0, 0, 360, 1, 19)
    cv2.ellipse(filled, (285, 185), (62, 68), 0, 0, 360, 1, -1)
    hole = cv2.erode(filled & ~mug & 1, np.ones((15, 15), np.uint8)) > 0
    photo = photo_from_pixels(painted(mug > 0, BLUE, GROUND))
    hint = None if box is None else Hint(box=Box(450 * box[0], 350 * box[1], 450 * box[2], 350 * box[3]))
    found = Segmenter().find_subject(photo, hint)
    assert hole.sum() > 500 and (found.mask[hole] > 127).mean() < 0.1
    assert overlap(found.mask, mug > 0) > 0.95
