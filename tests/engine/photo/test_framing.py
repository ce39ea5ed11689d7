"""The cut-out: on white, square, nothing of the subject lost; and the published preparation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from engine.errors import MaskError, RequestError
from engine.photo.framing import MARGIN, box_on_white, cover_crop, cut_out, mask_digest, on_white
from engine.photo.hints import Box
from engine.photo.load import Photo, photo_from_pixels
from engine.photo.mask_ops import bounding_box, feather


def photo_of(height: int, width: int, colour=(30, 90, 200)) -> Photo:
    return photo_from_pixels(np.full((height, width, 3), colour, np.uint8))


def masked(photo: Photo, x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    mask = np.zeros(photo.rgb.shape[:2], np.uint8)
    mask[y0:y1, x0:x1] = 255
    return mask


@pytest.mark.parametrize(
    ("extent", "shape"),
    [
        ((0, 0, 300, 20), (200, 300)),  # as wide as the photo
        ((290, 0, 300, 200), (200, 300)),  # along its right edge
        ((0, 190, 10, 200), (200, 300)),  # in a corner
        ((100, 50, 180, 150), (200, 300)),
        ((3, 3, 12, 12), (15, 15)),  # much smaller than the cut-out
    ],
)
@pytest.mark.parametrize("size", [64, 256, 512])
def test_fit_keeps_the_whole_subject_centred_with_a_margin(extent, shape, size: int):
    photo = photo_of(*shape)
    found = cut_out(photo, masked(photo, *extent), size)
    assert found.pixels.shape == (size, size, 4) and found.framing == "fit"
    box = bounding_box(found.alpha)
    assert box is not None
    x0, y0, x1, y1 = box
    longer = max(extent[2] - extent[0], extent[3] - extent[1])
    scale = size * (1 - 2 * MARGIN) / longer
    assert x1 - x0 == pytest.approx((extent[2] - extent[0]) * scale, abs=3 + scale)
    assert y1 - y0 == pytest.approx((extent[3] - extent[1]) * scale, abs=3 + scale)
    assert abs((x0 + x1) / 2 - size / 2) <= 2 + scale and abs((y0 + y1) / 2 - size / 2) <= 2 + scale
    assert min(x0, y0, size - x1, size - y1) >= size * MARGIN - 3 - scale


def test_outside_is_pure_white_and_inside_the_subject_s_own_colour():
    photo = photo_of(120, 160)
    found = cut_out(photo, masked(photo, 40, 30, 100, 90), 128)
    assert (found.rgb[found.alpha == 0] == 255).all()
    assert np.abs(found.rgb[64, 64].astype(int) - (30, 90, 200)).max() <= 1
    assert found.alpha[64, 64] == 255


def test_no_dark_fringe_comes_in_from_a_dark_background():
    rgb = np.zeros((100, 100, 3), np.uint8)
    rgb[30:70, 30:70] = (250, 240, 230)
    photo = photo_from_pixels(rgb)
    found = cut_out(photo, masked(photo, 30, 30, 70, 70), 200)
    assert found.rgb.min() >= 215  # Lanczos rings a little; black would be 0


def test_a_soft_mask_is_composed_by_its_alpha():
    photo = photo_of(60, 60, (0, 0, 0))
    half = np.full((60, 60), 128, np.uint8)
    half[:5] = 0
    found = cut_out(photo, half, 64)
    assert np.abs(found.rgb[32, 32].astype(int) - 127).max() <= 2


def test_fit_keeps_the_aspect_ratio():
    photo = photo_of(400, 100)
    ys, xs = np.mgrid[:400, :100]
    disc = np.where((xs - 50) ** 2 + (ys - 200) ** 2 <= 40**2, 255, 0).astype(np.uint8)
    x0, y0, x1, y1 = bounding_box(cut_out(photo, disc, 256).alpha) or (0, 0, 0, 0)
    assert abs((x1 - x0) - (y1 - y0)) <= 2


def test_the_cut_out_knows_its_photo_and_mask():
    photo = photo_of(40, 40)
    mask = masked(photo, 10, 10, 30, 30)
    found = cut_out(photo, mask, 64)
    assert (found.photo, found.mask) == (photo.digest, mask_digest(mask))
    assert mask_digest(mask.reshape(20, 80)) != mask_digest(mask)
    assert cut_out(photo, mask, 64) == found
    other = cut_out(photo, masked(photo, 10, 10, 30, 29), 64)
    assert other.digest != found.digest


def test_a_photo_that_ends_before_its_subject_does():
    photo = photo_of(60, 80)
    assert cut_out(photo, masked(photo, 20, 20, 60, 60), 64).cut_below
    assert not cut_out(photo, masked(photo, 20, 20, 60, 59), 64).cut_below, "it stands in the photo"
    feet = masked(photo, 20, 20, 60, 50)
    feet[50:, 24:28] = 255
    assert not cut_out(photo, feet, 64).cut_below, "a foot at the edge is no cut"
    assert not cut_out(photo, masked(photo, 0, 0, 40, 40), 64).cut_below
    assert cut_out(photo, masked(photo, 0, 10, 40, 40), 64).cut_beside == "left"
    assert cut_out(photo, masked(photo, 30, 10, 80, 40), 64).cut_beside == "right"
    corner = cut_out(photo, masked(photo, 30, 20, 80, 60), 64)
    assert (corner.cut_below, corner.cut_beside) == (True, "right")
    assert cut_out(photo, masked(photo, 0, 20, 80, 50), 64).cut_beside == "", "both sides: it has no end in the photo"
    assert cut_out(photo, masked(photo, 20, 0, 60, 40), 64).cut_beside == "", "a top is no side"
    transparent = replace(photo, alpha=masked(photo, 20, 20, 60, 60))
    assert not cut_out(transparent, masked(photo, 20, 20, 60, 60), 64).cut_below, "what is cropped to itself is whole"
    assert cut_out(transparent, masked(photo, 0, 10, 40, 40), 64).cut_beside == ""


@pytest.mark.parametrize("framing", ["fit", "reference"])
def test_masks_that_cannot_be_used(framing: str):
    photo = photo_of(40, 50)
    with pytest.raises(MaskError, match="empty"):
        cut_out(photo, np.zeros((40, 50), np.uint8), 64, framing)
    with pytest.raises(MaskError, match="The cut-out is 40 × 50 and the photo 50 × 40 pixels"):
        cut_out(photo, np.zeros((50, 40), np.uint8), 64, framing)
    with pytest.raises(MaskError, match="no mask"):
        cut_out(photo, np.zeros((40, 50, 3), np.uint8), 64, framing)


def test_full_and_tiny_masks_are_refused_when_fitting_only():
    photo = photo_of(40, 50)
    full = np.full((40, 50), 255, np.uint8)
    with pytest.raises(MaskError, match="covers the whole photo"):
        cut_out(photo, full, 64)
    # The published preparation has no mask, only a box; the whole photo is a box.
    assert (cut_out(photo, full, 64, "reference").alpha == 255).all()


@pytest.mark.parametrize("size", [0, 513, -1])
def test_sizes_beyond_the_limits(size: int):
    photo = photo_of(40, 40)
    with pytest.raises(RequestError, match="from 1 to 512"):
        cut_out(photo, masked(photo, 5, 5, 30, 30), size)


def test_unknown_framing():
    photo = photo_of(40, 40)
    with pytest.raises(RequestError, match="“stretch” is no framing"):
        cut_out(photo, masked(photo, 5, 5, 30, 30), 64, "stretch")


def test_reference_whitens_outside_the_box_then_covers_and_crops():
    rgb = np.random.default_rng(3).integers(0, 256, (60, 100, 3), dtype=np.uint8)
    photo = photo_from_pixels(rgb)
    box = Box(20, 10, 70, 50)
    found = cut_out(photo, np.zeros((60, 100), np.uint8), 48, "reference", box)
    white = np.full_like(rgb, 255)
    white[10:50, 20:70] = rgb[10:50, 20:70]
    resized = Image.fromarray(white).resize((80, 48), Image.Resampling.LANCZOS)  # shorter side 48, 100·48/60 = 80
    np.testing.assert_array_equal(found.rgb, np.asarray(resized)[:, 16:64])
    assert found.framing == "reference"


def test_reference_takes_the_mask_s_box_when_none_is_given():
    rgb = np.random.default_rng(4).integers(0, 256, (50, 50, 3), dtype=np.uint8)
    photo = photo_from_pixels(rgb)
    mask = feather(masked(photo, 10, 10, 40, 30), 0)
    given = cut_out(photo, mask, 32, "reference", Box(10, 10, 40, 30))
    assert cut_out(photo, mask, 32, "reference") == given


def test_cover_crop_truncates_the_longer_side_as_published():
    pixels = np.zeros((33, 50, 3), np.uint8)
    assert cover_crop(pixels, 16).shape == (16, 16, 3)
    tall = np.zeros((101, 20), np.uint8)
    tall[50:] = 255
    found = cover_crop(tall, 10)
    assert found.shape == (10, 10)
    assert found[0].max() <= 2 and found[-1].min() >= 253  # the centre is kept


def test_box_on_white_and_on_white():
    rgb = np.full((4, 5, 3), 10, np.uint8)
    out = box_on_white(rgb, (1, 1, 3, 4))
    assert (out[1:4, 1:3] == 10).all() and (out[0] == 255).all() and (out[:, 3:] == 255).all()
    mask = np.array([[0, 255, 128, 0, 255]] * 4, np.uint8)
    mixed = on_white(rgb, mask)
    assert mixed[0, :, 0].tolist()[:2] == [255, 10]
    assert abs(int(mixed[0, 2, 0]) - 132) <= 1


def test_cover_crop_has_the_sizes_the_published_order_of_operations_gives():
    """``int((w / h) * size)`` and ``int(size / (w / h))`` are a pixel off ``int(size * w / h)`` now and then."""
    differing = 0
    for width, height in ((w, h) for w in range(60, 160) for h in range(60, 160)):
        wanted = (64, int(64 / (width / height))) if width < height else (int((width / height) * 64), 64)
        plain = (64, int(64 * height / width)) if width < height else (int(64 * width / height), 64)
        if wanted == plain:
            continue
        differing += 1
        pixels = np.random.default_rng(width).integers(0, 256, (height, width, 3), np.uint8)
        resized = np.asarray(Image.fromarray(pixels).resize(wanted, Image.Resampling.LANCZOS))
        left, top = (wanted[0] - 64) // 2, (wanted[1] - 64) // 2
        np.testing.assert_array_equal(cover_crop(pixels, 64), resized[top : top + 64, left : left + 64])
    assert differing > 0
