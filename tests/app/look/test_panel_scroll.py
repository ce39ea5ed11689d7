"""Content that becomes shorter does not move under the pointer."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
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


@pytest.mark.parametrize("leave", [QWidget.hide, lambda button: button.setEnabled(False)])
def test_a_focus_that_goes_on_by_itself_scrolls_nothing(scrolled, qtbot, leave):
    bar, parts = scrolled
    first, middle, last = (QPushButton(parts[place]) for place in (0, 1, 3))
    for button in (first, middle, last):
        button.show()
    first.window().activateWindow()
    qtbot.waitUntil(first.window().isActiveWindow)
    bar.setValue(0)
    middle.setFocus()
    leave(middle)
    assert last.hasFocus() and bar.value() == 0, "nobody pressed a key"
    first.setFocus()
    QTest.keyClick(first, Qt.Key.Key_Tab)
    assert last.hasFocus() and bar.value() > 0, "Tab brings into view what it goes to"


@pytest.mark.parametrize("height", [90, 210])
def test_what_is_held_stays_while_the_part_above_it_changes(scrolled, qtbot, height):
    bar, parts = scrolled
    bar.setValue(bar.maximum() - 70)
    area = bar.parentWidget().parentWidget()

    def seen_at() -> int:
        return parts[2].mapTo(area.viewport(), QPoint(0, 0)).y()

    before = seen_at()
    area.hold(parts[2])
    parts[0].setFixedHeight(height)
    parts[1].setFixedHeight(height)
    qtbot.waitUntil(lambda: parts[1].y() != 150 and parts[1].height() == height)
    qtbot.waitUntil(lambda: seen_at() == before)
