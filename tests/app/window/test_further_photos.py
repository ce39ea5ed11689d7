"""Several photos of one subject in the window: added by menu, drawn, taken out, brought back."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from tests.app.look_fixture import dressed, plain_look  # noqa: F401 – fixtures
from tests.app.window.test_redrawing import Rig

pytestmark = pytest.mark.usefixtures("plain_look")


@pytest.fixture
def rig(qtbot, tmp_path):
    rig = Rig(qtbot, tmp_path)
    yield rig
    rig.window.close_panels()


@pytest.fixture
def photo(tmp_path):
    """A grey thing on a white ground."""
    pixels = np.full((120, 160, 3), 250, np.uint8)
    pixels[30:100, 50:110] = 70
    Image.fromarray(pixels).save(tmp_path / "back.png")
    return tmp_path / "back.png"


def test_a_photo_is_added_drawn_taken_out_and_brought_back(rig, photo, qtbot, monkeypatch):
    window, state = rig.window, rig.state
    action = window.commands.actions["add_photo"]
    assert action.isEnabled() and len(state.photos) == 1
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([str(photo)], ""))
    action.trigger()
    qtbot.waitUntil(lambda: len(state.cut_outs) == 2, timeout=60_000)
    assert len(state.cards) == 1 and state.photos[1].title == "back.png" and state.photos[1].name == "box"
    rig.controller.generate()
    assert rig.link.drawn[-1].views == (state.photos[1].cut_out,)

    row = window.subject.photos
    row.thumbs[1].setFocus()
    QTest.keyClick(row.thumbs[1], Qt.Key.Key_Delete)
    assert len(state.photos) == 1 and window.toast.text() == "Photo taken out"
    window.panels.undo()
    assert len(state.photos) == 2 and state.photos[1].mask is not None
    window.panels.open_editor(window.editor)
    assert not action.isEnabled(), "while its cut-out is edited"


def test_a_full_card_says_so(rig, photo, qtbot, monkeypatch):
    card = rig.state.subject.card
    rig.window.further_photos._given(card, [photo] * 4)
    assert "at most 4 photos" in rig.window.banner.error.sentence
