"""What the canvas shows of a photo and a mask."""

from __future__ import annotations

import numpy as np
import pytest

from app.editor.overlay import OVERLAYS, Style, compose, edge_margin

STYLE = Style((162, 123, 255, 0.25), (10, 10, 14, 0.27), (255, 255, 255, 1.0), (16, 12, 28, 0.75), 1.75, 3.75)
GREY = np.full((120, 160, 3), 100, np.uint8)


def half() -> np.ndarray:
    mask = np.zeros((120, 160), np.uint8)
    mask[:, 80:] = 255
    return mask


def test_the_subject_is_tinted_and_the_rest_dimmed():
    shown = compose(GREY, half(), "tint", STYLE)
    assert shown[60, 140].tolist() == pytest.approx([115.5, 105.75, 138.75], abs=1.5)
    assert shown[60, 20].tolist() == pytest.approx([75.7, 75.7, 76.8], abs=1.5)


def test_the_outline_alone_leaves_the_photo():
    shown = compose(GREY, half(), "outline", STYLE)
    assert np.array_equal(shown[:, :70], GREY[:, :70]) and np.array_equal(shown[:, 90:], GREY[:, 90:])


def test_the_model_view_is_the_subject_on_white():
    shown = compose(GREY, half(), "model", STYLE)
    assert (shown[:, :80] == 255).all() and (shown[:, 80:] == 100).all()


@pytest.mark.parametrize("ratio", [1.0, 1.25, 2.0])
def test_the_edge_is_a_white_line_on_a_dark_one_of_the_right_widths(ratio):
    style = Style(STYLE.tint, STYLE.dim, STYLE.inner, STYLE.outer, 1.75 * ratio, 3.75 * ratio)
    row = compose(GREY, half(), "outline", style)[60, :, 0].astype(int)
    white = np.clip((row - 100) / 155, 0, 1).sum()
    dark = np.clip((100 - row) / (100 - 37), 0, 1).sum()
    assert white == pytest.approx(1.75 * ratio, abs=0.6)
    assert dark == pytest.approx(2 * ratio, abs=0.9)
    assert row[80] > 200 and row[79] > 200  # on the edge itself


def test_a_feathered_mask_has_one_sharp_outline():
    mask = np.tile(np.linspace(0, 255, 160).astype(np.uint8), (120, 1))
    row = compose(GREY, mask, "outline", STYLE)[60, :, 0].astype(int)
    assert 1 <= np.count_nonzero(row > 180) <= 5


def test_no_outline_along_the_edge_of_the_photo():
    full = np.full((120, 160), 255, np.uint8)
    assert np.array_equal(compose(GREY, full, "outline", STYLE), GREY)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_part_looks_like_the_same_part_of_the_whole(overlay):
    rng = np.random.default_rng(3)
    photo = rng.integers(0, 256, (120, 160, 3), dtype=np.uint8)
    mask = half()
    mask[30:50, 40:100] = 200
    whole = compose(photo, mask, overlay, STYLE)
    margin = edge_margin(STYLE)
    part = compose(
        photo[20:70, 30:110], mask[20 - margin : 70 + margin, 30 - margin : 110 + margin], overlay, STYLE, margin
    )
    assert np.array_equal(part, whole[20:70, 30:110])
