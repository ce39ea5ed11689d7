"""The prompt panel as a person uses it: type, click, drag, roll, fold."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QRect, Qt
from PySide6.QtGui import QTextCharFormat, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from app.look import focus
from app.look.type import set_text_scale
from app.prompt.panel import PromptPanel
from app.prompt.vocabulary import PromptReader
from app.session.state import EngineStatus, Jobs, Result, SessionState
from app.session.values import PanelValues, compose
from app.system import background
from engine.bundle.records import Language, SceneEntry
from engine.request import MAX_PROMPT_CHARACTERS, CutOut, GenerationRequest, ScaleBits
from tests.app.fake_bundle import fake_bundle

pytestmark = pytest.mark.usefixtures("plain_look")


@pytest.fixture
def state() -> SessionState:
    return SessionState()


@pytest.fixture
def panel(qtbot, state) -> PromptPanel:
    panel = PromptPanel(state)
    panel.complete()
    qtbot.addWidget(panel)
    panel.resize(320, 700)
    panel.show()
    qtbot.waitExposed(panel)
    panel.activateWindow()
    return panel


@pytest.fixture
def bundle(panel, state, tmp_path: Path, qtbot):
    manifest = fake_bundle(tmp_path)
    state.set_engine(EngineStatus("ready", manifest=manifest, folder=tmp_path))
    qtbot.waitUntil(lambda: panel.sheet.prompt.reader._tokenizer is not None)
    yield manifest
    background.shutdown()


def with_subject(state: SessionState) -> None:
    state.add_subject(cut_out=CutOut(np.zeros((8, 8, 4), np.uint8)), name="robot")


def test_object_names_and_accessible_names(panel, bundle):
    expected = {
        "promptEdit": "Prompt",
        "negativePromptEdit": "What to avoid",
        "promptStrength": "Follow the prompt",
        "subjectStrength": "Keep the subject",
        "temperature": "Variety",
        "aspectCombo": "Shape",
        "seedSpin": "Seed",
        "seedLock": "Keep this seed",
        "countSpin": "Number of pictures",
        "generateButton": "",
        "cancelButton": "",
    }
    for name, spoken in expected.items():
        widget = panel.findChild(QWidget, name)
        assert widget is not None, name
        assert widget.accessibleName() == spoken
    assert panel.sheet.generate.text() == "Generate"
    assert panel.sheet.cancel.text() == "Stop"


def test_typing_reaches_the_state_and_the_other_way_round(panel, state, qtbot):
    with qtbot.waitSignal(state.promptChanged):
        qtbot.keyClicks(panel.sheet.prompt, "a robot")
    assert state.values.prompt == "a robot"
    state.update_values(prompt="a duck", negative_prompt="rain", seed=12, count=4)
    assert panel.sheet.prompt.text() == "a duck"
    assert panel.sheet.negative.text() == "rain"
    assert panel.sheet.seed.spin.value() == 12
    assert panel.sheet.count.value() == 4


def test_what_the_state_sets_can_be_undone(panel, state, qtbot):
    qtbot.keyClicks(panel.sheet.prompt, "mine")
    state.update_values(prompt="recalled")
    qtbot.keyClick(panel.sheet.prompt, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert state.values.prompt == "mine"


def test_unknown_words_are_underlined_and_said(panel, bundle, qtbot):
    qtbot.keyClicks(panel.sheet.prompt, "a robot near the pagoda")
    assert panel.sheet.words.text() == "This model does not know “near”, “pagoda”."
    assert panel.sheet.words.isVisibleTo(panel)
    formats = panel.sheet.prompt.document().firstBlock().layout().formats()
    waves = [
        (f.start, f.length)
        for f in formats
        if f.format.underlineStyle() == QTextCharFormat.UnderlineStyle.WaveUnderline
    ]
    assert waves == [(8, 4), (17, 6)]
    state = panel.state
    state.update_values(prompt="a robot in the snow")
    assert not panel.sheet.words.isVisibleTo(panel)


def test_what_is_underlined_in_what_to_avoid_is_said_below_it(panel, bundle, state, qtbot):
    panel.sheet.avoid.set_open(True)
    qtbot.keyClicks(panel.sheet.negative, "blurry snow")
    assert panel.sheet.avoid_words.text() == "This model does not know “blurry”."
    assert panel.sheet.avoid_words.isVisibleTo(panel) and not panel.sheet.words.isVisibleTo(panel)
    state.update_values(negative_prompt="snow")
    assert not panel.sheet.avoid_words.isVisibleTo(panel)


def test_the_counter_and_what_is_cut_off(panel, bundle, state):
    state.update_values(prompt="a robot")
    assert panel.sheet.prompt.counter() == ""
    state.update_values(prompt="a toy robot in the snow")
    assert panel.sheet.prompt.counter() == "7 of 12 tokens"
    state.update_values(prompt="a toy robot in the snow on the beach in the dusk snow")
    assert panel.sheet.prompt.counter() == "14 of 12 tokens"
    assert panel.sheet.words.text() == "The last 2 words are not used: dusk snow"
    formats = panel.sheet.prompt.document().firstBlock().layout().formats()
    assert any(f.format.fontStrikeOut() for f in formats)


def test_the_counter_covers_no_word(panel, bundle, state, qtbot):
    """It lay over the end of the second line, where a long prompt has words."""

    def place(widget) -> QRect:
        return QRect(widget.mapTo(panel, QPoint()), widget.size())

    panel.sheet.avoid.set_open(True)
    for edit, name in ((panel.sheet.prompt, "prompt"), (panel.sheet.negative, "negative_prompt")):
        assert not edit.count.isVisibleTo(panel)
        state.update_values(**{name: "a toy robot in the snow"})
        assert edit.count.isVisibleTo(panel) and edit.count.text() == "7 of 12 tokens"
        qtbot.waitUntil(lambda field=edit: not place(field).intersects(place(field.count)))  # when it is laid out


def test_alt_up_walks_through_earlier_prompts(panel, state, qtbot):
    panel.set_prompt_history(("one", "two"))
    panel.sheet.prompt.setFocus()
    qtbot.waitUntil(panel.sheet.prompt.hasFocus)
    qtbot.keyClicks(panel.sheet.prompt, "draft")
    qtbot.keyClick(panel.sheet.prompt, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert state.values.prompt == "two"
    qtbot.keyClick(panel.sheet.prompt, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert state.values.prompt == "one"
    qtbot.keyClick(panel.sheet.prompt, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    qtbot.keyClick(panel.sheet.prompt, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert state.values.prompt == "draft"
    panel.remember("draft")
    assert panel.prompt_history() == ("one", "two", "draft")


def test_tab_leaves_the_prompt_and_rich_text_is_pasted_plain(panel, qtbot):
    panel.sheet.prompt.setFocus()
    qtbot.waitUntil(panel.sheet.prompt.hasFocus)
    from PySide6.QtCore import QMimeData

    data = QMimeData()
    data.setHtml("<b>bold</b>")
    data.setText("bold")
    panel.sheet.prompt.insertFromMimeData(data)
    assert panel.sheet.prompt.text() == "bold"
    qtbot.keyClick(panel.sheet.prompt, Qt.Key.Key_Tab)
    assert not panel.sheet.prompt.hasFocus()
    assert panel.sheet.prompt.text() == "bold"


def test_a_log_that_is_pasted_is_cut_at_once_and_that_is_said(panel, bundle, state):
    log = QMimeData()
    log.setText("2026-01-01 12:00:00 INFO a line of a log that somebody had on the clipboard\n" * 20_000)
    began = time.process_time()
    panel.sheet.prompt.insertFromMimeData(log)
    assert time.process_time() - began < 3.0
    assert len(panel.sheet.prompt.text()) == MAX_PROMPT_CHARACTERS == len(state.values.prompt)
    assert "at most 4000 characters" in panel.sheet.words.text()
    panel.sheet.prompt.set_text("a duck")
    assert "at most" not in panel.sheet.words.text()
    panel.sheet.prompt.selectAll()
    log.setText("x" * (MAX_PROMPT_CHARACTERS + 1))
    panel.sheet.prompt.insertFromMimeData(log)
    assert panel.sheet.prompt.text() == "x" * MAX_PROMPT_CHARACTERS and "at most" in panel.sheet.words.text()


@pytest.mark.parametrize("prompt", ["a pagoda", "🦆 pagoda", "🦆🦆🦆 a pagoda 🦆", "é🦆 pagoda"])
def test_marks_stand_under_their_words_behind_letters_that_count_twice(panel, bundle, prompt):
    panel.sheet.prompt.set_reader(PromptReader(24, Language(frozenset({"a"}))))
    panel.sheet.prompt.set_text(prompt)
    marked = set()
    block = panel.sheet.prompt.document().firstBlock()
    for piece in block.layout().formats():
        if piece.format.underlineStyle() != QTextCharFormat.UnderlineStyle.NoUnderline:
            text = block.text().encode("utf-16-le")[2 * piece.start : 2 * (piece.start + piece.length)]
            marked.add(text.decode("utf-16-le"))
    assert "pagoda" in marked and all(word.strip() == word for word in marked)


@pytest.mark.parametrize(("typed", "shown"), [("1,5", "1.5"), ("1.5", "1.5"), ("9", "8.0"), ("-3", "0.0"), ("", "3.0")])
def test_a_dial_shows_what_is_in_force_whatever_was_typed(panel, state, qtbot, typed, shown):
    dial = panel.sheet.prompt_strength
    dial.setValue(3.0)
    dial.edit.selectAll()
    QTest.keyClick(dial.edit, Qt.Key.Key_Delete)
    QTest.keyClicks(dial.edit, typed)
    QTest.keyClick(dial.edit, Qt.Key.Key_Return)
    assert dial.edit.text() == shown and state.values.prompt_strength == float(shown)


def test_a_seed_with_a_comma_is_no_other_seed(panel, state, qtbot):
    state.update_values(seed=77)
    panel.sheet.seed.spin.selectAll()
    QTest.keyClicks(panel.sheet.seed.spin, "1,5")
    QTest.keyClick(panel.sheet.seed.spin, Qt.Key.Key_Return)
    assert panel.sheet.seed.spin.text() == "77" and state.values.seed == 77


def test_a_prompt_is_never_longer_than_a_request_allows(panel, state):
    panel.sheet.prompt.insertPlainText("x" * 5000)
    assert len(state.values.prompt) == 4000
    compose(state.values, None)


def test_chips_put_their_words_into_the_prompt(panel, bundle, state, qtbot):
    with_subject(state)
    chips = {chip.text(): chip for chip in panel.sheet.chips.chips()}
    assert len(chips) == 5
    qtbot.waitUntil(lambda: chips["in the snow"]._thumb is not None)
    qtbot.mouseClick(chips["in the snow"], Qt.MouseButton.LeftButton)
    assert state.values.prompt == "a robot in the snow"
    qtbot.mouseClick(chips["on the beach"], Qt.MouseButton.LeftButton)
    assert state.values.prompt == "a robot on the beach"


def test_a_scene_waits_for_the_name_it_needs(panel, bundle, state, qtbot):
    state.add_subject(cut_out=CutOut(np.zeros((8, 8, 4), np.uint8)))
    chip = next(chip for chip in panel.sheet.chips.chips() if chip.text() == "in the snow")
    place = chip.mapTo(panel, chip.rect().topLeft())
    with qtbot.waitSignal(panel.nameWanted):
        qtbot.mouseClick(chip, Qt.MouseButton.LeftButton)
    assert state.values.prompt == "" and "in the snow" in panel.sheet.disagreement.text()
    QApplication.processEvents()
    assert panel.sheet.disagreement.isVisible()
    assert chip.mapTo(panel, chip.rect().topLeft()) == place, "the line moves no chip from under the pointer"
    state.update_subject(state.subject.key, name="mug")
    panel.wording.settle()
    assert panel.sheet.prompt.text() == state.values.prompt == "a mug in the snow"
    assert panel.sheet.disagreement.text() == ""


def test_what_was_typed_is_among_the_earlier_prompts_when_other_words_come(panel, bundle, state, qtbot):
    with_subject(state)
    state.add_subject(cut_out=CutOut(np.zeros((8, 8, 4), np.uint8)), name="mug")
    panel.sheet.prompt.set_text("a robot on the beach")
    assert panel.sheet.disagreement.text() == "The prompt speaks of “robot”, the photo is “mug”."
    qtbot.mouseClick(panel.sheet.mend_button, Qt.MouseButton.LeftButton)
    assert state.values.prompt == "a mug on the beach" and panel.sheet.disagreement.text() == ""
    state.update_values(prompt="an example")
    assert panel.prompt_history() == ("a robot on the beach", "a mug on the beach")


def test_all_scenes_unfold_by_kind(panel, bundle, qtbot):
    more = next(chip for chip in panel.sheet.chips.findChildren(QWidget) if chip.accessibleName() == "Show all scenes")
    qtbot.mouseClick(more, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(panel.sheet.chips.chips()) == 9)
    titles = [label.text() for label in panel.sheet.chips.findChildren(QLabel) if label.isVisibleTo(panel.sheet.chips)]
    assert titles == ["Places", "Colours"]


def test_fewer_scenes_are_seen_after_the_press_that_wants_them(panel, qtbot):
    """They lie above the view: the press showed the end of the panel, over an empty half."""
    chips, bar = panel.sheet.chips, panel.sheet.area.verticalScrollBar()
    chips.set_scenes(
        [SceneEntry(f"{number}", "scene", f"at place {number}", f"Place {number}") for number in range(60)]
    )
    panel.resize(320, 640)

    def press(name: str) -> None:
        chip = next(chip for chip in chips.findChildren(QWidget) if chip.accessibleName() == name)
        qtbot.mouseClick(chip, Qt.MouseButton.LeftButton)

    press("Show all scenes")
    qtbot.waitUntil(lambda: bar.maximum() > 400)
    bar.setValue(bar.maximum())
    press("Show fewer scenes")
    qtbot.wait(20)
    qtbot.waitUntil(lambda: chips.height() < 200)
    assert chips.visibleRegion().boundingRect() == chips.rect()


def test_a_slider_is_dragged_typed_and_reset(panel, bundle, state, qtbot):
    panel.sheet.set_open_sections({"strengths": True})
    dial = panel.sheet.prompt_strength
    assert dial.default() == 2.5
    qtbot.mouseClick(dial.slider, Qt.MouseButton.LeftButton, pos=QPoint(dial.slider.width() - 4, 12))
    assert state.values.prompt_strength == 8.0
    dial.edit.selectAll()
    qtbot.keyClicks(dial.edit, "3.3")
    qtbot.keyClick(dial.edit, Qt.Key.Key_Return)
    assert state.values.prompt_strength == 3.3
    qtbot.mouseDClick(dial.slider, Qt.MouseButton.LeftButton, pos=QPoint(20, 12))
    assert state.values.prompt_strength == 2.5


def test_recalled_dials_are_kept_until_the_slider_is_moved(panel, state, qtbot):
    state.update_values(prompt_strength=(1.0, 3.0), subject_strength=12.0)
    assert panel.sheet.prompt_strength.edit.text() == "varies"
    assert panel.sheet.subject_strength.edit.text() == "12"
    state.update_values(prompt="typing does not change them")
    assert compose(state.values, None).prompt_strength == (1.0, 3.0)
    assert compose(state.values, None).subject_strength == 12.0
    panel.sheet.prompt_strength.slider.setFocus()
    qtbot.keyClick(panel.sheet.prompt_strength.slider, Qt.Key.Key_Right)
    assert state.values.prompt_strength == pytest.approx(2.1)


def test_identity_and_look_can_be_set_apart(panel, state, qtbot):
    panel.sheet.set_open_sections({"more": True, "strengths": True})
    state.update_values(subject_strength=2.0)
    qtbot.wait(20)
    before = panel.sheet.apart.mapTo(panel, QPoint())
    panel.sheet.apart.click()
    assert state.values.look_strength == 2.0
    qtbot.wait(20)
    assert panel.sheet.apart.mapTo(panel, QPoint()) == before, "it stays under the pointer"
    assert panel.sheet.look.isVisibleTo(panel) and panel.sheet.look.y() > panel.sheet.apart.y()
    assert panel.sheet.subject_strength.accessibleName() == "Keep the identity"
    panel.sheet.look.setValue(5.0)
    assert compose(state.values, None).look_strength == 5.0
    panel.sheet.apart.click()
    assert state.values.look_strength is None
    assert not panel.sheet.look.isVisibleTo(panel)


def test_only_the_sizes_of_the_bundle_are_offered_each_with_its_shape(panel, bundle, state, qtbot):
    combo = panel.sheet.shape
    assert [combo.itemText(n) for n in range(combo.count())] == [
        "Square 1:1  ·  64 × 64",
        "Landscape 3:2  ·  72 × 48",
        "Portrait 2:3  ·  48 × 72",
    ]
    assert all(not combo.itemIcon(n).isNull() for n in range(3))
    combo.setCurrentIndex(1)
    combo.activated.emit(1)
    assert state.values.size == (72, 48)
    state.update_values(size=(48, 72))
    assert combo.currentIndex() == 2


def test_pictures_are_counted_by_click_and_by_typing(panel, state, qtbot):
    panel.sheet.set_open_sections({"shape": True})
    qtbot.mouseClick(panel.sheet.count._choice.button(4), Qt.MouseButton.LeftButton)
    assert state.values.count == 4
    qtbot.keyClick(panel.sheet.count._choice.button(4), Qt.Key.Key_6)
    assert state.values.count == 6
    assert panel.sheet.count._choice.button(0).text() == "6"
    qtbot.keyClick(panel.sheet.count._choice.button(0), Qt.Key.Key_9)
    assert state.values.count == 6
    panel.sheet.count.setValue(1)
    assert state.values.count == 1


def test_the_same_picture_is_promised_only_where_it_is_the_same(panel, state, bundle):
    with_subject(state)
    state.update_values(prompt="a robot in the snow", seed=7, seed_locked=True)
    again, kept = "The seed is kept: the same picture again", "The seed is kept"
    assert panel.sheet.help.text() == kept
    drawn = replace(compose(state.values, state.subject.cut_out, "a name of before"), bundle=bundle.identity)
    state.set_result(Result(drawn, np.zeros((8, 8, 3), np.uint8)))
    assert panel.sheet.help.text() == again
    before = state.values
    for change in ({"subject_strength": 1.0}, {"negative_prompt": "fog"}, {"seed": 8}, {"prompt": "a robot"}):
        state.update_values(**change)
        assert panel.sheet.help.text() == kept, change
        state.set_values(before)
        assert panel.sheet.help.text() == again
    state.add_subject(cut_out=CutOut(np.ones((8, 8, 4), np.uint8)), name="cup")
    assert panel.sheet.help.text() == kept, "another subject is another picture"


def test_who_goes_to_the_prompt_sees_it_with_its_heading(panel, bundle, qtbot):
    panel.setFixedHeight(420)
    panel.sheet.set_open_sections({"strengths": True, "shape": True, "seed": True})
    bar = panel.sheet.area.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 200)
    for place in (30, bar.maximum()):
        bar.setValue(place)
        panel.focus_prompt()
        assert bar.value() == 0 and panel.sheet.prompt.hasFocus()


def test_the_seed_is_typed_rolled_and_locked(panel, state, qtbot):
    panel.sheet.set_open_sections({"seed": True})
    panel.sheet.seed.spin.setFocus()
    panel.sheet.seed.spin.selectAll()
    qtbot.keyClicks(panel.sheet.seed.spin, "4294967295")
    qtbot.keyClick(panel.sheet.seed.spin, Qt.Key.Key_Return)
    assert (state.values.seed, state.values.seed_locked) == (4294967295, True)
    assert panel.for_next_picture().seed == 4294967295
    panel.sheet.seed.lock.click()
    assert not state.values.seed_locked
    seeds = {panel.for_next_picture().seed for _ in range(5)}
    assert len(seeds) > 1
    panel.sheet.seed.dice.click()
    assert panel.sheet.seed.spin.value() == state.values.seed
    panel.toggle_seed_lock()
    assert panel.sheet.seed.lock.isChecked()
    assert panel.sheet.seed.lock.icon_name() == "lock"


def test_generate_says_what_is_missing(panel, bundle, state, qtbot):
    assert not panel.sheet.generate.isEnabled()
    assert panel.sheet.help.text() == "Add a photo first"
    with_subject(state)
    assert panel.sheet.help.text() == "Write a prompt first"
    qtbot.keyClicks(panel.sheet.prompt, "a robot")
    assert panel.sheet.generate.isEnabled()
    state.set_expected_seconds(4.0)
    state.set_prepared(())
    assert panel.sheet.help.text() == "About 4\u00a0s · subject and prompt are ready"
    with qtbot.waitSignal(panel.generateRequested):
        qtbot.mouseClick(panel.sheet.generate, Qt.MouseButton.LeftButton)


def test_while_drawing_stop_stands_where_generate_was(panel, bundle, state, qtbot):
    with_subject(state)
    state.update_values(prompt="a robot")
    panel.sheet.generate.setFocus()
    place = panel.sheet.generate.geometry()
    state.set_jobs(Jobs(drawing=1, index=2, count=4, waiting=2))
    assert panel.sheet.cancel.isVisibleTo(panel)
    assert not panel.sheet.generate.isVisibleTo(panel)
    assert panel.sheet.cancel.geometry() == place
    qtbot.waitUntil(panel.sheet.cancel.hasFocus)
    assert panel.sheet.help.text() == "Picture 2 of 4 · after Stop you can finish or save it"
    assert panel.sheet.prompt.isEnabled(), "the prompt can be changed while drawing"
    with qtbot.waitSignal(panel.cancelRequested):
        qtbot.mouseClick(panel.sheet.cancel, Qt.MouseButton.LeftButton)
    state.set_jobs(Jobs(drawing=1, stopping=True))
    assert panel.sheet.cancel.is_busy()
    state.set_jobs(Jobs())
    assert panel.sheet.generate.isVisibleTo(panel)


def test_recall_fills_the_panel(panel, bundle, state):
    request = GenerationRequest(
        "a red robot", negative_prompt="rain", seed=7, size=(48, 72), temperature=0.5, top_p=0.8
    )
    assert panel.recall(request) == ""
    assert compose(state.values, None) == request
    assert panel.sheet.shape.currentIndex() == 2
    note = panel.recall(replace(request, size=(512, 512)))
    assert "512 × 512" in note
    assert state.values.size == (48, 72)


def test_the_same_picture_again_is_said_of_the_model_that_drew_it_only(panel, bundle, state):
    with_subject(state)
    panel.recall(GenerationRequest("a robot", size=(64, 64), seed=7, bundle=bundle.identity))
    request = replace(compose(state.values, state.subject.cut_out), bundle=bundle.identity)
    pixels = np.zeros((64, 64, 3), np.uint8)
    state.set_result(Result(request, pixels))
    assert panel.sheet.help.text() == "The seed is kept: the same picture again"
    state.set_result(Result(replace(request, bundle="other@12"), pixels))
    assert panel.sheet.help.text() == "The seed is kept"


def recalled(panel, bundle, count: int = 3) -> ScaleBits:
    kept = ScaleBits(tuple(np.ones((*grid, 8), np.uint8) for grid in bundle.schedules[0].grids[:count]))
    assert panel.recall(GenerationRequest("a robot", size=(64, 64), kept=kept, bundle=bundle.identity)) == ""
    return kept


def test_kept_scales_that_were_recalled_are_said_and_can_be_let_go(panel, bundle, state, qtbot):
    with_subject(state)
    assert not panel.sheet.kept.isVisible()
    kept = recalled(panel, bundle)
    assert panel.sheet.kept.isVisible() and panel.sheet.kept.text() == "Keeps the first 3 scales"
    assert compose(state.values, None).kept == kept
    panel.sheet.prompt.set_text("a robot in the snow")
    panel.sheet.seed.rollRequested.emit()
    assert state.values.kept == kept, "another prompt or seed is a picture of the same composition"
    assert panel.sheet.let_go.accessibleName() == "Begin with the first scale again"
    panel.sheet.let_go.setFocus()
    qtbot.keyClick(panel.sheet.let_go, Qt.Key.Key_Space)
    assert state.values.kept is None and not panel.sheet.kept.isVisible()
    assert panel.sheet.generate.hasFocus()


def test_kept_scales_belong_to_their_shape_and_model(panel, bundle, state, tmp_path):
    recalled(panel, bundle)
    panel.sheet.shape.sizeChosen.emit((72, 48))
    assert state.values.kept is None
    kept = recalled(panel, bundle)
    state.update_engine(phase="loading")
    assert state.values.kept == kept, "the same model again"
    other = replace(bundle, name="other")
    state.set_engine(EngineStatus("ready", manifest=other, folder=tmp_path))
    assert state.values.kept is None


def test_kept_scales_of_the_last_session_wait_for_a_model_that_fits(panel, state, tmp_path):
    manifest = fake_bundle(tmp_path)
    kept = ScaleBits((np.ones((1, 1, 8), np.uint8),))
    for given, left in ((kept, kept), (ScaleBits((np.ones((1, 1, 9), np.uint8),)), None)):
        panel._manifest = None
        state.set_engine(EngineStatus("loading"))
        state.update_values(kept=given)
        state.set_engine(EngineStatus("loading", manifest=manifest))
        assert state.values.kept == left


def test_at_first_sections_are_folded_and_say_their_values(panel, bundle, state):
    state.set_values(PanelValues(prompt_strength=2.5, subject_strength=4.0))
    summaries = {name: panel.sheet.sections[name].header.summary for name in ("strengths", "shape", "seed")}
    assert summaries == {"strengths": "2.5 and 4.0", "shape": "square, 1 picture", "seed": "new each time"}
    state.update_values(size=(72, 48), count=3, seed=5, seed_locked=True)
    assert panel.sheet.sections["shape"].header.summary == "landscape 3:2, 3 pictures"
    assert panel.sheet.sections["seed"].header.summary == "5"


def test_tab_goes_from_the_line_of_a_section_to_its_fields(panel, qtbot):
    """They are built after everything else of the panel."""
    sheet = panel.sheet
    panel.set_open_sections(dict.fromkeys(("strengths", "shape", "seed", "more"), True))
    lines = {name: section.header for name, section in sheet.sections.items()}
    order = [
        *(lines["strengths"], sheet.prompt_strength.edit, sheet.prompt_strength.slider),
        *(sheet.subject_strength.edit, sheet.subject_strength.slider, sheet.apart),
        *(lines["shape"], sheet.shape, sheet.count),
        *(lines["seed"], sheet.seed.dice, sheet.seed.lock, sheet.seed.spin),
        *(lines["more"], sheet.temperature.edit, sheet.temperature.slider, sheet.top_p.edit, sheet.top_p.slider),
        *(sheet.fold_button, sheet.list_button),
    ]
    order[0].setFocus(Qt.FocusReason.TabFocusReason)
    reached = [QApplication.focusWidget()]
    while reached[-1] is not order[-1] and len(reached) < len(order):
        qtbot.keyClick(reached[-1], Qt.Key.Key_Tab)
        reached.append(QApplication.focusWidget())
    for expected, there in zip(order, reached, strict=True):
        assert there is expected or expected.isAncestorOf(there)


def test_what_is_open_is_remembered_and_can_be_folded_again(panel, qtbot):
    with qtbot.waitSignal(panel.sheet.sectionsChanged):
        panel.sheet.sections["strengths"].header.click()
    assert panel.sheet.prompt_strength.isVisibleTo(panel)
    assert panel.sheet.sections["strengths"].header.isVisibleTo(panel), "it folds where it unfolded"
    assert panel.sheet.open_sections()["strengths"]
    panel.sheet.fold()
    assert not panel.sheet.prompt_strength.isVisibleTo(panel)
    panel.sheet.set_open_sections({"seed": True, "unknown": True})
    assert panel.sheet.seed.isVisibleTo(panel)


def test_low_windows_move_the_seed_into_more(panel):
    panel.sheet.set_open_sections({"seed": True})
    panel.sheet.set_low(True)
    assert not panel.sheet.seed.isVisibleTo(panel)
    panel.sheet.set_open_sections({"more": True})
    assert panel.sheet.seed.isVisibleTo(panel)
    assert not panel.sheet.count.isVisibleTo(panel)
    panel.sheet.set_open_sections({"shape": True})
    assert panel.sheet.count.isVisibleTo(panel), "shape and count, as its title says"
    panel.sheet.set_low(False)
    assert panel.sheet.count.isVisibleTo(panel)
    panel.sheet.set_open_sections({"more": False})
    assert panel.sheet.seed.isVisibleTo(panel)


@pytest.mark.parametrize(("width", "scale"), [(288, 1.0), (320, 1.0), (288, 1.5), (320, 1.5)])
def test_nothing_sticks_out_of_a_narrow_panel(panel, bundle, state, qtbot, request, width, scale):
    request.addfinalizer(lambda: set_text_scale(1.0))
    set_text_scale(scale)
    panel.sheet.set_low(width == 288)
    panel.resize(width, 420)
    panel.sheet.set_open_sections(dict.fromkeys(panel.sheet.sections, True))
    state.update_values(prompt="near the pagoda " * 20, seed=4294967295)
    panel.sheet.apart.click()
    qtbot.wait(20)
    area = panel.sheet.area
    assert area.widget().width() <= area.viewport().width()
    bar = area.verticalScrollBar()
    assert bar.maximum() > 0
    right = width - bar.width()
    for child in (
        panel.sheet.prompt,
        panel.sheet.shape,
        panel.sheet.seed,
        panel.sheet.prompt_strength,
        panel.sheet.negative,
    ):
        assert child.mapTo(panel, QPoint(child.width(), 0)).x() <= right + 1


def test_four_ideas_need_what_generate_needs(panel, bundle, state, qtbot):
    assert not panel.sheet.ideas_button.isEnabled()
    with_subject(state)
    state.update_values(prompt="a robot")
    with qtbot.waitSignal(panel.ideasRequested):
        qtbot.mouseClick(panel.sheet.ideas_button, Qt.MouseButton.LeftButton)
    state.set_jobs(Jobs(drawing=1))
    assert not panel.sheet.ideas_button.isEnabled()


def test_the_banner_stands_under_the_prompt(panel, qtbot):
    banner = QLabel("fault")
    panel.sheet.set_banner(banner)
    qtbot.wait(10)
    assert panel.sheet.prompt.geometry().bottom() < banner.geometry().top() < panel.sheet.avoid.geometry().top()


def test_both_themes_paint_the_panel(look, panel, bundle, state, qtbot):
    from app.look.theme import theme

    image = panel.grab().toImage()
    assert image.pixelColor(4, 300) == theme().color("surface")
    middle = panel.sheet.generate.mapTo(panel, panel.sheet.generate.rect().center())
    at = image.devicePixelRatio()
    disabled = image.pixelColor(round((middle.x() - 120) * at), round(middle.y() * at))
    with_subject(state)
    state.update_values(prompt="a robot")
    ready = panel.grab().toImage().pixelColor(round((middle.x() - 120) * at), round(middle.y() * at))
    assert disabled == theme().color("surface-hover")
    assert ready == theme().color("accent")


def test_undo_of_a_scene_brings_the_words_back(panel, bundle, state, qtbot):
    state.update_values(prompt="a robot on the beach")
    chip = next(chip for chip in panel.sheet.chips.chips() if chip.text() == "in the snow")
    qtbot.mouseClick(chip, Qt.MouseButton.LeftButton)
    assert state.values.prompt == "a robot in the snow"
    cursor = QTextCursor(panel.sheet.prompt.document())
    assert cursor.document().isUndoAvailable()
    panel.sheet.prompt.undo()
    assert state.values.prompt == "a robot on the beach"


def test_a_session_that_comes_back_leaves_the_focus_in_the_prompt(panel, qtbot):
    panel.focus_prompt()
    qtbot.waitUntil(panel.sheet.prompt.hasFocus)
    panel.sheet.set_open_sections(dict.fromkeys(panel.sheet.sections, True))
    assert panel.sheet.prompt.hasFocus()
    panel.sheet.fold()
    panel.sheet.sections["strengths"].header.setFocus()
    panel.sheet.sections["strengths"].header.click()
    assert panel.sheet.sections["strengths"].isAncestorOf(QApplication.focusWidget())


def test_the_longest_seed_can_be_read(panel, state, qtbot):
    panel.sheet.set_open_sections({"seed": True})
    state.update_values(seed=4294967295)
    qtbot.wait(10)
    spin = panel.sheet.seed.spin
    assert spin.fontMetrics().horizontalAdvance("4294967295") <= spin.lineEdit().width()


def test_a_section_opened_with_the_mouse_shows_no_ring_of_the_keyboard(panel, bundle, qtbot):
    section = panel.sheet.sections["strengths"]
    panel.sheet.prompt.setFocus(Qt.FocusReason.TabFocusReason)
    for by_key in (False, True):
        section.set_open(False)
        if by_key:
            section.header.setFocus(Qt.FocusReason.TabFocusReason)
            qtbot.keyClick(section.header, Qt.Key.Key_Space)
        else:
            qtbot.mouseClick(section.header, Qt.MouseButton.LeftButton)
        focused = QApplication.focusWidget()
        assert focused is not None and section.content.isAncestorOf(focused), "its first field has the focus"
        assert focus.is_visible(focused) is by_key
