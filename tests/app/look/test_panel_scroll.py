"""Content that becomes shorter does not move under the pointer."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton, QVBoxLayout, QWidget

from app.look.panel_scroll import PanelScroll


@pytest.fixture
def scrolled(qtbot):
    """A panel whose end is seen: above it a part that can go."""
    content = QWidget()
    column = QVBoxLayout(content)
    parts = [QWidget() for _ in range(4)]
    for part in parts:
        part.setFixedHeight(150)
        column.addWidget(part)
    column.addStretch(1)
    area = PanelScroll(content)
    qtbot.addWidget(area)
    area.resize(296, 300)
    area.show()
    bar = area.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    bar.setValue(bar.maximum())
    yield bar, parts
    area.close()


def test_the_end_that_is_seen_stays_where_it_is(scrolled, qtbot):
    bar, parts = scrolled
    value, highest = bar.value(), bar.maximum()
    parts[3].hide()
    QApplication.processEvents()
    assert bar.value() == value, "nothing that is seen moved"
    bar.setValue(value - 40)
    QApplication.processEvents()
    assert bar.value() == value - 40 == bar.maximum(), "the room below goes with every step up"
    bar.setValue(0)
    QApplication.processEvents()
    assert bar.maximum() < value, "nothing is left of it"
    parts[3].show()
    qtbot.waitUntil(lambda: bar.maximum() == highest)


def test_another_page_that_is_shown_from_its_beginning_has_no_room_below(scrolled, qtbot):
    bar, parts = scrolled
    for part in parts[1:]:
        part.hide()
    bar.setValue(0)
    qtbot.waitUntil(lambda: bar.maximum() == 0)


@pytest.mark.parametrize("how", ["hide", "switch off"])
def test_a_focus_that_has_to_leave_scrolls_nothing_and_the_tab_key_does(scrolled, qtbot, how):
    bar, parts = scrolled
    first, second, third = (QPushButton(parts[place]) for place in (0, 3, 3))
    third.move(0, 60)
    for button in (first, second, third):
        button.show()
    bar.setValue(0)
    bar.window().activateWindow()
    first.setFocus()
    qtbot.waitUntil(first.hasFocus)
    if how == "hide":
        first.hide()
    else:
        first.setEnabled(False)
    assert second.hasFocus() and bar.value() == 0
    bar.setValue(0)
    qtbot.keyClick(second, Qt.Key.Key_Tab)
    assert third.hasFocus() and bar.value() > 0
