"""The frame of all dialogs."""

from __future__ import annotations

import ctypes

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QGuiApplication

from app.dialogs import frame
from app.dialogs.frame import Dialog
from app.look.type import set_text_scale


@pytest.mark.qt_log_ignore("This plugin does not support setting window masks")
@pytest.mark.parametrize("composited", [True, False])
def test_a_dialog_is_only_its_card_where_nothing_is_translucent(window, monkeypatch, composited):
    monkeypatch.setattr(frame, "is_composited", lambda: composited)
    dialog = Dialog("Something", window)
    dialog.open()
    card = dialog.card_rect().toRect()
    assert dialog.mask().isEmpty() == composited
    if not composited:
        assert dialog.mask().boundingRect() == card
        assert dialog.mask().contains(card.center()) and not dialog.mask().contains(card.topLeft() + QPoint(1, 1))
    dialog.reject()


def test_an_x_server_that_cannot_be_asked_is_taken_as_composited(monkeypatch):
    frame.is_composited.cache_clear()
    monkeypatch.setattr(QGuiApplication, "platformName", staticmethod(lambda: "xcb"))

    def missing(name):
        raise OSError("no such library")

    monkeypatch.setattr(ctypes, "CDLL", missing)
    assert frame.is_composited()
    frame.is_composited.cache_clear()


def test_an_open_dialog_stays_in_the_middle_of_its_window_and_within_it(window, qtbot):
    window.resize(1200, 900)
    dialog = Dialog("Something", window, 820, 620)
    dialog.open()
    wide = dialog.card_rect().size().toSize()
    for size in ((700, 560), (1200, 900)):
        window.resize(*size)
        card = dialog.card_rect().toRect().translated(dialog.pos())
        whole = window.rect().translated(window.mapToGlobal(QPoint(0, 0)))
        assert whole.contains(card) and (card.center() - whole.center()).manhattanLength() <= 2
    assert dialog.card_rect().size().toSize() == wide
    dialog.reject()


def test_a_dialog_grows_with_the_text_and_shrinks_with_it(window, qtbot):
    window.resize(1600, 1100)
    dialog = Dialog("Something", window, 600, 400)
    dialog.open()
    before = dialog.card_rect().size()
    try:
        set_text_scale(1.5)
        qtbot.waitUntil(lambda: dialog.card_rect().size() == 1.5 * before)
    finally:
        set_text_scale(1.0)
    qtbot.waitUntil(lambda: dialog.card_rect().size() == before)
    dialog.reject()
