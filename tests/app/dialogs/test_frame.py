"""The frame of all dialogs."""

from __future__ import annotations

import ctypes
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QLabel

from app.dialogs import frame
from app.dialogs.frame import Dialog
from app.dialogs.larger_dialog import LargerDialog
from app.dialogs.name_dialog import NameDialog
from app.look.type import set_text_scale
from app.session.enlargement import Enlargement


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
        image, shown = dialog.grab().toImage(), dialog.mask()
        corner = range(16)
        for place in (card.topLeft(), card.topRight(), card.bottomLeft(), card.bottomRight()):
            for step in (QPoint(x, y) for x in corner for y in corner):
                point = place + QPoint(
                    step.x() if place.x() == card.left() else -step.x(),
                    step.y() if place.y() == card.top() else -step.y(),
                )
                assert not shown.contains(point) or image.pixelColor(point).alpha() > 200, (
                    "the rest of it would be black"
                )
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


def test_a_dialog_without_a_height_is_as_high_as_what_is_in_it(window, qtbot):
    dialog = Dialog("Something", window, 460, None)
    first, second = (
        QLabel("A sentence that does not fit into one line of this narrow dialog, and needs another."),
        QLabel("More"),
    )
    first.setWordWrap(True)
    dialog.body.addWidget(first)
    dialog.body.addWidget(second)
    second.hide()
    dialog.open()

    def below(widget: QLabel) -> float:
        return dialog.card_rect().bottom() - widget.geometry().bottom()

    low, before = dialog.card_rect().height(), below(first)
    assert low < 200 and before <= 26, "no empty band at its end"
    second.show()
    qtbot.waitUntil(lambda: dialog.card_rect().height() > low)
    assert below(second) == before
    second.hide()
    qtbot.waitUntil(lambda: dialog.card_rect().height() == low)
    dialog.reject()


def test_the_remark_on_a_name_moves_nothing(window):
    dialog = NameDialog(
        "Save a preset", "What is saved.", "Save", 20, lambda name: "It is replaced." if name else "", window
    )
    dialog.open()
    height, place = dialog.height(), dialog.save.y()
    dialog.name.setText("dusk")
    QApplication.processEvents()
    assert dialog.remark.text() == "It is replaced." and (dialog.height(), dialog.save.y()) == (height, place)
    dialog.reject()


def test_the_progress_of_saving_larger_moves_nothing(window):
    enlargement = Enlargement(window)
    dialog = LargerDialog((256, 256), 2, enlargement, lambda factor: True, window)
    dialog.open()
    height, place = dialog.height(), dialog.save.y()
    enlargement._child = SimpleNamespace()
    dialog._show()
    QApplication.processEvents()
    assert dialog.bar.isVisible() and "Enlarging" in dialog.going.text()
    assert (dialog.height(), dialog.save.y()) == (height, place)
    dialog.reject()
