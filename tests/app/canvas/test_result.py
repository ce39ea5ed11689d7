"""The canvas: forming, finished, compared, zoomed, described."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QContextMenuEvent, QImage, QNativeGestureEvent, QPointingDevice, QWheelEvent
from PySide6.QtWidgets import QApplication

from app.canvas.result import ResultCanvas
from app.look.pixels import to_array, to_image
from app.look.theme import notifier, theme

pytestmark = pytest.mark.usefixtures("plain_look")

RED, GREEN, BLUE = (200, 30, 30), (30, 200, 30), (30, 30, 200)


def plain(color, width: int = 64, height: int = 64) -> np.ndarray:
    return np.broadcast_to(np.array(color, np.uint8), (height, width, 3)).copy()


@pytest.fixture
def canvas(qtbot) -> ResultCanvas:
    canvas = ResultCanvas()
    qtbot.addWidget(canvas)
    canvas.resize(400, 400)
    canvas.show()
    qtbot.waitExposed(canvas)
    return canvas


def color_at(canvas: ResultCanvas, x: float, y: float) -> QColor:
    image = canvas.grab().toImage()
    ratio = image.devicePixelRatio()
    return image.pixelColor(round(x * ratio), round(y * ratio))


def close_to(color: QColor, wanted, tolerance: int = 3) -> bool:
    return all(abs(a - b) <= tolerance for a, b in zip(color.getRgb()[:3], wanted, strict=True))


def wheel(canvas: ResultCanvas, steps: int, at: QPointF) -> None:
    event = QWheelEvent(
        at,
        canvas.mapToGlobal(at),
        QPoint(),
        QPoint(0, 120 * steps),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.ControlModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(canvas, event)


def test_arrays_and_pictures_are_the_same_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    image = to_image(pixels)
    assert np.array_equal(to_array(image), pixels)
    kept = to_array(image)
    pixels[:] = 0
    assert np.array_equal(to_array(image), kept), "the picture owns its memory"


@pytest.mark.parametrize("stage", [None, (256, 256)])
def test_the_empty_canvas_is_silent_while_a_picture_forms(canvas, stage):
    canvas.set_stage(stage)
    canvas.show_empty("", "")
    silent = canvas.grab().toImage()
    canvas.show_empty("Put this robot anywhere", "Write where it should be.")
    assert canvas.grab().toImage() != silent
    canvas.begin((256, 256), "a robot on the beach")
    assert canvas.grab().toImage() == silent


def test_the_empty_canvas_says_its_words(canvas):
    canvas.show_empty("Put this robot anywhere", "The example is ready.", [to_image(plain(RED))] * 3)
    assert canvas.state == "empty"
    assert canvas.accessibleDescription() == "Put this robot anywhere The example is ready."
    assert close_to(color_at(canvas, 14, 14), theme().color("canvas").getRgb()[:3])


def test_a_picture_forms_and_is_finished(canvas):
    canvas.begin((64, 64), "a robot")
    assert canvas.state == "forming"
    canvas.show_preview(plain(RED, 16, 16), 2, 5)
    assert canvas.accessibleDescription() == "a robot, 64 by 64 pixels, drawing scale 3 of 5"
    assert close_to(color_at(canvas, 200, 200), RED)
    canvas.show_result(plain(GREEN), "a robot", fade=True)
    assert canvas.state == "result"
    assert close_to(color_at(canvas, 200, 200), GREEN)
    assert canvas.accessibleDescription() == "a robot, 64 by 64 pixels, finished"


def test_previews_take_the_place_of_the_picture_they_become(canvas):
    canvas.begin((128, 64), "a robot")
    canvas.show_preview(plain(RED, 32, 16), 0, 5)
    before = canvas.picture_rect()
    canvas.show_result(plain(GREEN, 128, 64), "a robot")
    assert canvas.picture_rect() == before
    assert (before.width(), before.height()) == (256, 128), "a small one is doubled"
    assert before.center() == QPointF(200, 200)


def test_a_large_picture_is_shown_whole(canvas):
    canvas.show_result(plain(RED, 1000, 500), "")
    rect = canvas.picture_rect()
    assert rect.width() == pytest.approx(352)
    assert rect.height() == pytest.approx(176)


def test_previews_cross_fade_and_a_new_one_cuts_the_fade_short(canvas, qtbot):
    notifier.set_motion("full")
    canvas.begin((64, 64), "")
    canvas.show_preview(plain(RED), 0, 5)
    canvas.show_preview(plain(GREEN), 1, 5)
    assert canvas._picture.share < 1.0
    assert close_to(color_at(canvas, 200, 200), RED, 60), "the new one comes in from nothing"
    canvas.show_preview(plain(BLUE), 2, 5)
    assert canvas._picture.before is not None
    assert close_to(canvas._picture.before.image.pixelColor(3, 3), GREEN)
    qtbot.waitUntil(lambda: canvas._picture.share >= 1.0, timeout=2000)
    assert close_to(color_at(canvas, 200, 200), BLUE)
    assert canvas._picture.before is None, "nothing of the old picture is held"


def test_without_motion_nothing_fades(canvas):
    canvas.begin((64, 64), "")
    canvas.show_preview(plain(RED), 0, 5)
    canvas.show_preview(plain(GREEN), 1, 5)
    assert canvas._picture.before is None
    assert close_to(color_at(canvas, 200, 200), GREEN)


def test_pointing_at_a_scale_shows_it_and_leaving_returns(canvas):
    canvas.show_result(plain(RED), "")
    canvas.peek(plain(BLUE, 8, 8))
    assert close_to(color_at(canvas, 200, 200), BLUE)
    assert close_to(canvas.image().pixelColor(3, 3), RED), "what is copied and dragged is the result"
    canvas.peek(None)
    assert close_to(color_at(canvas, 200, 200), RED)


def test_an_error_says_that_all_is_safe_and_shows_no_half_picture(canvas):
    canvas.begin((64, 64), "")
    canvas.show_error()
    assert canvas.state == "error"
    assert canvas.accessibleDescription() == "No picture yet Your photo, cut-out and prompt are safe."
    canvas.show_result(plain(RED), "")
    canvas.begin((64, 64), "")
    canvas.show_error()
    assert not canvas.has_picture() and canvas.state == "error"


def test_a_stopped_picture_stays(canvas):
    canvas.begin((64, 64), "")
    canvas.show_preview(plain(RED), 0, 5)
    canvas.stop(plain(RED))
    assert canvas.state == "stopped"
    assert close_to(color_at(canvas, 200, 200), RED)


def test_compare_shows_the_result_left_and_the_cut_out_right(canvas, qtbot):
    canvas.resize(400, 400)
    canvas.show_result(plain(RED, 200, 200), "")
    canvas.zoom_actual()
    canvas.set_compare(True)
    assert not canvas.comparing(), "there is nothing to compare with"
    canvas.set_cut_out(to_image(plain(BLUE)))
    canvas.set_compare(True)
    assert canvas.accessibleDescription().endswith("compared with the cut-out")
    assert close_to(color_at(canvas, 150, 250), RED)
    assert close_to(color_at(canvas, 250, 250), BLUE)
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(200, 260))
    qtbot.mouseMove(canvas, QPoint(280, 260))
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(280, 260))
    assert canvas.split() == pytest.approx(0.9, abs=0.01)
    assert close_to(color_at(canvas, 250, 250), RED)
    qtbot.keyClick(canvas, Qt.Key.Key_Left)
    assert canvas.split() == pytest.approx(0.88, abs=0.01)
    canvas.set_compare(False)
    assert not canvas.comparing()


def test_the_divider_never_leaves_the_picture(canvas):
    canvas.set_split(-3)
    assert canvas.split() == 0
    canvas.set_split(7)
    assert canvas.split() == 1


def test_c_shows_the_previous_picture_while_it_is_held(canvas, qtbot):
    canvas.show_result(plain(RED), "")
    canvas.set_previous(to_image(plain(GREEN)))
    canvas.setFocus()
    qtbot.keyPress(canvas, Qt.Key.Key_C)
    assert close_to(color_at(canvas, 200, 220), GREEN)
    qtbot.keyRelease(canvas, Qt.Key.Key_C)
    assert close_to(color_at(canvas, 200, 220), RED)
    qtbot.keyPress(canvas, Qt.Key.Key_C)
    canvas.clearFocus()
    assert close_to(color_at(canvas, 200, 220), RED), "a key released elsewhere is not held for ever"


def test_the_wheel_zooms_at_the_pointer_only_with_ctrl(canvas):
    canvas.show_result(plain(RED, 300, 300), "")
    canvas.zoom_actual()
    wheel(canvas, 3, QPointF(120, 200))
    assert canvas.scale() == pytest.approx(1.25**3, rel=0.01)
    rect = canvas.picture_rect()
    assert rect.x() <= 0
    canvas.zoom_actual()
    assert canvas.scale() == 1.0
    canvas.zoom_fit()
    assert not canvas.is_zoomed()


def test_a_zoomed_picture_says_its_zoom_in_a_corner(canvas):
    canvas.show_result(plain(RED, 300, 300), "")
    assert canvas.zoom_words() == "" and close_to(color_at(canvas, 340, 70), RED), "a fitted picture says nothing"
    canvas.zoom_actual()
    assert canvas.zoom_words() == "100\u00a0%"
    canvas.zoom_by(3)
    assert canvas.zoom_words() == "195\u00a0%"
    assert not close_to(color_at(canvas, canvas.width() - 14, 20), RED), "a dark label lies in the corner"
    canvas.zoom_fit()
    assert canvas.zoom_words() == ""


def test_zooming_out_of_the_fitted_place_keeps_the_point_under_the_pointer(canvas):
    """A fitted picture leaves room for the bar of actions, a zoomed one does not."""
    canvas.set_bottom_space(60)
    canvas.show_result(plain(RED, 900, 900), "")
    before, at = canvas.picture_rect(), QPointF(180, 150)
    point = (at - before.topLeft()) / before.width()
    wheel(canvas, 6, at)
    after = canvas.picture_rect()
    assert after.width() > canvas.width()
    assert (after.topLeft() + point * after.width() - at).manhattanLength() < 1


def test_two_fingers_zoom(canvas):
    canvas.show_result(plain(RED, 300, 300), "")
    before, at = canvas.scale(), QPointF(120, 200)
    device, zoom = QPointingDevice.primaryPointingDevice(), Qt.NativeGestureType.ZoomNativeGesture
    QApplication.sendEvent(canvas, QNativeGestureEvent(zoom, device, 2, at, at, at, 0.5, QPointF()))
    assert canvas.scale() == pytest.approx(1.5 * before)


def test_space_and_drag_pans(canvas, qtbot):
    canvas.show_result(plain(RED, 300, 300), "")
    canvas.zoom_by(6)
    before = canvas.picture_rect().topLeft()
    canvas.setFocus()
    qtbot.keyPress(canvas, Qt.Key.Key_Space)
    assert canvas.cursor().shape() == Qt.CursorShape.OpenHandCursor
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(200, 200))
    qtbot.mouseMove(canvas, QPoint(170, 190))
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(170, 190))
    qtbot.keyRelease(canvas, Qt.Key.Key_Space)
    assert canvas.picture_rect().topLeft() - before == QPointF(-30, -10)
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    assert canvas.picture_rect().x() < before.x() - 30


def test_zoom_stays_for_pictures_of_one_size_and_ends_for_others(canvas):
    canvas.show_result(plain(RED), "")
    canvas.zoom_by(2)
    scale = canvas.scale()
    canvas.begin((64, 64), "")
    canvas.show_preview(plain(GREEN, 16, 16), 0, 3)
    assert canvas.is_zoomed() and canvas.scale() == scale
    canvas.show_result(plain(GREEN, 96, 64), "")
    assert not canvas.is_zoomed()


def test_dragging_the_picture_asks_for_a_drag_out(canvas, qtbot):
    canvas.show_result(plain(RED, 300, 300), "")
    with qtbot.waitSignal(canvas.dragOutRequested):
        qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(200, 200))
        qtbot.mouseMove(canvas, QPoint(204, 200))
        qtbot.mouseMove(canvas, QPoint(240, 220))
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(240, 220))


def test_a_double_click_wants_the_full_screen_and_a_right_click_the_menu(canvas, qtbot):
    asked = []
    canvas.fullScreenWanted.connect(lambda: asked.append("screen"))
    canvas.menuWanted.connect(lambda at: asked.append(canvas.mapFromGlobal(at)))
    menu = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, QPoint(20, 30), canvas.mapToGlobal(QPoint(20, 30)))
    qtbot.mouseDClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(200, 200))
    QApplication.sendEvent(canvas, menu)
    assert asked == [], "there is no picture yet"
    canvas.show_result(plain(RED, 1000, 1000), "")
    qtbot.mouseDClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(200, 200))
    QApplication.sendEvent(canvas, menu)
    QApplication.sendEvent(canvas, QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(0, 0), QPoint(0, 0)))
    assert asked == ["screen", QPoint(20, 30), canvas.picture_rect().center().toPoint()]


def test_room_is_left_for_the_bar(canvas):
    canvas.show_result(plain(RED, 1000, 1000), "")
    before = canvas.picture_rect()
    canvas.set_bottom_space(56)
    after = canvas.picture_rect()
    assert after.height() < before.height()
    assert after.bottom() <= 400 - 56 - 16


def test_corners_are_round_and_smooth(canvas):
    canvas.show_result(plain(RED, 200, 200), "")
    canvas.zoom_actual()
    image = canvas.grab().toImage()
    assert not close_to(image.pixelColor(100, 100), RED, 40), "the corner pixel belongs to the ground"
    assert close_to(image.pixelColor(103, 103), RED, 40)


@pytest.mark.parametrize("ratio", [1.0, 1.25, 2.0])
def test_high_resolution_screens_get_all_pixels(qtbot, ratio):
    from app.look.pixels import ScaledPicture

    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:, 32:] = 255
    target = QImage(round(80 * ratio), round(80 * ratio), QImage.Format.Format_RGB32)
    target.setDevicePixelRatio(ratio)
    target.fill(Qt.GlobalColor.red)
    from PySide6.QtCore import QRectF
    from PySide6.QtGui import QPainter

    painter = QPainter(target)
    ScaledPicture(to_image(pixels)).paint(painter, QRectF(8, 8, 64, 64), 0)
    painter.end()
    row = [target.pixelColor(x, target.height() // 2).red() for x in range(round(10 * ratio), round(70 * ratio))]
    edge = [index for index, value in enumerate(row) if 40 < value < 215]
    assert row[0] == 0
    assert row[-1] == 255
    assert len(edge) <= 3 * ratio, "the edge is sharp at every scale"


def test_both_themes_are_painted(look, canvas):
    canvas.show_result(plain(RED), "")
    assert close_to(color_at(canvas, 14, 14), theme().color("canvas").getRgb()[:3])
    assert close_to(color_at(canvas, 200, 200), RED)
