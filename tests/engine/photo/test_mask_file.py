"""Masks come in as any grey or transparent picture and go out as a grey PNG."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.errors import CannotWrite, ExitCode, MaskError
from engine.photo.load import photo_from_pixels
from engine.photo.mask_file import read_mask, write_mask

PHOTO = photo_from_pixels(np.zeros((6, 9, 3), np.uint8))
MASK = np.random.default_rng(0).integers(0, 256, (6, 9), dtype=np.uint8)


def test_a_mask_comes_back_as_it_was_written(tmp_path: Path):
    write_mask(tmp_path / "mask.png", MASK)
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.png", PHOTO), MASK)
    with Image.open(tmp_path / "mask.png") as picture:
        assert picture.mode == "L"


def test_transparency_is_the_mask_where_there_is_any(tmp_path: Path):
    rgba = np.dstack([np.full((6, 9, 3), 200, np.uint8), MASK])
    Image.fromarray(rgba).save(tmp_path / "cutout.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "cutout.png", PHOTO), MASK)


def test_a_mask_of_another_size_names_both(tmp_path: Path):
    write_mask(tmp_path / "mask.png", MASK[:, :8])
    with pytest.raises(MaskError, match=r"mask\.png is 8 × 6 pixels and the photo 9 × 6\.") as caught:
        read_mask(tmp_path / "mask.png", PHOTO)
    assert caught.value.exit_code == ExitCode.BAD_INPUT


def test_what_is_no_mask_is_a_mask_error_with_the_photo_s_sentence(tmp_path: Path):
    with pytest.raises(MaskError, match=r"nothing\.png is not there"):
        read_mask(tmp_path / "nothing.png", PHOTO)
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(MaskError, match=r"text\.png holds no image") as caught:
        read_mask(tmp_path / "text.png", PHOTO)
    assert caught.value.title == "This is not a picture"


def test_a_mask_that_cannot_be_written(tmp_path: Path):
    with pytest.raises(CannotWrite, match="no such folder"):
        write_mask(tmp_path / "missing" / "mask.png", MASK)
