"""The grid of all pictures paints them by their ids alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.gallery import bench
from app.gallery.model import GalleryModel
from app.gallery.view import GalleryView
from app.store.history_store import HistoryStore
from tests.app.look_fixture import dressed, plain_look  # noqa: F401 – fixtures

pytestmark = pytest.mark.usefixtures("plain_look")


def test_scrolling_reads_no_picture_and_a_star_is_seen_when_the_store_was_asked_anew(
    qtbot, tmp_path: Path, monkeypatch
):
    bench.fill(tmp_path / "history.sqlite", 120)
    store = HistoryStore(tmp_path / "history.sqlite", tmp_path)
    model = GalleryModel(store)
    view = GalleryView(model, store)
    qtbot.addWidget(view)
    view.resize(500, 400)
    model.reload()
    view.show()
    qtbot.waitUntil(lambda: view.thumbs.get(model.id_at(0)) is not None)
    first, plain = model.id_at(0), view.grab().toImage()
    assert not model.is_starred(first)

    store.star(first, True)
    model.reload()
    assert model.is_starred(first) and view.grab().toImage() != plain

    def read(ids):
        raise AssertionError("pictures are read for painting")

    monkeypatch.setattr(store, "read", read)
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum())
    assert not view.grab().toImage().isNull()
    monkeypatch.undo()
    store.close()
