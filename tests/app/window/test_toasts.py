"""Short messages: as wide as they need to be, and never wider than their place."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QWidget

from app.window import toasts
from app.window.toasts import Toast
from tests.app.look_fixture import dressed, plain_look

__all__ = ["dressed", "plain_look"]
pytestmark = pytest.mark.usefixtures("plain_look")

LONG = "The open model cannot take up its 3 kept scales; Generate begins with the first."


@pytest.fixture
def host(qtbot) -> QWidget:
    host = QWidget()
    qtbot.addWidget(host)
    host.resize(900, 500)
    host.show()
    return host


def test_a_long_sentence_wraps_in_a_narrow_window(host):
    toast = Toast(host)
    toast.show_message(LONG)
    wide = toast.size()
    assert wide.width() < 900
    host.resize(260, 500)
    toast.show_message(LONG)
    assert toast.width() == 260 and toast.height() > wide.height()
    label = toast.message
    assert label.heightForWidth(label.width()) <= label.height(), "all lines can be read"
    assert host.rect().contains(toast.geometry())
    host.resize(900, 500)
    assert toast.size() == wide, "with room again it is one line"
    toast.show_message("Copied")
    assert toast.width() < 200 and toast.height() == wide.height()


def test_a_message_goes_along_when_its_page_is_left_and_the_page_is_hidden_first(host):
    page, other = QWidget(host), QWidget(host)
    page.show()
    other.show()
    toast = Toast(page)
    toast.show_message("Moved to the trash")
    page.hide()
    toast.move_to(other)
    assert toast.isVisible() and toast.text() == "Moved to the trash"


def test_undo_is_called_once(host, qtbot):
    toast, undone = Toast(host), []
    toast.show_message("Moved to the trash", lambda: undone.append(True))
    toast.button.click()
    assert undone == [True] and toast.text() == ""
    toast.show_message("Copied")
    assert not toast.button.isVisible()


def test_it_waits_while_the_pointer_or_the_focus_is_on_it(host, qtbot, monkeypatch):
    monkeypatch.setattr(toasts, "duration", lambda name: 20)
    other = QPushButton(host)
    other.show()
    toast = Toast(host)
    toast.show_message("Moved to the trash", lambda: None)
    toast.button.setFocus()
    qtbot.wait(80)
    assert toast.text(), "who works with keys is on its button"
    toast.setAttribute(Qt.WidgetAttribute.WA_UnderMouse)
    other.setFocus()
    toast.show_message("Moved to the trash", lambda: None)
    qtbot.wait(80)
    assert toast.text(), "it came under a pointer that stood there"
    toast.setAttribute(Qt.WidgetAttribute.WA_UnderMouse, False)
    qtbot.waitUntil(lambda: not toast.text(), timeout=2000)
