"""The settings file: a round trip, and damage that costs one value only."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from app.store.settings import Settings, SettingsStore
from engine.errors import CannotWrite


def test_round_trip(tmp_path):
    store = SettingsStore(tmp_path / "settings.json")
    wanted = replace(
        Settings(),
        theme="dark",
        text_scale=1.3,
        keys={"open": ["Ctrl+P"]},
        panels={"more": True},
        seconds={"mini": 4.0},
    )
    store.save(wanted)
    assert SettingsStore(store.path).load() == wanted


def test_a_missing_file_is_the_original_settings(tmp_path):
    assert SettingsStore(tmp_path / "none.json").load() == Settings()


@pytest.mark.parametrize("content", ["", "{", "[1]", "nul", '"text"', "[" * 100_000])
def test_a_damaged_file_is_the_original_settings(tmp_path, content):
    file = tmp_path / "settings.json"
    file.write_text(content)
    assert SettingsStore(file).load() == Settings()


def test_one_wrong_value_costs_only_itself(tmp_path):
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"theme": 5, "device": "cpu", "text_scale": 1, "previews": "yes", "unknown": 1}))
    assert SettingsStore(file).load() == replace(Settings(), device="cpu", text_scale=1.0)


def test_saving_twice_writes_once(tmp_path):
    store = SettingsStore(tmp_path / "settings.json")
    store.save(Settings())
    before = store.path.stat().st_mtime_ns
    store.path.unlink()
    store.save(Settings())
    assert not store.path.exists() and before


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotWrite):
        SettingsStore(tmp_path / "file" / "settings.json").save(Settings())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("theme", "neon"),
        ("text_scale", 1e300),
        ("text_scale", 10**400),
        ("box_threshold", -1),
        ("keys", {"open": "Ctrl+P"}),
        ("seconds", {"mini": "soon"}),
    ],
)
def test_a_value_that_cannot_be_costs_only_itself(tmp_path, name, value):
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"device": "cpu", name: value}))
    assert SettingsStore(file).load() == replace(Settings(), device="cpu")


def test_numbers_that_are_none_are_not_taken_over(tmp_path):
    file = tmp_path / "settings.json"
    file.write_text('{"text_scale": NaN, "seconds": {"mini": 1e999}, "language": "en"}')
    assert SettingsStore(file).load() == replace(Settings(), language="en")


def test_damaged_settings_are_kept_aside(tmp_path):
    file = tmp_path / "settings.json"
    file.write_text("{ not json")
    store = SettingsStore(file)
    store.save(store.load())
    assert (tmp_path / "settings.json.bad").read_text() == "{ not json"


@pytest.mark.parametrize(
    "content", ['{"version": 1, "keys": {"open": "Ctrl+P"}}', '{"version": 2, "theme": "dark", "more": [1]}']
)
def test_settings_that_are_read_in_part_are_kept_aside_too(tmp_path, content):
    """The next save writes what was read: own keys with one that is wrong, or all that a newer version knows, would be gone."""
    file = tmp_path / "settings.json"
    file.write_text(content)
    SettingsStore(file).load()
    assert (tmp_path / "settings.json.bad").read_text() == content


def test_settings_that_are_whole_leave_nothing_aside(tmp_path):
    store = SettingsStore(tmp_path / "settings.json")
    store.save(Settings())
    store.load()
    assert [file.name for file in tmp_path.iterdir()] == ["settings.json"]
