"""The bar under the cut-out that is placed: it says what the frame is for in every window."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QWidget

from app.canvas.placement_bar import PlacementBar
from app.language import languages
from app.look import type as type_

NARROWEST = 512
"""Pixels beside the prompt in a window of 1024, with the largest text."""


@pytest.fixture
def bar(qtbot, plain_look):
    canvas = QWidget()
    qtbot.addWidget(canvas)
    canvas.resize(1200, 400)
    bar = PlacementBar(canvas)
    canvas.show()
    yield bar
    canvas.close()


@pytest.fixture(params=["en", "zh_CN"])
def largest(request, bar):
    languages.install(request.param)
    type_.set_text_scale(1.5)
    bar.set_mode(automatic=False, over=True, moved=False)  # the words come with the language
    yield bar
    type_.set_text_scale(1.0)
    languages.install("en")


def test_what_the_frame_is_for_is_said_in_the_narrowest_window_with_the_largest_text(largest):
    bar = largest
    modes = [
        {"automatic": automatic, "over": over, "moved": moved, "in_photo": in_photo}
        for automatic in (True, False)
        for over, moved, in_photo in (
            (False, False, False),
            (True, False, False),
            (True, True, False),
            (True, True, True),
        )
    ]
    for mode in modes:
        bar.set_mode(**mode)
        bar.set_width(NARROWEST)
        assert bar.sizeHint().width() <= NARROWEST
        bar.resize(bar.sizeHint())
        bar.layout().activate()
        needed = QFontMetricsF(bar.words.font()).horizontalAdvance(bar.words.text())
        assert bar.words.width() >= needed, bar.words.text()
        assert all(button.toolTip() and button.accessibleName() for button in (bar.mirror_button, bar.automatic_button))


def test_where_there_is_room_the_buttons_have_their_words(bar):
    bar.set_width(NARROWEST // 2)
    assert bar.mirror_button.text() == ""
    bar.set_width(1184)
    assert bar.mirror_button.text() == "Mirror" and bar.automatic_button.text() == "Automatic place"
