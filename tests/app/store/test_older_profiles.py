"""What older versions left behind opens in this one: settings, session, presets, history, queue, pictures, models.

The profiles in ``tests/data/profiles`` were written by the program of their day (``make.py`` there), and none is ever changed.
"""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from app.session.keeper import SessionKeeper
from app.session.state import SessionState
from app.session.values import PanelValues
from app.store.assets import AssetStore
from app.store.history_store import HistoryStore
from app.store.paths import AppPaths
from app.store.preset_store import PresetStore
from app.store.saved_session import SessionStore
from app.store.settings import Settings, SettingsStore
from engine.bundle import find_bundles
from engine.photo import read_picture_file
from engine.weights.settings import load_settings

PROFILES = Path(__file__).parents[2] / "data" / "profiles"
WRITTEN_AT = "/home/ada"
VERSIONS = sorted(folder.name for folder in PROFILES.iterdir() if (folder / "Pictures").is_dir())


@pytest.fixture(params=VERSIONS)
def paths(request, private_folders, monkeypatch) -> AppPaths:
    """The profile in this test's home. The absolute paths in it follow, as if the home had been here all the time."""
    home = private_folders
    shutil.copytree(PROFILES / request.param, home, dirs_exist_ok=True)
    monkeypatch.delenv("ECHOGEN_MODELS", raising=False)
    monkeypatch.delenv("ECHOGEN_HUB", raising=False)
    data, config = home / ".local/share/echogen-desktop", home / ".config/echogen-desktop"
    for file in (config / "settings.json", data / "session.json"):
        file.write_text(file.read_text(encoding="utf-8").replace(WRITTEN_AT, home.as_posix()), encoding="utf-8")
    database = sqlite3.connect(data / "history.sqlite")
    with database:
        database.execute("UPDATE pictures SET file = replace(file, ?, ?)", (WRITTEN_AT, str(home)))
    database.close()
    return AppPaths(data, config, home / "log", home / "Pictures" / "My EchoGen")


def test_there_is_a_profile_of_every_format_so_far():
    assert "0.1.0" in VERSIONS


def test_settings_and_presets(paths, private_folders):
    settings = SettingsStore(paths.config / "settings.json").load()
    assert (settings.theme, settings.text_scale, settings.language) == ("dark", 1.15, "zh_CN")
    assert settings.keys == {"generate": ["Ctrl+Shift+G"]} and not settings.previews and settings.device == "cpu"
    assert settings.pictures == f"{private_folders.as_posix()}/Pictures/My EchoGen"
    assert next(iter(settings.seconds.values())) > 0
    assert settings.updates == Settings().updates is False, "what came later has its first value"
    (preset,) = PresetStore(paths.presets).load()
    assert (preset.name, preset.negative_prompt, preset.subject_strength) == ("Snow", "fog", 2.5)
    assert load_settings().has_accepted("echogen-2b", "MIT")
    assert not list(paths.config.glob("*.bad"))


def test_the_session_comes_back_with_photo_and_mask(paths, qtbot):
    state = SessionState()
    keeper = SessionKeeper(
        state,
        SessionStore(paths.session),
        SettingsStore(paths.config / "settings.json"),
        AssetStore(paths.assets),
        dict,
        state,
    )
    try:
        assert keeper.restore(keeper.load())
        values = PanelValues(
            3.0, 2.5, prompt="a duck in the snow", negative_prompt="fog", count=2, seed=77, seed_locked=True
        )
        assert state.values == values
        # Its place on the shelf is there at once, the photo is read behind it.
        qtbot.waitUntil(lambda: [one.photo is not None for one in state.subjects] == [True], timeout=10_000)
        (subject,) = state.subjects
        assert subject.title == "my duck.png" and subject.mask is not None
        assert subject.mask.shape == (128, 128)
        assert subject.mask.any() and not subject.mask.all()
        assert not list(paths.data.glob("*.bad"))
    finally:
        keeper._timer.stop()


def test_history_queue_and_pictures(paths):
    store = HistoryStore(paths.history, paths.pictures)
    try:
        pictures = store.pictures()
        assert [(picture.seed, picture.starred) for picture in pictures] == [(78, True), (77, False)]
        assert store.thumb(pictures[0].id).startswith(b"RIFF")
        assert any(image is not None for image in store.scales(pictures[0].id))
        ((_, waiting),) = store.queue.read()
        assert waiting.prompt == "a duck that waits" and waiting.subject is not None
        opened = read_picture_file(pictures[0].file)
        assert opened.request.prompt == "a duck in the snow" and opened.request.seed == 78
        assert opened.request.subject is not None and len(opened.bits.scales) == 5
    finally:
        store.close()
    assert not list(paths.data.glob("history.sqlite.*"))


def test_the_models_folder(paths):
    (tiny,) = [bundle for bundle in find_bundles() if bundle.name == "tiny"]
    assert tiny.problem == "" and tiny.manifest is not None and tiny.folder == paths.bundles / "tiny"
