"""Presets in the window: saved under a name, back with one key, passed on as a file, never lost."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from PySide6.QtWidgets import QFileDialog, QPushButton, QWidget

from app.dialogs.help import HelpDialog
from app.look.controls import ElidedLabel
from app.session.state import SessionState
from app.store.preset_store import PresetStore
from app.window.presets import Presets
from engine.placement import Placement
from engine.preset import Preset, read_preset, write_preset
from tests.app.fake_bundle import bits, fake_bundle
from tests.app.look_fixture import dressed, plain_look  # noqa: F401 – fixtures


@pytest.fixture
def shown() -> list:
    return []


@pytest.fixture
def presets(qtbot, plain_look, tmp_path, shown) -> Presets:  # noqa: F811
    window = QWidget()
    qtbot.addWidget(window)
    panels = SimpleNamespace(
        prompt=SimpleNamespace(sheet=SimpleNamespace(presets_button=QPushButton(window))),
        toast=SimpleNamespace(
            show_message=lambda text, undo=None, button="": shown.append((text, undo)),
            show_saved=lambda file: shown.append((file, None)),
        ),
    )
    state = SessionState()
    state.update_engine(manifest=fake_bundle(tmp_path), folder=tmp_path)
    presets = Presets(panels, state, tmp_path / "config" / "presets.json", window)
    presets.failed.connect(shown.append)
    presets.window = window
    return presets


def test_settings_come_back_with_one_key(presets, shown, tmp_path):
    state = presets._state
    presets.runs()["preset_1"]()
    assert "no preset" in shown[-1][0]
    state.update_values(temperature=1.5, prompt_strength=5.0, negative_prompt="snow", prompt="a cat", size=(72, 48))
    presets.keep("Lively")
    assert "Alt+1" in shown[-1][0]
    state.update_values(temperature=1.0, prompt="a dog", size=(64, 64), kept=bits().first(2))
    presets.runs()["preset_1"]()
    values = state.values
    assert (values.temperature, values.prompt_strength, values.negative_prompt) == (1.5, 5.0, "snow")
    assert values.prompt == "a dog" and values.size == (72, 48) and values.kept is None, "scales belong to a shape"
    shown[-1][1]()
    assert state.values.temperature == 1.0 and state.values.kept is not None, "undone"
    presets.keep("LIVELY")
    assert [preset.temperature for preset in PresetStore(tmp_path / "config" / "presets.json").load()] == [1.0]
    assert presets.menu().actions()[0].text() == "LIVELY\tAlt+1"
    presets.delete(0)
    assert presets.presets == []
    shown[-1][1]()
    assert [preset.name for preset in presets.presets] == ["LIVELY"]
    presets.keep("x" * 61)
    assert "1 to 60 characters" in str(shown[-1])


def test_the_menu_shows_the_presets_there_are_and_how_to_make_one(presets):
    def in_the_list_of_keys() -> list[str]:
        dialog = HelpDialog(presets.window, presets.key_words())
        words = [one.text() for one in dialog.findChildren(ElidedLabel)]
        dialog.deleteLater()
        return words

    def entries() -> list[tuple[str, bool]]:
        return [(entry.text(), entry.isEnabled()) for entry in presets.menu().actions() if not entry.isSeparator()]

    making = [("Save these settings as a preset…", True), ("Open a preset…", True)]
    assert entries() == [("No presets yet", False), *making]
    assert not any(
        "preset" in words.lower() for words in in_the_list_of_keys() if not words.startswith(("Save", "Open"))
    )
    presets.keep("Dusk & dawn")
    assert entries() == [("Dusk && dawn\tAlt+1", True), *making, ("Share", True), ("Delete", True)]
    assert [words for words in in_the_list_of_keys() if "Dusk" in words] == ["Use “Dusk & dawn”"]


def test_a_preset_is_shared_as_a_file_and_it_is_said_where(presets, shown, tmp_path, monkeypatch):
    presets.keep("dusk")
    for name in ("a file", "another.json", "dusk v1.2"):
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, name=name: (str(tmp_path / name), ""))
        presets.share(0)
        file = tmp_path / f"{name.removesuffix('.json')}.json"
        assert shown[-1][0] == file and read_preset(file).name == "dusk"


def test_a_preset_from_elsewhere(presets, shown, tmp_path):
    file = tmp_path / "theirs.json"
    write_preset(file, Preset("Theirs", temperature=0.5, size=(512, 512), placement=Placement(0.5, 0.5, 0.5)))
    presets.take_file(file)
    assert presets._state.values.temperature == 0.5 and presets._state.values.size is None
    assert presets._state.values.placement is None and "stands" in shown[-1][0]
    file.write_text("{}")
    presets.take_file(file)
    assert "no preset" in str(shown[-1]) and len(presets.presets) == 1


def test_undoing_a_preset_gives_no_other_subject_the_place_of_the_one_before(presets, shown):
    state, place = presets._state, Placement(0.3, 0.6, 0.4)
    state.add_subject(name="dog")
    state.update_values(placement=place, temperature=1.5)
    presets.keep("Here")
    state.update_values(temperature=1.0)
    presets.use(0)
    undo = shown[-1][1]
    state.add_subject(name="robot")
    undo()
    assert state.values.temperature == 1.0 and state.values.placement is None
    state.select_subject(0)
    assert state.values.placement == place


def test_a_damaged_file_loses_nothing(tmp_path):
    file = tmp_path / "presets.json"
    store = PresetStore(file)
    store.save([Preset("One"), Preset("Two")])
    file.write_text(file.read_text().replace('"temperature": 1.0', '"temperature": "hot"', 1))
    assert [preset.name for preset in store.load()] == ["Two"]
    file.write_text("[{")
    assert store.load() == [] and (tmp_path / "presets.json.bad").read_text() == "[{"
