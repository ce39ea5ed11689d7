"""How alike: the way back from a picture to the cut-out's frame, and the similarity of what is seen there."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.encoders.likeness import aligned, cut_out_of_picture, in_its_light
from engine.encoders.placed import on_white, place_cut_out
from engine.placement import Placement
from engine.request import CutOut


def thing(side: int = 96) -> CutOut:
    """A shape that no turn or mirror leaves as it was, in changing colours."""
    y, x = np.mgrid[:side, :side]
    inside = ((y - 48) ** 2 + (x - 48) ** 2 < 36**2) & ~((y < 48) & (x < 48))
    pixels = np.full((side, side, 4), 255, np.uint8)
    pixels[..., 3] = inside * 255
    colours = np.dstack([90 + y, 60 + x, 200 - x]).astype(np.uint8)
    pixels[inside, :3] = colours[inside]
    return CutOut(pixels)


@pytest.mark.parametrize(
    "placement",
    [
        Placement(0.5, 0.5, 1.0),
        Placement(0.4, 0.6, 0.7, 12.0),
        Placement(0.6, 0.5, 0.8, -30.0, mirrored=True),
    ],
)
def test_a_placed_subject_is_found_as_it_was_cut_out(placement):
    subject = thing()
    picture = on_white(place_cut_out(subject, placement, 240, 200))
    there = cut_out_of_picture(picture, subject, placement)
    inside = subject.alpha > 0
    assert np.abs(there[inside].astype(int) - subject.rgb[inside]).mean() < 8
    assert (there[~inside] == 255).all(), "what is not the subject does not count"
    elsewhere = Placement(placement.x, placement.y, placement.size, placement.turn + 90, placement.mirrored)
    assert np.abs(cut_out_of_picture(picture, subject, elsewhere)[inside].astype(int) - subject.rgb[inside]).mean() > 15


def test_a_subject_beyond_the_edge_of_the_picture():
    subject = thing()
    there = cut_out_of_picture(np.zeros((64, 64, 3), np.uint8), subject, Placement(0.0, 0.0, 1.0))
    assert there.shape == subject.rgb.shape and (there == 255).any() and (there == 0).any()


@pytest.mark.parametrize("light", [(0.6, 0.6, 0.6), (0.55, 0.65, 0.95), (1.2, 1.0, 0.7)])
def test_a_subject_in_a_scenes_light_is_the_same_one(light):
    subject = thing()
    inside = subject.alpha > 0
    lit = (subject.rgb * np.array(light)).clip(0, 255).astype(np.uint8)
    assert np.abs(in_its_light(lit, subject)[inside].astype(int) - subject.rgb[inside]).max() < 6
    assert (in_its_light(lit, subject)[~inside] == 255).all()


def test_another_colour_is_no_light():
    subject = thing()
    inside = subject.alpha > 0
    blue = subject.rgb[..., ::-1].copy() // (4, 1, 1)
    blue = blue.astype(np.uint8)
    assert np.abs(in_its_light(blue, subject)[inside].astype(int) - subject.rgb[inside]).mean() > 25
    assert in_its_light(np.zeros_like(blue), subject)[inside].max() == 0


def test_only_patches_of_the_subject_are_compared():
    one = torch.nn.functional.one_hot(torch.arange(16)).float()
    other = one.clone()
    alpha = np.zeros((64, 64), np.uint8)
    alpha[:16] = 255  # the first row of patches
    assert aligned(one, other, alpha) == pytest.approx(1)
    other[4:] = -other[4:]
    assert aligned(one, other, alpha) == pytest.approx(1)
    other[:2] = -other[:2]
    assert aligned(one, other, alpha) == pytest.approx(0)
    thin = np.zeros((64, 64), np.uint8)
    thin[:, 2] = 255
    assert np.isfinite(aligned(one, other, thin))
    assert np.isfinite(aligned(one, other, np.zeros((64, 64), np.uint8)))
