"""What a person sees at the first launch: the example, what its picture will be like, and what there could be."""

from __future__ import annotations

import json

from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.models.dialog import ModelsDialog
from engine.bundle.manifest import MANIFEST
from engine.device.devices import GIB, Device
from tests.e2e.conftest import wait_idle, wait_ready
from tests.e2e.paper import save_disc

CARD_16 = Device("cuda", "NVIDIA", 16 * GIB, 15 * GIB, half=True)


def samples(program) -> list[int]:
    """Widths of the pictures on the empty canvas, from the left."""
    return [layer.image.width() for layer in program.window.canvas.canvas._empty.examples]


def test_the_bundles_samples_stand_on_the_empty_canvas_from_coarse_to_fine(open_program, bundle, qtbot):
    for scale, side in ((6, 48), (3, 16), (5, 32)):
        Image.new("RGB", (side, side), (200, 90, 30)).save(bundle / "examples" / f"scale_{scale:02}.png")
    (bundle / "examples" / "scale_07.png").write_bytes(b"no picture")
    program = open_program()
    wait_ready(qtbot, program)
    assert samples(program) == [16, 32, 48]


def test_a_bundle_without_samples_has_words_only(program):
    assert samples(program) == []
    assert program.window.canvas.canvas.state == "empty"


def test_a_photo_on_the_command_line_is_drawn_with_the_models_own_dials(open_program, bundle, qtbot, tmp_path):
    description = json.loads((bundle / MANIFEST).read_text())
    description["defaults"] |= {"prompt_strength": 5.0, "temperature": 0.6}
    (bundle / MANIFEST).write_text(json.dumps(description))
    program = open_program(save_disc(tmp_path / "my ball.png"))
    wait_ready(qtbot, program)
    assert program.state.subject.title == "my ball.png"
    sheet = program.window.prompt.sheet
    assert (sheet.prompt_strength.value(), sheet.temperature.value()) == (5.0, 0.6)


def test_the_offer_leads_to_the_licences_and_gives_way_to_the_first_picture(program, qtbot):
    window = program.window
    downloads = window.dialogs.downloads
    qtbot.waitUntil(lambda: downloads.device is not None)  # it has been looked at, in the background
    downloads.device = CARD_16
    downloads.deviceKnown.emit()
    offer = window.model_offering.offer
    assert offer.isVisible() and offer.here.text() == "Paper is here and works"
    QTest.mouseClick(offer.button, Qt.MouseButton.LeftButton)
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, ModelsDialog) and dialog.cards["echogen-2b"].sheet is not None
    dialog.reject()
    window.drawing.draw_ideas()
    wait_idle(qtbot, program)
    assert window.canvas.ideas.isVisible() and not offer.isVisible(), "ideas need the room"
    window.canvas.close_ideas()
    window.drawing.generate()
    wait_idle(qtbot, program)
    assert program.state.result is not None and not offer.isVisible()
