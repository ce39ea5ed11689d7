"""The middle column: from the engine's events to a picture that can be varied, compared, copied and dragged out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QDrag, QGuiApplication, QImage
from PySide6.QtWidgets import QApplication, QMenu

from app.canvas.ideas import coarse_scales
from app.canvas.panel import CanvasPanel
from app.look.pixels import to_image
from app.system import sharing
from engine.events import Finished, ScalePreview, Started, Timing
from engine.request import GenerationRequest, ScaleBits
from tests.app.settled import turn_over

pytestmark = pytest.mark.usefixtures("plain_look")

GRIDS = tuple((n, n) for n in (1, 2, 3, 5, 8))
COSTS = tuple(0.2 for _ in GRIDS)
REQUEST = GenerationRequest("a toy robot in the snow", seed=7)


def some_bits(seed: int = 0) -> ScaleBits:
    random = np.random.default_rng(seed)
    return ScaleBits(tuple(random.integers(0, 2, (h, w, 4), dtype=np.uint8) for h, w in GRIDS))


def plain(value: int, side: int = 64) -> np.ndarray:
    return np.full((side, side, 3), value, np.uint8)


@pytest.fixture
def panel(qtbot) -> CanvasPanel:
    panel = CanvasPanel()
    panel.complete()
    qtbot.addWidget(panel)
    panel.resize(824, 740)
    panel.set_grids(GRIDS)
    panel.show()
    qtbot.waitExposed(panel)
    panel.activateWindow()
    return panel


def draw(panel: CanvasPanel, upto: int = 5, request: GenerationRequest = REQUEST) -> None:
    panel.started(Started(request, GRIDS, COSTS), (64, 64))
    for scale in range(upto):
        panel.previewed(ScalePreview(scale, 5, GRIDS[scale], plain(40 * scale), 0.1 * scale))


def finish(panel: CanvasPanel, file: Path | None = Path("/nowhere/robot.png")) -> None:
    draw(panel)
    panel.finished(Finished(REQUEST, plain(250), some_bits(), Timing(total=1.0)))
    if file is not None:
        panel.set_saved(file)


def test_from_started_to_finished(panel):
    draw(panel, 3)
    assert panel.canvas.state == "forming"
    assert panel.strip.model.now == 2
    assert not panel.actions_bar.isVisibleTo(panel)
    panel.finished(Finished(REQUEST, plain(250), some_bits(), Timing()))
    assert panel.canvas.state == "result"
    assert panel.canvas.image().pixelColor(3, 3).red() == 250
    assert panel.strip.model.can_keep
    assert panel.actions_bar.isVisibleTo(panel)


def test_the_bar_stands_12_pixels_under_the_picture(panel):
    finish(panel)
    bar, rect = panel.actions_bar, panel.canvas.picture_rect()
    assert bar.y() == round(rect.bottom()) + 12
    assert abs(bar.geometry().center().x() - rect.center().x()) <= 1
    panel.canvas.zoom_by(12)
    assert bar.geometry().bottom() < panel.canvas.height(), "it never leaves the canvas"


def test_a_late_preview_does_not_replace_the_result(panel):
    finish(panel)
    panel.previewed(ScalePreview(1, 5, GRIDS[1], plain(1), 0.1))
    assert panel.canvas.image().pixelColor(3, 3).red() == 250


def test_a_picture_that_is_not_saved_yet_cannot_be_starred_but_copied(panel):
    finish(panel, file=None)
    bar = panel.actions_bar
    assert not bar.star_button.isEnabled()
    assert bar.save_button.isEnabled(), "what is on the screen can be saved from there"
    assert bar.star_button.toolTip() == "The picture is not saved yet"
    assert bar.copy_button.isEnabled()
    panel.set_saved(Path("/nowhere/robot.png"))
    assert bar.star_button.isEnabled()


def test_vary_and_redraw_tell_what_to_draw(panel, qtbot):
    finish(panel)
    with qtbot.waitSignal(panel.varyRequested) as wanted:
        qtbot.mouseClick(panel.actions_bar.vary_button, Qt.MouseButton.LeftButton)
    assert wanted.args == [REQUEST]
    panel.strip.tiles.move_handle(3)
    with qtbot.waitSignal(panel.redrawRequested) as wanted:
        panel.strip.redraw_button.click()
    assert wanted.args == [REQUEST, some_bits(), 3]


def test_a_low_window_has_room_for_words_beside_the_scales(panel):
    """A laptop's screen of 1366 × 768: what draws a part anew was an icon without a word there."""
    finish(panel)
    high = panel.strip.sizeHint().height()
    panel.set_compact(False, low=True)
    assert panel.strip.sizeHint().height() < high
    for button in (panel.strip.redraw_button, panel.strip.region_button):
        assert button.isVisibleTo(panel) and button.text().startswith("Redraw ")
    assert not panel.actions_bar.redraw_button.isVisibleTo(panel)
    assert not panel.actions_bar.region_button.isVisibleTo(panel)


def test_no_region_is_redrawn_of_a_picture_that_was_stopped(panel):
    """Looked at again, it had the button, which did nothing."""
    panel.show_picture(plain(30), REQUEST, None, GRIDS, whole=False)
    panel.stopped(plain(30))
    assert not panel.strip.region_button.isVisibleTo(panel)


def test_in_narrow_windows_redraw_moves_into_the_bar(panel, qtbot):
    finish(panel)
    panel.set_compact(True)
    bar = panel.actions_bar
    assert bar.redraw_button.isVisibleTo(panel)
    assert not bar.redraw_button.isEnabled()
    assert (bar.vary_button.text(), bar.save_button.text(), bar.drag_handle.text()) == ("Vary", "", "Drag out")
    assert bar.save_button.accessibleName() == "Save as"
    assert bar.save_button.toolTip() == "Save as (Ctrl+S)"
    panel.strip.tiles.move_handle(2)
    assert bar.redraw_button.isEnabled()
    with qtbot.waitSignal(panel.redrawRequested):
        qtbot.mouseClick(bar.redraw_button, Qt.MouseButton.LeftButton)


def test_the_star_shows_and_tells(panel, qtbot):
    finish(panel)
    bar = panel.actions_bar
    with qtbot.waitSignal(panel.starToggled) as told:
        qtbot.mouseClick(bar.star_button, Qt.MouseButton.LeftButton)
    assert told.args == [True]
    assert bar.star_button.accessibleName() == "Starred"
    panel.canvas.setFocus()
    qtbot.waitUntil(panel.canvas.hasFocus)
    with qtbot.waitSignal(panel.starToggled) as told:
        qtbot.keyClick(panel.canvas, ".")
    assert told.args == [False]


def test_compare_needs_a_cut_out_and_ends_with_the_next_picture(panel, qtbot):
    finish(panel)
    bar = panel.actions_bar
    assert not bar.compare_button.isEnabled()
    panel.set_cut_out(to_image(plain(9)))
    qtbot.mouseClick(bar.compare_button, Qt.MouseButton.LeftButton)
    assert panel.canvas.comparing()
    draw(panel, 1)
    assert not panel.canvas.comparing()
    assert not bar.compare_button.isChecked()


def test_copy_puts_pixels_and_file_on_the_clipboard(panel, qtbot):
    finish(panel)
    with qtbot.waitSignal(panel.copied):
        qtbot.mouseClick(panel.actions_bar.copy_button, Qt.MouseButton.LeftButton)
    data = QGuiApplication.clipboard().mimeData()
    assert data.urls()[0].toLocalFile() == "/nowhere/robot.png"
    assert data.imageData().pixelColor(3, 3).red() == 250


@pytest.fixture
def drags(monkeypatch) -> list:
    """What was dragged out, as the target would get it."""
    dragged: list = []

    def taken(drag: QDrag, action) -> Qt.DropAction:
        data = drag.mimeData()
        dragged.append(([url.toLocalFile() for url in data.urls()], QImage(data.imageData()), drag.pixmap().isNull()))
        return action

    monkeypatch.setattr(sharing.QDrag, "exec", taken)
    return dragged


def test_the_picture_is_dragged_out_as_file_and_pixels(panel, qtbot, drags):
    finish(panel)
    handle = panel.actions_bar.drag_handle
    qtbot.mousePress(handle, Qt.MouseButton.LeftButton, pos=QPoint(10, 10))
    qtbot.mouseMove(handle, QPoint(14, 10))
    assert drags == []
    qtbot.mouseMove(handle, QPoint(60, 10))
    qtbot.mouseRelease(handle, Qt.MouseButton.LeftButton, pos=QPoint(60, 10))
    ((files, image, no_pixmap),) = drags
    assert files == ["/nowhere/robot.png"]
    assert image.pixelColor(3, 3).red() == 250
    assert not no_pixmap
    middle = panel.canvas.picture_rect().center().toPoint()
    qtbot.mousePress(panel.canvas, Qt.MouseButton.LeftButton, pos=middle)
    qtbot.mouseMove(panel.canvas, middle + QPoint(40, 0))
    qtbot.mouseRelease(panel.canvas, Qt.MouseButton.LeftButton, pos=middle + QPoint(40, 0))
    assert len(drags) == 2, "the picture itself can be dragged too"


def test_a_click_on_drag_out_says_what_it_is_for(panel, qtbot, drags):
    finish(panel)
    with qtbot.waitSignal(panel.hintWanted) as hint:
        qtbot.mouseClick(panel.actions_bar.drag_handle, Qt.MouseButton.LeftButton)
    assert "Drag" in hint.args[0]
    assert drags == []


@pytest.mark.qt_log_ignore("This plugin does not support (raise|grabbing)", extend=True)
def test_saving_with_and_without_metadata(panel, qtbot):
    finish(panel)
    with qtbot.waitSignal(panel.saveRequested) as wanted:
        qtbot.mouseClick(panel.actions_bar.save_button, Qt.MouseButton.LeftButton)
    assert wanted.args == [True]
    qtbot.mouseClick(panel.actions_bar.save_ways, Qt.MouseButton.LeftButton)
    opened = QApplication.activePopupWidget()
    assert isinstance(opened, QMenu) and "larger" in opened.actions()[2].text()
    opened.close()
    menu = panel.actions_bar.save_menu()
    assert [entry.shortcut().toString() for entry in menu.actions()[:2]] == ["Ctrl+S", "Ctrl+Shift+S"]
    assert all(entry.isShortcutVisibleInContextMenu() for entry in menu.actions())
    with qtbot.waitSignal(panel.saveRequested) as wanted:
        menu.actions()[1].trigger()
    assert wanted.args == [False]


def test_after_a_stop_the_strip_has_no_gap_where_a_preview_was_left_out(panel):
    draw(panel, 1)
    panel.previewed(ScalePreview(3, 5, GRIDS[3], plain(30), 0.1))
    panel.stopped(plain(30), (plain(0), plain(10), plain(20), plain(30), None))
    strip = panel.strip.model
    assert [strip.tile(scale) for scale in range(5)] == ["done"] * 4 + ["waiting"]
    assert [int(strip.image(scale)[0, 0, 0]) for scale in range(4)] == [0, 10, 20, 30]


def test_stopping_keeps_the_picture_so_far(panel):
    draw(panel, 2)
    panel.stopped(np.zeros((64, 64, 3), np.uint8))
    assert panel.canvas.state == "stopped"
    bar = panel.actions_bar
    assert bar.isVisibleTo(panel) and bar.save_button.isEnabled() and not bar.star_button.isEnabled()
    assert bar.finish_button.isVisibleTo(bar) and not bar.vary_button.isVisibleTo(bar)
    asked = []
    panel.finishRequested.connect(asked.append)
    bar.finish_button.click()
    assert asked == [panel.request]
    assert not panel.strip.model.can_keep


def test_a_failure_leaves_no_half_picture(panel):
    draw(panel, 0)
    panel.failed()
    assert panel.canvas.state == "error"
    finish(panel)
    draw(panel, 1)
    panel.failed()
    assert panel.canvas.state == "error" and not panel.canvas.has_picture() and panel.request is None


def test_a_picture_of_the_history(panel, qtbot):
    panel.set_cut_out(to_image(plain(9)))
    with qtbot.waitSignal(panel.previewsWanted):
        panel.show_picture(plain(77), REQUEST, some_bits(3), file=Path("/nowhere/old.png"), starred=True)
    assert panel.strip.model.grids == GRIDS, "the grids come from the bits"
    assert panel.actions_bar.starred()
    panel.strip.tiles.move_handle(2)
    with qtbot.waitSignal(panel.redrawRequested) as wanted:
        panel.strip.redraw()
    assert wanted.args[1] == some_bits(3)


def test_hovering_a_tile_shows_it_on_the_canvas(panel, qtbot):
    finish(panel)
    tiles = panel.strip.tiles
    qtbot.mouseMove(tiles, tiles.tile_rect(1).center().toPoint())
    middle = panel.canvas.picture_rect().center().toPoint()
    image = panel.canvas.grab().toImage()
    assert image.pixelColor(middle * image.devicePixelRatio()).red() == 40
    qtbot.mouseMove(tiles, tiles.tile_rect(4).center().toPoint())
    panel.strip.tiles._point(-1)
    image = panel.canvas.grab().toImage()
    assert image.pixelColor(middle * image.devicePixelRatio()).red() == 250


def test_progress_is_announced_in_quarters_and_at_the_end(panel, monkeypatch):
    announced: list[str] = []
    monkeypatch.setattr(panel, "_announce", announced.append)
    draw(panel)
    panel.finished(Finished(REQUEST, plain(250), some_bits(), Timing()))
    assert announced == ["25 percent drawn", "50 percent drawn", "75 percent drawn", "The picture is done"]


def ideas() -> list[GenerationRequest]:
    return [REQUEST.with_seed(seed) for seed in (1, 2, 3, 4)]


def test_four_ideas_are_drawn_and_one_is_chosen(panel, qtbot):
    panel.begin_ideas(ideas())
    assert panel.ideas.isVisibleTo(panel)
    qtbot.mouseClick(panel.ideas.tiles[2], Qt.MouseButton.LeftButton)
    assert panel.ideas.isVisibleTo(panel), "nothing to choose yet"
    for index in range(4):
        panel.idea_previewed(index, ScalePreview(1, 5, GRIDS[1], plain(50), 0.1))
        panel.idea_finished(index)
    assert panel.ideas.words.text().startswith("Pick one")
    assert panel.ideas.tiles[2].accessibleName() == "Idea 3, ready"
    with qtbot.waitSignal(panel.ideaChosen) as chosen:
        qtbot.mouseClick(panel.ideas.tiles[2], Qt.MouseButton.LeftButton)
    assert chosen.args[0].seed == 3
    assert not panel.ideas.isVisibleTo(panel)


def test_stopped_ideas_leave_those_that_came_or_the_picture(panel):
    finish(panel)
    panel.begin_ideas(ideas())
    panel.ideas_ended()
    assert not panel.ideas.isVisibleTo(panel) and panel.actions_bar.isVisibleTo(panel), "the picture is back"
    panel.begin_ideas(ideas())
    panel.idea_previewed(1, ScalePreview(1, 5, GRIDS[1], plain(50), 0.1))
    panel.ideas_ended()
    assert [tile.isVisibleTo(panel) for tile in panel.ideas.tiles] == [False, True, False, False]
    assert panel.ideas.words.text().startswith("Pick one")
    panel.begin_ideas(ideas())
    assert all(tile.isVisibleTo(panel) for tile in panel.ideas.tiles)
    assert panel.ideas.words.text().startswith("Light and composition")


def test_ideas_by_key(panel, qtbot):
    panel.begin_ideas(ideas())
    panel.idea_previewed(1, ScalePreview(1, 5, GRIDS[1], plain(50), 0.1))
    panel.ideas.tiles[1].setFocus()
    with qtbot.waitSignal(panel.ideaChosen) as chosen:
        qtbot.keyClick(panel.ideas.tiles[1], Qt.Key.Key_2)
    assert chosen.args[0].seed == 2
    panel.begin_ideas(ideas())
    with qtbot.waitSignal(panel.ideasClosed):
        qtbot.keyClick(panel.ideas, Qt.Key.Key_Escape)
    assert not panel.ideas.isVisibleTo(panel)


def test_the_arrow_keys_walk_the_ideas_and_enter_takes_one(panel, qtbot, qapp):
    panel.show()
    qtbot.waitExposed(panel)
    panel.begin_ideas(ideas())
    for number in range(3):
        panel.idea_previewed(number, ScalePreview(1, 5, GRIDS[1], plain(50), 0.1))
    panel.ideas.setFocus()
    for key, tile in (
        (Qt.Key.Key_Right, 0),  # the first press shows where one is
        (Qt.Key.Key_Right, 1),
        (Qt.Key.Key_Down, 1),  # nothing is drawn there yet
        (Qt.Key.Key_Left, 0),
        (Qt.Key.Key_Down, 2),
    ):
        qtbot.keyClick(qapp.focusWidget(), key)
        assert panel.ideas.tiles[tile].hasFocus(), key
    with qtbot.waitSignal(panel.ideaChosen) as chosen:
        qtbot.keyClick(qapp.focusWidget(), Qt.Key.Key_Return)
    assert chosen.args[0].seed == ideas()[2].seed


def test_idea_tiles_have_the_shape_of_the_picture(panel):
    panel.begin_ideas([GenerationRequest("x", seed=n, size=(128, 64)) for n in range(4)])
    tile = panel.ideas.tiles[0]
    assert tile.width() / tile.height() == pytest.approx(2.0, abs=0.05)
    assert panel.ideas.tiles[1].x() - tile.geometry().right() <= 13


@pytest.mark.parametrize(
    ("sides", "scales"),
    [
        ((1, 2, 4, 6, 8, 12, 16, 20, 24, 32, 40, 48, 64), 8),
        ((1, 2, 3, 5, 9, 16), 5),  # five tokens across are only a blur
        ((1, 2, 4, 6, 8, 12, 16), 5),
        ((1, 2, 4), 2),
        ((1, 9), 1),
        ((1,), 1),
    ],
)
def test_ideas_are_cheap_and_yet_clear(sides, scales):
    assert coarse_scales([(side, side) for side in sides]) == scales


def test_nothing_stays_behind_when_a_panel_is_gone(qtbot, dressed):
    import gc
    import weakref

    import shiboken6

    panel = CanvasPanel()
    panel.complete()
    panel.show()
    finish(panel)
    reference = weakref.ref(panel)
    panel.close()
    shiboken6.delete(panel)
    del panel
    gc.collect()
    assert reference() is None


@pytest.mark.parametrize("height", [560, 740])
def test_nothing_jumps_when_a_picture_is_done_or_stopped(panel, qtbot, height):
    panel.resize(824, height)
    panel.strip.set_compact(False, height < 600)
    draw(panel, 3)
    turn_over(qtbot)
    picture, tile, strip = panel.canvas.picture_rect(), panel.strip.tile_rect(2), panel.strip.geometry()
    panel.finished(Finished(REQUEST, plain(250), some_bits(), Timing()))
    turn_over(qtbot)
    assert panel.actions_bar.isVisibleTo(panel)
    assert (panel.canvas.picture_rect(), panel.strip.tile_rect(2), panel.strip.geometry()) == (picture, tile, strip)
    draw(panel, 3)
    panel.stopped(plain(40))
    turn_over(qtbot)
    assert (panel.canvas.picture_rect(), panel.strip.tile_rect(2), panel.strip.geometry()) == (picture, tile, strip)
