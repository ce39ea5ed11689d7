"""The subject panel of a narrow window: it slides over the canvas, and away again."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt

from app.look.theme import notifier
from tests.app.look_fixture import dressed, plain_look  # noqa: F401 – fixtures
from tests.app.window.test_redrawing import Rig

pytestmark = pytest.mark.usefixtures("plain_look")


@pytest.fixture
def rig(qtbot, tmp_path):
    notifier.set_motion("reduced")
    rig = Rig(qtbot, tmp_path)
    rig.window.resize(900, 700)
    rig.window.activateWindow()
    qtbot.waitUntil(rig.window.isActiveWindow)
    qtbot.waitUntil(rig.window.left.is_narrow)
    yield rig
    rig.window.close_panels()
    notifier.set_motion("system")


def test_a_click_on_the_canvas_puts_it_away_and_keeps_the_focus(rig, qtbot):
    left, canvas = rig.window.left, rig.window.canvas.canvas
    left.open_panel()
    qtbot.waitUntil(lambda: left._float.x() == 0)
    qtbot.mouseClick(left.panel, Qt.MouseButton.LeftButton, pos=QPoint(4, 4))
    assert left.is_panel_open(), "a click in the panel does not"
    beside = QPoint(canvas.width() - 8, 8)
    qtbot.mouseClick(rig.window.childAt(canvas.mapTo(rig.window, beside)), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not left.is_panel_open())
    assert rig.window.panels.stage.isAncestorOf(rig.window.focusWidget())


def test_escape_in_it_leads_back_to_its_button(rig, qtbot):
    left = rig.window.left
    left.open_panel()
    qtbot.waitUntil(lambda: left._float.x() == 0)
    qtbot.keyClick(left.panel, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not left.is_panel_open())
    assert left.rail.cut_out.hasFocus()
