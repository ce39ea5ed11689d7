"""The bar at the top of the window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from app.window.top_bar import TopBar
from tests.app.look_fixture import dressed, plain_look  # noqa: F401 – fixtures


@pytest.mark.usefixtures("plain_look")
def test_a_click_in_the_bar_leaves_the_keys_where_the_work_is(qtbot):
    window, bar, work = QWidget(), TopBar(), QLineEdit()
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    column.addWidget(bar)
    column.addWidget(work)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    work.setFocus()
    assert work.hasFocus()
    for button in (bar.models_button, bar.help_button, bar.settings_button, bar.more_button):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert work.hasFocus()
    QTest.keyClick(work, Qt.Key.Key_Backtab)
    assert bar.more_button.hasFocus(), "the keyboard reaches it"
