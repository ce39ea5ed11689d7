"""What a folder of published files is taken for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.weights.importing import look_into


def naming_model(folder: Path, config: object) -> Path:
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "model.safetensors").touch()
    return folder


@pytest.mark.parametrize(
    ("config", "part"),
    [
        ({"hidden_size": 2048}, "qwen2.5-vl-3b"),
        ({"hidden_size": 3584}, "qwen2.5-vl-7b"),
        ({"text_config": {"hidden_size": 3584}}, "qwen2.5-vl-7b"),
        ({"hidden_size": "wide"}, "qwen2.5-vl-3b"),
        ({"hidden_size": 1e999}, "qwen2.5-vl-3b"),
        ({"text_config": 5}, "qwen2.5-vl-3b"),
        ({}, "qwen2.5-vl-3b"),
    ],
)
def test_its_width_tells_which_naming_model_it_is(tmp_path, config, part):
    found = look_into(naming_model(tmp_path, {"model_type": "qwen2_5_vl", **config}))
    assert dict(found.helpers) == {part: tmp_path}


@pytest.mark.parametrize("config", [[], "x", None])
def test_a_config_that_is_none_is_passed_over(tmp_path, config):
    assert look_into(naming_model(tmp_path, config)).empty
