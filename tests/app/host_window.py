"""A window for dialogs to lie over."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QMainWindow


@pytest.fixture
def window(qtbot, plain_look) -> QMainWindow:
    window = QMainWindow()
    window.resize(1200, 800)
    qtbot.addWidget(window)
    window.show()
    return window
