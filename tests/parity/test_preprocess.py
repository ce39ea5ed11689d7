"""The published framing (box on white, cover, centre crop), picture by picture.

The rest of the preparation, DINOv2's input and its positions, is tested with the encoders.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from engine.photo.framing import box_on_white, cover_crop
from tests.parity.cases import DATA

FOLDER = DATA / "preprocess"
CASES = {case["name"]: case for case in json.loads((FOLDER / "boxes.json").read_text())["cases"]}
CENTRE = np.s_[64:192, 64:192]


def picture(name: str) -> np.ndarray:
    with Image.open(FOLDER / f"{name}.webp") as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("name", CASES)
def test_all_but_the_box_becomes_white(name: str):
    whitened = picture(f"{name}_whitened")
    left, top, right, bottom = CASES[name]["box_xyxy_int"]
    photo = np.random.default_rng(0).integers(0, 256, whitened.shape, dtype=np.uint8)
    photo[top:bottom, left:right] = whitened[top:bottom, left:right]
    assert np.array_equal(box_on_white(photo, (left, top, right, bottom)), whitened)


@pytest.mark.parametrize("name", CASES)
def test_the_square_is_the_published_one(name: str):
    square = cover_crop(picture(f"{name}_whitened"), 256)
    assert square.shape == (256, 256, 3)
    assert np.array_equal(square[CENTRE], picture(f"{name}_centre"))
