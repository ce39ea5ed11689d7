"""The subject's own colours at a soft edge."""

import numpy as np
import pytest

from engine.photo import cut_out, foreground_colours, photo_from_pixels


def soft_disc(height: int, width: int, radius: float, softness: float) -> np.ndarray:
    ys, xs = np.mgrid[:height, :width]
    apart = np.hypot(xs - width / 2, ys - height / 2) - radius
    return np.rint(255 * np.clip(0.5 - apart / softness, 0, 1)).astype(np.uint8)


def mixed(alpha: np.ndarray, subject: tuple[int, ...], background: tuple[int, ...]) -> np.ndarray:
    share = alpha[..., None] / 255
    return np.rint(np.array(subject) * share + np.array(background) * (1 - share)).astype(np.uint8)


def test_the_background_is_gone_from_a_soft_edge():
    alpha = soft_disc(160, 200, 50, 8)
    photo = mixed(alpha, (200, 40, 30), (20, 160, 40))
    found = foreground_colours(photo, alpha).astype(int)
    soft = (alpha > 10) & (alpha < 245)
    assert np.abs(photo[soft].astype(int) - (200, 40, 30)).mean() > 40
    assert np.abs(found[soft] - (200, 40, 30)).mean() < 12


def test_what_is_decided_keeps_its_colours():
    alpha = soft_disc(90, 90, 25, 4)
    photo = np.random.default_rng(1).integers(0, 256, (90, 90, 3), np.uint8)
    found = foreground_colours(photo, alpha)
    assert (found[alpha == 255] == photo[alpha == 255]).all()
    assert (found[:10] == photo[:10]).all()
    hard = np.where(alpha >= 128, 255, 0).astype(np.uint8)
    assert (foreground_colours(photo, hard) == photo).all()


def test_tiles_leave_no_seam():
    alpha = np.full((40, 1100), 128, np.uint8)
    photo = np.full((40, 1100, 3), 90, np.uint8)
    assert np.ptp(foreground_colours(photo, alpha).astype(int)) <= 1


def test_far_from_an_edge_nothing_is_touched():
    alpha = np.zeros((40, 1100), np.uint8)
    alpha[10:30, 20:60] = 128
    photo = np.random.default_rng(2).integers(0, 256, (40, 1100, 3), np.uint8)
    found = foreground_colours(photo, alpha)
    assert (found[:, 200:] == photo[:, 200:]).all() and not (found[:, :80] == photo[:, :80]).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (3, 2)])
def test_the_smallest_pictures(shape):
    alpha = np.full(shape, 100, np.uint8)
    assert foreground_colours(np.full((*shape, 3), 50, np.uint8), alpha).shape == (*shape, 3)


def test_other_sizes_and_types_are_refused():
    with pytest.raises(ValueError, match="alpha"):
        foreground_colours(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5), np.uint8))
    with pytest.raises(ValueError, match="rgb"):
        foreground_colours(np.zeros((4, 4, 3), np.float32), np.zeros((4, 4), np.uint8))


def test_a_cut_out_on_white_has_no_fringe_of_the_old_background():
    alpha = soft_disc(300, 300, 100, 24)
    photo = photo_from_pixels(mixed(alpha, (220, 200, 60), (0, 0, 0)))
    pixels = cut_out(photo, alpha, 256).pixels.astype(float)
    share = pixels[..., 3:] / 255
    wanted = np.array((220, 200, 60)) * share + 255 * (1 - share)
    soft = (share[..., 0] > 0.1) & (share[..., 0] < 0.9)
    assert np.abs(pixels[..., :3] - wanted)[soft].mean() < 10
