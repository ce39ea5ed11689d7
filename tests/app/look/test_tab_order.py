"""Tab follows the layouts, also to what was made later."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.look.tab_order import follow_layout


class _Window(QWidget):
    def focusNextPrevChild(self, forward: bool) -> bool:
        follow_layout(self)
        return super().focusNextPrevChild(forward)


@pytest.fixture
def window(qtbot):
    window = _Window()
    qtbot.addWidget(window)
    return window


def _tabbed(window: QWidget, first: QWidget, count: int, key=Qt.Key.Key_Tab) -> list[QWidget]:
    first.setFocus()
    reached = []
    for _ in range(count):
        QTest.keyClick(window.focusWidget(), key)
        reached.append(window.focusWidget())
    return reached


def test_what_is_made_later_is_reached_where_it_stands(qtbot, window):
    column = QVBoxLayout(window)
    first, holder, last = QPushButton("first"), QWidget(), QPushButton("last")
    row = QHBoxLayout(holder)
    for widget in (first, holder, last):
        column.addWidget(widget)
    over = QPushButton("over", window)  # in no layout
    window.show()
    chips = [QPushButton(str(index), holder) for index in range(2)]
    for chip in reversed(chips):
        row.insertWidget(0, chip)  # "0" stands at the left, though it was put there last
    above = QPushButton("above")
    inner = QHBoxLayout()
    inner.addWidget(above)
    column.insertLayout(0, inner)
    for chip in chips:
        chip.show()
    above.show()
    qtbot.waitExposed(window)
    assert _tabbed(window, above, 6) == [first, *chips, last, over, above]
    assert _tabbed(window, above, 2, Qt.Key.Key_Backtab) == [over, last]


def test_a_late_combo_in_a_scrolled_panel_is_one_stop(qtbot, window):
    area, content, after = QScrollArea(), QWidget(), QPushButton("after")
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    inside = QVBoxLayout(content)
    top = QPushButton("top")
    inside.addWidget(top)
    area.setWidget(content)
    area.setWidgetResizable(True)
    column = QVBoxLayout(window)
    column.addWidget(area)
    column.addWidget(after)
    window.show()
    combo = QComboBox()
    combo.setEditable(True)
    inside.addWidget(combo)
    combo.show()
    qtbot.waitExposed(window)
    reached = _tabbed(window, top, 3)
    assert reached[0] in (combo, combo.lineEdit())
    assert reached[1:] == [after, top]
