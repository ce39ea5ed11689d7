"""Two readings of a photo and a second pass at the answer, with a network that sees what it is told to see."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from engine.photo.load import photo_from_pixels
from engine.photo.mask_ops import overlap
from engine.preflight.colours.marks import Marks
from engine.preflight.colours.working_photo import Window, WorkingPhoto
from engine.preflight.shipped import candidates
from engine.preflight.shipped.candidates import (
    Candidate,
    answer_again,
    answer_alone,
    answer_in_box,
    by_itself,
    in_box,
    ranked,
)
from engine.preflight.shipped.channels import BOX, EARLIER, INCLUDE, HintChannels
from engine.preflight.shipped.judge import KINDS, TRAITS, Judge
from engine.preflight.shipped.network import SIDE, SIDES, View
from engine.preflight.shipped.traits import shown, traits_of, within
from tests.engine.preflight.scenes import ellipse, painted

SMALL, LARGE = ellipse(SIDE, SIDE, 90, 120, 40, 50), ellipse(SIDE, SIDE, 128, 128, 110, 100)
Sees = Callable[[HintChannels | None], np.ndarray | None]


class Told:
    """A network that sees what ``sees`` says to the hints it gets, bool (SIDE, SIDE); it remembers them."""

    def __init__(self, sees: Sees) -> None:
        dice = np.random.default_rng(4)
        layers = [dice.normal(0, 0.1, shape) for shape in ((6, 3 + 3 * 4 + 2), (6,), (1, 6), (1,))]
        weights = np.zeros(len(TRAITS))
        weights[3], weights[-1] = 1.0, -1.0
        self.judge = Judge.from_layers(*layers)
        self.judge.calibration.update(dict.fromkeys(KINDS, weights))
        self.sees = sees
        self.asked: list[HintChannels | None] = []

    def predict(
        self, rgb: np.ndarray, hints: HintChannels | None = None, sides: tuple[int, ...] = SIDES
    ) -> View | None:
        self.asked.append(hints)
        visible = self.sees(hints)
        if visible is None:
            return None
        middle, top = np.zeros((4, SIDE // 8, SIDE // 8), np.float32), np.zeros(3, np.float32)
        return View(np.where(visible, 5.0, -5.0).astype(np.float32), 1.0, middle, top, self.judge)


@pytest.fixture(scope="module")
def working() -> WorkingPhoto:
    return WorkingPhoto(photo_from_pixels(painted(SMALL)))


def whole(mask: np.ndarray, window: Window, way: str = "network", score: float = 0.5) -> Candidate:
    return Candidate(window, mask, way, score)


def test_colours_are_not_asked_where_both_readings_agree(working: WorkingPhoto):
    def never() -> list[Candidate]:
        raise AssertionError("colours were asked")

    network = Told(lambda hints: SMALL)
    answer = answer_alone(working, network, never)
    assert answer is not None and [one.way for one in answer[0]] == ["network", "network"]
    assert network.asked[0] is None and network.asked[1] is not None and network.asked[1].channels[BOX].all()


def test_where_the_readings_differ_each_and_the_colours_are_candidates(working: WorkingPhoto):
    network = Told(lambda hints: SMALL if hints is None else LARGE)
    colours = whole(SMALL, working.whole, "colours")
    answer = answer_alone(working, network, lambda: [colours])
    assert answer is not None
    ways = [one.way for one in answer[0]]
    assert ways == ["network", "both", "network", "both", "colours"]
    overlaps = [overlap(one.inside, LARGE) for one in answer[0]]
    assert overlaps[0] < 0.5 < 0.9 < overlaps[2]
    assert all(np.isfinite(traits).all() and len(traits) == len(TRAITS) for traits in answer[1])


def test_the_second_look_has_the_first_answer_as_an_earlier_mask(working: WorkingPhoto):
    network = Told(lambda hints: SMALL)
    first = whole(SMALL, working.whole)
    answer = answer_again(working, network, [first, whole(LARGE, working.whole)], None, Marks())
    assert answer is not None and answer[0][-1] is first and len(answer[0]) == 3
    hints = network.asked[0]
    assert hints is not None
    earlier = hints.channels[EARLIER]
    np.testing.assert_array_equal(earlier, within(first, answer[0][0].window))
    assert hints.channels[BOX][earlier > 0.5].all()


def test_without_a_second_look_the_first_answer_stays(working: WorkingPhoto):
    network = Told(lambda hints: None if hints is not None and hints.channels[EARLIER].any() else SMALL)
    found = by_itself(working, network, Marks(), list)
    assert found and overlap(found[0].inside, SMALL) > 0.95
    assert in_box(working, network, (70, 30, 180, 160), Marks())


def test_a_network_that_cannot_be_used_gives_no_answer(working: WorkingPhoto):
    blind = Told(lambda hints: None)
    assert by_itself(working, blind, Marks(), list) is None
    assert in_box(working, blind, (70, 30, 180, 160), Marks()) is None


def test_what_is_shown_outweighs_a_slightly_better_estimate(working: WorkingPhoto):
    window = working.whole
    small, large = whole(SMALL, window, score=0.7), whole(LARGE, window, score=0.75)
    assert ranked([small, large], window) == [large, small]
    places = SMALL[::32, ::32].astype(np.float32)
    places = (places - places.mean()) / places.std()
    assert shown(SMALL.astype(np.float32), places) > shown(LARGE.astype(np.float32), places)
    assert ranked([small, large], window, places) == [small, large]


def test_more_agreement_is_more_of_a_trait_also_close_to_the_top(working: WorkingPhoto):
    network = Told(lambda hints: LARGE)
    view = network.predict(working.whole.fine)
    assert view is not None
    levels = []
    for reach in (90, 96, 99, 100):
        near = ellipse(SIDE, SIDE, 128, 128, 110 * reach // 100, 100 * reach // 100)
        levels.append(traits_of(working.whole, [(near.astype(np.float32), view, False)])[0][3])
    assert levels == sorted(levels) and levels[3] - levels[2] > 0.3


def closer_looks(network: Told) -> int:
    return sum(1 for hints in network.asked if hints is not None and hints.channels[EARLIER].any())


def test_a_reading_that_is_far_less_likely_is_not_looked_at_again(working: WorkingPhoto):
    def sees(hints: HintChannels | None) -> np.ndarray:
        return LARGE if hints is not None and hints.channels[BOX].all() else SMALL

    open_case, clear_case = Told(sees), Told(sees)
    by_itself(working, open_case, Marks(), list)
    places = cv2.resize(SMALL.astype(np.float32), (8, 8), interpolation=cv2.INTER_AREA)
    by_itself(working, clear_case, Marks(), list, (places - places.mean()) / places.std())
    assert (closer_looks(open_case), closer_looks(clear_case)) == (2, 1)


def test_a_box_around_what_was_found_does_not_lose_it(working: WorkingPhoto):
    """With the box the network sees another thing; an answer of before that fills the box is a candidate all the same."""
    earlier = [whole(LARGE, working.whole), whole(SMALL, working.whole)]
    found = answer_in_box(working, Told(lambda hints: SMALL), (18, 28, 238, 228), Marks(), earlier)
    assert found is not None
    kept = [one for one in found[0] if overlap(within(one, working.whole) > 0.5, LARGE) > 0.97]
    assert len(kept) == 1 and kept[0].way == "network"
    without = answer_in_box(working, Told(lambda hints: SMALL), (18, 28, 238, 228), Marks())
    assert without is not None and len(found[0]) == len(without[0]) + 1, "the one that does not fill the box stays out"


def test_colours_are_asked_about_the_largest_part_of_each_view_only(working: WorkingPhoto):
    two = ellipse(SIDE, SIDE, 60, 128, 40, 50) | ellipse(SIDE, SIDE, 190, 128, 30, 50)
    answer = answer_alone(working, Told(lambda hints: two if hints is None else LARGE), list)
    assert answer is not None
    assert [one.way for one in answer[0]] == ["network", "both", "network", "network", "network", "both"]


def test_the_outline_of_colours_is_taken_where_it_stands_out_at_least_as_much():
    """The network sees a subject that is a little too small; colours find where it really ends."""
    working = WorkingPhoto(photo_from_pixels(painted(LARGE)))
    network = Told(lambda hints: ellipse(SIDE, SIDE, 128, 128, 104, 94))
    found = by_itself(working, network, Marks(), list)
    assert found and found[0].way == "both" and overlap(found[0].inside, LARGE) > 0.97
    box = in_box(working, network, (18, 28, 238, 228), Marks())
    assert box and overlap(box[0].inside[2:-2, 2:-2], LARGE[2:-2, 2:-2]) > 0.97


def test_where_colours_find_another_thing_or_nothing_better_the_outline_of_the_network_stays():
    working = WorkingPhoto(photo_from_pixels(painted(LARGE, (92, 131, 102), (90, 130, 100))))
    found = by_itself(working, Told(lambda hints: LARGE), Marks(), list)
    assert found and overlap(found[0].inside, LARGE) > 0.9


@pytest.mark.parametrize(("shown_there", "taken"), [(90, True), (50, False)])
def test_where_readings_differ_the_thing_itself_is_pointed_at(working: WorkingPhoto, shown_there: int, taken: bool):
    """A click where the photo shows a thing most leaves out what it is not, but never leaves only a part of it."""
    part = ellipse(SIDE, SIDE, 128, 128, shown_there, shown_there)

    def sees(hints: HintChannels | None) -> np.ndarray:
        if hints is None:
            return LARGE
        return part if hints.channels[INCLUDE].any() else SMALL

    network = Told(sees)
    places = np.zeros((8, 8), np.float32)
    places[4, 4] = 8.0
    answer = answer_alone(working, network, list, places)
    click = next(hints for hints in network.asked if hints is not None and hints.channels[INCLUDE].any())
    assert click.channels[INCLUDE][144, 144] and not click.channels[INCLUDE][:112].any()
    assert answer is not None
    assert any(overlap(one.inside, part) > 0.95 for one in answer[0]) == taken


def test_where_readings_agree_nothing_is_pointed_at(working: WorkingPhoto):
    network = Told(lambda hints: SMALL)
    answer_alone(working, network, list, np.eye(8, dtype=np.float32))
    assert len(network.asked) == 2


def test_a_candidate_is_drawn_as_if_it_had_been_from_the_beginning(working: WorkingPhoto):
    logits = np.where(SMALL, 2.0, -2.0).astype(np.float32)
    rough = candidates._roughly(working.whole, logits)[1]
    at_once = candidates._by_both(working.whole, logits, None, Marks())
    assert rough.models is not None and at_once.models is None
    np.testing.assert_array_equal(rough.drawn().inside, at_once.inside)
    assert at_once.drawn() is at_once


@pytest.mark.parametrize("again", [True, False])
def test_the_answer_is_drawn_whatever_led_to_it(working: WorkingPhoto, again: bool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(candidates, "ranked", lambda rated, *_: sorted(rated, key=lambda one: one.models is None))
    if not again:
        monkeypatch.setattr(candidates, "answer_again", lambda *_: None)
    found = by_itself(working, Told(lambda hints: SMALL if hints is None else LARGE), Marks(), list)
    assert found is not None and any(one.models is not None for one in found[1:])
    assert found[0].models is None
