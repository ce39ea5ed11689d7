"""The pre-flight without learned parts: what it finds, what each correction changes, and what it leaves alone."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from engine.errors import ExitCode, MaskError, SubjectNotFound
from engine.photo.hints import Box, Click, Hint, Stroke
from engine.photo.load import photo_from_pixels
from engine.photo.mask_ops import mask_problem
from engine.preflight.segmenter import Segmenter
from tests.engine.preflight.scenes import background, ellipse, overlap, painted, toy


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return Segmenter(network=None)


def box_of(shape: np.ndarray, margin: int = 4) -> Box:
    ys, xs = np.nonzero(shape)
    return Box(xs.min() - margin, ys.min() - margin, xs.max() + margin, ys.max() + margin)


# The first guess


def test_without_a_hint_what_stands_out_is_cut_out(segmenter: Segmenter):
    photo, truth = toy()
    found = segmenter.find_subject(photo)
    assert overlap(found.mask, truth) > 0.93
    assert found.mask.shape == truth.shape and found.mask.dtype == np.uint8
    assert found.method == "grabcut" and found.score > 0.6 and found.notes == ()
    assert (found.name, found.name_score) == ("", 0.0)
    ys, xs = np.nonzero(truth)
    first = found.boxes[0]
    assert abs(first.x0 - xs.min()) < 6 and abs(first.y1 - ys.max()) < 6
    assert all(box.score <= 1 and box.x0 < box.x1 and box.y0 < box.y1 for box in found.boxes)


def test_the_name_a_user_typed_is_kept_and_certain(segmenter: Segmenter):
    photo, _ = toy()
    found = segmenter.find_subject(photo, Hint(name="toy"))
    assert (found.name, found.name_score) == ("toy", 1.0)


def test_transparency_is_the_mask(segmenter: Segmenter):
    alpha = (ellipse(60, 80, 40, 30, 20, 20) * 255).astype(np.uint8)
    photo = photo_from_pixels(background(60, 80, (120, 120, 120)), alpha)
    found = segmenter.find_subject(photo, Hint())
    np.testing.assert_array_equal(found.mask, alpha)
    assert (found.method, found.score) == ("alpha", 1.0)
    half = segmenter.find_subject(photo, Hint(box=Box(0, 0, 40, 60)))
    assert not half.mask[:, 40:].any()
    np.testing.assert_array_equal(half.mask[:, :40], alpha[:, :40])


@pytest.mark.parametrize("value", [0, 3])
def test_transparency_that_hides_everything_is_no_mask(segmenter: Segmenter, value: int):
    photo, truth = toy()
    empty = photo_from_pixels(photo.rgb, np.full(truth.shape, value, np.uint8))
    found = segmenter.find_subject(empty)
    assert found.method == "grabcut" and overlap(found.mask, truth) > 0.9


@pytest.mark.parametrize("seed", range(3))
def test_a_box_chooses_between_two_subjects(segmenter: Segmenter, seed: int):
    left, right = ellipse(150, 240, 60, 75, 35, 45), ellipse(150, 240, 180, 75, 38, 40)
    photo = photo_from_pixels(painted(left | right, seed=seed))
    for shape in (left, right):
        found = segmenter.find_subject(photo, Hint(box=box_of(shape)))
        assert overlap(found.mask, shape) > 0.93
        assert found.boxes[0] == box_of(shape)


def test_a_click_chooses_between_two_subjects(segmenter: Segmenter):
    left, right = ellipse(150, 240, 60, 75, 35, 45), ellipse(150, 240, 180, 75, 38, 40)
    photo = photo_from_pixels(painted(left | right))
    chosen = segmenter.find_subject(photo, Hint(clicks=(Click(180, 75), Click(60, 75, include=False))))
    assert overlap(chosen.mask, right) > 0.85
    assert not (chosen.mask[60:90, 40:80] >= 128).any()


def test_two_parts_of_one_mask_are_offered_apart(segmenter: Segmenter):
    left, right = ellipse(150, 240, 70, 75, 35, 45), ellipse(150, 240, 170, 75, 38, 40)
    found = segmenter.find_subject(photo_from_pixels(painted(left | right)))
    for shape in (left, right):
        _, xs = np.nonzero(shape)
        assert any(abs(box.x0 - xs.min()) < 10 and abs(box.x1 - xs.max()) < 10 for box in found.boxes)


def test_subject_and_background_of_nearly_one_colour_in_a_box(segmenter: Segmenter):
    """Everything would go to the background: the cut begins with the middle of the box instead."""
    shape = ellipse(160, 200, 100, 80, 45, 50)
    photo = photo_from_pixels(painted(shape, (118, 104, 92), (100, 92, 84)))
    found = segmenter.find_subject(photo, Hint(box=box_of(shape)))
    assert overlap(found.mask, shape) > 0.6


def test_a_subject_that_touches_the_frame_keeps_its_cut_side(segmenter: Segmenter):
    shape = ellipse(160, 220, 110, 150, 60, 90)
    photo = photo_from_pixels(painted(shape))
    found = segmenter.find_subject(photo, Hint(box=Box(45, 55, 175, 160)))
    assert overlap(found.mask, shape) > 0.9
    assert (found.mask[-1, 90:130] >= 128).all()


def test_nothing_to_find_is_said_in_words(segmenter: Segmenter):
    flat = photo_from_pixels(np.full((80, 100, 3), 128, np.uint8))
    with pytest.raises(SubjectNotFound, match=r"Nothing stands out in this photo\. Draw a box") as caught:
        segmenter.find_subject(flat)
    assert caught.value.exit_code == ExitCode.BAD_INPUT
    with pytest.raises(SubjectNotFound, match="No “mug” was found"):
        segmenter.find_subject(flat, Hint(name="mug"))


def _sky() -> np.ndarray:
    down = np.linspace(0, 1, 300)[:, None, None]
    return np.broadcast_to(np.array((40, 90, 190)) * (1 - down) + np.array((190, 215, 240)) * down, (300, 400, 3))


def _light_in_the_middle() -> np.ndarray:
    ys, xs = np.mgrid[:300, :400]
    return np.repeat(220 - 0.5 * np.hypot(ys - 150, xs - 200)[..., None], 3, axis=2)


def _light_from_a_corner() -> np.ndarray:
    ys, xs = np.mgrid[:300, :400]
    return np.repeat(200 - 100 * (0.6 * xs / 400 + 0.4 * ys / 300)[..., None], 3, axis=2)


def _chequered() -> np.ndarray:
    ys, xs = np.mgrid[:300, :400]
    return np.repeat(np.where((xs // 20 + ys // 20) % 2, 230, 60)[..., None], 3, axis=2)


@pytest.mark.parametrize("ground", [_sky, _light_in_the_middle, _light_from_a_corner, _chequered])
def test_a_ground_without_anything_on_it_has_no_subject(ground):
    """Half of a gradient, which the first look may take for one, and a patch of a texture are none."""
    with pytest.raises(SubjectNotFound, match="Nothing stands out in this photo"):
        Segmenter().find_subject(photo_from_pixels(ground().astype(np.uint8)))


def test_a_line_drawing_is_something():
    shape = ellipse(300, 400, 200, 150, 90, 100)
    rgb = np.full((300, 400, 3), 255, np.uint8)
    rgb[shape & ~ellipse(300, 400, 200, 150, 87, 97)] = 0
    rgb[ellipse(300, 400, 170, 120, 9, 9)] = 0
    assert overlap(Segmenter().find_subject(photo_from_pixels(rgb)).mask, shape) > 0.8


@pytest.mark.parametrize("ground", [_sky, _chequered])
def test_a_thing_on_such_a_ground_is_found(ground):
    shape = ellipse(300, 400, 200, 150, 70, 80)
    rgb = ground().astype(np.uint8).copy()
    rgb[shape] = painted(shape, (200, 60, 40))[shape]
    assert overlap(Segmenter().find_subject(photo_from_pixels(rgb)).mask, shape) > 0.8


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (2, 2), (7, 5), (3, 500), (16, 16)])
@pytest.mark.parametrize("seed", [0, 1])
def test_tiny_and_odd_photos_never_raise_anything_else(segmenter: Segmenter, shape: tuple[int, int], seed: int):
    rgb = np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)
    photo = photo_from_pixels(rgb)
    for hint in (Hint(), Hint(box=Box(0, 0, shape[1], shape[0])), Hint(clicks=(Click(0, 0),))):
        try:
            assert segmenter.find_subject(photo, hint).mask.shape == shape
        except SubjectNotFound as error:
            assert error.fact
    start = np.zeros(shape, np.uint8)
    start[0, 0] = 255
    assert segmenter.refine_mask(photo, [Click(0, 0, False)], start=start).shape == shape


def test_the_same_photo_gets_the_same_mask_from_every_thread(segmenter: Segmenter):
    photo, _ = toy()
    expected = Segmenter(network=None).find_subject(photo).mask
    found: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: found.append(segmenter.find_subject(photo).mask)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    for mask in found:
        np.testing.assert_array_equal(mask, expected)


# Corrections


def test_a_click_on_a_missing_part_adds_it_and_nothing_else(segmenter: Segmenter):
    photo, truth = toy()
    lacking = np.where(truth, 255, 0).astype(np.uint8)
    arm = np.s_[90:108, 72:108]
    lacking[:, :104] = 0  # the arm is missing
    elsewhere = np.s_[100:140, 120:150]
    lacking[120:124, 130:134] = 77  # something the user painted
    better = segmenter.refine_mask(photo, [Click(88, 99)], start=lacking)
    assert (better[arm] >= 128).mean() > 0.9
    np.testing.assert_array_equal(better[elsewhere], lacking[elsewhere])
    assert overlap(better, truth) > overlap(lacking, truth) + 0.03


def test_a_click_on_what_is_too_much_takes_it_away(segmenter: Segmenter):
    photo, truth = toy()
    too_much = np.where(truth, 255, 0).astype(np.uint8)
    too_much[10:60, 10:60] = 255
    better = segmenter.refine_mask(photo, [Click(30, 30, include=False)], start=too_much)
    assert (better[15:55, 15:55] < 128).mean() > 0.9
    assert overlap(better, truth) > 0.95


def test_one_click_on_a_large_surface_means_the_surface(segmenter: Segmenter):
    """A wall taken for the subject goes with one click, also where it lies far from the click; the subject stays."""
    photo, truth = toy()
    too_much = np.where(truth, 255, 0).astype(np.uint8)
    too_much[10:90, 10:70] = 255
    better = segmenter.refine_mask(photo, [Click(40, 50, include=False)], start=too_much)
    assert (better[12:88, 12:68] < 128).mean() > 0.95
    assert overlap(better, truth) > 0.95


def test_strokes_decide_what_they_cover(segmenter: Segmenter):
    photo, truth = toy()
    start = np.where(truth, 255, 0).astype(np.uint8)
    add = Stroke(((20.0, 20.0), (60.0, 20.0)), 5)
    remove = Stroke(((132.0, 100.0), (132.0, 120.0)), 4, include=False)
    better = segmenter.refine_mask(photo, strokes=[add, remove], start=start)
    assert (better[18:22, 22:58] >= 128).all()
    assert (better[102:118, 131:134] < 128).all()


def test_strokes_may_leave_the_photo(segmenter: Segmenter):
    photo, truth = toy()
    start = np.where(truth, 255, 0).astype(np.uint8)
    wild = Stroke(((-1e9, -1e9), (20.0, 20.0), (1e12, 30.0)), 3)
    assert segmenter.refine_mask(photo, strokes=[wild], start=start).shape == start.shape
    outside = Stroke(((-500.0, -500.0),), 3)
    np.testing.assert_array_equal(segmenter.refine_mask(photo, strokes=[outside], start=start), start)


def test_no_correction_changes_nothing_and_the_start_is_never_written(segmenter: Segmenter):
    photo, truth = toy()
    start = np.where(truth, 255, 0).astype(np.uint8)
    start[3, 3] = 9
    before = start.copy()
    same = segmenter.refine_mask(photo, start=start)
    np.testing.assert_array_equal(same, before)
    segmenter.refine_mask(photo, [Click(88, 99, include=False)], start=start)
    np.testing.assert_array_equal(start, before)


def test_from_nothing_a_click_finds_the_thing_under_it(segmenter: Segmenter):
    photo, truth = toy()
    assert overlap(segmenter.refine_mask(photo, [Click(132, 100)]), truth) > 0.85
    empty = np.zeros(truth.shape, np.uint8)
    from_empty = segmenter.refine_mask(photo, [Click(132, 100)], start=empty)
    assert from_empty[100, 132] >= 128 and not (from_empty[:20, :40] >= 128).any()


def test_a_box_cuts_anew(segmenter: Segmenter):
    photo, truth = toy()
    mask = segmenter.refine_mask(photo, box=box_of(truth), start=np.zeros(truth.shape, np.uint8))
    assert overlap(mask, truth) > 0.93


def test_a_mask_that_is_empty_afterwards_is_said_by_mask_problem(segmenter: Segmenter):
    photo, _ = toy()
    start = np.zeros((180, 240), np.uint8)
    start[20:24, 20:24] = 255
    gone = segmenter.refine_mask(photo, strokes=[Stroke(((22.0, 22.0),), 12, include=False)], start=start)
    problem = mask_problem(gone)
    assert problem is not None and problem.fact == "The cut-out is empty."


@pytest.mark.parametrize("start", [np.zeros((5, 5), np.uint8), np.zeros((180, 240), np.float32)])
def test_a_start_that_does_not_fit(segmenter: Segmenter, start: np.ndarray):
    photo, _ = toy()
    with pytest.raises(MaskError, match="240 × 180"):
        segmenter.refine_mask(photo, [Click(1, 1)], start=start)


def test_the_next_click_uses_what_the_last_one_computed(segmenter: Segmenter):
    """Not a figure, a guard: a click on a large photo must not begin from scratch."""
    photo, truth = toy(1200, 1600)
    start = segmenter.find_subject(photo).mask
    first = time.thread_time()
    for index in range(3):
        start = segmenter.refine_mask(photo, [Click(200 + index, 200, include=False)], start=start)
    assert (time.thread_time() - first) / 3 < 0.6
    assert overlap(start, truth) > 0.95
