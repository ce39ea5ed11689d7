"""The tools on a viewport, without a widget: the canvas has them, it is none of them."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF, Qt

from app.editor.tools import Tools
from app.editor.viewport import Viewport

NONE = Qt.KeyboardModifier.NoModifier
CTRL = Qt.KeyboardModifier.ControlModifier
LEFT = Qt.MouseButton.LeftButton
RIGHT = Qt.MouseButton.RightButton


@pytest.fixture
def tools(session) -> Tools:
    viewport = Viewport(padding=0)
    viewport.show_session(session, (session.photo.width, session.photo.height), 1.0)
    return Tools(viewport, 9.0)


def test_a_drag_with_the_brush_is_one_stroke_on_the_mask(tools, session):
    tools.set_tool("brush")
    tools.set_brush_size(20)
    assert tools.press(QPointF(30, 30), LEFT, NONE)
    assert not tools.press(QPointF(30, 30), RIGHT, NONE), "a second button is nothing while the first is down"
    tools.move(QPointF(60, 30), NONE)
    tools.release(QPointF(60, 30), RIGHT)
    assert tools.is_busy(), "and does not end what the first began"
    tools.release(QPointF(60, 30), LEFT)
    assert session.document.undo_label == "Paint" and session.document.mask[30, 45] == 255
    assert not tools.can_give_up()


def test_a_stroke_whose_end_nobody_heard_of_ends_with_the_next_press(tools, session):
    tools.set_tool("brush")
    tools.set_brush_size(20)
    tools.press(QPointF(30, 30), LEFT, NONE)
    tools.move(QPointF(60, 30), NONE)
    assert tools.press(QPointF(30, 90), LEFT, NONE)
    tools.release(QPointF(30, 90), LEFT)
    assert session.document.mask[30, 45] == session.document.mask[90, 30] == 255 and not tools.is_busy()
    session.undo()
    assert session.document.mask[30, 45] == 255 and session.document.mask[90, 30] == 0, "two strokes"


def test_ctrl_is_the_other_one_of_brush_and_eraser_and_space_the_hand(tools):
    tools.set_tool("brush")
    tools.set_modifiers(CTRL)
    assert tools.effective_tool() == "eraser"
    tools.hold_space(True)
    assert tools.effective_tool() == "hand" and tools.cursor_shape() == Qt.CursorShape.OpenHandCursor
    tools.let_keys_go()
    assert tools.effective_tool() == "brush" and tools.cursor_shape() == Qt.CursorShape.BlankCursor


def test_without_a_photo_nothing_begins(qapp):
    tools = Tools(Viewport(), 9.0)
    assert not tools.press(QPointF(1, 1), LEFT, NONE) and tools.cursor_shape() == Qt.CursorShape.ArrowCursor
