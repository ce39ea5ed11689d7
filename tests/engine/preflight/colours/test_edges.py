"""A small outline becomes a large mask whose edge lies where the photo's edge lies."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.preflight.colours.edges import enlarge, guided_coefficients
from tests.engine.preflight.scenes import ellipse, overlap, painted


def shrunk(values: np.ndarray, factor: int) -> np.ndarray:
    height, width = values.shape[:2]
    return cv2.resize(values, (width // factor, height // factor), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_the_edge_follows_the_photo(factor: int):
    truth = ellipse(480, 640, 330, 250, 150, 170)
    rgb = painted(truth)
    small = np.where(shrunk((truth * 255).astype(np.uint8), factor) >= 128, 255, 0).astype(np.uint8)
    found = enlarge(small, shrunk(rgb, factor), rgb)
    plain = cv2.resize(small, (640, 480), interpolation=cv2.INTER_LINEAR)
    assert overlap(found, truth) > 0.985
    error = np.abs(found / 255 - truth).sum()
    assert error < np.abs(plain / 255 - truth).sum()


def test_an_outline_that_is_a_pixel_off_is_put_right():
    truth = ellipse(480, 640, 330, 250, 150, 170)
    rgb = painted(truth)
    small = np.where(shrunk((truth * 255).astype(np.uint8), 4) >= 128, 255, 0).astype(np.uint8)
    small = np.roll(small, 1, axis=1)
    plain = cv2.resize(small, (640, 480), interpolation=cv2.INTER_LINEAR)
    assert np.abs(enlarge(small, shrunk(rgb, 4), rgb) / 255 - truth).sum() < 0.7 * np.abs(plain / 255 - truth).sum()


def test_far_from_the_outline_nothing_is_touched():
    truth = ellipse(480, 640, 330, 250, 150, 170)
    rgb = painted(truth)
    small = np.where(shrunk((truth * 255).astype(np.uint8), 4) >= 128, 255, 0).astype(np.uint8)
    found = enlarge(small, shrunk(rgb, 4), rgb)
    far = cv2.distanceTransform((~truth).astype(np.uint8), cv2.DIST_L2, 5)
    assert not found[far > 45].any()
    deep = cv2.distanceTransform(truth.astype(np.uint8), cv2.DIST_L2, 5)
    assert (found[deep > 45] == 255).all()


def test_tiles_meet_without_a_seam():
    """The outline crosses many tiles; a step across a tile's border would be a seam."""
    truth = np.zeros((600, 1100), bool)
    truth[300:] = True
    rgb = painted(truth)
    small = np.where(shrunk((truth * 255).astype(np.uint8), 4) >= 128, 255, 0).astype(np.uint8)
    found = enlarge(small, shrunk(rgb, 4), rgb).astype(int)
    across = np.abs(np.diff(found[280:320], axis=1)).mean(0)
    for border in (256, 512, 768, 1024):
        assert across[border - 1] <= np.quantile(across, 0.99) + 3


@pytest.mark.parametrize("value", [0, 255])
def test_an_empty_or_full_mask_stays_so(value: int):
    rgb = painted(ellipse(60, 80, 40, 30, 20, 20))
    found = enlarge(np.full((30, 40), value, np.uint8), shrunk(rgb, 2), rgb)
    assert found.shape == (60, 80) and (found == value).all()


def test_coefficients_explain_a_mask_that_is_a_function_of_colour():
    guide = np.random.default_rng(0).random((40, 50, 3)).astype(np.float32)
    mask = np.clip(guide @ np.array([0.5, 0.3, 0.1], np.float32) + 0.05, 0, 1)
    coefficients = guided_coefficients(mask, guide)
    explained = (coefficients[..., :3] * guide).sum(2) + coefficients[..., 3]
    assert np.abs(explained - mask)[6:-6, 6:-6].max() < 0.05
