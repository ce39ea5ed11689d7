"""Of two things of one size the photo does not say which is meant: the program asks, however well it cuts one out."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.photo.hints import Box, Click, Hint
from engine.photo.load import photo_from_pixels
from engine.photo.mask_ops import overlap
from engine.preflight.colours.working_photo import WorkingPhoto
from engine.preflight.segmenter import Segmenter
from engine.preflight.shipped.candidates import Candidate
from engine.preflight.shipped.channels import HintChannels
from engine.preflight.shipped.judge import KINDS, TRAITS
from engine.preflight.shipped.network import SHIPPED, SIDE, SIDES, View
from engine.preflight.shipped.second_thing import second_thing
from tests.engine.preflight.scenes import background, ellipse
from tests.engine.preflight.shipped.test_candidates import Told
from tests.engine.preflight.shipped.test_mirror_image import mirrored

HEIGHT, WIDTH = 300, 480
FIRST, SECOND, SMALL = (
    ellipse(HEIGHT, WIDTH, x, 160, 55 * share, 85 * share) for x, share in ((130, 1.0), (350, 0.95), (350, 0.4))
)
RED, BLUE = (200, 50, 40), (50, 60, 190)

BOTH_ARE_LIKELIEST = np.array([{"size": 1.0, "one": 5.0}.get(trait, 0.0) for trait in TRAITS])
"""A calibration that estimates the larger of two answers higher, and each of them above .9."""


class SeesRedFirst(Told):
    """Sees the red thing alone, and the blue one where no red one is; it is always certain."""

    def __init__(self) -> None:
        super().__init__(lambda _: None)
        certain = np.zeros(len(TRAITS))
        certain[-1] = 4.0
        self.judge.calibration.update(dict.fromkeys(KINDS, certain))

    def predict(
        self, rgb: np.ndarray, hints: HintChannels | None = None, sides: tuple[int, ...] = SIDES
    ) -> View | None:
        values = cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.int16)
        red, blue = values[..., 0] - values[..., 2] > 60, values[..., 2] - values[..., 0] > 60
        self.sees = lambda _: red if red.sum() > 50 else blue
        return super().predict(rgb, hints, sides)


def scene(**shapes: np.ndarray) -> WorkingPhoto:
    rgb = background(HEIGHT, WIDTH, (110, 130, 110))
    for colour, shape in shapes.items():
        rgb[shape] = {"red": RED, "blue": BLUE}[colour]
    return WorkingPhoto(photo_from_pixels(rgb))


def found_first(working: WorkingPhoto) -> Candidate:
    return Candidate(working.whole, FIRST, "network", 0.95)


def test_the_other_thing_and_both_are_seen_once_the_first_is_painted_over():
    working = scene(red=FIRST, blue=SECOND)
    other, both = second_thing(working, SHIPPED, found_first(working))
    assert overlap(other.inside, SECOND) > 0.9 and overlap(both.inside, FIRST | SECOND) > 0.9


@pytest.mark.parametrize("others", [{}, {"blue": SMALL}])
def test_one_thing_alone_or_with_a_small_one_is_the_only_one(others: dict[str, np.ndarray]):
    working = scene(red=FIRST, **others)
    assert second_thing(working, SHIPPED, found_first(working)) == []


def test_the_mirror_image_of_the_only_thing_is_no_second_one():
    rgb, above, _ = mirrored(0.5)
    working = WorkingPhoto(photo_from_pixels(rgb))
    assert second_thing(working, SHIPPED, Candidate(working.whole, above, "network", 0.95)) == []


def test_an_answer_as_large_as_the_photo_leaves_nothing_to_look_at():
    working = scene(red=FIRST)
    everything = Candidate(working.whole, np.ones((HEIGHT, WIDTH), bool), "network", 0.95)
    assert second_thing(working, SHIPPED, everything) == []


@pytest.mark.parametrize(("shapes", "sure"), [({"red": FIRST}, True), ({"red": FIRST, "blue": SECOND}, False)])
def test_with_a_second_thing_no_answer_is_sure_and_all_are_offered(shapes: dict[str, np.ndarray], sure: bool):
    found = Segmenter(network=SeesRedFirst(), things=None).find_subject(scene(**shapes).photo)
    assert overlap(found.mask > 127, FIRST) > 0.9 and found.score > 0.9
    assert found.sure == sure
    offered = [FIRST] if sure else [FIRST, SECOND, FIRST | SECOND]
    boxes = [Box(*_extent(shape)) for shape in offered]
    assert len(found.boxes) == len(boxes) and all(max(box.overlap(one) for one in found.boxes) > 0.9 for box in boxes)


def test_two_things_in_one_answer_are_not_sure_but_where_they_were_clicked():
    photo, both = scene(red=FIRST | SECOND).photo, FIRST | SECOND
    network = SeesRedFirst()
    network.judge.calibration["alone"] = network.judge.calibration["alone again"] = BOTH_ARE_LIKELIEST
    segmenter = Segmenter(network=network, things=None)
    found = segmenter.find_subject(photo)
    assert overlap(found.mask > 127, both) > 0.9 and found.score > 0.9 and not found.sure
    clicked = segmenter.find_subject(photo, Hint(clicks=(Click(130, 160), Click(350, 160))))
    assert overlap(clicked.mask > 127, both) > 0.9 and clicked.sure


def _extent(shape: np.ndarray) -> tuple[int, int, int, int]:
    x, y, width, height = cv2.boundingRect(shape.astype(np.uint8))
    return x, y, x + width, y + height
