"""The grid of all pictures paints them by their ids alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QItemSelectionModel

from app.gallery import bench
from app.gallery.model import GalleryModel
from app.gallery.panel import GalleryPanel
from app.gallery.view import GalleryView
from app.history.panel import HistoryPanel
from app.store.history_store import HistoryStore
from app.store.picture_filter import PictureFilter
from app.system import background
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

    store.star([first], True)
    model.reload()
    assert model.is_starred(first) and view.grab().toImage() != plain

    def read(ids):
        raise AssertionError("pictures are read for painting")

    monkeypatch.setattr(store, "read", read)
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum())
    assert not view.grab().toImage().isNull()
    monkeypatch.undo()
    store.close()


def four_hundred(qtbot, tmp_path: Path) -> tuple[HistoryStore, HistoryPanel, GalleryPanel]:
    """A history of 400 pictures in its row and its gallery."""
    bench.fill(tmp_path / "history.sqlite", 400)
    store = HistoryStore(tmp_path / "history.sqlite", tmp_path)
    history = HistoryPanel(store)
    panel = GalleryPanel(store, history.commands)
    for widget in (history, panel):
        qtbot.addWidget(widget)
    return store, history, panel


def all_chosen(qtbot, tmp_path: Path) -> tuple[HistoryStore, HistoryPanel, GalleryPanel]:
    """The same with the gallery open, and each of its pictures chosen."""
    store, history, panel = four_hundred(qtbot, tmp_path)
    panel.show()
    panel.begin(None)
    history.commands.act_on(panel.model, panel.view)
    panel.view.selectAll()
    return store, history, panel


def test_a_picture_whose_file_is_gone_is_marked_as_soon_as_it_is_looked_at(qtbot, tmp_path: Path):
    """It was marked only when another window had been in front meanwhile; in the row it always was."""
    store, history, panel = four_hundred(qtbot, tmp_path)
    panel.resize(600, 400)
    qtbot.waitUntil(lambda: bool(history.model.missing))  # what the row asked
    history.commands.act_on(panel.model, panel.view)
    panel.show()
    panel.begin(None)
    qtbot.waitUntil(lambda: panel.model.id_at(0) in panel.model.missing)
    panel.view.verticalScrollBar().setValue(panel.view.verticalScrollBar().maximum())
    qtbot.waitUntil(lambda: panel.model.id_at(399) in panel.model.missing)
    background.shutdown()
    store.close()


def test_what_is_chosen_is_chosen_again_as_one_change_and_starred_as_one(qtbot, tmp_path: Path, monkeypatch):
    """With 25,000 chosen the window stood still for minutes when one more picture was drawn: each was chosen again by itself."""
    store, history, panel = all_chosen(qtbot, tmp_path)
    store.delete([panel.model.id_at(5), panel.model.id_at(6)])
    panel.view.selectionModel().select(panel.model.index(100), QItemSelectionModel.SelectionFlag.Deselect)
    left, changes = panel.model.id_at(100), []
    panel.view.chosenChanged.connect(lambda: changes.append(1))
    history.commands.changed.emit()
    assert len(panel.view.chosen_rows()) == 397 and panel.model.row_of(left) not in panel.view.chosen_rows()
    assert len(changes) < 5

    calls, star = [], store.star
    monkeypatch.setattr(store, "star", lambda *given: calls.append(1) or star(*given))
    history.commands.toggle_star()
    assert calls == [1] and len(store.ids(PictureFilter(starred=True))) >= 397
    background.shutdown()
    store.close()


def test_many_are_deleted_without_being_read(qtbot, tmp_path: Path, monkeypatch):
    store, history, panel = all_chosen(qtbot, tmp_path)
    panel.view.selectionModel().select(panel.model.index(399), QItemSelectionModel.SelectionFlag.Deselect)
    left, read, asked = panel.model.id_at(399), store.read, []
    monkeypatch.setattr(store, "read", lambda ids: asked.extend(ids) or read(ids))
    history.commands.delete()
    assert store.ids(PictureFilter()) == [left] and set(asked) <= {left}
    history.commands.undo_delete()
    assert len(store.ids(PictureFilter())) == 400
    background.shutdown()
    store.close()


def test_the_keys_stay_in_a_gallery_that_is_empty(qtbot, tmp_path: Path):
    """The focus went on to the choice of the model in the top bar, where an arrow key opens another one."""
    store, history, panel = all_chosen(qtbot, tmp_path)
    panel.activateWindow()
    panel.view.setFocus()
    qtbot.waitUntil(panel.view.hasFocus)
    history.commands.delete()
    qtbot.waitUntil(lambda: not panel.view.isVisible())
    assert panel.back.hasFocus()
    history.commands.undo_delete()
    qtbot.waitUntil(panel.view.isVisible)
    assert panel.view.hasFocus()
    background.shutdown()
    store.close()
