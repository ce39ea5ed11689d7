"""Several photos of one subject in the window: added by menu, drawn, taken out, brought back."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from app.subject.thumb_rows import ExamplePhoto
from engine import PhotoError, Sentence
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
    rig.window.subject.photos.removed.emit()
    assert rig.window.banner.error is None, "there is room again"


def test_what_was_wrong_with_a_photo_goes_with_the_next_one_wherever_it_comes_from(rig, photo, qtbot, monkeypatch):
    monkeypatch.setattr(rig.window, "raise_", lambda: None)  # this platform has no windows above each other
    banner, window = rig.window.banner, rig.window
    card = rig.state.subject.card
    ways = (
        lambda: window.receive([photo]),  # another start of the program
        lambda: window.further_photos._given(card, [photo]),
        lambda: window.subject.gallery.chosen.emit(ExamplePhoto(photo, "box", "a box in the snow", 1)),
    )
    for way in ways:
        window.faults.show(PhotoError(Sentence("letter.jpg holds no image.")))
        assert banner.error is not None
        way()
        assert banner.error is None and banner.isHidden()
    qtbot.waitUntil(lambda: not rig.controller.subjects.reading.active)
