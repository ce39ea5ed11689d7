"""Where the window stands: inside every screen, and as it was."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtWidgets import QWidget

from app.window.geometry import WindowGeometry, first_geometry, screen_key


@pytest.mark.parametrize("screen", [(1024, 640), (1366, 728), (1440, 900), (1920, 1080), (3840, 2160)])
def test_the_first_window_is_inside_the_screen_and_maximised_where_it_is_small(screen):
    available = QRect(0, 24, *screen)
    rect, maximised = first_geometry(QSize(1440, 900), available)
    assert available.contains(rect.adjusted(-4, -30, 4, 4))
    assert maximised == (screen < (1900, 0))


@pytest.fixture
def window(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    return window


def test_full_screen_and_back_keeps_maximised(window):
    place = WindowGeometry(window)
    window.setWindowState(Qt.WindowState.WindowMaximized)
    place.toggle_full_screen()
    assert window.isFullScreen()
    place.toggle_full_screen()
    assert window.isMaximized() and not window.isFullScreen()


def test_the_window_comes_back_as_it_was_on_this_screen(window, qtbot):
    place = WindowGeometry(window)
    window.setGeometry(40, 50, 700, 650)
    here, elsewhere = place.last(), "elsewhere 9x9 1"
    other = QWidget()
    qtbot.addWidget(other)
    again = WindowGeometry(other)
    # It was left on a screen that is gone: what was known of this screen counts.
    window.setGeometry(0, 0, 300, 300)
    again.restore(place.last(), {screen_key(window.screen()): here, elsewhere: place.last()})
    assert other.width() == max(700, other.minimumWidth())
    assert list(again.on_screens())[-1] == screen_key(other.screen())
