"""Colour models and cuts, on pictures whose answer is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.preflight.colours.grabcut import (
    BACKGROUND,
    COMPONENTS,
    MAYBE_BACKGROUND,
    MAYBE_SUBJECT,
    SUBJECT,
    cut,
    cut_band,
    fit_models,
)
from tests.engine.preflight.scenes import ellipse, overlap, painted

TRUTH = ellipse(90, 120, 60, 45, 25, 30)
RGB = painted(TRUTH)


def box_trimap(margin: int = 6) -> np.ndarray:
    trimap = np.full(TRUTH.shape, BACKGROUND, np.uint8)
    trimap[15 - margin : 75 + margin, 35 - margin : 85 + margin] = MAYBE_SUBJECT
    return trimap


def parts_of(model: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return (
        model[0, :COMPONENTS],
        model[0, COMPONENTS : 4 * COMPONENTS].reshape(-1, 3),
        model[0, 4 * COMPONENTS :].reshape(-1, 3, 3),
    )


def test_a_model_describes_its_pixels():
    trimap = np.where(TRUTH, SUBJECT, BACKGROUND).astype(np.uint8)
    for model, side in zip(fit_models(RGB, trimap), (~TRUTH, TRUTH), strict=True):
        weights, means, covariances = parts_of(model)
        assert model.shape == (1, 13 * COMPONENTS) and weights.sum() == pytest.approx(1)
        np.testing.assert_allclose(weights @ means, RGB[side].mean(0), atol=2.5)
        assert all(np.linalg.eigvalsh(matrix).min() > 0 for matrix in covariances)


def test_the_layout_is_opencv_s_own():
    """OpenCV, asked to cut with our models, must see the colours we mean."""
    state = np.full(TRUTH.shape, MAYBE_SUBJECT, np.uint8)
    background, subject = fit_models(RGB, np.where(TRUTH, SUBJECT, BACKGROUND).astype(np.uint8))
    cv2.grabCut(RGB, state, (0, 0, 1, 1), background.copy(), subject.copy(), 1, cv2.GC_EVAL_FREEZE_MODEL)
    assert overlap((state & 1).astype(bool), TRUTH) > 0.97


@pytest.mark.parametrize("pixels", [1, 3, 5, 7])
def test_a_handful_of_pixels_makes_a_model(pixels: int):
    trimap = np.full((10, 10), BACKGROUND, np.uint8)
    trimap.reshape(-1)[:pixels] = SUBJECT
    _, subject = fit_models(RGB[:10, :10], trimap)
    assert np.isfinite(subject).all() and subject[0, :COMPONENTS].sum() == pytest.approx(1)


def test_a_box_with_some_background_in_it_is_cut_exactly():
    truth = ellipse(150, 133, 60, 75, 35, 45)
    rgb = painted(truth)
    trimap = np.full(truth.shape, BACKGROUND, np.uint8)
    trimap[26:124, 21:99] = MAYBE_SUBJECT
    found, _ = cut(rgb, trimap, 4)
    assert overlap(found, truth) > 0.95


def test_cuts_are_repeatable_and_leave_their_input_alone():
    trimap = box_trimap()
    before = trimap.copy()
    one, models = cut(RGB, trimap, 2)
    cv2.setRNGSeed(99)
    two, again = cut(RGB, trimap, 2)
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(models[1], again[1])
    np.testing.assert_array_equal(trimap, before)


def test_what_is_decided_stays():
    trimap = box_trimap()
    trimap[40:50, 55:65] = BACKGROUND
    trimap[0:4, 0:4] = SUBJECT
    found, _ = cut(RGB, trimap, 2)
    assert not found[40:50, 55:65].any() and found[0:4, 0:4].all()


@pytest.mark.parametrize("value", [BACKGROUND, SUBJECT, MAYBE_BACKGROUND, MAYBE_SUBJECT])
def test_a_trimap_with_one_side_is_its_own_answer(value: int):
    found, models = cut(RGB, np.full(TRUTH.shape, value, np.uint8))
    assert (found == bool(value & 1)).all()
    assert all(model.shape == (1, 13 * COMPONENTS) for model in models)


def test_the_band_finds_the_outline_of_the_large_picture():
    large = ellipse(360, 480, 240, 180, 100, 120)
    rgb = painted(large)
    rough, models = cut(cv2.resize(rgb, (120, 90), interpolation=cv2.INTER_AREA), box_trimap(), 3)
    fixed = np.full(large.shape, MAYBE_SUBJECT, np.uint8)
    found = cut_band(rgb, rough, models, fixed)
    assert overlap(found, large) > 0.975
    assert overlap(found, large) > overlap(np.repeat(np.repeat(rough, 4, 0), 4, 1), large)
    fixed[:, 240:] = BACKGROUND
    assert not cut_band(rgb, rough, models, fixed)[:, 240:].any()


@pytest.mark.parametrize("rough", [np.zeros((9, 12), bool), np.ones((9, 12), bool)])
def test_a_band_around_nothing_changes_nothing(rough: np.ndarray):
    models = fit_models(RGB, box_trimap())
    found = cut_band(RGB, rough, models, np.full(TRUTH.shape, MAYBE_SUBJECT, np.uint8))
    assert (found == rough[0, 0]).all()
