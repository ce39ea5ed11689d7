"""The geometry of placing: what is under the pointer, and where a cut-out goes. Without Qt."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from app.canvas.placement import SNAP, Stage, Standing, outline_of
from engine.placement import LARGEST, SMALLEST, Placement

STAGE = Stage(100.0, 50.0, 400.0, 400.0, ground=0.9)
CANVAS = (600.0, 500.0)


def half() -> np.ndarray:
    """A mask of the square's right lower quarter: what is seen lies beside the square's centre."""
    alpha = np.zeros((64, 64), np.uint8)
    alpha[32:, 32:] = 255
    return alpha


def standing(outline: np.ndarray | None = None, stage: Stage = STAGE, **values) -> Standing:
    place = Placement(**({"x": 0.5, "y": 0.5, "size": 0.5} | values))
    return Standing(place, outline_of(half()) if outline is None else outline, stage)


def near(a, b, tolerance: float = 0.1) -> bool:
    return math.dist(a, b) <= tolerance


def test_an_outline_is_that_of_the_mask_and_of_the_square_when_it_is_empty():
    outline = outline_of(half())
    assert outline.min() == 0.0 and outline.max() == 0.5
    assert {tuple(point) for point in outline_of(np.zeros((8, 8), np.uint8))} == {
        (x, y) for x in (-0.5, 0.5) for y in (-0.5, 0.5)
    }
    ring = np.zeros((9, 9), np.uint8)
    ring[4, 2:5] = 255
    assert outline_of(ring)[:, 0].tolist().count(2 / 9 - 0.5) == 2


def test_the_frame_lies_around_what_is_seen():
    assert standing().corners == ((300, 250), (400, 250), (400, 350), (300, 350))
    assert standing().foot == (350, 350)
    assert standing(mirrored=True).corners[0] == (200, 250)
    left, top, right, bottom = standing(turn=90).extent
    assert np.allclose((left, top, right, bottom), (200, 250, 300, 350))


def test_a_wide_picture_counts_sizes_by_its_shorter_side():
    wide = standing(stage=Stage(0, 0, 800, 400), x=0.25)
    assert wide.side == 200 and wide.centre == (200, 200)


@pytest.mark.parametrize(
    ("point", "grip"),
    [((350, 300), "body"), ((300, 250), "corner-0"), ((402, 352), "corner-2"), ((350, 224), "turn"), ((250, 300), "")],
)
def test_what_is_under_the_pointer(point, grip):
    assert standing().grip_at(point, CANVAS) == grip


def test_a_turned_cut_out_is_grabbed_where_it_is():
    turned = standing(turn=45)
    assert turned.grip_at(turned.middle, CANVAS) == "body"
    assert turned.grip_at((330, 260), CANVAS) == "", "the corner of the frame as it was before"


def test_a_small_cut_out_can_be_grabbed_between_its_corners():
    small = standing(size=0.1)
    assert small.grip_at(small.middle, CANVAS) == "body"


def test_the_handle_that_turns_stays_in_the_widget():
    high = standing(y=0.0, stage=replace(STAGE, y=0.0))
    start, handle = high.turn_handle(CANVAS)
    assert start[1] == high.corners[2][1] and handle[1] > start[1]


def test_moving_snaps_to_the_ground_and_to_the_middle():
    ground, middle = STAGE.ground_y, STAGE.middle_x
    free = standing().moved(-50 + SNAP - 1, ground - 350 - SNAP + 1)
    assert not free.on_ground and not free.in_middle
    snapped = standing().moved(-50 + SNAP - 1, ground - 350 - SNAP + 1, snap=True)
    assert snapped.on_ground and snapped.in_middle and near(snapped.foot, (middle, ground))
    away = standing().moved(-50 + SNAP + 2, ground - 350 - SNAP - 2, snap=True)
    assert not away.on_ground and not away.in_middle


def test_a_turned_cut_out_stands_on_its_lowest_point():
    snapped = standing(turn=30).moved(0, STAGE.ground_y - standing(turn=30).foot[1] + 5, snap=True)
    assert snapped.on_ground and abs(snapped.extent[3] - STAGE.ground_y) < 0.1


def test_a_step_of_a_key_ends_on_the_ground_and_goes_on_from_there():
    start = standing().moved(0, STAGE.ground_y - 350 - 3)
    on = start.stepped(0, 4)
    assert on.on_ground
    assert near(on.stepped(0, 4).foot, (350, STAGE.ground_y + 4)), "it is not held there"
    assert standing(x=0.37).moved(3, 0).stepped(-4, 0).in_middle


def test_nothing_leaves_the_picture():
    for dx, dy in ((9e9, 0), (-9e9, 0), (0, 9e9), (0, -9e9)):
        place = standing().moved(dx, dy, snap=True).placement
        assert 0 <= place.x <= 1 and 0 <= place.y <= 1


def test_sizing_keeps_the_foot_and_stays_in_the_limits():
    larger = standing().sized(1.2)
    assert larger.placement.size == pytest.approx(0.6) and near(larger.foot, standing().foot)
    assert standing().sized(1e9).placement.size == LARGEST
    assert standing().sized(1e-9).placement.size == SMALLEST


@pytest.mark.parametrize("turn", [0, 30, -100])
@pytest.mark.parametrize("corner", range(4))
def test_a_pulled_corner_follows_and_the_one_across_stays(corner, turn):
    before = standing(turn=turn, size=0.3)
    (fx, fy), (x, y) = before.corners[(corner + 2) % 4], before.corners[corner]
    to = (fx + (x - fx) * 1.5, fy + (y - fy) * 1.5)
    after = before.pulled(corner, to)
    assert near(after.corners[corner], to) and near(after.corners[(corner + 2) % 4], (fx, fy))
    assert after.placement.size == pytest.approx(0.45)
    assert before.pulled(corner, (fx - (x - fx), fy - (y - fy))).placement.size == SMALLEST, "never inside out"


def test_turning_goes_around_what_is_seen():
    before = standing()
    after = before.turned(200)
    assert after.placement.turn == -160 and near(after.middle, before.middle)
    x, y = before.middle
    by_hand = before.turned_towards((x, y - 50), (x + 50, y), 0.0)
    assert by_hand.placement.turn == pytest.approx(90)
    small = (x + 50 * math.sin(math.radians(2)), y - 50 * math.cos(math.radians(2)))
    assert before.turned_towards((x, y - 50), small, 0.0).placement.turn == 0
    assert before.turned_towards((x, y - 50), small, 0.0, snap=False).placement.turn == pytest.approx(2, abs=0.01)
    assert before.turned_towards((x, y - 50), (x + 40, y - 50), 0.0, steps=True).placement.turn == 45


@pytest.mark.parametrize("turn", [0, 25])
def test_mirroring_swaps_the_sides_and_keeps_the_place(turn):
    before = standing(turn=turn)
    after = before.mirrored()
    assert after.placement.mirrored and near(after.middle, before.middle)
    again = after.mirrored()
    assert not again.placement.mirrored and near((again.placement.x, again.placement.y), (0.5, 0.5), 1e-4)
