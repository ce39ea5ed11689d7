"""The last list of prompts and the presets: what is written comes back, and what is damaged loses nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from app.store.json_file import dumps, put_aside
from app.store.list_store import ListStore
from app.store.preset_store import MOST, PresetStore
from engine.preset import Preset
from engine.prompt_list import ListedRequest
from engine.request import CutOut, GenerationRequest

DUCK, ROBOT = (CutOut(np.full((16, 16, 4), grey, np.uint8)) for grey in (90, 200))
LISTED = (
    ListedRequest(GenerationRequest("red", subject=DUCK, seed=1), "red", "snow"),
    ListedRequest(GenerationRequest("blue", subject=ROBOT, seed=2), "blue", "snow"),
    ListedRequest(GenerationRequest("grey", subject=DUCK, seed=3), "grey"),
    ListedRequest(GenerationRequest("empty", seed=4), "empty"),
)


@pytest.fixture
def lists(tmp_path: Path) -> ListStore:
    store = ListStore(tmp_path / "list.json")
    store.save("key", LISTED)
    return store


def test_a_list_comes_back_with_its_subjects_each_written_once(lists: ListStore):
    assert lists.load("key") == LISTED
    data = json.loads(lists.path.read_text(encoding="utf-8"))
    assert [entry["subject"] for entry in data["entries"]] == [0, 1, 0, 2] and data["subjects"][2] is None


def test_further_photos_of_a_list_are_written_once_too(lists: ListStore):
    several = tuple(ListedRequest(GenerationRequest(word, DUCK, views=(ROBOT, DUCK)), word) for word in ("red", "blue"))
    lists.save("key", several)
    assert lists.load("key") == several
    data = json.loads(lists.path.read_text(encoding="utf-8"))
    assert len(data["subjects"]) == 2 and [entry["views"] for entry in data["entries"]] == [[1, 0]] * 2


def test_another_list_a_missing_and_a_damaged_file_are_no_list(lists: ListStore):
    assert lists.load("another key") == ()
    lists.path.write_text("{", encoding="utf-8")
    assert lists.load("key") == ()
    lists.path.unlink()
    assert lists.load("key") == ()


@pytest.mark.parametrize("subject", [9, -1, 0.5, None])
def test_a_subject_that_is_not_there_is_not_another_one(lists: ListStore, subject: object):
    data = json.loads(lists.path.read_text(encoding="utf-8"))
    data["entries"][1]["subject"] = subject
    lists.path.write_text(json.dumps(data), encoding="utf-8")
    assert lists.load("key") == ()


@pytest.fixture
def presets(tmp_path: Path) -> PresetStore:
    return PresetStore(tmp_path / "presets.json")


def test_presets_come_back_in_their_order(presets: PresetStore):
    assert presets.load() == []
    kept = [Preset("Calm", temperature=0.5), Preset("Wide", size=(512, 256))]
    presets.save(kept)
    assert presets.load() == kept and [path.name for path in presets.path.parent.iterdir()] == ["presets.json"]


def test_what_of_the_presets_cannot_be_read_is_kept_aside_before_the_next_save(presets: PresetStore):
    newer = {**Preset("Newer").to_json(), "format": 99}
    presets.path.write_text(json.dumps([newer, Preset("One").to_json()]), encoding="utf-8")
    found = presets.load()
    assert [preset.name for preset in found] == ["One"]
    presets.save(found)
    assert json.loads(presets.path.with_name("presets.json.bad").read_text(encoding="utf-8"))[0] == newer


def test_more_presets_than_there_are_keys_for_are_kept_aside(presets: PresetStore):
    many = [Preset(f"Preset {number}") for number in range(MOST + 2)]
    presets.save(many)
    assert presets.load() == many[:MOST]
    assert len(json.loads(presets.path.with_name("presets.json.bad").read_text(encoding="utf-8"))) == MOST + 2


def test_what_cannot_be_kept_aside_is_no_error(tmp_path: Path):
    put_aside(tmp_path / "missing.json")
    assert list(tmp_path.iterdir()) == []


def test_names_in_another_encoding_are_written_with_escapes():
    assert dumps({"a": "北"}) == '{\n "a": "北"\n}'.encode()
    assert json.loads(dumps({"a": "\udcff"})) == {"a": "\udcff"}
