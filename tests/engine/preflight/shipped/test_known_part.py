"""A known thing in an answer that holds more: with a network and a knower of things that see what they are told to see."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.photo.hints import Box, Hint
from engine.photo.load import photo_from_pixels
from engine.photo.mask_ops import overlap
from engine.preflight.colours.working_photo import WorkingPhoto
from engine.preflight.segmenter import Segmenter
from engine.preflight.shipped.candidates import Candidate
from engine.preflight.shipped.judge import KINDS, TRAITS
from engine.preflight.shipped.known_part import known_part, on_grey
from engine.preflight.shipped.network import SIDE
from engine.preflight.shipped.things import THINGS, Evidence
from engine.preflight.shipped.traits import within
from tests.engine.preflight.scenes import ellipse, painted
from tests.engine.preflight.shipped.test_candidates import Told

PERSON, BACKPACK = ellipse(SIDE, SIDE, 128, 140, 70, 112), ellipse(SIDE, SIDE, 128, 130, 42, 50)
RED, BLUE = 0, 1
OTHERS = 40
"""Classes of things that are not in the photo."""


class KnowsColours:
    """Knows red things and blue things, and neither where both are shown together."""

    def see(self, rgb: np.ndarray) -> Evidence:
        values = rgb.astype(np.float32)
        red, blue = values[..., 0] - values[..., 2] > 60, values[..., 2] - values[..., 0] > 60
        coloured = max(int((red | blue).sum()), 1)
        red_share, blue_share = (red.sum() / coloured) ** 4, (blue.sum() / coloured) ** 4
        others = np.full(OTHERS, max(1 - red_share - blue_share, 0.0) / OTHERS)
        shares = np.array([red_share, blue_share, *others]) + 1e-5
        maps = np.zeros((2 + OTHERS, 8, 8), np.float32)
        for number, where in ((RED, red), (BLUE, blue)):
            place = cv2.resize(where.astype(np.float32), (8, 8), interpolation=cv2.INTER_AREA)
            maps[number] = 10 * (place - place.mean())
        return Evidence(maps + np.log(shares)[:, None, None].astype(np.float32))

    def alike(self, number: int) -> tuple[int, ...]:
        return (number,)


@pytest.fixture(scope="module")
def worn() -> WorkingPhoto:
    """A red backpack on somebody in grey, whose arms are blue."""
    rgb = painted(PERSON, (120, 118, 122))
    arms = ellipse(SIDE, SIDE, 74, 140, 12, 60) | ellipse(SIDE, SIDE, 182, 140, 12, 60)
    for shape, colour in ((arms, (40, 60, 200)), (BACKPACK, (210, 50, 40))):
        rgb[shape] = painted(shape, colour)[shape]
    return WorkingPhoto(photo_from_pixels(rgb))


def answer(working: WorkingPhoto, mask: np.ndarray, score: float = 0.8) -> Candidate:
    return Candidate(working.whole, mask, "network", score)


def part(working: WorkingPhoto, best: Candidate, classes: tuple[int, ...] = ()) -> Candidate | None:
    things = KnowsColours()
    return known_part(working, Told(lambda hints: PERSON), things, things.see(working.whole.fine), best, classes)


def test_a_thing_that_is_worn_is_the_subject_and_who_wears_it_is_not(worn: WorkingPhoto):
    found = part(worn, answer(worn, PERSON))
    assert found is not None and overlap(within(found, worn.whole) > 0.5, BACKPACK) > 0.85


def test_an_answer_that_is_one_known_thing_stays(worn: WorkingPhoto):
    assert part(worn, answer(worn, BACKPACK)) is None


def test_an_answer_that_is_called_right_stays_unless_something_else_is_named(worn: WorkingPhoto):
    arms = PERSON & ~BACKPACK
    sure = answer(worn, arms, score=0.95)
    assert part(worn, sure) is None
    named = part(worn, sure, (RED,))
    assert named is not None and overlap(within(named, worn.whole) > 0.5, BACKPACK) > 0.85


@pytest.mark.parametrize(("box", "known"), [((84, 78, 172, 182), True), ((56, 28, 200, 253), False)])
def test_a_box_around_the_known_thing_means_it(
    worn: WorkingPhoto, monkeypatch: pytest.MonkeyPatch, box: tuple[int, int, int, int], known: bool
):
    """The box's own answer is a person with a higher estimate; what was recognised is kept where the box fits it."""
    network = Told(lambda hints: PERSON)
    unsure = np.zeros(len(TRAITS))
    unsure[-1] = 0.5
    network.judge.calibration.update(dict.fromkeys(KINDS, unsure))
    segmenter = Segmenter(network=network, things=KnowsColours())
    assert overlap(segmenter.find_subject(worn.photo).mask > 127, BACKPACK) > 0.85
    person = answer(WorkingPhoto(worn.photo), PERSON, 0.99)
    monkeypatch.setattr("engine.preflight.segmenter.in_box", lambda *_: [person])
    boxed = segmenter.find_subject(worn.photo, Hint(box=Box(*box)))
    assert overlap(boxed.mask > 127, BACKPACK if known else PERSON) > 0.85


def test_what_is_named_already_stays(worn: WorkingPhoto):
    assert part(worn, answer(worn, BACKPACK), (RED,)) is None


def test_nothing_is_made_of_what_the_photo_does_not_show(worn: WorkingPhoto):
    assert part(worn, answer(worn, PERSON & ~BACKPACK, 0.95), (2,)) is None


def test_a_cut_out_alone_lies_in_the_middle_of_grey():
    inside = np.zeros((40, 60), bool)
    inside[0:20, 50:60] = True  # at a corner of the picture
    shown = on_grey(np.full((40, 60, 3), (200, 0, 0), np.uint8), inside)
    assert shown.shape == (23, 23, 3)
    assert (shown[:, 0] == 127).all() and (shown[0] == 127).all()
    assert shown[11, 11, 0] > 180 and shown[11, 11, 1] < 40


def test_kinds_of_a_class_are_all_that_share_a_word():
    assert set(THINGS.classes("dog")) <= set(THINGS.alike(263)), "a corgi is a dog"
    assert THINGS.alike(414) != (414,) and 263 not in THINGS.alike(414), "a backpack is a bag and no dog"


def test_without_the_network_nothing_changes(worn: WorkingPhoto):
    things = KnowsColours()
    evidence = things.see(worn.whole.fine)
    assert (
        known_part(worn, Told(lambda hints: None), things, evidence, answer(worn, PERSON & ~BACKPACK), (RED,)) is None
    )
