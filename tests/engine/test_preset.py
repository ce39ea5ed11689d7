"""Presets: a file that is passed on brings the same settings, and a damaged one is a sentence."""

from __future__ import annotations

import json

import pytest

from engine.errors import EchoGenError, InputError
from engine.placement import Placement
from engine.preset import Preset, read_preset, write_preset
from engine.request import GenerationRequest

LIVELY = Preset("  Lively\tone ", "snow", 4.0, (3.0, 2.0), None, 1.4, 0.9, (512, 512), Placement(0.5, 0.6, 0.4, 10))


def test_a_file_brings_everything_back(tmp_path):
    file = tmp_path / "lively.json"
    write_preset(file, LIVELY)
    found = read_preset(file)
    assert found == LIVELY and found.name == "Lively one"
    request = found.applied(GenerationRequest("a cat", seed=3, subject_name="cat"))
    assert (request.prompt, request.seed, request.negative_prompt) == ("a cat", 3, "snow")
    assert request.placement == LIVELY.placement and request.subject_strength == (3.0, 2.0)
    assert "path" not in file.read_text() and 'prompt":' not in file.read_text().replace("negative_prompt", "")


@pytest.mark.parametrize(
    "change",
    [
        {"temperature": 99},
        {"temperature": "hot"},
        {"size": [3]},
        {"placement": {"x": 7, "y": 0, "size": 1}},
        {"placement": 4},
        {"name": ""},
        {"name": "x" * 61},
        {"kind": "a recipe"},
        {"format": 2},
        {"prompt_strength": 10**400},
    ],
)
def test_what_is_damaged_is_one_sentence(tmp_path, change):
    file = tmp_path / "preset.json"
    file.write_text(json.dumps({**LIVELY.to_json(), **change}))
    with pytest.raises(EchoGenError):
        read_preset(file)


@pytest.mark.parametrize("content", [b"", b"[" * 60000, b"\xff\xfe", b"{}", b"x" * 70000])
def test_what_is_no_preset_is_one_sentence(tmp_path, content):
    file = tmp_path / "preset.json"
    file.write_bytes(content)
    with pytest.raises(InputError, match="no preset"):
        read_preset(file)
    with pytest.raises(InputError, match="cannot be read"):
        read_preset(tmp_path / "gone.json")
