"""Pictures in the window: the menu on one, the full screen, the queue of those to come. One window for all of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QPoint, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu

from app.canvas.results import columns_for
from app.look.theme import notifier
from app.session.controller import Controller
from app.session.engine_link import Previews
from app.session.queue import PictureQueue
from app.session.state import Jobs, Result, SessionState
from app.session.subjects import Subjects
from app.session.waiting_line import QueueEntry
from app.store.history_store import HistoryStore, Picture
from app.store.paths import AppPaths
from app.store.picture_files import keep_picture
from app.store.settings import OFFER_PUT_AWAY
from app.system import background
from app.window.main_window import MainWindow
from engine.errors import Cancelled, DeviceLost
from engine.events import EngineInfo, Finished, ScalePreview, Started, Timing
from engine.process.messages import Enlarged, EnlargingGoesOn, Failed
from engine.request import GenerationRequest
from engine.sentence import Sentence
from tests.app.fake_bundle import GRIDS, bits, cut_out, fake_bundle
from tests.app.fake_link import FakeLink
from tests.app.look_fixture import dressed  # noqa: F401 – a fixture


class Rig:
    """A window with four pictures in its history."""

    def __init__(self, folder: Path) -> None:
        self.manifest = fake_bundle(folder)
        self.link, self.state = FakeLink(), SessionState()
        self.state.update_settings(panels={OFFER_PUT_AWAY: True})
        self.store = HistoryStore(None, folder / "pictures")
        self.pictures = [self.keep(seed) for seed in (1, 2, 3, 4)][::-1]
        self.queue = PictureQueue(self.state, self.link)
        self.controller = Controller(self.state, self.queue, Subjects(self.state), self.store)
        self.window = MainWindow(self.state, self.store, AppPaths.standard())
        self.window.complete(self.controller)
        info = EngineInfo(self.manifest.identity, "fake", "CPU")
        self.state.update_engine(phase="ready", manifest=self.manifest, folder=folder, info=info)
        self.state.add_subject(cut_out=cut_out(), name="box")
        self.state.update_values(prompt="a box", seed=5)
        self.window.show()

    def keep(self, seed: int, likeness: float | None = None) -> Picture:
        image = np.full((64, 64, 3), 30 * seed, np.uint8)
        request = GenerationRequest(f"a box in place {seed}", cut_out(), seed=seed, bundle=self.manifest.identity)
        return keep_picture(Finished(request, image, bits(seed), Timing(total=1.0), likeness=likeness), self.store)

    def show(self, picture: Picture | None) -> None:
        if picture is None:
            self.state.set_result(None)
            return
        request = GenerationRequest(picture.prompt, cut_out(), seed=picture.seed, bundle=self.manifest.identity)
        image = np.full((64, 64, 3), 40 * picture.seed, np.uint8)
        self.state.set_result(Result(request, image, bits(picture.seed), 1.0, picture.id, picture.file, GRIDS))

    def entry(self, menu: QMenu, words: str):
        return next(action for action in menu.actions() if action.text() == words)


@pytest.fixture(scope="module")
def rig(dressed, tmp_path_factory) -> Iterator[Rig]:  # noqa: F811
    notifier.set_motion("reduced")
    rig = Rig(tmp_path_factory.mktemp("looking"))
    yield rig
    rig.window.close_panels()
    background.shutdown()
    rig.window.close()
    rig.window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)  # while the application is there
    rig.store.close()
    notifier.set_motion("system")


def key(widget, which, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(widget, which, modifier)


def wait(qtbot, condition) -> None:
    qtbot.waitUntil(condition, timeout=5000)


def test_the_menu_of_the_picture(rig, qtbot):
    menu_of, history = rig.window.picture_menu, rig.window.history
    rig.show(rig.pictures[1])
    menu = menu_of.menu()
    texts = [action.text() for action in menu.actions() if not action.isSeparator()]
    for words in (
        "Copy picture",
        "Save as…",
        "Save larger, ×2…",
        "Redraw from here",
        "Star",
        "Show in the folder",
        "Move to the trash",
    ):
        assert words in texts, texts
    rig.entry(menu, "Copy its prompt").trigger()
    assert QGuiApplication.clipboard().text() == rig.pictures[1].prompt
    rig.entry(menu, "Use its prompt").trigger()
    wait(qtbot, lambda: rig.state.values.prompt == rig.pictures[1].prompt)
    rig.entry(menu, "Star").trigger()
    assert rig.store.get(rig.pictures[1].id).starred
    rig.entry(menu_of.menu(), "Take the star away").trigger()
    assert not rig.store.get(rig.pictures[1].id).starred
    rig.entry(menu, "Move to the trash").trigger()
    assert rig.pictures[1].id not in [picture.id for picture in rig.store.pictures()]
    wait(qtbot, lambda: rig.state.result is not None and rig.state.result.picture == rig.pictures[2].id)
    history.commands.undo_delete()
    wait(qtbot, lambda: rig.state.result is not None and rig.state.result.picture == rig.pictures[1].id)


def test_after_four_ideas_the_status_says_nothing_of_the_drawing_before(rig):
    rig.show(rig.pictures[0])
    status, controller = rig.window.top_bar.status, rig.window.controller
    rig.state.update_engine(phase="ready")
    controller.ended.emit("Stopped")
    assert status.text() == "Stopped"
    controller.ideasBegun.emit([GenerationRequest("a cat", seed=seed) for seed in range(4)])
    rig.window.canvas.close_ideas()
    rig.window.status.show()
    assert status.text() == "Ready"


def test_a_picture_without_a_file_has_a_menu_without_what_needs_one(rig):
    rig.show(rig.pictures[0])
    request = rig.state.result.request
    rig.state.set_result(Result(request, np.zeros((64, 64, 3), np.uint8), bits(9), grids=GRIDS))
    menu = rig.window.picture_menu.menu()
    for words in ("Use everything of this picture", "Star", "Show in the folder", "Move to the trash"):
        assert not rig.entry(menu, words).isEnabled()
    assert rig.entry(menu, "Vary: the same with a new seed").isEnabled()
    rig.window.picture_menu.delete()
    assert len(rig.store.pictures()) == 4


def test_full_screen_walks_stars_deletes_and_comes_back_with_what_was_seen_last(rig, qtbot):
    full = rig.window.full_screen
    rig.show(rig.pictures[0])
    rig.window.canvas.canvas.fullScreenWanted.emit()
    screen = full.screen
    assert screen is not None and screen.isFullScreen()
    wait(qtbot, screen.isActiveWindow)
    assert screen.picture_rect().height() == pytest.approx(min(screen.height(), screen.width()))
    key(screen, Qt.Key.Key_Left)
    assert "newest" in screen._message
    key(screen, Qt.Key.Key_Right)
    wait(qtbot, lambda: screen._place == "2 / 4" and screen._words == rig.pictures[1].prompt)
    key(screen, Qt.Key.Key_End)
    wait(qtbot, lambda: screen._place == "4 / 4")
    key(screen, Qt.Key.Key_Period)
    assert rig.store.get(rig.pictures[3].id).starred and screen._starred
    key(screen, Qt.Key.Key_Period)
    key(screen, Qt.Key.Key_Delete)
    wait(qtbot, lambda: screen._place == "3 / 3")
    assert len(rig.store.pictures()) == 3
    key(screen, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    wait(qtbot, lambda: screen._place == "4 / 4")
    assert screen.place_words() == "4 / 4"
    key(screen, Qt.Key.Key_1)
    assert screen.picture_rect().width() == 64
    assert screen.place_words() == "100\u00a0% · 4 / 4" and screen._shown_words
    key(screen, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().mimeData().urls()[0].toLocalFile() == str(rig.pictures[3].file)
    key(screen, Qt.Key.Key_Escape)
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert full.screen is None
    wait(qtbot, lambda: rig.state.result.picture == rig.pictures[3].id)
    rig.window.canvas.canvas.fullScreenWanted.emit()
    full.screen.close()
    wait(qtbot, lambda: not background.busy())
    assert not full._images, "what was being read for it is let go, too"


def test_esc_ends_a_comparison_wherever_the_focus_is(rig, qtbot):
    """The key was the window's, which did nothing with it."""
    window, panel = rig.window, rig.window.canvas
    rig.show(rig.pictures[2])
    window.activateWindow()
    wait(qtbot, window.isActiveWindow)
    for place in (panel.canvas, window.prompt.sheet.prompt):
        panel.compare_with(QImage(8, 8, QImage.Format.Format_RGB32))
        assert panel.canvas.comparing() and panel.actions_bar.compare_button.isChecked()
        place.setFocus()
        key(place, Qt.Key.Key_Escape)
        assert not panel.canvas.comparing() and not panel.actions_bar.compare_button.isChecked()


def test_a_stopped_picture_that_another_one_puts_away_comes_back(rig, qtbot):
    half = np.full((64, 64, 3), 90, np.uint8)
    request = GenerationRequest("a box on its way", cut_out(), seed=9, bundle=rig.manifest.identity)
    stopped = Result(request, half, grids=GRIDS, unfinished=True, previews=(half,))
    rig.controller.fresh = stopped  # as Stop leaves it
    rig.state.set_result(stopped)
    rig.window.history.show_picture(rig.pictures[2].id)
    wait(qtbot, lambda: rig.state.result.picture == rig.pictures[2].id)
    toast, bar = rig.window.toast, rig.window.canvas.actions_bar
    assert toast.text() == "The stopped picture is put away" and not bar.finish_button.isVisible()
    toast.take_back()
    assert rig.state.result.request is request and bar.finish_button.isVisible()
    assert rig.window.canvas.canvas.state == "stopped"
    rig.show(rig.pictures[2])


def test_the_queue_is_seen_sorted_and_taken_apart(rig, qtbot):
    window, panel = rig.window, rig.window.panels.queue
    rig.link.cancel = lambda number: None
    for place in ("one", "two", "three", "four"):
        rig.state.update_values(prompt=f"a box in {place}")
        window.drawing.generate()
    assert window.prompt.sheet.queue_button.isVisible() and "4" in window.prompt.sheet.queue_button.text()
    again = window.prompt.sheet.again_button
    assert again.isVisible() and again.text() == "Add one more", "Stop took the place of Generate"
    rig.state.update_values(count=4)
    assert again.text() == "Add 4 more"
    rig.state.update_values(count=1)
    window.activateWindow()
    wait(qtbot, window.isActiveWindow)
    key(window, Qt.Key.Key_J, Qt.KeyboardModifier.ControlModifier)
    assert panel.isVisible() and panel.view.hasFocus()
    rows = lambda: [entry.request.prompt.split()[-1] for entry in panel.model.entries]  # noqa: E731
    assert rows() == ["one", "two", "three", "four"]
    assert not panel.model.thumb(panel.model.entries[1]).isNull()
    panel.view.choose(panel.model.entries[3].number)
    key(panel.view, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert rows() == ["one", "two", "four", "three"] and panel.chosen()[0].request.prompt.endswith("four")
    key(panel.view, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    key(panel.view, Qt.Key.Key_Home, Qt.KeyboardModifier.AltModifier)
    assert rows() == ["one", "four", "two", "three"]
    dragged = panel.model.mimeData([panel.model.index(3)])
    assert panel.model.dropMimeData(dragged, Qt.DropAction.MoveAction, 1, 0, QModelIndex())
    assert rows() == ["one", "three", "four", "two"]
    panel.view.choose(panel.model.entries[1].number)
    key(panel.view, Qt.Key.Key_Delete)
    assert rows() == ["one", "four", "two"] and panel.chosen()[0].request.prompt.endswith("four")
    window.toast.take_back()
    assert rows() == ["one", "three", "four", "two"]
    assert panel.chosen()[0].request.prompt.endswith("three"), "the keys are meant for the one that came back"
    key(panel.view, Qt.Key.Key_Delete)
    assert rows() == ["one", "four", "two"]
    key(panel.view, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert rows() == ["one", "three", "four", "two"] and window.toast.text() == "", "also by the key"
    subject = rig.state.add_subject(cut_out=cut_out(), name="mug")
    rig.state.remove_subject(subject.key)
    key(panel.view, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not panel.undo() and len(rig.state.subjects) == 1, "what was taken out of elsewhere is not brought back here"
    assert rig.state.bring_back_subject()
    rig.state.remove_subject(subject.key, for_good=True)
    for button in (panel.pause_button, panel.resume_button, panel.pause_button):
        button.setFocus()
        button.click()
        assert not button.isVisible() and panel.view.hasFocus(), "the focus went to the list of models"
    assert panel.resume_button.isVisible() and not panel.pause_button.isVisible()
    assert window.prompt.sheet.resume_button.text() == panel.resume_button.text() == "Go on", "one thing, one name"
    assert rig.state.jobs.held == 3
    key(panel.view, Qt.Key.Key_Escape)
    assert not panel.isVisible() and rig.state.jobs.busy and not rig.state.jobs.stopping
    left = [entry.number for entry in rig.queue.entries() if entry.phase == "held"]
    window.prompt.sheet.drop_button.click()
    assert rig.state.jobs.held == 0 and window.toast.text() == "3 taken out of the queue"
    window.toast.take_back()
    assert [entry.number for entry in rig.queue.entries() if entry.phase == "held"] == left, "a slip loses nothing"
    rig.queue.drop_held()
    rig.queue.stop_now()
    rig.link.failed.emit(Failed(rig.state.jobs.drawing, Cancelled("stopped"), ""), Previews(0))
    assert not rig.state.jobs.busy and not window.prompt.sheet.queue_button.isVisible()


def test_the_queue_says_why_a_picture_failed_in_one_sentence(rig):
    entry = QueueEntry(1, GenerationRequest("a box"), "failed", DeviceLost(Sentence.row("Gone.")))
    words = rig.window.panels.queue.model.words(entry)
    assert words == "Failed: the graphics card stopped answering"


def test_an_empty_queue_is_as_high_as_its_words_and_esc_closes_it_while_ideas_are_drawn(rig, qtbot):
    """It was as high as a full one, over the picture, and had no focus: Esc stopped the drawing."""
    window, panel = rig.window, rig.window.panels.queue
    rig.link.cancel = lambda number: None
    window.activateWindow()
    wait(qtbot, window.isActiveWindow)
    window.drawing.draw_ideas()
    key(window, Qt.Key.Key_J, Qt.KeyboardModifier.ControlModifier)
    assert panel.isVisible() and not panel.model.entries and panel.isAncestorOf(QApplication.focusWidget())
    low = panel.height()
    assert low < 150 and panel.empty.height() >= panel.empty.heightForWidth(panel.empty.width())
    window.drawing.generate()
    assert panel.height() > 2 * low
    panel.view.setFocus()
    rig.queue.stop_now()
    assert panel.height() == low and panel.isAncestorOf(QApplication.focusWidget())
    key(QApplication.focusWidget(), Qt.Key.Key_Escape)
    assert not panel.isVisible()
    rig.link.failed.emit(Failed(rig.state.jobs.drawing, Cancelled("stopped"), ""), Previews(0))
    window.canvas.close_ideas()
    assert not rig.state.jobs.busy


def test_a_stopped_picture_has_the_scales_that_were_drawn_and_has_them_again(rig, monkeypatch):
    monkeypatch.setattr(rig.link, "cancel", lambda number: None, raising=False)
    canvas, image = rig.window.canvas, np.full((64, 64, 3), 90, np.uint8)
    rig.state.update_values(prompt="a box that is stopped", count=1)

    def stop(images: tuple[np.ndarray | None, ...]) -> list[bool]:
        rig.window.drawing.generate()
        number = rig.state.jobs.drawing
        rig.link.started.emit(number, Started(rig.state.jobs.request, GRIDS, (0.2,) * 5))
        rig.queue.stop_now()  # what the engine draws until it hears of it comes with its answer
        rig.link.failed.emit(Failed(number, Cancelled("stopped"), ""), Previews(number, images))
        assert canvas.canvas.state == "stopped" and not canvas.strip.model.drawing
        return [one is not None for one in canvas.strip.model.images]

    drawn = [True, True, *(False for _ in GRIDS[2:])]
    assert stop((image, image)) == drawn
    assert stop(()) == drawn, "stopped before its first scale: the one before is back"
    rig.show(None)


def test_a_picture_forms_in_the_group_that_it_will_stand_in(rig, qtbot):
    model, image = rig.window.history.model, np.full((64, 64, 3), 77, np.uint8)
    rig.state.update_values(prompt="a box in a group", count=1, seed_locked=False)

    def drawn() -> list[Picture]:
        return [picture for picture in model.pictures() if picture.prompt == "a box in a group"]

    for place in (1, 2):
        rig.window.drawing.generate()
        number = rig.state.jobs.drawing
        # The engine puts down which model draws it.
        request = replace(rig.state.jobs.request, bundle=rig.manifest.identity)
        rig.link.started.emit(number, Started(request, GRIDS, (0.2,) * 5))
        for scale in (0, 1):
            rig.link.preview.emit(number, ScalePreview(scale, len(GRIDS), GRIDS[scale], image, 0.1))
            assert model.rows[0].picture is None and model.rows[0].count == place
            assert model.running.progress == f"{scale + 1} / {len(GRIDS)}"
        rig.link.finished.emit(number, Finished(request, image, bits(number), Timing(total=1.0)), Previews(number))
        wait(qtbot, lambda count=place: len(drawn()) == count)
        assert model.rows[0].picture == drawn()[0] and model.rows[0].count == place


def test_all_name_the_same_scale_of_a_picture_some_of_whose_scales_are_kept(rig, qtbot):
    """The previews of those come too; the tile in the row counted them, and so did the canvas for screen readers."""
    rig.state.update_values(count=1)
    rig.window.drawing.generate()
    number, image, request = rig.state.jobs.drawing, np.full((64, 64, 3), 77, np.uint8), rig.state.jobs.request
    rig.link.started.emit(number, Started(request, GRIDS, (0.2,) * 5, 3))
    for scale, told in enumerate((4, 4, 4, 4, 5)):
        rig.link.preview.emit(number, ScalePreview(scale, len(GRIDS), GRIDS[scale], image, 0.1))
        assert rig.window.canvas.strip.title.text() == f"Scale {told} of 5"
        assert rig.window.history.model.running.progress == f"{told} / 5"
        assert f"drawing scale {told} of 5" in rig.window.canvas.canvas.accessibleDescription()
    rig.link.finished.emit(number, Finished(request, image, bits(number), Timing(total=1.0)), Previews(number))
    wait(qtbot, lambda: rig.state.jobs.drawing is None)


def test_the_tile_of_a_scale_that_was_drawn_while_the_window_was_busy_is_filled(rig, qtbot):
    rig.state.update_values(count=1)
    rig.window.drawing.generate()
    number, image, request = rig.state.jobs.drawing, np.full((64, 64, 3), 77, np.uint8), rig.state.jobs.request
    rig.link.started.emit(number, Started(request, GRIDS, (0.2,) * 5))
    for scale, signal in enumerate((rig.link.previewSkipped, rig.link.previewSkipped, rig.link.preview)):
        signal.emit(number, ScalePreview(scale, len(GRIDS), GRIDS[scale], image + scale, 0.1))
    tiles = [rig.window.canvas.strip.model.image(scale) for scale in range(len(GRIDS))]
    assert [tile is not None for tile in tiles] == [True] * 3 + [False] * 2
    rig.link.finished.emit(number, Finished(request, image, bits(number), Timing(total=1.0)), Previews(number))
    wait(qtbot, lambda: rig.state.jobs.drawing is None)


def test_several_pictures_of_one_press_stand_side_by_side(rig, qtbot):
    view, grid = rig.window.canvas.results, rig.window.canvas.results.grid
    rig.state.update_values(prompt="a box of three", count=3, seed_locked=False)
    rig.window.drawing.generate()
    for number in (len(rig.link.drawn), len(rig.link.drawn) + 1, len(rig.link.drawn) + 2):
        assert not view.isVisible()
        request = rig.state.jobs.request
        rig.link.started.emit(number, Started(request, GRIDS, (0.2,) * 5))
        image = np.full((64, 64, 3), 60 + number, np.uint8)
        rig.link.finished.emit(number, Finished(request, image, bits(number), Timing(total=1.0)), Previews(number))
    wait(qtbot, lambda: view.isVisible() and len(grid._layers) == len(grid.pictures))
    assert [picture.prompt for picture in grid.pictures] == ["a box of three"] * 3
    grid.setFocus()
    assert rig.state.result is not None
    assert grid.pictures[grid.current].id == rig.state.result.picture, "the tiles begin with what has the ring below"
    key(grid, Qt.Key.Key_Home)
    key(grid, Qt.Key.Key_Right)
    key(grid, Qt.Key.Key_Period)
    assert grid.pictures[1].starred and rig.store.get(grid.pictures[1].id).starred
    key(grid, Qt.Key.Key_End)
    last = grid.pictures[2].id
    key(grid, Qt.Key.Key_Return)
    wait(qtbot, lambda: rig.state.result is not None and rig.state.result.picture == last)
    assert not view.isVisible()
    rig.window.side_by_side.toggle()
    assert view.isVisible() and len(grid.pictures) == 3, "the group of the picture that is shown"
    gone = next(picture for picture in grid.pictures if picture.id == last)
    rig.window.history.commands.delete_pictures([gone.id])
    assert len(grid.pictures) == 2
    wait(qtbot, lambda: rig.state.result is not None and rig.state.result.picture != last)
    assert view.isVisible(), "the one on the canvas is gone; the others still stand over it"
    key(grid, Qt.Key.Key_Escape)
    assert not view.isVisible()
    rig.state.update_values(count=1)


def test_tiles_are_as_large_as_they_can_be():
    assert columns_for(4, 1.0, 600, 600) == 2
    assert columns_for(2, 1.0, 800, 400) == 2 and columns_for(2, 1.0, 400, 800) == 1
    assert columns_for(8, 1.0, 800, 400) == 4 and columns_for(2, 3.0, 600, 400) == 1


def is_below(one, other) -> bool:
    return one.mapToGlobal(QPoint()).y() > other.mapToGlobal(QPoint()).y() + 20


def test_the_gallery_filters_acts_on_what_is_chosen_and_leads_back(rig, qtbot):
    window, panels = rig.window, rig.window.panels
    window.commands.actions["gallery"].trigger()
    gallery = panels.gallery
    assert panels.is_gallery() and gallery.view.hasFocus()
    everything = len(rig.store.pictures())
    wait(qtbot, lambda: gallery.subjects.count() > 1 and gallery.model.rowCount() == everything)
    gallery.field.setText("place")
    wait(qtbot, lambda: gallery.model.rowCount() == 4)
    first, second, *_ = (gallery.model.picture_at(row) for row in range(4))
    wait(qtbot, lambda: not gallery.view.thumbs._under_way and first.id in gallery.view.thumbs._known)
    gallery.view.setFocus()
    gallery.view.choose(first.id)
    key(gallery.view, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert [picture.id for picture in gallery.view.chosen()] == [first.id, second.id]
    assert "2" in gallery.chosen_words.text() and gallery.compare_button.isVisible()
    key(gallery.view, Qt.Key.Key_Period)
    assert rig.store.get(first.id).starred and rig.store.get(second.id).starred
    assert gallery.model.picture_at(0).starred, "what is shown follows"
    gallery.delete_button.click()
    assert gallery.model.rowCount() == 2 and "2" in window.toast.text()
    assert window.toast.parentWidget() is gallery.page, "not over its filters"
    window.commands.actions["undo"].trigger()
    assert gallery.model.rowCount() == 4
    gallery.view.selectAll()
    gallery.delete_button.click()
    assert gallery.model.rowCount() == 0 and gallery.empty.isVisible()
    assert window.toast.isVisible() and "4" in window.toast.text(), "where no picture is left it can be undone, too"
    window.toast.button.click()
    assert gallery.model.rowCount() == 4
    gallery.star.setChecked(True)
    assert gallery.model.rowCount() == 2
    key(gallery.view, Qt.Key.Key_Escape)
    assert panels.is_gallery() and gallery.model.rowCount() == everything
    gallery.sizes.setValue("large")
    assert gallery.view.delegate.side == 192 and rig.state.settings.panels["gallery_size"] == "large"
    gallery.view.choose(second.id)
    key(gallery.view, Qt.Key.Key_Return)
    wait(qtbot, lambda: rig.state.result is not None and rig.state.result.picture == second.id)
    assert not panels.is_gallery() and window.history.commands.model is window.history.model
    window.gallery_page.toggle()
    key(gallery.view, Qt.Key.Key_Escape)
    assert not panels.is_gallery()
    for picture in (first, second):
        rig.store.star([picture.id], False)

    # The most alike first, by the list at the top or the menu of the pictures; those that nobody measured come last.
    some, most = rig.keep(5, 0.3), rig.keep(6, 0.9)
    window.gallery_page.toggle()
    wait(qtbot, lambda: gallery.model.rowCount() == everything + 2)
    assert gallery.model.id_at(0) == most.id, "the newest"
    assert [gallery.order.itemText(row) for row in range(2)] == ["Newest first", "Most alike first"]
    key(gallery.order, Qt.Key.Key_Down)
    newest = rig.keep(7)
    gallery.reload()
    assert [gallery.model.id_at(row) for row in range(3)] == [most.id, some.id, newest.id]
    assert gallery.model.previous_of(most) is None
    menu = window.commands.menu_of("History")
    menu.aboutToShow.emit()
    orders = [entry for entry in menu.actions() if entry.text() in ("Newest first", "Most alike first")]
    assert [entry.isChecked() for entry in orders] == [False, True], "the menu has the orders of the bar"
    orders[0].trigger()
    assert gallery.model.id_at(0) == newest.id and gallery.order.currentText() == "Newest first"
    boxes = (gallery.subjects, gallery.bundles, gallery.days, gallery.order)
    for width in (1024, 1700, 1024):
        window.resize(width, 640)
        wait(qtbot, lambda width=width: is_below(gallery.order, gallery.field) == (width == 1024))
        wait(qtbot, lambda: all(box.width() >= box.sizeHint().width() for box in boxes))
    window.gallery_page.toggle()
    menu.aboutToShow.emit()
    next(entry for entry in menu.actions() if entry.text() == "Most alike first").trigger()
    assert window.history.model.most_alike and not gallery.model.most_alike, "the row's, while the row is in view"
    window.history.set_most_alike(False)


def test_save_larger_says_by_which_way_offers_the_network_and_uses_it_once_it_is_here(
    rig, qtbot, tmp_path, monkeypatch
):
    larger = rig.window.larger
    rig.show(rig.pictures[0])
    chosen = tmp_path / "large.png"
    monkeypatch.setattr("app.window.larger.QFileDialog.getSaveFileName", lambda *rest: (str(chosen), ""))
    monkeypatch.setattr("app.window.larger._network", lambda factor: None)
    larger.ask(4)
    dialog = larger.dialog
    assert dialog.factor.value() == 4 and dialog.factor.button(4).text() == "×4:  256 × 256"
    assert "Lanczos" in dialog.about.text() and not dialog.way.isVisible() and not dialog.bar.isVisible()
    assert dialog.offer.text() == "Get Swin2SR (98\u00a0MB, Apache-2.0)…"
    dialog.save.click()
    wait(qtbot, chosen.exists)
    wait(qtbot, lambda: "256 × 256, by Lanczos" in rig.window.toast.text())
    assert larger.dialog is None

    begun = []

    class Child:
        def __init__(self, work, told):
            begun.append((work, told))

        def cancel(self):
            begun[-1][1](Failed(None, Cancelled()))

        def close(self):
            pass

    monkeypatch.setattr("app.session.enlargement.Enlarging", Child)
    monkeypatch.setattr("app.window.larger._network", lambda factor: tmp_path if factor == 2 else None)
    larger.ask(2)
    dialog = larger.dialog
    assert "Swin2SR" in dialog.about.text() and dialog.way.isVisible() and not dialog.offer.isVisible()
    dialog.factor.setValue(4)
    assert "Lanczos" in dialog.about.text() and dialog.offer.isVisible()
    dialog.factor.setValue(2)
    dialog.save.click()
    work, told = begun[-1]
    assert (work.factor, work.target, work.folder) == (2, chosen, tmp_path) and dialog.bar.isVisible()
    told(EnlargingGoesOn(0.5))
    wait(qtbot, lambda: "50" in dialog.going.text())
    assert "50" in rig.window.top_bar.status.text() and not dialog.save.isEnabled()
    dialog.stop.click()
    wait(qtbot, lambda: not larger.enlargement.busy)
    assert dialog.save.isEnabled() and larger.dialog is dialog, "what was stopped can be begun again"
    dialog.save.click()
    begun[-1][1](Enlarged(128, 128, "Swin2SR"))
    wait(qtbot, lambda: "128 × 128, by Swin2SR" in rig.window.toast.text())
    assert larger.dialog is None and len(begun) == 2


def test_save_as_is_about_all_pictures_that_are_chosen_in_the_row(rig, qtbot, tmp_path, monkeypatch):
    window, view = rig.window, rig.window.history.view
    rig.show(rig.pictures[0])
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "one.png"), ""))
    view.choose(rig.pictures[0].id)
    window.pictures.save()
    wait(qtbot, lambda: [file.name for file in tmp_path.iterdir()] == ["one.png"])
    view.selectionModel().select(window.history.model.index(1), QItemSelectionModel.SelectionFlag.Select)
    window.pictures.save()
    wait(qtbot, lambda: len(list(tmp_path.glob("a box*.png"))) == 2)
    window.panels.canvas.saveRequested.emit(True)
    wait(qtbot, lambda: not background.busy())
    assert len(list(tmp_path.iterdir())) == 3, "the button below the picture saves that one"


def test_ctrl_z_brings_back_what_was_taken_off_the_shelf_also_when_the_shelf_went_with_it(rig):
    state, panels = rig.state, rig.window.panels
    other = state.add_subject(cut_out=cut_out(), name="mug")
    panels.toast.show_message("Something else", lambda: None)
    for words in ("", "Something else"):
        state.remove_subject(other.key)
        if not words:
            panels.subject.shelf.removed.emit()
            assert panels.toast.text()
        rig.window.setFocus()
        panels.undo()
        assert panels.toast.text() == words, "what offers to undo it goes, and nothing else"
        panels.toast.show_message("Something else", lambda: None)
    assert [subject.name for subject in state.subjects] == ["box", "mug"]
    state.remove_subject(other.key, for_good=True)


def test_ctrl_z_brings_back_a_deleted_picture_from_the_canvas_and_from_wherever_the_cut_out_has_no_step(rig, qtbot):
    """Once its message was gone, only the history took the key: after Delete on the canvas nothing came back."""
    panels, commands = rig.window.panels, rig.window.history.commands
    for focused in (panels.canvas.canvas, rig.window.prompt.sheet.generate):
        gone = rig.pictures[0]
        rig.show(gone)
        commands.delete_pictures([gone.id])
        panels.toast.show_message("Something else", lambda: None)
        assert gone.id not in [picture.id for picture in rig.store.pictures()]
        focused.setFocus()
        panels.undo()
        assert gone.id in [picture.id for picture in rig.store.pictures()]
    assert not panels.subject.has_undo(), "nothing of the cut-out was undone for it"


def test_a_menu_offers_what_has_a_use_and_the_keys_stay(rig, qtbot):
    window = rig.window

    def offered(group: str, *names: str) -> list[bool]:
        menu = window.commands.menu_of(group)
        menu.aboutToShow.emit()
        found = [window.commands.actions[name].isEnabled() for name in names]
        menu.aboutToHide.emit()
        assert all(window.commands.actions[name].isEnabled() for name in names), "for their keys"
        return found

    window.history.view.clearSelection()
    rig.show(None)
    window.canvas.show_empty("", "")
    window.history.commands.purge()
    while window.subject.shelf.bring_back():
        pass
    assert offered("Picture", "cancel", "side_by_side") == [False, False]
    assert offered("View", "fit", "zoom_in") == [False, False] and offered("Cut-out", "undo", "redo") == [False, False]
    rig.show(rig.pictures[0])
    assert offered("View", "fit", "zoom_in") == [True, True]
    view = window.history.view
    view.choose(rig.pictures[0].id)
    view.selectionModel().select(
        window.history.model.index(window.history.model.row_of(rig.pictures[1].id)),
        QItemSelectionModel.SelectionFlag.Select,
    )
    assert offered("Picture", "cancel", "side_by_side") == [False, True]
    rig.state.add_subject(cut_out=cut_out(), name="bag")
    rig.state.remove_subject(rig.state.subject.key)
    assert offered("Cut-out", "undo", "redo") == [True, False], "the subject can come back"
    rig.state.set_jobs(Jobs(drawing=1, index=1, count=1))
    assert offered("Picture", "cancel") == [True]
    rig.state.set_jobs(Jobs())


def test_a_picture_that_cannot_be_copied_is_said_whatever_is_wrong(rig, qtbot, monkeypatch):
    def broken(*_):
        raise MemoryError("no room for it")

    monkeypatch.setattr("app.window.pictures.load_photo", broken)
    banner = rig.window.banner
    rig.window.history.commands.copyRequested.emit(rig.pictures[0])
    qtbot.waitUntil(lambda: banner.error is not None)
    assert "no room for it" in banner.error.sentence
    banner.clear_error()
