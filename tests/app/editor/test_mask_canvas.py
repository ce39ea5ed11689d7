"""The canvas as a person uses it: mouse, wheel and keyboard."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest

from app.look.pixels import to_array
from app.mask.strokes import Edge
from engine.photo.hints import Box, Click
from tests.app.mask.fakes import area, disc

LEFT, RIGHT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton
CTRL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
NONE = Qt.KeyboardModifier.NoModifier


def at(canvas, x, y) -> QPoint:
    return canvas.viewport.to_widget(x, y).toPoint()


def drag(canvas, *points, button=LEFT, modifiers=NONE):
    """Press, move and release at points of the photo."""
    places = [at(canvas, *point) for point in points]
    QTest.mousePress(canvas, button, modifiers, places[0])
    for place in places[1:]:
        move(canvas, place, button, modifiers)
    QTest.mouseRelease(canvas, button, modifiers, places[-1])


def move(canvas, place, button=LEFT, modifiers=NONE):
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QMouseEvent
    from PySide6.QtWidgets import QApplication

    where = QPointF(place)
    event = QMouseEvent(
        QEvent.Type.MouseMove, where, canvas.mapToGlobal(where), Qt.MouseButton.NoButton, button, modifiers
    )
    QApplication.sendEvent(canvas, event)


def wheel(canvas, notches, place=None, modifiers=NONE):
    from PySide6.QtWidgets import QApplication

    where = QPointF(place or canvas.rect().center())
    event = QWheelEvent(
        where,
        canvas.mapToGlobal(where),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(canvas, event)
    return event.isAccepted()


def pixel(canvas, x, y):
    colour = canvas.grab().toImage().pixelColor(at(canvas, x, y))
    return colour.red(), colour.green(), colour.blue()


# Painting


def test_the_photo_is_seen_as_it_is_until_something_is_marked(canvas, session):
    rest, outside = (30, 30), (560, 360)
    bright = tuple(int(level) for level in session.photo.rgb[360, 560])
    assert max(pixel(canvas, *outside)) < max(bright), "beside a subject the rest is dimmed"
    session.document.replace(np.zeros_like(session.document.mask), "Clear")
    assert np.abs(np.subtract(pixel(canvas, *outside), bright)).max() <= 3
    canvas.tools.set_tool("brush")
    places = [at(canvas, *rest), at(canvas, 60, 30)]
    canvas.repaint()
    QTest.mousePress(canvas, LEFT, NONE, places[0])
    move(canvas, places[1])
    assert max(pixel(canvas, *outside)) < max(bright), "far from the first stroke, too"
    QTest.mouseRelease(canvas, LEFT, NONE, places[1])
    session.undo()
    assert np.abs(np.subtract(pixel(canvas, *outside), bright)).max() <= 3


def test_painting_adds_and_is_one_step(canvas, session):
    canvas.tools.set_tool("brush")
    drag(canvas, (50, 50), (150, 60), (180, 100))
    assert session.document.mask[52, 100] == 255
    assert session.document.undo_label == "Paint"
    session.undo()
    assert np.array_equal(session.document.mask, disc())


def test_a_stroke_shows_at_once(canvas, session):
    canvas.tools.set_tool("brush")
    before = pixel(canvas, 70, 300)
    QTest.mousePress(canvas, LEFT, NONE, at(canvas, 60, 300))
    move(canvas, at(canvas, 90, 300))
    assert session.document.painting
    after = pixel(canvas, 70, 300)
    assert after != before
    assert after[2] > before[2]  # violet
    QTest.mouseRelease(canvas, LEFT, NONE, at(canvas, 90, 300))


def test_leaving_and_entering_again_is_one_stroke(canvas, session):
    canvas.tools.set_tool("brush")
    drag(canvas, (30, 200), (-300, 200), (-300, 900), (100, 390), (120, 300))
    assert session.document.mask[200, 30] == 255 and session.document.mask[300, 120] == 255
    session.undo()
    assert np.array_equal(session.document.mask, disc())
    session.redo()
    assert session.document.mask[300, 120] == 255


def test_the_eraser_erases_and_ctrl_swaps(canvas, session):
    canvas.tools.set_tool("eraser")
    drag(canvas, (300, 200), (320, 200))
    assert session.document.mask[200, 310] == 0
    drag(canvas, (50, 50), (90, 50), modifiers=CTRL)
    assert session.document.mask[50, 70] == 255
    canvas.tools.set_tool("brush")
    drag(canvas, (250, 200), (260, 200), modifiers=CTRL)
    assert session.document.mask[200, 255] == 0
    assert canvas.tools.tool() == "brush"


def test_holding_ctrl_shows_the_other_ring(canvas):
    canvas.tools.set_tool("brush")
    QTest.mouseMove(canvas, at(canvas, 100, 100))
    QTest.keyPress(canvas, Qt.Key.Key_Control)
    assert canvas.tools.effective_tool() == "eraser"
    QTest.keyRelease(canvas, Qt.Key.Key_Control, CTRL)
    assert canvas.tools.effective_tool() == "brush"


def test_shift_paints_a_straight_line_from_the_last_stroke(canvas, session):
    canvas.tools.set_tool("brush")
    drag(canvas, (50, 50))
    drag(canvas, (50, 350), modifiers=SHIFT)
    assert (session.document.mask[50:350, 50] == 255).all()


def test_the_ring_has_the_true_size(canvas, session):
    canvas.tools.set_tool("brush")
    canvas.tools.set_brush_size(60)
    canvas.tools.set_hardness(1.0)
    before = area(session.document.mask)
    drag(canvas, (80, 80))
    assert area(session.document.mask) - before == pytest.approx(np.pi * 30**2, rel=0.02)
    assert canvas.tools.ring_radius() == pytest.approx(30 * canvas.viewport.view().scale / canvas.viewport.view().ratio)


def test_brush_size_by_wheel_and_by_dragging(canvas):
    canvas.tools.set_tool("brush")
    size = canvas.tools.brush_size()
    wheel(canvas, 1, modifiers=ALT)
    assert canvas.tools.brush_size() > size
    wheel(canvas, -1, modifiers=ALT)
    wheel(canvas, -1, modifiers=ALT)
    assert canvas.tools.brush_size() < size
    canvas.tools.set_brush_size(40)
    drag(canvas, (100, 100), (130, 100), modifiers=ALT)
    assert canvas.tools.brush_size() == pytest.approx(100, abs=2)


def test_painting_while_the_answer_to_a_click_is_under_way(qtbot, canvas, session, segmenter):
    segmenter.gate.clear()
    canvas.tools.set_tool("select")
    drag(canvas, (80, 80))
    qtbot.waitUntil(lambda: len(segmenter.asked) == 1)
    canvas.tools.set_tool("brush")
    QTest.mousePress(canvas, LEFT, NONE, at(canvas, 500, 50))
    move(canvas, at(canvas, 540, 50))
    segmenter.gate.set()
    qtbot.waitUntil(lambda: not session.asking)
    assert session.document.painting  # the stroke goes on
    move(canvas, at(canvas, 560, 90))
    QTest.mouseRelease(canvas, LEFT, NONE, at(canvas, 560, 90))
    qtbot.waitUntil(lambda: session.document.mask[80, 80] == 255)
    assert session.document.mask[50, 520] == 255  # both are there


def test_the_lasso_adds_and_with_ctrl_takes_away(canvas, session):
    canvas.tools.set_tool("lasso")
    drag(canvas, (20, 20), (120, 20), (120, 120), (20, 120))
    assert session.document.mask[70, 70] == 255
    drag(canvas, (50, 50), (90, 50), (90, 90), (50, 90), modifiers=CTRL)
    assert session.document.mask[70, 70] == 0 and session.document.mask[30, 30] == 255


# Clicks and boxes


def test_click_include_shift_click_and_right_click_exclude(qtbot, canvas, session, segmenter):
    drag(canvas, (80, 80))
    qtbot.waitUntil(lambda: session.document.mask[80, 80] == 255)
    drag(canvas, (300, 200), modifiers=SHIFT)
    qtbot.waitUntil(lambda: session.document.mask[200, 300] == 0)
    drag(canvas, (360, 200), button=RIGHT)
    qtbot.waitUntil(lambda: session.document.mask[200, 360] == 0)
    assert [click.include for click in session.document.marks.clicks] == [True, False, False]


def test_a_click_does_not_wait_for_its_answer_and_shows_a_spinner(qtbot, canvas, session, segmenter):
    segmenter.gate.clear()
    drag(canvas, (80, 80))
    assert session.document.marks.clicks and np.array_equal(session.document.mask, disc())
    qtbot.waitUntil(lambda: session.waiting, timeout=1000)
    segmenter.gate.set()
    qtbot.waitUntil(lambda: not session.waiting)
    assert session.document.mask[80, 80] == 255


def test_only_the_latest_click_is_answered(qtbot, canvas, session, segmenter):
    segmenter.gate.clear()
    drag(canvas, (80, 80))
    qtbot.waitUntil(lambda: len(segmenter.asked) == 1)
    drag(canvas, (500, 80))
    drag(canvas, (500, 300))
    segmenter.gate.set()
    qtbot.waitUntil(lambda: not session.asking)
    assert [len(asked[1]) for asked in segmenter.asked] == [1, 3]
    session.undo()
    assert len(session.document.marks.clicks) == 2


def test_dragging_a_point_moves_it_and_clicking_it_removes_it(qtbot, canvas, session):
    drag(canvas, (80, 80))
    drag(canvas, (80, 80), (120, 90), (160, 100))
    (click,) = session.document.marks.clicks
    assert (click.x, click.y) == pytest.approx((160, 100), abs=1)
    drag(canvas, (160, 100))
    assert session.document.marks.clicks == ()


def test_a_drag_with_the_select_tool_is_a_box(qtbot, canvas, session, segmenter):
    drag(canvas, (40, 50), (100, 100), (160, 140))
    box = session.document.marks.box
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((40, 50, 160, 140), abs=1)
    qtbot.waitUntil(lambda: area(session.document.mask) == pytest.approx(120 * 90, abs=300))
    canvas.tools.set_tool("box")
    drag(canvas, (300, 300), (200, 200))  # from the lower right
    assert session.document.marks.box.x0 < session.document.marks.box.x1


def test_a_click_with_the_box_tool_is_a_click(canvas, session):
    canvas.tools.set_tool("box")
    QTest.mouseClick(canvas, LEFT, NONE, canvas.viewport.to_widget(300, 200).toPoint())
    assert [click.include for click in session.document.marks.clicks] == [True]
    assert session.document.marks.box is None


def test_a_box_stays_inside_the_photo(canvas, session):
    canvas.tools.set_tool("box")
    drag(canvas, (500, 300), (900, 900))
    box = session.document.marks.box
    assert box.x1 <= session.photo.width and box.y1 <= session.photo.height


def test_clicks_beside_the_photo_do_nothing(canvas, session):
    QTest.mouseClick(canvas, LEFT, NONE, QPoint(3, 3))
    assert not session.document.marks.clicks


def test_a_failure_leaves_the_mask(qtbot, canvas, session, segmenter):
    segmenter.fail = True
    with qtbot.waitSignal(session.failed) as failure:
        drag(canvas, (80, 80))
    assert failure.args[0].fact == "Nothing found in the photo."
    assert np.array_equal(session.document.mask, disc())


def test_the_segmenter_works_in_its_own_thread(qtbot, canvas, session, segmenter):
    import threading

    drag(canvas, (80, 80))
    qtbot.waitUntil(lambda: not session.asking)
    assert segmenter.threads and threading.get_ident() not in segmenter.threads


# Zoom and place


def test_zooming_at_the_pointer(canvas):
    spot = QPoint(200, 150)
    before = canvas.viewport.to_photo(QPointF(spot))
    wheel(canvas, 2, spot, CTRL)
    assert canvas.viewport.view().scale > 1.5
    assert canvas.viewport.to_photo(QPointF(spot)) == pytest.approx(before, abs=0.01)


def test_panning_with_the_middle_button_and_with_space(canvas):
    canvas.viewport.zoom_in()
    centre = canvas.viewport.view().centre
    QTest.mousePress(canvas, MIDDLE, NONE, QPoint(300, 200))
    move(canvas, QPoint(250, 180), MIDDLE)
    QTest.mouseRelease(canvas, MIDDLE, NONE, QPoint(250, 180))
    scale = canvas.viewport.view().scale
    assert canvas.viewport.view().centre == pytest.approx((centre[0] + 50 / scale, centre[1] + 20 / scale), abs=1)
    canvas.tools.set_tool("brush")
    QTest.keyPress(canvas, Qt.Key.Key_Space)
    assert canvas.tools.effective_tool() == "hand"
    drag(canvas, (300, 200), (320, 200))
    QTest.keyRelease(canvas, Qt.Key.Key_Space)
    assert canvas.tools.effective_tool() == "brush" and canvas.session.document.undo_label == ""


def test_fit_and_a_hundred_percent(canvas):
    canvas.viewport.zoom_in()
    canvas.viewport.zoom_actual()
    assert canvas.viewport.view().percent == 100
    canvas.viewport.zoom_out()
    canvas.viewport.zoom_fit()
    assert canvas.viewport.view().scale == pytest.approx(canvas.viewport.view().fit_scale(20))
    canvas.resize(900, 700)
    assert canvas.viewport.view().scale == pytest.approx(
        canvas.viewport.view().fit_scale(20)
    )  # a fitted photo stays fitted


def test_what_is_moved_looks_like_what_is_drawn_anew(canvas):
    canvas.viewport.zoom_in()
    canvas.grab()
    canvas.viewport.set_view(canvas.viewport.view().panned(37, -21))
    moved = to_array(canvas.grab().toImage()).astype(int)
    canvas._compose_all()
    anew = to_array(canvas.grab().toImage()).astype(int)
    # Sampling rounds places to a thirty-second of a pixel.
    assert np.abs(moved - anew).mean() < 0.5


@pytest.mark.parametrize("overlay", ["tint", "outline", "model"])
@pytest.mark.parametrize("zoom", [0.4, 1.0, 3.0])
def test_a_stroke_looks_like_what_is_drawn_anew(canvas, overlay, zoom):
    canvas.set_overlay(overlay)
    canvas.tools.set_tool("brush")
    canvas.viewport.set_view(canvas.viewport.view().zoomed(zoom))
    canvas.grab()
    drag(canvas, (250, 120), (310, 100), (350, 250))
    painted = canvas.grab().toImage()
    canvas._compose_all()
    assert painted == canvas.grab().toImage()


def test_overlays(canvas):
    canvas.set_overlay("model")
    assert pixel(canvas, 30, 30) == (255, 255, 255)
    canvas.set_overlay("outline")
    plain = pixel(canvas, 30, 30)
    canvas.set_overlay("tint")
    dimmed = pixel(canvas, 30, 30)
    assert sum(dimmed) < sum(plain)


def test_the_wheel_belongs_to_the_panel_when_the_canvas_is_small(qtbot, session):
    from app.editor.mask_canvas import MaskCanvas

    small = MaskCanvas(wheel=False, padding=0)
    qtbot.addWidget(small)
    small.resize(264, 200)
    small.set_session(session)
    assert not wheel(small, 1)
    assert wheel(small, 1, modifiers=CTRL)
    small.set_session(None)


# Keyboard only


def test_everything_by_keyboard(qtbot, canvas, session):
    press = lambda key, modifiers=NONE: QTest.keyClick(canvas, key, modifiers)  # noqa: E731
    press(Qt.Key.Key_Left)
    assert canvas.tools.cross_hair() is not None
    for _ in range(4):
        press(Qt.Key.Key_Left, CTRL)
    press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not session.asking)
    (click,) = session.document.marks.clicks
    assert session.document.mask[int(click.y), int(click.x)] == 255
    press(Qt.Key.Key_Down, CTRL)
    press(Qt.Key.Key_Return, SHIFT)
    assert session.document.marks.clicks[1] == Click(click.x, pytest.approx(click.y + 60, abs=1), False)
    # Brush: down, along, up.
    canvas.tools.set_tool("brush")
    press(Qt.Key.Key_Return)
    for _ in range(5):
        press(Qt.Key.Key_Up)
    assert session.document.painting
    press(Qt.Key.Key_Return)
    assert session.document.undo_label == "Paint"
    # A box, given up and then drawn.
    canvas.tools.set_tool("box")
    press(Qt.Key.Key_Return)
    press(Qt.Key.Key_Right, CTRL)
    press(Qt.Key.Key_Escape)
    assert session.document.marks.box is None and canvas.tools.cross_hair() is not None
    press(Qt.Key.Key_Return)
    press(Qt.Key.Key_Right, CTRL)
    press(Qt.Key.Key_Up, CTRL)
    press(Qt.Key.Key_Return)
    assert isinstance(session.document.marks.box, Box)
    press(Qt.Key.Key_Escape)
    assert canvas.tools.cross_hair() is None


def test_the_cross_hair_moves_by_one_pixel_with_shift_and_never_leaves_the_photo(canvas, session):
    QTest.keyClick(canvas, Qt.Key.Key_Right)
    start = QPointF(canvas.tools.cross_hair())
    QTest.keyClick(canvas, Qt.Key.Key_Right, SHIFT)
    assert canvas.tools.cross_hair().x() == pytest.approx(start.x() + 1)
    for _ in range(40):
        QTest.keyClick(canvas, Qt.Key.Key_Right, CTRL)
    x, _ = canvas.viewport.to_photo(canvas.tools.cross_hair())
    assert x <= session.photo.width
    assert canvas.rect().contains(canvas.tools.cross_hair().toPoint())


def test_names_for_screen_readers(canvas):
    canvas.tools.set_tool("brush")
    canvas.tools.set_brush_size(46)
    canvas.describe("Redraw a region")
    assert canvas.accessibleName() == "Redraw a region, brush, 46 pixels"
    canvas.set_summary(0.3, 2)
    assert "30 percent" in canvas.accessibleDescription()


def test_a_hidden_canvas_ends_its_stroke(canvas, session):
    canvas.tools.set_tool("brush")
    QTest.mousePress(canvas, LEFT, NONE, at(canvas, 50, 50))
    canvas.hide()
    assert not session.document.painting and session.document.undo_label == "Paint"


def test_edge_changes_show(canvas, session):
    before = pixel(canvas, 300 - 95, 200)
    session.set_edge(Edge(12, 0))
    assert pixel(canvas, 300 - 95, 200) != before
