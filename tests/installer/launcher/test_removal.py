"""Removing: what stays, and what goes with ``--all``."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.store.paths import AppPaths
from app.system.logs import CRASH_FILE, LOG_FILE
from engine.bundle.library import _folder_note
from engine.weights.settings import network_file, settings_file
from installer.launcher import __main__ as entry
from installer.launcher import folders
from installer.launcher.places import MARKER, config_folder, data_folder


def keep(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")


@pytest.fixture
def used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppPaths:
    """All that the program leaves in its folders, whatever it is called there."""
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_PICTURES_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.delenv("ECHOGEN_MODELS", raising=False)
    paths = AppPaths.standard()
    folders = {"data", "config", "log", "pictures"}
    for name in vars(AppPaths):
        if not name.startswith("_") and isinstance(place := getattr(paths, name), Path) and name not in folders:
            keep(place if place.suffix else place / "x.png")
    for place in (paths.data / "history.sqlite-wal", paths.data / "session.json.bad", paths.data / "instance.lock"):
        keep(place)
    for place in (
        paths.config / "settings.json",
        settings_file(),
        network_file(),
        _folder_note(),
        paths.log / LOG_FILE,
    ):
        keep(place)
    keep(paths.log / f"{LOG_FILE}.1")
    keep(paths.log / CRASH_FILE)
    keep(paths.pictures / "a duck.png")
    keep(paths.data / "unsaved" / "a shoe.png")
    assert data_folder() == paths.data and config_folder() == paths.config
    return paths


def left(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in tmp_path.rglob("*") if path.is_file())


def test_what_the_user_made_and_set_stays(used, tmp_path, capsys):
    before = set(left(tmp_path))
    assert entry.main(["--remove"]) == 0
    assert before - set(left(tmp_path)) == {"network.json"}
    assert str(used.data) in capsys.readouterr().out


def test_files_in_use_are_said_and_removed_the_next_time(tmp_path, used, monkeypatch, capsys):
    """As on Windows while the program is open."""
    folder = used.data / "program"
    keep(folder / MARKER)
    keep(folder / "environments" / "python.exe")
    keep(folder / "setup.log")
    monkeypatch.setattr(folders.shutil, "rmtree", lambda *_, **__: None)
    assert entry.main(["--remove", "--all"]) == 1
    assert f"Files in {folder} are in use" in capsys.readouterr().err and used.history.exists()
    monkeypatch.undo()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "XDG_DATA_HOME"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "XDG_CONFIG_HOME"))
    assert entry.main(["--remove"]) == 0 and not folder.exists()


def test_all_leaves_pictures_alone_even_those_that_could_not_be_saved(used, tmp_path, capsys):
    assert entry.main(["--remove", "--all"]) == 0
    assert left(tmp_path) == ["a duck.png", "a shoe.png"]
    assert not used.config.exists() and not used.log.exists() and [p.name for p in used.data.iterdir()] == ["unsaved"]
    assert "Pictures are kept" in capsys.readouterr().out
