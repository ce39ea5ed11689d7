"""The subject panel and the workbench behind it, as a person meets them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest

from app.session.state import SessionState
from app.session.subjects import Workbench, workbench_of
from app.subject.panel import SubjectPanel
from engine.photo.hints import SubjectProposal
from tests.app.mask.fakes import FakeSegmenter, disc

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def desk(qtbot, tmp_path):
    state, segmenter = SessionState(), FakeSegmenter()
    bench = Workbench(state, lambda: segmenter)
    panel = SubjectPanel(state)
    qtbot.addWidget(panel)
    panel.resize(296, 800)
    panel.show()
    qtbot.waitExposed(panel)
    errors = []
    panel.failed.connect(errors.append)
    yield SimpleNamespace(state=state, segmenter=segmenter, bench=bench, panel=panel, errors=errors, folder=tmp_path)
    segmenter.gate.set()
    bench.close()


def photo_file(desk, name="thing.png", size=(600, 400), seed=0, **options):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (size[1] // 20, size[0] // 20, 3), dtype=np.uint8)
    file = desk.folder / name
    Image.fromarray(pixels).resize(size).save(file, **options)
    return file


def opened(qtbot, desk, **values):
    count = len([subject for subject in desk.state.subjects if not subject.example])
    desk.panel.open_file(photo_file(desk, **values))
    qtbot.waitUntil(
        lambda: len([subject for subject in desk.state.subjects if not subject.example]) > count or bool(desk.errors)
    )
    qtbot.waitUntil(lambda: desk.state.subject.cut_out is not None or desk.state.subject.problem != "")


def bundle(desk, *names):
    examples = tuple(
        SimpleNamespace(image=name, prompt=f"a {name} in the snow", subject_name=name[:-4], seed=7) for name in names
    )
    for index, name in enumerate(names):
        photo_file(desk, name, seed=100 + index)
    manifest = SimpleNamespace(examples=examples, reference_size=128)
    desk.state.update_engine(manifest=manifest, folder=desk.folder)


def test_the_state_has_one_workbench(desk):
    assert workbench_of(desk.state) is desk.bench is workbench_of(desk.state)


def test_at_first_there_is_a_place_to_drop_a_photo(qtbot, desk):
    panel = desk.panel
    assert panel.drop_zone.isVisible() and not panel.canvas.isVisible() and not panel.name_row.isVisible()
    with qtbot.waitSignal(panel.chooseRequested):
        QTest.mouseClick(panel.drop_zone.choose, LEFT)


def test_a_photo_is_cut_out_at_once(qtbot, desk):
    desk.segmenter.gate.clear()
    desk.panel.open_file(photo_file(desk))
    qtbot.waitUntil(lambda: desk.state.subject is not None)
    assert desk.state.subject.finding and desk.panel.chip.text() == "Finding the subject…"
    assert desk.panel.canvas.isVisible()
    desk.segmenter.gate.set()
    qtbot.waitUntil(lambda: desk.state.subject.cut_out is not None)
    subject = desk.state.subject
    assert np.array_equal(subject.mask, disc()) and np.array_equal(subject.automatic, disc())
    assert subject.cut_out.pixels.shape == (256, 256, 4) and not subject.finding
    assert subject.title == "thing.png"
    assert desk.panel.chip.text() == "" and desk.panel.found_label.text() == "found, 96\u00a0%"
    assert desk.panel.card_text.text() == "11\u00a0% of the photo"
    assert not desk.bench.session.document.undo_label


def test_painting_in_the_panel_updates_what_the_model_sees(qtbot, desk):
    opened(qtbot, desk)
    panel, before = desk.panel, desk.state.subject
    QTest.mouseClick(panel.tools["brush"], LEFT)
    spot = panel.canvas.to_widget(60, 60).toPoint()
    QTest.mouseClick(panel.canvas, LEFT, NONE, spot)
    qtbot.waitUntil(lambda: desk.state.subject.cut_out is not before.cut_out)
    assert desk.state.subject.mask[60, 60] == 255  # published once, not first with the old mask
    assert desk.state.subject.cut_out.mask != before.cut_out.mask
    assert panel.undo_button.isEnabled() and panel.found_label.text() == "corrected"
    QTest.mouseClick(panel.undo_button, LEFT)
    qtbot.waitUntil(lambda: np.array_equal(desk.state.subject.mask, disc()))
    assert panel.found_label.text() == "found, 96\u00a0%"


def test_clicks_in_the_panel_are_answered(qtbot, desk):
    opened(qtbot, desk)
    QTest.mouseClick(desk.panel.canvas, LEFT, NONE, desk.panel.canvas.to_widget(80, 80).toPoint())
    qtbot.waitUntil(lambda: desk.state.subject.mask[80, 80] == 255)


def test_what_was_painted_before_the_answer_stays(qtbot, desk):
    desk.segmenter.gate.clear()
    desk.panel.open_file(photo_file(desk))
    qtbot.waitUntil(lambda: desk.bench.session is not None)
    QTest.mouseClick(desk.panel.tools["brush"], LEFT)
    desk.panel.canvas.set_tool("brush")
    QTest.mouseClick(desk.panel.canvas, LEFT, NONE, desk.panel.canvas.to_widget(60, 60).toPoint())
    desk.segmenter.gate.set()
    qtbot.waitUntil(lambda: desk.state.subject.cut_out is not None and not desk.state.subject.finding)
    assert desk.state.subject.mask[60, 60] == 255
    assert np.array_equal(desk.bench.session.document.automatic, disc())


def test_nothing_found_is_said_and_the_photo_stays(qtbot, desk):
    desk.segmenter.fail = True
    opened(qtbot, desk)
    assert [error.fact for error in desk.errors] == ["Nothing found in the photo."]
    assert desk.state.subject.problem == "The cut-out is empty. Click the subject in the photo."
    assert desk.panel.card_text.text() == desk.state.subject.problem
    assert desk.panel.canvas.isVisible() and desk.panel.edit.isEnabled()


def test_a_file_that_is_no_picture_is_said(qtbot, desk):
    (desk.folder / "notes.txt").write_text("no picture")
    desk.panel.open_file(desk.folder / "notes.txt")
    qtbot.waitUntil(lambda: bool(desk.errors))
    assert "notes.txt" in desk.errors[0].fact and desk.state.subject is None
    assert not desk.bench.loading


def test_every_kind_of_photo(qtbot, desk):
    folder = desk.folder
    upright = Image.new("RGB", (60, 40), "red")
    exif = Image.Exif()
    exif[0x0112] = 6
    upright.save(folder / "turned.jpg", exif=exif)
    Image.new("CMYK", (60, 40), (0, 200, 200, 10)).save(folder / "print.jpg")
    Image.fromarray(np.full((40, 60), 30000, np.uint16)).save(folder / "deep.png")
    frames = [Image.new("RGB", (60, 40), colour) for colour in ("red", "green", "blue")]
    frames[0].save(folder / "moving.gif", save_all=True, append_images=frames[1:])
    clear = Image.new("RGBA", (60, 40), (10, 200, 30, 0))
    clear.paste((10, 200, 30, 255), (10, 10, 40, 30))
    clear.save(folder / "clear.png")
    for index, name in enumerate(("turned.jpg", "print.jpg", "deep.png", "moving.gif", "clear.png")):
        desk.panel.open_file(folder / name)
        qtbot.waitUntil(lambda count=index + 1: len(desk.state.subjects) == count)
    assert not desk.errors
    photos = {subject.title: subject.photo for subject in desk.state.subjects}
    assert (photos["turned.jpg"].width, photos["turned.jpg"].height) == (40, 60)
    assert photos["clear.png"].alpha is not None
    desk.state.select_subject(3)
    assert "first frame" in desk.panel.note.text()


def test_pasting_a_picture(qtbot, desk):
    image = QImage(80, 60, QImage.Format.Format_ARGB32)
    image.fill(QColor(0, 0, 0, 0))
    for x in range(20, 60):
        for y in range(20, 40):
            image.setPixelColor(x, y, QColor(200, 30, 30, 255))
    desk.panel.open_image(image, "Pasted picture")
    qtbot.waitUntil(lambda: desk.state.subject is not None)
    photo = desk.state.subject.photo
    assert photo.rgb[30, 30].tolist() == [200, 30, 30]
    assert photo.alpha[30, 30] == 255 and photo.alpha[5, 5] == 0
    assert desk.state.subject.title == "Pasted picture"


def test_the_shelf_keeps_each_subject_with_its_mask(qtbot, desk):
    opened(qtbot, desk, name="one.png", seed=1)
    desk.bench.session.document.invert()
    qtbot.waitUntil(lambda: desk.state.subject.mask[0, 0] == 255)
    opened(qtbot, desk, name="two.png", seed=2)
    assert desk.panel.shelf.isVisible() and len(desk.panel.shelf.thumbs) == 2
    assert np.array_equal(desk.state.subject.mask, disc())
    QTest.mouseClick(desk.panel.shelf.thumbs[0], LEFT)
    assert desk.state.subject.title == "one.png" and desk.bench.session.document.mask[0, 0] == 255
    desk.panel.undo()  # with its undo
    assert np.array_equal(desk.bench.session.document.mask, disc())
    QTest.keyClick(desk.panel.shelf.thumbs[1], Qt.Key.Key_Delete)
    assert [subject.title for subject in desk.state.subjects] == ["one.png"]
    assert not desk.panel.shelf.isVisible()


def test_a_subject_of_a_session_that_came_back_is_cut_out_on_the_shelf(qtbot, desk):
    opened(qtbot, desk, name="one.png", seed=1)
    first = desk.state.subject
    opened(qtbot, desk, name="two.png", seed=2)
    desk.state.update_subject(first.key, cut_out=None)
    picture = desk.panel.shelf.thumbs[0].picture()
    assert picture.pixelColor(2, 2) == Qt.GlobalColor.white, "nothing of the photo around it"
    desk.state.update_subject(first.key, mask=np.zeros_like(first.mask))
    desk.panel.shelf._pictured.clear()
    desk.panel.shelf.follow()
    assert desk.panel.shelf.thumbs[0].picture().pixelColor(2, 2) != Qt.GlobalColor.white, "the photo, without a cut-out"


def test_the_same_photo_again_is_the_one_on_the_shelf(qtbot, desk):
    opened(qtbot, desk, name="one.png", seed=1)
    opened(qtbot, desk, name="two.png", seed=2)
    desk.panel.open_file(desk.folder / "one.png")
    qtbot.waitUntil(lambda: desk.state.subject.title == "one.png")
    assert len(desk.state.subjects) == 2


def test_examples_bring_their_prompt_and_give_way_to_the_users_photo(qtbot, desk):
    bundle(desk, "robot.png", "duck.png")
    panel = desk.panel
    assert panel.gallery.isVisible() and len(panel.gallery.thumbs) == 2
    QTest.mouseClick(panel.gallery.thumbs[1], LEFT)
    qtbot.waitUntil(lambda: desk.state.subject is not None and desk.state.subject.cut_out is not None)
    assert desk.state.subject.example and desk.state.subject.name == "duck"
    assert (desk.state.values.prompt, desk.state.values.seed) == ("a duck.png in the snow", 7)
    assert panel.chip.text() == "Example" and panel.drop_zone.isVisible() and not panel.name_row.isVisible()
    assert [thumb.isChecked() for thumb in panel.gallery.thumbs] == [False, True]
    opened(qtbot, desk, name="mine.png", seed=3)
    assert [subject.title for subject in desk.state.subjects] == ["mine.png"]
    assert panel.name_row.isVisible() and not panel.gallery.isVisible()


def test_the_name_goes_into_the_state_and_enter_looks_again(qtbot, desk):
    opened(qtbot, desk)
    edit = desk.panel.name_edit
    edit.setFocus()
    QTest.keyClicks(edit, "toy robot")
    assert desk.state.subject.name == "toy robot"
    asked = len(desk.segmenter.asked)
    QTest.keyClick(edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(desk.segmenter.asked) == asked + 1)
    assert desk.segmenter.asked[-1][1].name == "toy robot"


def test_the_cut_out_follows_the_size_the_bundle_wants(qtbot, desk):
    opened(qtbot, desk)
    bundle(desk, "robot.png")
    qtbot.waitUntil(lambda: desk.state.subject.cut_out.pixels.shape[0] == 128)


def test_a_session_that_comes_back(qtbot, desk):
    from engine.photo.load import load_photo

    photo = load_photo(photo_file(desk))
    mask = disc(100, 100, 50)
    desk.state.set_subjects(({"photo": photo, "mask": mask, "name": "thing", "title": "thing.png"},), 0)
    qtbot.waitUntil(lambda: desk.state.subject.cut_out is not None)
    assert np.array_equal(desk.bench.session.document.mask, mask) and not desk.segmenter.asked


def test_a_subject_without_its_photo_shows_its_cut_out(qtbot, desk):
    opened(qtbot, desk)
    cut_out = desk.state.subject.cut_out
    desk.state.add_subject(cut_out=cut_out, name="robot", title="robot-1.png")
    panel = desk.panel
    assert not panel.canvas.isVisible() and panel.preview.has_picture() and not panel.edit.isEnabled()
    assert panel.name_edit.text() == "robot"


def test_edit_and_replace_are_asked_for(qtbot, desk):
    opened(qtbot, desk)
    with qtbot.waitSignal(desk.panel.editRequested):
        QTest.mouseClick(desk.panel.edit, LEFT)
    with qtbot.waitSignal(desk.panel.editRequested):
        QTest.mouseClick(desk.panel.expand, LEFT)
    with qtbot.waitSignal(desk.panel.chooseRequested):
        QTest.mouseClick(desk.panel.replace, LEFT)


def test_a_photo_taken_off_the_shelf_while_its_subject_is_looked_for(qtbot, desk):
    desk.segmenter.gate.clear()
    desk.panel.open_file(photo_file(desk))
    qtbot.waitUntil(lambda: desk.state.subject is not None and bool(desk.segmenter.asked))
    desk.state.remove_subject(desk.state.subject.key)
    desk.segmenter.gate.set()
    qtbot.wait(100)
    assert desk.state.subject is None and desk.bench.session is None and not desk.errors
    assert desk.panel.drop_zone.isVisible()


def test_the_preflights_notes_are_shown(qtbot, desk, monkeypatch):
    plain = desk.segmenter.find_subject

    def with_note(photo, hint) -> SubjectProposal:
        from dataclasses import replace

        return replace(plain(photo, hint), notes=("'robot' was not found in the photo.",))

    monkeypatch.setattr(desk.segmenter, "find_subject", with_note)
    opened(qtbot, desk)
    qtbot.waitUntil(desk.panel.note.isVisible)
    assert "not found" in desk.panel.note.text()


def test_a_correction_without_the_networks_is_said_in_the_banner(qtbot, desk):
    opened(qtbot, desk)
    desk.segmenter.notes = ["The networks ended."]
    QTest.mouseClick(desk.panel.canvas, LEFT, NONE, desk.panel.canvas.to_widget(80, 80).toPoint())
    qtbot.waitUntil(lambda: bool(desk.errors))
    assert desk.errors[0].fact == "The networks ended." and desk.bench.session.document.mask[80, 80] == 255


def test_looking_again_by_another_name_shows_the_new_sentences(qtbot, desk):
    opened(qtbot, desk)
    desk.segmenter.notes = ["No “robot” was found by name."]
    desk.panel.name_edit.setText("robot")
    QTest.keyClick(desk.panel.name_edit, Qt.Key.Key_End)
    desk.panel.name_edit.textEdited.emit("robot")
    QTest.keyClick(desk.panel.name_edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: desk.panel.note.text() == "No “robot” was found by name.")
    assert desk.state.subject.proposal.name == "robot" and not desk.errors


def test_closing_does_not_wait_for_what_is_being_found(qtbot, desk):
    desk.segmenter.gate.clear()
    desk.panel.open_file(photo_file(desk))
    qtbot.waitUntil(lambda: bool(desk.segmenter.asked))
    desk.bench.close()
    assert desk.segmenter.closed and desk.segmenter.gate.is_set()
