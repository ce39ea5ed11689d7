"""Results on transparency in the window: something cut out of a finished picture, and the subject's own cut-out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtWidgets import QAbstractButton

from app.editor.cutting_editor import _in_square
from app.look.controls import Divider
from app.session.state import Result
from app.window.cutting import subject_in
from engine.bundle.placement_ranges import PlacementRanges
from engine.bundle.records import PlacedContent
from engine.encoders.placed import place_cut_out
from engine.photo.load import load_photo, photo_from_pixels
from engine.placement import Placement
from engine.region import PhotoWindow, Region
from engine.request import GenerationRequest
from tests.app.fake_bundle import bits, cut_out, fake_bundle
from tests.app.look_fixture import dressed, plain_look  # noqa: F401 – fixtures
from tests.app.window.test_redrawing import Rig

pytestmark = pytest.mark.usefixtures("plain_look")


def test_a_picture_and_a_subject_are_saved_on_transparency(qtbot, tmp_path):
    rig = Rig(qtbot, tmp_path)
    window, cutting = rig.window, rig.window.cutting
    assert not cutting.can_cut_out() and not window.commands.actions["cut_out"].isEnabled()
    place = Placement(0.5, 0.5, 0.8)
    request = GenerationRequest("a cat", cut_out(), seed=1, placement=place, bundle=rig.manifest.identity)
    pixels = np.full((64, 64, 3), 90, np.uint8)
    rig.state.set_result(Result(request, pixels, bits()))
    window.canvas.actions_bar.cut_button.click()
    editor = window.panels.cutting
    assert editor.isVisible() and window.panels.is_editing() and not window.commands.actions["generate"].isEnabled()
    mask = editor.canvas.session.document.mask.copy()
    wanted = place_cut_out(request.subject, place, 64, 64)[..., 3]
    assert np.abs(mask / 255 - wanted).max() < 0.01, "it begins with the subject, where the model was told to draw it"
    assert editor.preview.has_picture() and editor.save_button.isEnabled()
    assert not editor.side.findChildren(Divider), "nothing lies under the preview"
    shown = [button.text() for button in editor.options.overlay.findChildren(QAbstractButton)]
    assert shown == ["Tint", "Outline", "On white"], "no model sees it"

    editor.canvas.session.document.fill_area(((0, 0), (64, 0), (64, 8), (0, 8)))
    with qtbot.waitSignal(editor.saved):
        editor.save_to(tmp_path / "cut")
    written = load_photo(tmp_path / "cut.png")
    assert written.alpha is not None and written.alpha[2, 2] == 255 and (written.alpha == 0).any()
    with qtbot.waitSignal(editor.copied):
        editor.copy()
    editor.invert()
    editor.invert()
    window.panels.undo()
    editor.canvas.session.reset()
    empty = np.zeros((64, 64), np.uint8)
    editor.canvas.session.take_mask(empty, "Open a mask")
    assert not editor.ready() and "empty" in editor.side.message.text.text(), "nothing is saved, and it is said why"
    editor.leave()
    assert not window.panels.is_editing()

    # The subject: as large as in its photo; of one whose photo is gone, what is left of it.
    cutting.save_subject_to(tmp_path / "subject.png")
    qtbot.waitUntil((tmp_path / "subject.png").exists)
    left = load_photo(tmp_path / "subject.png")
    assert left.rgb.shape == (28, 28, 3) and tuple(left.rgb[5, 5]) == (200, 30, 30)
    large = np.zeros((120, 90), np.uint8)
    large[20:100, 10:70] = 255
    photo = photo_from_pixels(np.full((120, 90, 3), 50, np.uint8))
    rig.state.update_subject(rig.state.subject.key, photo=photo, mask=large)
    cutting.save_subject_to(tmp_path / "large")
    qtbot.waitUntil((tmp_path / "large.png").exists)
    saved = load_photo(tmp_path / "large.png")
    assert (saved.width, saved.height) == (60, 80)
    toast = window.panels.toast
    qtbot.waitUntil(lambda: toast.text() == f"Saved to {tmp_path.name}" and toast.button.text() == "Show")
    window.close_panels()


def test_where_the_subject_is_known_and_where_it_is_not(tmp_path):
    plain = fake_bundle(tmp_path)
    placed = replace(plain, placed_content=PlacedContent(PlacementRanges(), 1))
    request = GenerationRequest("a cat", cut_out(), seed=3)
    result = Result(request, np.zeros((64, 64, 3), np.uint8))
    assert subject_in(result, placed) is not None, "its seed chose the place"
    assert subject_in(result, plain) is None and subject_in(result, None) is None
    assert subject_in(replace(result, request=replace(request, bundle="other@1")), placed) is None
    mask = np.zeros((64, 64), np.uint8)
    mask[:30] = 255
    window = PhotoWindow(0, 0, 64, 64, 400, 300)
    region = Region(mask, np.zeros((64, 64, 3), np.uint8), window=window)
    assert subject_in(replace(result, request=replace(request, region=region)), placed) is None


def test_transparency_is_shown_as_a_chequerboard():
    rgba = np.zeros((40, 20, 4), np.uint8)
    rgba[10:30, 5:15] = (200, 0, 0, 255)
    shown = _in_square(rgba)
    assert shown.shape == (45, 45, 3) and tuple(shown[22, 22]) == (200, 0, 0)
    assert {tuple(pixel) for pixel in shown[:10].reshape(-1, 3)} == {(255, 255, 255), (214, 214, 214)}
