"""First guesses without any hint: regions, what stands out, boxes, and the choice among them."""

from __future__ import annotations

import numpy as np
import pytest

from engine.photo.load import photo_from_pixels
from engine.preflight.colours.proposals import (
    Traits,
    begin_with_middle,
    candidate_boxes,
    core,
    like_the_middle,
    main_part,
    overlap,
    propose,
    squashed,
)
from engine.preflight.colours.saliency import find_regions, saliency
from engine.preflight.colours.working_photo import WorkingPhoto, WorkingPhotos
from tests.engine.preflight.scenes import ellipse, painted, toy

PHOTO, TRUTH = toy()


@pytest.fixture(scope="module")
def working() -> WorkingPhoto:
    return WorkingPhoto(PHOTO)


def test_regions_cover_the_photo_and_know_each_other(working: WorkingPhoto):
    regions = working.regions
    count = len(regions.areas)
    assert regions.labels.min() == 0 and regions.labels.max() == count - 1
    assert regions.areas.sum() == regions.labels.size
    assert (regions.adjacent == regions.adjacent.T).all() and not regions.adjacent.diagonal().any()
    assert np.allclose(regions.geodesic.diagonal(), 0)
    # The triangle inequality is what makes them shortest paths.
    paths = regions.geodesic
    assert (paths[:, None, 0] <= paths[:, None, 5] + paths[None, 5, 0] + 1e-3).all()
    # Superpixels keep to the subject or to the background.
    small = TRUTH[: regions.labels.shape[0], : regions.labels.shape[1]]
    inside = np.bincount(regions.labels.ravel(), small.ravel(), count) / regions.areas
    assert ((inside < 0.15) | (inside > 0.85)).mean() > 0.9


def test_what_stands_out_is_the_subject(working: WorkingPhoto):
    regions = working.regions
    standing_out, background = saliency(regions)
    inside = np.bincount(regions.labels.ravel(), TRUTH.ravel(), len(regions.areas)) / regions.areas > 0.5
    assert standing_out[inside].mean() > 0.7 > 0.2 > standing_out[~inside].mean()
    assert background[~inside].mean() > background[inside].mean() + 0.4
    central = like_the_middle(regions)
    assert central[inside].mean() > central[~inside].mean() + 0.3
    boxes = candidate_boxes(regions, (standing_out, central), standing_out)
    assert len(boxes) <= 7 and all(0 <= b[0] < b[2] <= 1 and 0 <= b[1] < b[3] <= 1 for b in boxes)


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (2, 3), (5, 200), (14, 14)])
def test_regions_of_tiny_pictures(shape: tuple[int, int]):
    regions = find_regions(np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8))
    assert regions.labels.shape == shape and regions.areas.sum() == shape[0] * shape[1]
    standing_out, _ = saliency(regions)
    assert np.isfinite(standing_out).all()


def test_the_best_guess_holds_the_subject(working: WorkingPhoto):
    guesses = propose(working)
    assert [guess.score for guess in guesses] == sorted((guess.score for guess in guesses), reverse=True)
    ys, xs = np.nonzero(TRUTH)
    truth = (xs.min() / 240, ys.min() / 180, xs.max() / 240, ys.max() / 180)
    assert overlap(guesses[0].box, truth) > 0.85
    for index, guess in enumerate(guesses):
        assert all(overlap(guess.box, other.box) < 0.7 for other in guesses[:index])


def test_nothing_stands_out_of_one_colour():
    assert propose(WorkingPhoto(photo_from_pixels(np.full((90, 120, 3), 77, np.uint8)))) == []


def test_traits_prefer_the_thing_to_its_half_and_to_a_speck():
    picture = painted(ellipse(96, 128, 64, 48, 26, 30))
    traits = Traits(picture)
    whole = ellipse(96, 128, 64, 48, 26, 30)
    half = whole.copy()
    half[:, 64:] = False
    beside = ellipse(96, 128, 30, 20, 15, 12)
    speck = ellipse(96, 128, 64, 48, 3, 3)
    scores = [traits.score(mask) for mask in (whole, half, beside, speck)]
    assert scores[0] > max(scores[1:]) + 0.2
    apart, edges = traits.contrast(whole)
    assert apart > 0.8 and edges > 0.85
    assert traits.contrast(np.ones((96, 128), bool)) == (0.0, 0.0)


def test_confidence_grows_with_the_score_within_its_range():
    values = [squashed(score) for score in (-5, 0, 1, 1.6, 2, 9)]
    assert values == sorted(values) and values[0] >= 0 and values[-1] <= 1
    assert squashed(1.6) == pytest.approx(0.5)


def test_small_helpers():
    assert overlap((0, 0, 1, 1), (0, 0, 1, 1)) == 1
    assert overlap((0, 0, 0.5, 1), (0.5, 0, 1, 1)) == 0
    assert overlap((0, 0, 0.5, 1), (0.25, 0, 0.75, 1)) == pytest.approx(1 / 3)
    two = np.zeros((9, 9), bool)
    two[:2, :2] = two[5:, 5:] = True
    assert main_part(two).sum() == 16
    assert not main_part(np.zeros((4, 4), bool)).any()
    ring = core(40, 40, 0, 0, 40, 40, 1.0)
    assert ring.mean() == pytest.approx(np.pi / 4, abs=0.03)
    begun = begin_with_middle(np.full((40, 40), 3, np.uint8), 0, 0, 40, 40)
    assert begun[20, 20] == 1 and begun[0, 0] == 2 and begun[20, 8] == 3


def test_windows_are_cut_and_kept():
    photo = toy(600, 900)[0]
    working = WorkingPhoto(photo)
    extent = working.around((300, 200, 400, 300), 0.3)
    x0, y0, x1, y1 = extent
    assert x0 <= 270 and y0 <= 170 and x1 >= 430 and y1 >= 330
    window = working.window(extent)
    np.testing.assert_array_equal(window.photo, photo.rgb[y0:y1, x0:x1])
    assert max(window.fine.shape) <= 512 and max(window.coarse.shape) <= 256
    assert working.window(extent) is window
    assert working.around((302, 201, 401, 299), 0.3) == extent  # a small change meets the same window
    for step in range(5):
        working.window((step, 0, 100, 100))
    assert working.window(extent) is not window
    assert working.around((0, 0, 900, 600), 0.5) == (0, 0, 900, 600)


def test_only_the_last_photos_are_kept():
    photos = [photo_from_pixels(np.full((4, 4, 3), value, np.uint8)) for value in range(5)]
    kept = WorkingPhotos(keep=2)
    first = kept.get(photos[0])
    kept.get(photos[1])
    assert kept.get(photos[0]) is first
    kept.get(photos[2])
    assert kept.get(photos[0]) is first  # photo 1 was longer unused
    kept.get(photos[3])
    kept.get(photos[4])
    assert kept.get(photos[0]) is not first
