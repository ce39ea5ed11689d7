"""Tab reaches what was made later where it stands."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QPushButton, QVBoxLayout, QWidget

from app.look import focus
from app.look.panel_scroll import PanelScroll
from app.prompt.scene_chips import SceneChips
from app.window.banner import ErrorBanner, NextStep
from engine import PhotoError, Sentence
from engine.bundle.records import SceneEntry


def _tabbed(first: QWidget, count: int) -> list[QWidget | None]:
    first.setFocus()
    reached = []
    for _ in range(count):
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        reached.append(QApplication.focusWidget())
    return reached


def _window(qtbot, middle: QWidget) -> tuple[QWidget, QPushButton, QPushButton]:
    """A shown window with something between two buttons."""
    window = QWidget()
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    first, last = QPushButton("first"), QPushButton("last")
    for widget in (first, middle, last):
        column.addWidget(widget)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    return window, first, last


def test_chips_of_a_model_that_is_opened_later(qtbot):
    chips = SceneChips()
    _held, first, last = _window(qtbot, chips)
    chips.set_scenes([SceneEntry(name, "scene", f"in the {name}", name) for name in ("jungle", "snow")])
    assert _tabbed(first, 3) == [*chips.chips(), last]


def test_the_steps_of_an_error_come_before_its_copy_button(qtbot):
    banner = ErrorBanner()
    _held, first, last = _window(qtbot, banner)
    banner.show_error(PhotoError(Sentence("It is gone.")), steps=[NextStep(word, banner.hide) for word in ("A", "B")])
    assert banner.close_button.isVisible() and banner.copy_button.isVisible()
    close, *steps, copy, after = _tabbed(first, 5)
    assert (close, copy, after) == (banner.close_button, banner.copy_button, last)
    assert [step.text() for step in steps] == ["A", "B"]


def test_tab_from_outside_scrolls_to_what_it_reaches(qtbot):
    """Qt does it only inside of one area."""

    class Window(QDialog):
        def focusNextPrevChild(self, following: bool) -> bool:
            moved = super().focusNextPrevChild(following)
            focus.reveal(self.focusWidget())
            return moved

    window, content = Window(), QWidget()
    qtbot.addWidget(window)
    column, inner = QVBoxLayout(window), QVBoxLayout(content)
    before, button, end = QPushButton("before"), QPushButton("in it"), QWidget()
    end.setFixedHeight(2000)
    inner.addWidget(button)
    inner.addWidget(end)
    area = PanelScroll(content)
    column.addWidget(before)
    column.addWidget(area)
    window.resize(300, 300)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    area.verticalScrollBar().setValue(1500)
    assert button.visibleRegion().isEmpty()
    assert _tabbed(before, 1) == [button] and not button.visibleRegion().isEmpty()
