"""The strip: drag, click, keys, hover, progress."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from app.canvas.strip.strip import ScaleStrip
from app.look.theme import theme
from engine.request import ScaleBits

pytestmark = pytest.mark.usefixtures("plain_look")

GRIDS = tuple((n, n) for n in (1, 2, 4, 6, 8, 12, 16))
COSTS = tuple(1 / 7 for _ in GRIDS)
BITS = ScaleBits(tuple(np.zeros((n, n, 4), np.uint8) for n, _ in GRIDS))


def preview(scale: int) -> np.ndarray:
    return np.full((32, 32, 3), 30 * scale + 20, np.uint8)


@pytest.fixture
def strip(qtbot) -> ScaleStrip:
    strip = ScaleStrip()
    qtbot.addWidget(strip)
    strip.resize(820, strip.sizeHint().height())
    strip.clear(GRIDS)
    strip.show()
    qtbot.waitExposed(strip)
    strip.activateWindow()
    return strip


@pytest.fixture
def done(strip) -> ScaleStrip:
    strip.begin(GRIDS, COSTS)
    for scale in range(7):
        strip.drawn(scale, preview(scale), 0.1 * scale)
    strip.finish(preview(6), BITS)
    return strip


def center(strip: ScaleStrip, scale: int) -> QPoint:
    return strip.tile_rect(scale).center()


def pixel(strip: ScaleStrip, point: QPoint):
    image = strip.grab().toImage()
    return image.pixelColor(point * image.devicePixelRatio())


def test_tiles_fit_one_row_from_edge_to_edge(strip):
    rects = [strip.tile_rect(scale) for scale in range(7)]
    assert all(rect.width() == 52 for rect in rects)
    assert rects[0].left() == 20
    assert rects[-1].right() <= 820 - 20
    gaps = {b.left() - a.right() for a, b in pairwise(rects)}
    assert max(gaps) - min(gaps) <= 1
    assert strip.words.text() == "appear here while the picture forms"


@pytest.mark.parametrize(("width", "count"), [(520, 13), (560, 13), (1400, 13), (520, 7), (320, 13)])
def test_any_width_takes_any_number_of_tiles(strip, width, count):
    strip.set_compact(width < 600)
    strip.clear(tuple((n, n) for n in range(1, count + 1)))
    strip.resize(width, strip.sizeHint().height())
    rects = [strip.tiles.tile_rect(scale) for scale in range(count)]
    assert rects[-1].right() <= strip.tiles.width()
    assert all(a.right() < b.left() for a, b in pairwise(rects))


def test_while_drawing_words_and_ring_say_where_it_is(strip):
    strip.begin(GRIDS, COSTS)
    for scale in range(4):
        strip.drawn(scale, preview(scale), 5.0 * scale)
    assert strip.title.text() == "Scale 4 of 7"
    assert strip.words.text() == "Shapes are set, details come next"
    assert strip.left.text() in ("about 15 s left", "about 14 s left")
    assert strip.bar.isVisibleTo(strip)
    assert strip.bar.value() >= 1000 * 4 // 7 - 1
    assert strip.tiles.accessibleName() == "Scale 4 of 7, drawing"
    ring = strip.tile_rect(3)
    assert pixel(strip, QPoint(ring.left() - 3, ring.center().y())) == theme().color("accent")
    assert pixel(strip, center(strip, 2)).red() == preview(2)[0, 0, 0]
    assert not strip.handle_rect().isValid()


def test_progress_goes_on_between_scales(strip, qtbot):
    strip.begin(GRIDS, COSTS)
    strip.drawn(0, preview(0), 0.0)
    strip.drawn(1, preview(1), 0.5)
    before = strip.bar.value()
    qtbot.waitUntil(lambda: strip.bar.value() > before, timeout=3000)
    assert strip.bar.value() <= 1000 * 3 // 7 + 1


def test_the_height_does_not_change_between_states(strip, done):
    resting = strip.sizeHint().height()
    strip.begin(GRIDS, COSTS)
    assert strip.sizeHint().height() == resting


def test_when_done_the_handle_stands_behind_the_last_tile(done):
    assert done.title.text() == "Scales"
    assert done.handle_rect().center().x() > done.tile_rect(6).right()
    assert done.redraw_button.isVisibleTo(done)
    assert not done.redraw_button.isEnabled()
    assert "handle" in done.redraw_button.toolTip()


def test_clicking_a_tile_keeps_everything_up_to_it(done, qtbot):
    with qtbot.waitSignal(done.handleMoved) as moved:
        qtbot.mouseClick(done.tiles, Qt.MouseButton.LeftButton, pos=done.tiles.mapFrom(done, center(done, 3)))
    assert moved.args == [4]
    assert done.words.text() == "Keep 4: same composition, new details"
    assert done.tiles.accessibleName() == "Keep scales 1 to 4"
    assert done.redraw_button.isEnabled()
    with qtbot.waitSignal(done.redrawRequested) as wanted:
        qtbot.mouseClick(done.redraw_button, Qt.MouseButton.LeftButton)
    assert wanted.args == [4]


def test_dragging_the_handle(done, qtbot):
    tiles = done.tiles
    qtbot.mousePress(tiles, Qt.MouseButton.LeftButton, pos=tiles.handle_rect().center().toPoint())
    for scale in (5, 4, 2):
        qtbot.mouseMove(tiles, tiles.tile_rect(scale).center().toPoint())
    qtbot.mouseRelease(tiles, Qt.MouseButton.LeftButton, pos=tiles.tile_rect(2).center().toPoint())
    assert done.model.keep == 3
    qtbot.mousePress(tiles, Qt.MouseButton.LeftButton, pos=tiles.handle_rect().center().toPoint())
    qtbot.mouseMove(tiles, QPoint(-50, 20))
    assert done.model.keep == 1, "at least one scale is kept"
    qtbot.mouseMove(tiles, QPoint(5000, 20))
    assert done.model.keep == 7
    qtbot.mouseRelease(tiles, Qt.MouseButton.LeftButton, pos=QPoint(800, 20))


def test_keys_move_the_handle(done, qtbot):
    done.setFocus()
    for key, keep in (
        (Qt.Key.Key_Left, 6),
        (Qt.Key.Key_Left, 5),
        (Qt.Key.Key_Right, 6),
        (Qt.Key.Key_Home, 1),
        (Qt.Key.Key_Left, 1),
        (Qt.Key.Key_End, 7),
        (Qt.Key.Key_Right, 7),
    ):
        qtbot.keyClick(done.tiles, key)
        assert done.model.keep == keep
    qtbot.keyClick(done.tiles, Qt.Key.Key_Home)
    with qtbot.waitSignal(done.redrawRequested):
        qtbot.keyClick(done.tiles, Qt.Key.Key_Return)


def test_the_veil_and_the_badges_show_what_the_sentence_says(look, done):
    plain = pixel(done, center(done, 5))
    badge = QPoint(done.tile_rect(2).right() - 5, done.tile_rect(2).bottom() - 11)
    bare = pixel(done, badge)
    done.tiles.move_handle(4)
    veiled = pixel(done, center(done, 5))
    surface = theme().color("surface")
    expected = plain.red() + 0.47 * (surface.red() - plain.red())
    assert abs(veiled.red() - expected) <= 3
    assert pixel(done, center(done, 2)).red() == preview(2)[0, 0, 0], "kept tiles are not veiled"
    assert pixel(done, badge) != bare, "kept tiles carry a badge"


def test_a_picture_that_lost_its_bits_has_the_way_to_redraw_a_region(strip):
    """As any photo; nothing of its scales can be kept."""
    strip.show_picture(GRIDS, None, preview(6))
    assert strip.region_button.isVisible() and not strip.redraw_button.isVisible()
    strip.begin(GRIDS, COSTS)
    assert not strip.region_button.isVisible()
    strip.stop()
    assert not strip.region_button.isVisible()


def test_small_tiles_have_no_badges_and_no_button(done):
    done.set_compact(True)
    done.resize(520, done.sizeHint().height())
    done.tiles.move_handle(4)
    assert done.tile_rect(0).width() == 36
    assert not done.redraw_button.isVisibleTo(done)
    done.redraw()


def test_pointing_at_a_tile_tells_its_picture(done, qtbot):
    tiles = done.tiles
    with qtbot.waitSignal(done.pointed) as pointed:
        qtbot.mouseMove(tiles, tiles.tile_rect(2).center().toPoint())
    assert np.array_equal(pointed.args[0], preview(2))
    with qtbot.waitSignal(done.pointed) as left:
        from PySide6.QtCore import QEvent
        from PySide6.QtWidgets import QApplication

        QApplication.sendEvent(tiles, QEvent(QEvent.Type.Leave))
    assert left.args[0] is None


def test_pointing_does_not_stop_the_drawing_and_waiting_tiles_show_nothing(strip, qtbot):
    strip.begin(GRIDS, COSTS)
    strip.drawn(0, preview(0), 0.1)
    pointed = []
    strip.pointed.connect(pointed.append)
    qtbot.mouseMove(strip.tiles, strip.tiles.tile_rect(5).center().toPoint())
    assert pointed == []
    qtbot.mouseClick(strip.tiles, Qt.MouseButton.LeftButton, pos=strip.tiles.tile_rect(0).center().toPoint())
    assert strip.model.drawing


def test_previews_that_came_with_the_end_fill_the_tiles(strip, qtbot):
    strip.begin(GRIDS, COSTS)
    strip.drawn(0, preview(0), 0.1)
    wanted = []
    strip.previewsWanted.connect(wanted.append)
    strip.finish(preview(6), BITS, [preview(scale) for scale in range(7)])
    assert wanted == []
    assert strip.model.missing == ()


def test_a_picture_from_the_history_asks_for_its_scales(strip, qtbot):
    with qtbot.waitSignal(strip.previewsWanted) as wanted:
        strip.show_picture(GRIDS, BITS, preview(6))
    assert wanted.args == [BITS]
    strip.set_preview(2, preview(2))
    assert 2 not in strip.model.missing
    strip.tiles.move_handle(3)
    assert strip.model.can_redraw, "redrawing needs the bits, not their pictures"


def test_without_bits_nothing_can_be_redrawn(strip):
    strip.show_picture(GRIDS, None, preview(6))
    assert not strip.model.move_handle(3)
    assert not strip.redraw_button.isVisibleTo(strip)


def test_stopping_ends_the_clock(strip, qtbot):
    strip.begin(GRIDS, COSTS)
    strip.drawn(0, preview(0), 0.1)
    strip.stop()
    assert not strip._timer.isActive()
    assert strip.title.text() == "Scales"
    assert not strip.bar.isVisibleTo(strip)


def test_a_tile_that_was_never_drawn_stays_empty_after_stop(strip):
    strip.begin(GRIDS, COSTS)
    empty = pixel(strip, center(strip, 5))
    for scale in range(4):
        strip.drawn(scale, preview(scale))
    strip.stop()
    assert pixel(strip, center(strip, 3)).red() == preview(3)[0, 0, 0]
    assert pixel(strip, center(strip, 4)) == pixel(strip, center(strip, 5)) == empty


def test_kept_scales_keep_their_pictures_in_a_redraw(done):
    done.begin(GRIDS, COSTS, first_scale=3)
    assert [done.model.tile(scale) for scale in range(5)] == ["kept", "kept", "kept", "now", "waiting"]
    assert pixel(done, center(done, 1)).red() == preview(1)[0, 0, 0]


def test_right_to_left_is_mirrored(done, qtbot):
    done.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    assert done.tiles.tile_rect(0).left() > done.tiles.tile_rect(6).left()
    tiles = done.tiles
    qtbot.mouseClick(tiles, Qt.MouseButton.LeftButton, pos=tiles.tile_rect(1).center().toPoint())
    assert done.model.keep == 2
