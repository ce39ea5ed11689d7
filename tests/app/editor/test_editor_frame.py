"""The parts that every editor has, whatever is marked in it."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtWidgets import QWidget

from app.editor.cutting_editor import CuttingEditor
from app.editor.editor_frame import EditorFrame
from app.editor.region_editor import RegionEditor
from app.look.key_cap import KeyCap
from app.mask.worker import MaskService
from app.shortcuts import keymap
from engine.photo import Photo
from tests.app.mask.fakes import FakeSegmenter

PICTURE = Photo(np.full((64, 64, 3), 90, np.uint8), None, "")


@pytest.fixture(params=["cutting", "region"])
def editor(qtbot, request):
    service = MaskService(FakeSegmenter)
    if request.param == "cutting":
        editor = CuttingEditor(service)
        editor.begin(PICTURE, np.full((64, 64), 255, np.uint8), "cat", "cat")
    else:
        editor = RegionEditor(service, QWidget(), QWidget())
        editor.begin(PICTURE, 4)
    qtbot.addWidget(editor)
    editor.canvas.tools.set_tool("brush")
    yield editor
    editor.leave()
    service.close()
    keymap.reset()


def keys(editor: EditorFrame) -> list[str]:
    return [cap.accessibleName() for cap in editor.hints.findChildren(KeyCap)]


def test_keys_that_were_changed_are_those_of_the_hints(editor):
    keymap.set_keys("swap", ("Ctrl+J",))
    assert keymap.shown("swap") in keys(editor)


def test_a_screen_reader_hears_which_editor_has_the_focus(editor):
    """It has it on its canvas."""
    assert editor.canvas.accessibleName().startswith(f"{editor.accessibleName()}, brush")
