"""What a folder says about preparing pictures is read with suspicion."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine.errors import BundleError
from engine.preflight.networks.pretrained import IMAGENET_MEAN, channel_values, load_part, preprocessing


@pytest.mark.parametrize("text", ["", "[1, 2]", "{", "null", '{"image_processor": 3}'])
def test_a_damaged_description_says_nothing(tmp_path: Path, text: str):
    (tmp_path / "preprocessor_config.json").write_text(text)
    assert preprocessing(tmp_path) == {}


def test_both_names_and_the_nested_layout_are_read(tmp_path: Path):
    assert preprocessing(tmp_path) == {}
    (tmp_path / "processor_config.json").write_text(json.dumps({"image_processor": {"image_mean": [1, 2, 3]}}))
    assert preprocessing(tmp_path) == {"image_mean": [1, 2, 3]}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({"image_mean": [4, 5, 6]}))
    assert preprocessing(tmp_path) == {"image_mean": [4, 5, 6]}


@pytest.mark.parametrize("values", [None, [1, 2], "abc", [1, "x", 3], {}])
def test_numbers_that_are_none_fall_back(values: object):
    found = channel_values({"image_mean": values}, "image_mean", IMAGENET_MEAN)
    np.testing.assert_allclose(found, IMAGENET_MEAN)


@pytest.mark.parametrize("error", [ValueError("bad"), KeyError("x"), OSError("gone"), RuntimeError("size mismatch")])
def test_whatever_goes_wrong_becomes_one_sentence_with_its_cause(tmp_path: Path, error: Exception):
    (tmp_path / "config.json").write_text("{}")

    def load() -> None:
        raise error

    with pytest.raises(BundleError, match=r"The part in .* cannot be opened") as caught:
        load_part("The part", tmp_path, load)
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")])
def test_too_little_memory_is_not_a_damaged_folder(tmp_path: Path, error: Exception):
    (tmp_path / "config.json").write_text("{}")

    def load() -> None:
        raise error

    with pytest.raises(type(error)):
        load_part("The part", tmp_path, load)
