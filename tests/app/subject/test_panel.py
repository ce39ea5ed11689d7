"""The subject panel and the subjects behind it, as a person meets them."""

from __future__ import annotations

from collections import defaultdict
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QByteArray, QEvent, QMimeData, QObject, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QContextMenuEvent, QDragEnterEvent, QDropEvent, QEnterEvent, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from app.language import languages
from app.language.amounts import size
from app.session.state import SessionState
from app.session.subjects import Subjects
from app.session.to_get import look_up
from app.subject.panel import SubjectPanel
from app.subject.photo_pieces import Thumb
from app.subject.shelf_thumb import SUBJECT_MIME
from app.window.rail import LeftColumn
from engine import CutOut
from engine.photo import photo_from_pixels
from engine.photo.hints import SubjectProposal
from tests.app.mask.fakes import FakeSegmenter, disc
from tests.app.settled import settle, turn_over

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def rig(qtbot, tmp_path):
    state, segmenter = SessionState(), FakeSegmenter()
    subjects = Subjects(state, lambda: segmenter)
    panel = SubjectPanel(state)
    panel.attach(subjects)
    qtbot.addWidget(panel)
    panel.resize(296, 800)
    panel.show()
    qtbot.waitExposed(panel)
    errors = []
    panel.failed.connect(errors.append)
    yield SimpleNamespace(
        state=state, segmenter=segmenter, subjects=subjects, panel=panel, errors=errors, folder=tmp_path
    )
    segmenter.gate.set()
    subjects.close()


def photo_file(rig, name="thing.png", size=(600, 400), seed=0, **options):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (size[1] // 20, size[0] // 20, 3), dtype=np.uint8)
    file = rig.folder / name
    Image.fromarray(pixels).resize(size).save(file, **options)
    return file


def opened(qtbot, rig, **values):
    count = len([subject for subject in rig.state.subjects if not subject.example])
    rig.subjects.reading.open_file(photo_file(rig, **values))
    qtbot.waitUntil(
        lambda: len([subject for subject in rig.state.subjects if not subject.example]) > count or bool(rig.errors)
    )
    qtbot.waitUntil(lambda: rig.state.subject.cut_out is not None or rig.state.subject.problem != "")


def bundle(rig, *names):
    examples = tuple(
        SimpleNamespace(image=name, prompt=f"a {name} in the snow", subject_name=name[:-4], seed=7) for name in names
    )
    for index, name in enumerate(names):
        photo_file(rig, name, seed=100 + index)
    manifest = SimpleNamespace(examples=examples, reference_size=128)
    rig.state.update_engine(manifest=manifest, folder=rig.folder)


def test_at_first_there_is_a_place_to_drop_a_photo(qtbot, rig):
    panel = rig.panel
    assert panel.drop_zone.isVisible() and not panel.canvas.isVisible() and not panel.name_row.isVisible()
    with qtbot.waitSignal(panel.chooseRequested):
        QTest.mouseClick(panel.drop_zone.choose, LEFT)


def test_a_photo_is_cut_out_at_once(qtbot, rig):
    rig.segmenter.gate.clear()
    rig.subjects.reading.open_file(photo_file(rig))
    qtbot.waitUntil(lambda: rig.state.subject is not None)
    assert rig.state.subject.finding and rig.panel.chip.text() == "Finding the subject…"
    assert rig.panel.canvas.isVisible()
    rig.segmenter.gate.set()
    qtbot.waitUntil(lambda: rig.state.subject.cut_out is not None)
    subject = rig.state.subject
    assert np.array_equal(subject.mask, disc()) and np.array_equal(subject.automatic, disc())
    assert subject.cut_out.pixels.shape == (256, 256, 4) and not subject.finding
    assert subject.title == "thing.png"
    assert rig.panel.chip.text() == "" and rig.panel.found_line.text.text() == "Found, 96\u00a0%"
    assert not rig.panel.found_note.isVisible() and rig.panel.canvas.tools.tool() == "select"
    assert not rig.subjects.session.document.undo_label


def test_painting_in_the_panel_updates_what_the_model_sees(qtbot, rig):
    opened(qtbot, rig)
    panel, before = rig.panel, rig.state.subject
    QTest.mouseClick(panel.tool_row.tools["brush"], LEFT)
    spot = panel.canvas.viewport.to_widget(60, 60).toPoint()
    QTest.mouseClick(panel.canvas, LEFT, NONE, spot)
    qtbot.waitUntil(lambda: rig.state.subject.cut_out is not before.cut_out)
    assert rig.state.subject.mask[60, 60] == 255  # published once, not first with the old mask
    assert rig.state.subject.cut_out.mask != before.cut_out.mask
    assert panel.tool_row.undo.isEnabled() and panel.found_line.text.text() == "Corrected"
    assert panel.found_line.sign.icon_name() != "circle-check"  # nobody has measured what the user made of it
    QTest.mouseClick(panel.tool_row.undo, LEFT)
    qtbot.waitUntil(lambda: np.array_equal(rig.state.subject.mask, disc()))
    assert panel.found_line.text.text() == "Found, 96\u00a0%"


def test_clicks_in_the_panel_are_answered(qtbot, rig):
    opened(qtbot, rig)
    QTest.mouseClick(rig.panel.canvas, LEFT, NONE, rig.panel.canvas.viewport.to_widget(80, 80).toPoint())
    qtbot.waitUntil(lambda: rig.state.subject.mask[80, 80] == 255)


def test_what_was_painted_before_the_answer_stays(qtbot, rig):
    rig.segmenter.gate.clear()
    rig.subjects.reading.open_file(photo_file(rig))
    qtbot.waitUntil(lambda: rig.subjects.session is not None)
    QTest.mouseClick(rig.panel.tool_row.tools["brush"], LEFT)
    rig.panel.canvas.tools.set_tool("brush")
    QTest.mouseClick(rig.panel.canvas, LEFT, NONE, rig.panel.canvas.viewport.to_widget(60, 60).toPoint())
    rig.segmenter.gate.set()
    qtbot.waitUntil(lambda: rig.state.subject.cut_out is not None and not rig.state.subject.finding)
    assert rig.state.subject.mask[60, 60] == 255
    assert np.array_equal(rig.subjects.session.document.automatic, disc())


def test_nothing_found_is_said_and_the_photo_stays(qtbot, rig):
    rig.segmenter.fail = True
    opened(qtbot, rig)
    assert [error.fact for error in rig.errors] == ["Nothing found in the photo."]
    assert rig.state.subject.problem == "The cut-out is empty. Draw a box around the subject, or click it."
    assert rig.panel.card.text.text() == rig.state.subject.problem
    assert rig.panel.canvas.isVisible() and rig.panel.card.edit.isEnabled()
    note = rig.panel.found_note
    assert note.better.isVisible() and not note.isVisible(), "nothing else may be meant"
    assert not rig.panel.found_line.text.isVisible() and not rig.panel.found_line.sign.isVisible(), (
        "the banner says it already"
    )


def test_nothing_found_leaves_no_gap_where_nothing_is_offered(qtbot, rig, monkeypatch):
    monkeypatch.setattr("engine.weights.installed_helpers", lambda: {"segmentation": None})
    rig.segmenter.fail = True
    opened(qtbot, rig)
    assert rig.panel.found_note.verdict == "nothing" and not rig.panel.found_note.isVisible()
    assert rig.panel.canvas.tools.tool() == "box" and not rig.panel.found_line.sign.isVisible()


def test_better_cut_outs_are_offered_with_the_size_that_the_models_name(qtbot, rig, monkeypatch):
    sizes = {"cut-out": 875_000_000}
    monkeypatch.setattr("app.session.to_get.look_up", sizes.__getitem__)
    rig.segmenter.sure = False
    opened(qtbot, rig)
    note = rig.panel.found_note
    qtbot.waitUntil(lambda: note.better.text() == "Better cut-outs (875\u00a0MB)…")
    sizes["cut-out"] = 902_000_000  # the server was asked, and named another one
    note.show_offer()
    qtbot.waitUntil(lambda: note.better.text() == "Better cut-outs (902\u00a0MB)…")


def test_an_unsure_cut_out_says_so_with_the_box_in_hand_and_what_else_may_be_meant(qtbot, rig):
    rig.segmenter.sure = False
    opened(qtbot, rig)
    panel, note = rig.panel, rig.panel.found_note
    line = panel.found_line
    assert line.text.text() == "Not sure. Draw a box around it." and line.sign.icon_name() == "triangle-alert"
    assert line.text.isVisible() and line.sign.isVisible() and note.isVisible()
    assert panel.canvas.tools.tool() == "box" and panel.tool_row.tools["box"].isChecked()
    assert [thumb.isChecked() for thumb in note.thumbs] == [True, False]
    qtbot.waitUntil(lambda: note.better.text() == f"Better cut-outs ({size(look_up('cut-out'))})…")
    assert note.better.isVisible()
    with qtbot.waitSignal(panel.helpersRequested):
        QTest.mouseClick(note.better, LEFT)
    QTest.mouseClick(note.thumbs[1], LEFT)
    qtbot.waitUntil(lambda: rig.segmenter.asked[-1][1].box is not None and not rig.subjects.session.asking)
    assert rig.segmenter.asked[-1][1].box.label == "cushion"
    qtbot.waitUntil(lambda: panel.found_line.text.text() == "Corrected")
    assert not note.isVisible() and panel.canvas.tools.tool() == "select"


def test_the_cut_out_moves_nothing_that_could_be_pressed_before_it_came(qtbot, rig):
    panel, row = rig.panel, rig.panel.name_row
    rig.segmenter.sure = False
    rig.segmenter.gate.clear()
    rig.subjects.reading.open_file(photo_file(rig, size=(1200, 800)))
    qtbot.waitUntil(lambda: rig.state.subject is not None and row.nouns.isVisible())
    pressed = (*panel.tool_row.tools.values(), row.edit, row.nouns)

    def places() -> list[QPoint]:
        turn_over(qtbot)
        return [widget.mapTo(panel, QPoint()) for widget in pressed]

    before = places()
    rig.segmenter.gate.set()
    qtbot.waitUntil(lambda: rig.state.subject.cut_out is not None and panel.found_note.isVisible())
    assert panel.photo_note.isVisible() and places() == before


def test_a_file_that_is_no_picture_is_said(qtbot, rig):
    (rig.folder / "notes.txt").write_text("no picture")
    rig.subjects.reading.open_file(rig.folder / "notes.txt")
    qtbot.waitUntil(lambda: bool(rig.errors))
    assert "notes.txt" in rig.errors[0].fact and rig.state.subject is None
    assert not rig.subjects.reading.active


def test_every_kind_of_photo(qtbot, rig):
    folder = rig.folder
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
        rig.subjects.reading.open_file(folder / name)
        qtbot.waitUntil(lambda count=index + 1: len(rig.state.subjects) == count)
    assert not rig.errors
    photos = {subject.title: subject.photo for subject in rig.state.subjects}
    assert (photos["turned.jpg"].width, photos["turned.jpg"].height) == (40, 60)
    assert photos["clear.png"].alpha is not None
    rig.state.select_subject(3)
    assert "first frame" in rig.panel.note.text()


def test_pasting_a_picture(qtbot, rig):
    image = QImage(80, 60, QImage.Format.Format_ARGB32)
    image.fill(QColor(0, 0, 0, 0))
    for x in range(20, 60):
        for y in range(20, 40):
            image.setPixelColor(x, y, QColor(200, 30, 30, 255))
    rig.subjects.reading.open_image(image, "Pasted picture")
    qtbot.waitUntil(lambda: rig.state.subject is not None)
    photo = rig.state.subject.photo
    assert photo.rgb[30, 30].tolist() == [200, 30, 30]
    assert photo.alpha[30, 30] == 255 and photo.alpha[5, 5] == 0
    assert rig.state.subject.title == "Pasted picture"


def test_the_shelf_keeps_each_subject_with_its_mask(qtbot, rig):
    opened(qtbot, rig, name="one.png", seed=1)
    rig.subjects.session.document.invert()
    qtbot.waitUntil(lambda: rig.state.subject.mask[0, 0] == 255)
    opened(qtbot, rig, name="two.png", seed=2)
    assert rig.panel.shelf.isVisible() and len(rig.panel.shelf.thumbs) == 2
    assert np.array_equal(rig.state.subject.mask, disc())
    QTest.mouseClick(rig.panel.shelf.thumbs[0], LEFT)
    assert rig.state.subject.title == "one.png" and rig.subjects.session.document.mask[0, 0] == 255
    rig.panel.undo()  # with its undo
    assert np.array_equal(rig.subjects.session.document.mask, disc())
    rig.panel.shelf.thumbs[1].setFocus()
    QTest.keyClick(rig.panel.shelf.thumbs[1], Qt.Key.Key_Delete)
    assert [subject.title for subject in rig.state.subjects] == ["one.png"]
    assert not rig.panel.shelf.isVisible()
    assert rig.panel.canvas.hasFocus(), "the focus stays in the panel"


def test_the_focus_stays_on_the_shelf_while_there_is_one(qtbot, rig):
    for number, name in enumerate(("one", "two", "three"), 1):
        opened(qtbot, rig, name=f"{name}.png", seed=number)
    shelf = rig.panel.shelf
    for place, then in ((1, 1), (1, 0)):
        shelf.thumbs[place].setFocus()
        QTest.keyClick(shelf.thumbs[place], Qt.Key.Key_Delete)
        assert not shelf.thumbs or shelf.thumbs[then].hasFocus()


def test_who_brings_a_subject_back_on_the_shelf_is_at_it_and_the_shelf_stays_where_it_is(qtbot, rig):
    for number, name in enumerate(("one", "two", "three"), 1):
        opened(qtbot, rig, name=f"{name}.png", seed=number)
    panel, shelf = rig.panel, rig.panel.shelf
    rig.state.update_subject(rig.state.subject.key, name="duck")
    panel.setFixedHeight(420)
    bar = panel._scroll.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0 and not panel.name_row.nouns.isVisible())
    bar.setValue(bar.maximum())
    where = shelf.mapTo(panel, QPoint(0, 0))
    shelf.thumbs[2].setFocus()
    QTest.keyClick(shelf.thumbs[2], Qt.Key.Key_Delete)
    qtbot.wait(20)
    assert panel.name_row.nouns.isVisible(), "what stands above the shelf is higher"
    assert shelf.mapTo(panel, QPoint(0, 0)) == where and shelf.thumbs[1].hasFocus()
    assert shelf.bring_back()
    qtbot.wait(20)
    assert shelf.thumbs[2].hasFocus(), "another Delete is meant for the one that came back"
    assert shelf.mapTo(panel, QPoint(0, 0)) == where


def test_the_photo_fills_the_panel_whether_it_scrolls_or_not(qtbot, rig):
    opened(qtbot, rig, size=(400, 400))
    panel, widths = rig.panel, []
    for height in (1400, 500):
        panel.setFixedHeight(height)
        qtbot.waitUntil(lambda: panel._scroll.verticalScrollBar().isVisible() == (panel.height() < 600))
        qtbot.waitUntil(lambda: panel.canvas.width() == panel.canvas.height(), timeout=2000)
        widths.append(panel.canvas.width())
    assert widths == [264, 264], "a square photo in a square, without bands"


def test_a_new_photo_is_in_view_and_who_walks_along_the_shelf_stays_there(qtbot, rig):
    for number, name in enumerate(("one", "two", "three"), 1):
        opened(qtbot, rig, name=f"{name}.png", seed=number)
    panel, shelf = rig.panel, rig.panel.shelf
    panel.setFixedHeight(420)
    bar = panel._scroll.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 100)
    bar.setValue(bar.maximum())
    QTest.mouseClick(shelf.thumbs[0], LEFT)
    assert rig.state.subject.title == "one.png" and bar.value() == bar.maximum()
    opened(qtbot, rig, name="four.png", seed=4)
    assert shelf.thumbs[0].hasFocus() and bar.value() == 0, "the focus that left the old thumbs scrolled on"
    panel.canvas.setFocus()
    bar.setValue(bar.maximum())
    rig.state.select_subject(1)  # from elsewhere: a recalled picture
    assert bar.value() == 0


def test_the_shelf_has_names_and_an_order_that_can_be_taken_back(qtbot, rig):
    for number, name in enumerate(("one", "two", "three"), 1):
        opened(qtbot, rig, name=f"{name}.png", seed=number)
    shelf, titles = rig.panel.shelf, lambda: [subject.title[:-4] for subject in rig.state.subjects]
    rig.state.update_subject(rig.state.subjects[1].key, name="duck")
    assert [thumb._name for thumb in shelf.thumbs] == ["one", "duck", "three"]
    shelf.thumbs[0].setFocus()
    shelf.thumbs[0].moveRequested.emit(1)
    assert titles() == ["two", "one", "three"] and rig.state.subject.title == "three.png"
    assert shelf.thumbs[1].key == rig.state.subjects[1].key
    shelf.thumbs[0].moveRequested.emit(-1)
    assert titles() == ["two", "one", "three"], "it is the first one"
    dragged = QMimeData()
    dragged.setData(SUBJECT_MIME, QByteArray(str(rig.state.subjects[2].key).encode()))
    at = QPointF(shelf.thumbs[0].geometry().topLeft() + QPoint(4, 4))
    buttons, plain = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    shelf.dropEvent(QDropEvent(at, Qt.DropAction.MoveAction, dragged, buttons, plain))
    assert titles() == ["three", "two", "one"] and rig.state.current == 0
    shelf.thumbs[1].removeRequested.emit()
    assert titles() == ["three", "one"]
    for expected in (["three", "two", "one"], ["two", "one", "three"], ["one", "two", "three"]):
        assert shelf.bring_back() and titles() == expected
    assert not shelf.bring_back()
    with qtbot.waitSignal(shelf.renameRequested):
        shelf.thumbs[1].renameRequested.emit()
    assert rig.state.subject.title == "two.png"
    texts = [action.text() for action in shelf.thumbs[0].menu().actions() if not action.isSeparator()]
    assert texts[0] == "Use this subject" and "Take it off the shelf" in texts


def test_a_subject_that_is_dragged_leaves_no_ring_on_the_way(qtbot, rig):
    for number, name in enumerate(("one", "two", "three"), 1):
        opened(qtbot, rig, name=f"{name}.png", seed=number)
    first, second = rig.panel.shelf.thumbs[:2]
    plain = [thumb.grab().toImage() for thumb in (first, second)]
    QApplication.sendEvent(first, QEnterEvent(QPointF(), QPointF(), QPointF()))
    assert first.grab().toImage() != plain[0], "the mouse is on it"
    second.setAttribute(Qt.WidgetAttribute.WA_UnderMouse)  # as Qt has it after a drag went over it
    assert second.grab().toImage() == plain[1]
    QApplication.sendEvent(first, QEvent(QEvent.Type.Leave))
    assert first.grab().toImage() == plain[0]


def test_a_subject_of_a_session_that_came_back_is_cut_out_on_the_shelf(qtbot, rig):
    opened(qtbot, rig, name="one.png", seed=1)
    first = rig.state.subject
    opened(qtbot, rig, name="two.png", seed=2)
    rig.state.update_subject(first.key, cut_out=None)
    picture = rig.panel.shelf.thumbs[0].picture()
    assert picture.pixelColor(2, 2) == Qt.GlobalColor.white, "nothing of the photo around it"
    rig.state.update_subject(first.key, mask=np.zeros_like(first.mask))
    rig.panel.shelf._pictures.keep(())
    rig.panel.shelf.follow()
    assert rig.panel.shelf.thumbs[0].picture().pixelColor(2, 2) != Qt.GlobalColor.white, "the photo, without a cut-out"


def test_the_same_photo_again_is_the_one_on_the_shelf(qtbot, rig):
    opened(qtbot, rig, name="one.png", seed=1)
    opened(qtbot, rig, name="two.png", seed=2)
    rig.subjects.reading.open_file(rig.folder / "one.png")
    qtbot.waitUntil(lambda: rig.state.subject.title == "one.png")
    assert len(rig.state.subjects) == 2


def test_examples_bring_their_prompt_and_give_way_to_the_users_photo(qtbot, rig):
    bundle(rig, "robot.png", "duck.png")
    panel = rig.panel
    assert panel.gallery.isVisible() and len(panel.gallery.thumbs) == 2
    QTest.mouseClick(panel.gallery.thumbs[1], LEFT)
    qtbot.waitUntil(lambda: rig.state.subject is not None and rig.state.subject.cut_out is not None)
    assert rig.state.subject.example and rig.state.subject.name == "duck"
    assert (rig.state.values.prompt, rig.state.values.seed) == ("a duck.png in the snow", 7)
    assert panel.chip.text() == "Example" and panel.drop_zone.isVisible() and not panel.name_row.isVisible()
    assert [thumb.isChecked() for thumb in panel.gallery.thumbs] == [False, True]
    opened(qtbot, rig, name="mine.png", seed=3)
    assert [subject.title for subject in rig.state.subjects] == ["mine.png"]
    assert panel.name_row.isVisible() and not any(thumb.isChecked() for thumb in panel.gallery.thumbs)
    # They stay within reach, under the shelf.
    assert panel.gallery.isVisible() and panel.gallery.title.text() == "Or try an example"
    assert panel.gallery.y() > panel.shelf.y()
    QTest.mouseClick(panel.gallery.thumbs[0], LEFT)
    qtbot.waitUntil(lambda: rig.state.subject.example and rig.state.subject.name == "robot")


def test_the_name_goes_into_the_state_and_enter_looks_again(qtbot, rig):
    opened(qtbot, rig)
    edit = rig.panel.name_row.edit
    edit.setFocus()
    QTest.keyClicks(edit, "toy robot")
    assert rig.state.subject.name == "toy robot"
    asked = len(rig.segmenter.asked)
    QTest.keyClick(edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(rig.segmenter.asked) == asked + 1)
    assert rig.segmenter.asked[-1][1].name == "toy robot"


def test_looking_again_by_a_name_corrects_nothing(qtbot, rig):
    rig.segmenter.sure = False
    opened(qtbot, rig)
    panel = rig.panel
    for name in ("dog", "bag"):  # the second one is looked for, too
        asked = len(rig.segmenter.asked)
        panel.name_row.nouns.picked.emit(name)
        qtbot.waitUntil(lambda before=asked: len(rig.segmenter.asked) == before + 1)
        qtbot.waitUntil(lambda: not rig.subjects.session.asking and not rig.subjects.session.busy)
        assert rig.segmenter.asked[-1][1].name == name
        assert panel.found_note.verdict == "unsure" and panel.found_line.text.text().startswith("Not sure.")
        assert rig.state.subject.automatic is rig.state.subject.proposal.mask
    panel.found_note.thumbs[1].click()
    qtbot.waitUntil(lambda: rig.subjects.session.undo_label == "Another candidate")
    qtbot.waitUntil(lambda: panel.found_line.text.text() == "Corrected")


def test_a_suggested_name_leaves_the_photo_in_view(qtbot, rig):
    opened(qtbot, rig)
    panel = rig.panel
    panel.setFixedHeight(420)
    panel.show()
    chip, bar = panel.name_row.nouns.chip("dog"), panel._scroll.verticalScrollBar()
    chip.setFocus()
    bar.setValue(120)
    chip.click()
    assert panel.name_row.nouns.isHidden() and bar.maximum() > 120
    assert bar.value() == 120, "the focus that left the chips scrolled on to the next button"


def test_suggested_names_speak_the_language_and_write_english(qtbot, rig):
    opened(qtbot, rig)
    asked = len(rig.segmenter.asked)
    try:
        languages.install("zh_CN")
        chip = rig.panel.name_row.nouns.chip("dog")
        qtbot.waitUntil(lambda: chip.text() == "狗")
        assert chip.isVisible() and chip.accessibleName() == "狗" and chip.toolTip() == "dog"
        chip.click()
    finally:
        languages.install("en")
    assert rig.state.subject.name == rig.panel.name_row.edit.text() == "dog", "the model reads English"
    qtbot.waitUntil(lambda: len(rig.segmenter.asked) == asked + 1)
    qtbot.waitUntil(lambda: chip.text() == "dog")


def test_a_narrow_window_marks_a_cut_out_that_may_be_wrong(qtbot, rig):
    stage = QWidget()
    column = LeftColumn(rig.state, QWidget(), stage)
    for widget in (stage, column):
        qtbot.addWidget(widget)
    column.set_narrow(True)
    rig.panel.found_note.verdictChanged.connect(column.show_verdict)
    button = column.rail.cut_out
    button.resize(button.sizeHint())
    plain = button.grab().toImage()
    assert button.accessibleName() == "Subject"
    rig.panel.found_note.say("unsure")
    assert "may be wrong" in button.accessibleName() and "may be wrong" in button.toolTip()
    assert button.grab().toImage() != plain
    rig.panel.found_note.say("sure")
    assert button.accessibleName() == "Subject" and button.grab().toImage() == plain


def test_a_right_click_on_the_photo_opens_a_menu_and_cuts_nothing(qtbot, rig, monkeypatch):
    monkeypatch.setattr(QMenu, "popup", lambda *_: None)  # the test's platform cannot
    opened(qtbot, rig)
    panel, session = rig.panel, rig.subjects.session
    before = session.document.mask.copy()
    at = panel.canvas.rect().center()
    for tool in ("select", "box", "brush"):
        panel.canvas.tools.set_tool(tool)
        with qtbot.waitSignal(panel.canvas.menuWanted):
            QTest.mouseClick(panel.canvas, Qt.MouseButton.RightButton, pos=at)
            QApplication.sendEvent(panel.canvas, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, at))
        menu = panel.findChild(QMenu)
        assert menu.actions()[0].text() == "Edit cut-out" and menu.actions()[-1].text() == "Open photo…"
        with qtbot.waitSignal(panel.transparentRequested):
            next(one for one in menu.actions() if one.text() == "Save the cut-out on transparency…").trigger()
        menu.deleteLater()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert not session.undo_label and np.array_equal(session.document.mask, before)


def test_asking_for_the_name_brings_the_field_into_view(qtbot, rig):
    panel = rig.panel
    opened(qtbot, rig)
    panel.resize(panel.width(), 300)
    panel.show()
    qtbot.waitExposed(panel)

    def in_view(widget) -> bool:
        return not widget.visibleRegion().isEmpty()

    assert not in_view(panel.name_row.edit)
    panel.ask_for_name()
    qtbot.waitUntil(lambda: in_view(panel.name_row.edit) and in_view(panel.name_row.nouns))


def test_the_cut_out_follows_the_size_the_bundle_wants(qtbot, rig):
    opened(qtbot, rig)
    bundle(rig, "robot.png")
    qtbot.waitUntil(lambda: rig.state.subject.cut_out.pixels.shape[0] == 128)


def test_a_session_that_comes_back(qtbot, rig):
    from engine.photo.load import load_photo

    photo = load_photo(photo_file(rig))
    mask = disc(100, 100, 50)
    rig.state.put_back_subjects(({"photo": photo, "mask": mask, "name": "thing", "title": "thing.png"},), 0)
    qtbot.waitUntil(lambda: rig.state.subject.cut_out is not None)
    assert np.array_equal(rig.subjects.session.document.mask, mask) and not rig.segmenter.asked


def test_an_unsure_cut_out_of_an_earlier_session_still_says_so(qtbot, rig):
    from engine.photo.load import load_photo

    photo, mask = load_photo(photo_file(rig)), disc(100, 100, 50)
    value = {"photo": photo, "mask": mask, "automatic": mask, "unsure": True, "title": "thing.png"}
    rig.state.put_back_subjects((value,), 0)
    qtbot.waitUntil(lambda: rig.panel.found_note.better.isVisible())
    assert rig.panel.found_line.text.text() == "Not sure. Draw a box around it."
    rig.subjects.session.invert()
    qtbot.waitUntil(lambda: not rig.panel.found_note.better.isVisible())


def test_a_found_cut_out_of_an_earlier_session_still_says_so(qtbot, rig):
    from engine.photo import Box, SubjectProposal
    from engine.photo.load import load_photo

    photo, mask = load_photo(photo_file(rig)), disc(100, 100, 50)
    panel, label = rig.panel, rig.panel.found_line.text
    coming = {"coming": "a" * 64, "preview": np.full((20, 30, 3), 200, np.uint8), "score": 0.87, "name": "thing"}
    (subject,) = rig.state.put_back_subjects((coming,), 0)
    assert label.isVisible() and label.text() == "Found, 87\u00a0%", "while the photo is read, too"
    proposal = SubjectProposal("thing", (Box(50, 50, 150, 150),), mask, 0.87, sure=True)
    rig.state.update_subject(subject.key, photo=photo, mask=mask, automatic=mask, proposal=proposal, coming="")
    assert label.isVisible() and label.text() == "Found, 87\u00a0%" and not panel.found_note.isVisible()
    rig.subjects.session.invert()
    qtbot.waitUntil(lambda: label.text() == "Corrected")


def test_a_corrected_cut_out_of_an_earlier_session_is_not_looked_for_again(qtbot, rig):
    from engine.photo.load import load_photo

    values = {"photo": load_photo(photo_file(rig)), "mask": disc(100, 100, 50), "corrected": True, "score": 0.87}
    rig.state.put_back_subjects((values,), 0)
    label = rig.panel.found_line.text
    assert label.isVisible() and label.text() == "Corrected"
    rig.subjects.find_again()
    assert not rig.subjects.session.asking and not rig.segmenter.asked


def test_a_subject_without_its_photo_shows_its_cut_out(qtbot, rig):
    opened(qtbot, rig)
    cut_out = rig.state.subject.cut_out
    rig.state.add_subject(cut_out=cut_out, name="robot", title="robot-1.png")
    panel = rig.panel
    assert not panel.canvas.isVisible() and panel.card.preview.has_picture() and not panel.card.edit.isEnabled()
    assert panel.name_row.edit.text() == "robot"


def test_edit_and_replace_are_asked_for(qtbot, rig):
    opened(qtbot, rig)
    with qtbot.waitSignal(rig.panel.editRequested):
        QTest.mouseClick(rig.panel.card.edit, LEFT)
    with qtbot.waitSignal(rig.panel.editRequested):
        QTest.mouseClick(rig.panel.tool_row.expand, LEFT)
    with qtbot.waitSignal(rig.panel.chooseRequested):
        QTest.mouseClick(rig.panel.replace, LEFT)


def test_a_photo_taken_off_the_shelf_while_its_subject_is_looked_for(qtbot, rig):
    rig.segmenter.gate.clear()
    rig.subjects.reading.open_file(photo_file(rig))
    qtbot.waitUntil(lambda: rig.state.subject is not None and bool(rig.segmenter.asked))
    rig.state.remove_subject(rig.state.subject.key)
    rig.segmenter.gate.set()
    settle(qtbot, rig.subjects.service)
    assert rig.state.subject is None and rig.subjects.session is None and not rig.errors
    assert rig.panel.drop_zone.isVisible()


def test_the_preflights_notes_are_shown(qtbot, rig, monkeypatch):
    plain = rig.segmenter.find_subject

    def with_note(photo, hint) -> SubjectProposal:
        from dataclasses import replace

        return replace(plain(photo, hint), notes=("'robot' was not found in the photo.",))

    monkeypatch.setattr(rig.segmenter, "find_subject", with_note)
    opened(qtbot, rig)
    qtbot.waitUntil(rig.panel.note.isVisible)
    assert "not found" in rig.panel.note.text()


def test_a_correction_without_the_networks_is_said_in_the_banner(qtbot, rig):
    opened(qtbot, rig)
    rig.segmenter.notes = ["The networks ended."]
    QTest.mouseClick(rig.panel.canvas, LEFT, NONE, rig.panel.canvas.viewport.to_widget(80, 80).toPoint())
    qtbot.waitUntil(lambda: bool(rig.errors))
    assert rig.errors[0].fact == "The networks ended." and rig.subjects.session.document.mask[80, 80] == 255


def test_looking_again_by_another_name_shows_the_new_sentences(qtbot, rig):
    opened(qtbot, rig)
    rig.segmenter.notes = ["No “robot” was found by name."]
    rig.panel.name_row.edit.setText("robot")
    QTest.keyClick(rig.panel.name_row.edit, Qt.Key.Key_End)
    rig.panel.name_row.edit.textEdited.emit("robot")
    QTest.keyClick(rig.panel.name_row.edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: rig.panel.note.text().startswith("No “robot” was found by name."))
    assert rig.state.subject.proposal.name == "robot" and not rig.errors


def test_closing_does_not_wait_for_what_is_being_found(qtbot, rig):
    rig.segmenter.gate.clear()
    rig.subjects.reading.open_file(photo_file(rig))
    qtbot.waitUntil(lambda: bool(rig.segmenter.asked))
    rig.subjects.close()
    assert rig.segmenter.closed and rig.segmenter.gate.is_set()


def test_what_a_photo_lacks_is_said_under_it(qtbot, rig):
    opened(qtbot, rig, size=(1200, 800))
    assert rig.panel.photo_note.isVisible() and "only 2 % of the photo" in rig.panel.photo_note.text()


def test_a_subject_whose_photo_is_still_read_is_shown_and_cannot_be_edited_yet(qtbot, rig):
    panel, state = rig.panel, rig.state
    preview = np.full((120, 240, 3), 200, np.uint8)
    made = CutOut(np.full((256, 256, 4), 255, np.uint8))
    values = {"coming": "a" * 64, "preview": preview, "cut_out": made, "name": "boat", "unsure": True}
    (subject,) = state.put_back_subjects((values,), 0)
    assert panel.canvas.isVisibleTo(panel) and panel.canvas.height() == 132
    assert panel.canvas.grab().toImage().pixelColor(132, 66).getRgb()[:3] == (200, 200, 200)
    assert panel.chip.text() == "Opening the photo…" and panel.found_note.verdict == "unsure"
    assert not panel.tool_row.isEnabled() and not panel.card.edit.isEnabled()
    assert panel.card.edit.toolTip() == "The photo is being opened" and panel.card.text.text() == ""
    photo = photo_from_pixels(np.full((600, 1200, 3), 90, np.uint8), name="boat.png")
    mask = np.zeros((600, 1200), np.uint8)
    mask[100:160, 300:360] = 255
    state.update_subject(subject.key, photo=photo, mask=mask, automatic=mask, coming="", preview=None)
    assert panel.tool_row.isEnabled() and panel.card.edit.isEnabled() and panel.chip.text() == ""
    assert np.array_equal(rig.subjects.session.document.mask, mask) and not rig.segmenter.asked
    assert state.subject.cut_out is made, "it is that of this mask already"
    qtbot.waitUntil(lambda: "of the photo" in panel.photo_note.text(), timeout=3000)


# Several photos of one subject


def dropped(widget: QWidget, data: QMimeData) -> bool:
    """Whether a widget takes a drop itself, as Qt asks it: enter, then the drop."""
    at, buttons = QPoint(5, 5), Qt.MouseButton.LeftButton
    enter = QDragEnterEvent(at, Qt.DropAction.CopyAction, data, buttons, NONE)
    enter.ignore()
    QApplication.sendEvent(widget, enter)
    if not enter.isAccepted():
        return False
    drop = QDropEvent(QPointF(at), Qt.DropAction.CopyAction, data, buttons, NONE)
    QApplication.sendEvent(widget, drop)
    return drop.isAccepted()


def files_of(*files) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file)) for file in files])
    return data


def with_photos(qtbot, rig, count: int):
    """A subject with so many photos."""
    opened(qtbot, rig, name="front.png", seed=1)
    card = rig.state.subject.card
    for number in range(1, count):
        rig.subjects.reading.add_photos(card, [photo_file(rig, f"{number}.png", seed=number + 1)])
        qtbot.waitUntil(lambda count=number + 1: len(rig.state.cut_outs) == count)


def test_another_photo_is_one_button_away_and_an_example_has_none(qtbot, rig):
    bundle(rig, "robot.png")
    rig.panel.open_example(rig.folder / "robot.png", "robot")
    qtbot.waitUntil(lambda: rig.state.subject is not None)
    assert not rig.panel.photos.add.isVisible()
    opened(qtbot, rig, name="own.png", seed=1)
    photos = rig.panel.photos
    assert photos.add.isVisible() and photos.add.text() == "Add another photo of this…" and not photos.isVisible()
    with qtbot.waitSignal(photos.addRequested):
        QTest.mouseClick(photos.add, LEFT)
    assert photos.plus.window() is rig.panel.window()


def test_photos_stand_side_by_side_and_a_press_shows_one_with_its_mask(qtbot, rig):
    with_photos(qtbot, rig, 3)
    photos = rig.panel.photos
    assert photos.isVisible() and len(photos.thumbs) == 3 and photos.plus.isVisible() and not photos.add.isVisible()
    assert [thumb.isChecked() for thumb in photos.thumbs] == [False, False, True]
    assert not rig.panel.shelf.isVisible(), "one subject needs no shelf"
    rig.subjects.session.invert()
    qtbot.waitUntil(lambda: rig.state.subject.mask[0, 0] == 255)
    QTest.mouseClick(photos.thumbs[0], LEFT)
    assert rig.state.subject.title == "front.png" and rig.subjects.session.document.mask[0, 0] == 0
    QTest.mouseClick(photos.thumbs[0], LEFT)
    assert photos.thumbs[0].isChecked(), "a second press changes nothing"
    QTest.mouseClick(photos.thumbs[2], LEFT)
    assert rig.subjects.session.document.mask[0, 0] == 255
    rig.subjects.reading.add_photos(rig.state.subject.card, [photo_file(rig, "last.png", seed=9)])
    qtbot.waitUntil(lambda: len(rig.state.photos) == 4)
    assert not photos.plus.isVisible() and not rig.state.may_add_photo


class Places(QObject):
    """Where the visible thumbs of a row lie, each time one is put somewhere."""

    def __init__(self, kind: type[QWidget]) -> None:
        super().__init__()
        self._kind, self.of = kind, defaultdict(set)

    def eventFilter(self, watched, event) -> bool:
        if event.type() == QEvent.Type.Move and isinstance(watched, self._kind) and watched.isVisible():
            self.of[id(watched)].add((watched.x(), watched.y()))
        return False


def test_no_thumb_lies_where_another_belongs_while_a_row_is_filled(qtbot, rig, qapp):
    """It would get the pointer that rests there, and the right click that follows."""
    with_photos(qtbot, rig, 3)
    opened(qtbot, rig, name="other.png", seed=7)
    rig.state.select_subject(2)
    places = Places(Thumb)
    qapp.installEventFilter(places)
    for row in (rig.panel.photos, rig.panel.shelf):
        row.thumbs[-1].removeRequested.emit()
        assert rig.panel.shelf.bring_back()
        qapp.processEvents()
        assert all(places.of[id(thumb)] <= {(thumb.x(), thumb.y())} for thumb in row.thumbs)
    qapp.removeEventFilter(places)


def test_the_photo_keeps_its_width_when_the_panel_scrolls(qtbot, rig):
    """It would stand between two bands: its height is that of the full width."""
    opened(qtbot, rig, size=(640, 640))
    rig.panel.resize(rig.panel.width(), 2000)
    qtbot.waitUntil(lambda: not rig.panel._scroll.verticalScrollBar().isVisible())
    wide = rig.panel.canvas.size()
    assert wide.width() == wide.height()
    rig.panel.resize(rig.panel.width(), 400)
    qtbot.waitUntil(lambda: rig.panel._scroll.verticalScrollBar().isVisible())
    assert rig.panel.canvas.size() == wide


def test_photos_chosen_together_come_in_the_order_they_were_chosen(qtbot, rig):
    with_photos(qtbot, rig, 1)
    files = [rig.folder / name for name in ("large.png", "small.png", "broken.png", "last.png")]
    for file, side in zip(files, (3000, 60, 60, 60), strict=True):
        noise = np.random.default_rng(side).integers(0, 256, (side, side, 3), np.uint8)
        Image.fromarray(noise if file.stem != "last" else noise[::-1]).save(file)  # the large one takes much longer
    files[2].write_text("no picture")
    rig.subjects.reading.add_photos(rig.state.subject.card, files[:2])
    qtbot.waitUntil(lambda: len(rig.state.photos) == 3, timeout=20_000)
    assert [photo.title for photo in rig.state.photos[1:]] == ["large.png", "small.png"]
    rig.subjects.reading.add_photos(rig.state.subject.card, files[3:])
    rig.subjects.reading.open_file(files[2])
    qtbot.waitUntil(lambda: bool(rig.errors) and not rig.subjects.reading.active, timeout=20_000)
    assert rig.state.photos[-1].title == "last.png"


def test_another_photo_is_made_the_first_and_back(qtbot, rig):
    with_photos(qtbot, rig, 3)
    photos, state = rig.panel.photos, rig.state
    assert not photos.thumbs[0].menu().actions()[2].isEnabled()
    first, shown = state.photos[2].cut_out, state.subject
    photos.thumbs[2].menu().actions()[2].trigger()
    assert [photo.title for photo in state.photos] == ["2.png", "front.png", "1.png"]
    assert state.cut_outs[0] is first and state.subject is shown, "the photo that is looked at stays"
    assert photos.thumbs[0].accessibleName() == "Photo 1: 2.png"
    assert rig.panel.shelf.bring_back()
    assert [photo.title for photo in state.photos] == ["front.png", "1.png", "2.png"]


def test_a_photo_is_taken_out_by_key_and_menu_and_comes_back(qtbot, rig):
    with_photos(qtbot, rig, 3)
    photos = rig.panel.photos
    photos.thumbs[2].setFocus()
    with qtbot.waitSignal(photos.removed):
        QTest.keyClick(photos.thumbs[2], Qt.Key.Key_Delete)
    assert [photo.title for photo in rig.state.photos] == ["front.png", "1.png"]
    assert photos.thumbs[1].hasFocus() and rig.state.subject.title == "1.png"
    menu = photos.thumbs[0].menu()
    assert [action.text() for action in menu.actions() if action.text()] == [
        "Show this photo",
        "Edit its cut-out",
        "Make this the first",
        "Take this photo out",
    ]
    menu.actions()[-1].trigger()
    assert [photo.title for photo in rig.state.photos] == ["1.png"] and not photos.isVisible()
    assert rig.panel.shelf.bring_back() and rig.panel.shelf.bring_back()
    assert [photo.title for photo in rig.state.photos] == ["front.png", "1.png", "2.png"]


def test_photos_that_are_dropped_onto_a_card_are_of_its_subject(qtbot, rig):
    with_photos(qtbot, rig, 2)
    opened(qtbot, rig, name="other.png", seed=7)
    shelf, given = rig.panel.shelf, []
    shelf.photosGiven.connect(lambda card, photos: given.append((card, photos)))
    assert len(shelf.thumbs) == 2 and shelf.thumbs[0].accessibleName() == "front.png, 2 photos"
    file = photo_file(rig, "more.png", seed=8)
    assert dropped(shelf.thumbs[0], files_of(file))
    assert given == [(rig.state.cards[0][0].card, [file])]
    text = QMimeData()
    text.setText("no photo")
    moved = QMimeData()
    moved.setData(SUBJECT_MIME, QByteArray(b"1"))
    assert not dropped(shelf.thumbs[0], text)
    dropped(shelf.thumbs[0], moved)  # the shelf takes it, for another order
    assert len(given) == 1
    for number in range(2):
        rig.subjects.reading.add_photos(
            rig.state.cards[0][0].card, [photo_file(rig, f"b{number}.png", seed=20 + number)]
        )
    qtbot.waitUntil(lambda: len(rig.state.cards[0]) == 4)
    assert not dropped(shelf.thumbs[0], files_of(file)), "it has four"
    image = QMimeData()
    image.setImageData(QImage(20, 20, QImage.Format.Format_RGB32))
    rig.state.select_subject(4)
    assert dropped(rig.panel.photos.add, image) and len(given) == 1


def test_a_press_on_a_card_keeps_the_photo_that_is_looked_at(qtbot, rig):
    with_photos(qtbot, rig, 2)
    opened(qtbot, rig, name="other.png", seed=7)
    QTest.mouseClick(rig.panel.shelf.thumbs[0], LEFT)
    assert rig.state.current == 0
    rig.state.select_subject(1)
    assert rig.panel.shelf.thumbs[0].isChecked()
    QTest.mouseClick(rig.panel.shelf.thumbs[0], LEFT)
    assert rig.state.current == 1 and rig.panel.shelf.thumbs[0].isChecked()


def test_the_row_says_what_more_photos_bring_with_the_open_model(qtbot, rig):
    with_photos(qtbot, rig, 2)
    note = rig.panel.photos.note
    for channels, words in ((8, "draws the first photo"), (0, "was not measured")):
        tokenizer = SimpleNamespace(reference_channels=channels)
        rig.state.update_engine(manifest=SimpleNamespace(examples=(), reference_size=128, tokenizer=tokenizer))
        assert words in note.text() and note.isVisible()


def test_a_photo_without_a_cut_out_is_marked(qtbot, rig):
    with_photos(qtbot, rig, 2)
    thumb = rig.panel.photos.thumbs[0]
    before = thumb.grab().toImage()
    rig.state.update_subject(rig.state.photos[0].key, problem="Nothing is marked.", cut_out=None)
    assert "cannot be used" in thumb.toolTip() and thumb.grab().toImage() != before


def open_pixels(qtbot, rig, pixels: np.ndarray) -> None:
    """Open a photo, as a PNG of Pillow's, and wait for its cut-out."""
    file = rig.folder / "photo.png"
    Image.fromarray(pixels).save(file)
    rig.subjects.reading.open_file(file)
    qtbot.waitUntil(lambda: rig.state.subject is not None and not rig.state.subject.finding)


def test_the_clear_part_of_a_transparent_photo_is_seen_as_such(qtbot, rig):
    """Most programs write black where a picture is clear."""
    pixels = np.zeros((120, 160, 4), np.uint8)
    pixels[30:90, 50:110] = (200, 60, 40, 255)
    open_pixels(qtbot, rig, pixels)
    canvas = rig.panel.canvas
    canvas.set_overlay("outline")
    rig.subjects.session.take_mask(pixels[..., 3].copy(), "Open a mask")

    def seen(x: float, y: float) -> int:
        return canvas.grab().toImage().pixelColor(canvas.viewport.to_widget(x, y).toPoint()).red()

    corners = [seen(x, y) for x in range(3, 40, 4) for y in (4, 10)]
    assert min(corners) > 200 and len(set(corners)) > 1, "a chequerboard"
    before = canvas.grab().toImage()
    for overlay in ("tint", "model", "outline"):
        canvas.set_overlay(overlay)
        assert (overlay == "outline") == (canvas.grab().toImage() == before)


def test_a_photo_that_was_only_masked_is_seen_as_a_photo(qtbot, rig):
    """Its picture goes on beneath the clear part, as with the examples."""
    pixels = np.zeros((120, 160, 4), np.uint8)
    pixels[..., 1] = np.linspace(20, 90, 160).astype(np.uint8)
    pixels[30:90, 50:110, 3] = 255
    open_pixels(qtbot, rig, pixels)
    canvas = rig.panel.canvas
    canvas.set_overlay("outline")
    colours = [canvas.grab().toImage().pixelColor(canvas.viewport.to_widget(x, 8).toPoint()) for x in (8, 20, 32)]
    assert all(colour.red() == 0 and colour.green() > 15 for colour in colours)


def test_the_box_goes_out_of_the_hand_with_a_photo_that_needs_none(qtbot, rig):
    rig.segmenter.sure = False
    opened(qtbot, rig, name="one.png", seed=1)
    rig.segmenter.sure = True
    opened(qtbot, rig, name="two.png", seed=2)
    for index, tool in ((0, "box"), (1, "select"), (0, "box")):
        rig.state.select_subject(index)
        assert rig.panel.canvas.tools.tool() == tool


def test_a_candidate_that_is_still_looked_for_is_given_up_by_undo(qtbot, rig):
    opened(qtbot, rig)
    session = rig.subjects.session
    session.invert()
    before = session.document.mask.copy()
    rig.segmenter.gate.clear()
    session.choose_candidate(1)
    assert session.undo_label == "Another candidate" and rig.panel.tool_row.undo.isEnabled()
    rig.panel.undo()
    rig.segmenter.gate.set()
    assert session.candidate != 1 and not session.asking
    assert session.undo_label == "Invert", "the step before it is left alone"
    settle(qtbot, rig.subjects.service)
    assert np.array_equal(session.document.mask, before)


def test_the_shelf_stays_under_the_pointer_whatever_the_next_subject_has_above_it(qtbot, rig):
    rig.segmenter.sure = False
    opened(qtbot, rig, name="one.png", seed=1, size=(400, 600))
    rig.segmenter.sure = True
    opened(qtbot, rig, name="two.png", seed=2, size=(600, 400))
    panel, shelf = rig.panel, rig.panel.shelf
    panel.setFixedHeight(420)
    bar = panel._scroll.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 100)
    turn_over(qtbot)
    bar.setValue(bar.maximum())

    def seen_at() -> int:
        return shelf.mapTo(panel, QPoint(0, 0)).y()

    turn_over(qtbot)
    before = seen_at()
    for place in (0, 1, 0):
        QTest.mouseClick(shelf.thumbs[place], LEFT)
        turn_over(qtbot)
        assert seen_at() == before


def test_the_plain_buttons_below_the_cut_out_begin_where_its_lines_do(qtbot, rig):
    rig.segmenter.fail = True
    opened(qtbot, rig)
    panel = rig.panel
    for button in (panel.found_note.better, panel.photos.add):
        qtbot.waitUntil(button.isVisible)
        left = button.mapTo(panel, QPoint()).x()
        assert left + 12 == panel.name_row.edit.mapTo(panel, QPoint()).x(), "12: the ground of a plain button"
        qtbot.waitUntil(lambda plain=button: plain.width() >= plain.sizeHint().width())  # its words have room
