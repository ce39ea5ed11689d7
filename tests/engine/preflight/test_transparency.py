"""The subject on transparency: its own colours at the outline, whatever it stood before."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import MaskError
from engine.preflight.transparency import cropped, on_transparency


def mixture(width: float, side: int = 200) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A shaded disc before a blue wall: the picture, the true mask, and the disc's own colours."""
    y, x = np.mgrid[:side, :side]
    alpha = np.clip((60 - np.hypot(y - 100, x - 100)) / width + 0.5, 0, 1)
    own = np.stack([200 + 20 * np.sin(x / 15), 60 + 10 * np.sin(y / 9), np.full((side, side), 40)], 2)
    wall = np.broadcast_to([30.0, 90.0, 220.0], own.shape)
    picture = own * alpha[..., None] + wall * (1 - alpha[..., None])
    return picture.round().astype(np.uint8), (alpha * 255).round().astype(np.uint8), own


@pytest.mark.parametrize("width", [1, 4, 10])
def test_the_wall_leaves_no_halo(width):
    picture, mask, own = mixture(width)
    made = on_transparency(picture, mask)
    edge = (mask > 0) & (mask < 255)
    halo = np.abs(picture[edge].astype(float) - own[edge]).mean()
    left = np.abs(made[edge][:, :3].astype(float) - own[edge]).mean()
    assert halo > 50 and left < 0.1 * halo
    assert np.array_equal(made[..., 3], mask), "the mask is the transparency"
    assert np.array_equal(made[80:120, 80:120, :3], picture[80:120, 80:120]), "inside, nothing changes"


def test_a_hard_mask_gets_clean_colours_too():
    picture, mask, own = mixture(2)
    hard = np.where(mask > 60, 255, 0).astype(np.uint8)
    edge = (hard > 0) & (mask < 255)
    colours = on_transparency(picture, hard)[..., :3]
    assert np.abs(colours[edge].astype(float) - own[edge]).mean() < 5
    assert np.abs(picture[edge].astype(float) - own[edge]).mean() > 20


def test_tiles_show_no_seams():
    picture, mask, _ = mixture(3, 200)
    large, wide = np.tile(picture, (4, 4, 1)), np.tile(mask, (4, 4))
    made = on_transparency(large, wide)[..., :3]
    once = on_transparency(picture, mask)[..., :3]
    edge = (mask > 0) & (mask < 255)
    middle = made[200:400, 400:600]  # a tile's border runs through this copy
    assert np.abs(middle[edge].astype(int) - once[edge]).mean() < 2


def test_thin_things_keep_their_colour():
    picture = np.full((60, 60, 3), 230, np.uint8)
    mask = np.zeros((60, 60), np.uint8)
    picture[:, 30], mask[:, 30] = (20, 90, 20), 255
    assert np.abs(on_transparency(picture, mask)[10:50, 30, :3].astype(int) - (20, 90, 20)).max() < 12


def test_what_is_no_cut_out_is_said():
    picture = np.zeros((20, 20, 3), np.uint8)
    with pytest.raises(MaskError, match="empty"):
        on_transparency(picture, np.zeros((20, 20), np.uint8))
    with pytest.raises(MaskError, match="another size"):
        on_transparency(picture, np.zeros((10, 20), np.uint8))


def test_the_margins_are_cut_off():
    mask = np.zeros((30, 40), np.uint8)
    mask[5:10, 20:32] = 255
    made = cropped(on_transparency(np.full((30, 40, 3), 9, np.uint8), mask))
    assert made.shape == (5, 12, 4) and (made[..., 3] == 255).all()
