"""Where a file dialog begins."""

from __future__ import annotations

from pathlib import Path

from app.system import places


def test_a_dialog_begins_in_a_folder_that_is_there(tmp_path, monkeypatch):
    """Qt's own dialog would take the name of a missing one for that of a file."""
    pictures = tmp_path / "Pictures"
    monkeypatch.setattr(places.QStandardPaths, "writableLocation", lambda kind: str(pictures))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert places.pictures_folder() == places.documents_folder() == tmp_path
    pictures.mkdir()
    assert places.pictures_folder() == pictures
