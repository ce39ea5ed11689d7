"""The editor as a person uses it, from opening a photo to "Use this cut-out"."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from app.editor.editor import MaskEditorView
from app.editor.step_names import LABELS
from app.language import languages
from app.look.key_cap import KeyCap
from app.mask.candidates import candidate_name
from app.mask.strokes import Edge
from app.session.state import SessionState
from app.session.subjects import Subjects
from engine.process.cutout_client import LOST
from tests.app.mask.fakes import FakeSegmenter, area, disc

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def rig(qtbot, photo):
    """A photo on the shelf and the editor open on it."""
    state, segmenter = SessionState(), FakeSegmenter()
    subjects = Subjects(state, lambda: segmenter)
    editor = MaskEditorView(state, subjects)
    qtbot.addWidget(editor)
    editor.resize(1300, 800)
    state.add_subject(photo=photo, name="thing", title="test.png")
    qtbot.waitUntil(lambda: state.subject.cut_out is not None)
    editor.show()
    qtbot.waitExposed(editor)
    editor.begin()
    editor.activateWindow()
    qtbot.waitUntil(editor.canvas.hasFocus)
    yield SimpleNamespace(state=state, segmenter=segmenter, subjects=subjects, editor=editor)
    segmenter.gate.set()
    subjects.close()


def document(rig):
    return rig.editor._session.document


def stroke(rig, *points):
    canvas = rig.editor.canvas
    places = [canvas.viewport.to_widget(*point).toPoint() for point in points]
    QTest.mousePress(canvas, LEFT, NONE, places[0])
    for place in places[1:]:
        QTest.mouseMove(canvas, place)
    QTest.mouseRelease(canvas, LEFT, NONE, places[-1])


def key(rig, key, modifiers=NONE):
    QTest.keyClick(rig.editor.canvas, key, modifiers)


def test_using_the_cut_out_hands_it_back_as_one_step(qtbot, rig):
    editor, state = rig.editor, rig.state
    editor.canvas.tools.set_tool("brush")
    stroke(rig, (50, 50), (120, 60))
    stroke(rig, (50, 300), (120, 320))
    before = state.subject.mask
    with qtbot.waitSignal(editor.accepted):
        QTest.mouseClick(editor.inspector.use, LEFT)
    qtbot.waitUntil(lambda: state.subject.mask is not before)
    assert state.subject.mask[50, 60] == 255 and state.subject.mask[310, 80] == 255
    assert rig.subjects.session.document.undo_label == "Edit cut-out"
    rig.subjects.session.undo()
    qtbot.waitUntil(lambda: np.array_equal(state.subject.mask, disc()))


def test_discarding_forgets_everything(qtbot, rig):
    editor = rig.editor
    editor.canvas.tools.set_tool("brush")
    stroke(rig, (50, 50), (120, 60))
    with qtbot.waitSignal(editor.left):
        QTest.mouseClick(editor.inspector.discard, LEFT)
    assert np.array_equal(rig.subjects.session.document.mask, disc())
    assert not rig.subjects.session.document.undo_label


def test_clicks_and_edge_are_still_there_when_the_editor_opens_again(qtbot, rig):
    editor = rig.editor
    editor.canvas.tools.set_tool("select")
    stroke(rig, (80, 80))
    qtbot.waitUntil(lambda: not editor._session.asking)
    document(rig).set_edge(Edge(3, 1))
    editor.use()
    editor.begin()
    assert len(document(rig).marks.clicks) == 1 and document(rig).marks.edge == Edge(3, 1)
    assert editor.inspector.grow.value() == 3


def test_keys_take_tools_and_do_things(qtbot, rig):
    editor = rig.editor
    canvas = editor.canvas
    for press, tool in (("B", "brush"), ("E", "eraser"), ("S", "select"), ("L", "lasso"), ("R", "box"), ("H", "hand")):
        key(rig, getattr(Qt.Key, f"Key_{press}"))
        assert canvas.tools.tool() == tool
        assert [name for name, button in editor.rail.tools.items() if button.isChecked()] == [tool]
    key(rig, Qt.Key.Key_B)
    key(rig, Qt.Key.Key_X)
    assert canvas.tools.tool() == "eraser"
    size = canvas.tools.brush_size()
    key(rig, Qt.Key.Key_BracketRight)
    assert canvas.tools.brush_size() > size
    key(rig, Qt.Key.Key_BracketLeft)
    assert canvas.tools.brush_size() == pytest.approx(size, abs=1)
    key(rig, Qt.Key.Key_O)
    assert canvas.overlay() == "outline" == editor.options.overlay.value()
    key(rig, Qt.Key.Key_I)
    assert np.array_equal(document(rig).mask, 255 - disc())


def test_undo_and_redo_by_button_and_by_method(rig):
    editor = rig.editor
    assert not editor.rail.acts["undo"].isEnabled()
    editor.canvas.tools.set_tool("brush")
    stroke(rig, (50, 50), (120, 60))
    assert "Paint" in editor.rail.acts["undo"].toolTip()
    QTest.mouseClick(editor.rail.acts["undo"], LEFT)
    assert np.array_equal(document(rig).mask, disc())
    assert editor.rail.acts["redo"].isEnabled()
    editor.redo()
    assert document(rig).mask[50, 60] == 255


def test_enter_after_a_click_on_a_tool_uses_the_cut_out_and_does_not_press_the_tool_again(qtbot, rig):
    editor = rig.editor
    for button in (editor.rail.tools["brush"], editor.rail.acts["invert"]):
        QTest.mouseClick(button, LEFT)
    assert QApplication.focusWidget() is editor.canvas and np.array_equal(document(rig).mask, 255 - disc())
    with qtbot.waitSignal(editor.accepted):
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)


def test_enter_uses_the_cut_out_but_not_from_a_number_field(qtbot, rig):
    editor = rig.editor
    field = editor.inspector.grow
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "4")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert document(rig).marks.edge.grow == 4
    assert editor._session is not None
    with qtbot.waitSignal(editor.accepted):
        editor.canvas.setFocus()
        key(rig, Qt.Key.Key_Return)


def test_enter_uses_the_cut_out_after_a_click_on_a_tool_or_on_what_was_found(qtbot, rig):
    editor = rig.editor
    for button in (
        editor.rail.acts["invert"],
        editor.inspector.found.button(1),
        editor.options.overlay.button("outline"),
    ):
        QTest.mouseClick(button, LEFT)
        assert editor.canvas.hasFocus(), "the keys of the canvas are those that the editor names"
    editor.inspector.found.button(0).setFocus(Qt.FocusReason.TabFocusReason)
    assert editor.inspector.found.button(0).hasFocus(), "Tab reaches all of them"
    editor.canvas.setFocus()
    with qtbot.waitSignal(editor.accepted):
        key(rig, Qt.Key.Key_Return)


def test_escape_leaves(qtbot, rig):
    with qtbot.waitSignal(rig.editor.left):
        key(rig, Qt.Key.Key_Escape)


def test_grow_and_feather_preview_live_and_undo_together(qtbot, rig):
    inspector = rig.editor.inspector
    inspector.grow.setValue(5)
    inspector.grow.setValue(9)
    inspector.feather.setValue(2)
    assert area(document(rig).mask) > area(disc())
    rig.editor.undo()
    assert np.array_equal(document(rig).mask, disc())
    qtbot.waitUntil(lambda: inspector.grow.value() == 0)


def test_two_parts_are_said_and_the_largest_can_be_kept(qtbot, rig):
    inspector = rig.editor.inspector
    rig.editor.canvas.tools.set_tool("brush")
    stroke(rig, (60, 60), (100, 60))
    qtbot.waitUntil(inspector.message.isVisible)
    assert inspector.message.text.text() == "The cut-out has two parts."
    QTest.mouseClick(inspector.message.largest, LEFT)
    assert np.array_equal(document(rig).mask, disc())
    qtbot.waitUntil(lambda: not inspector.message.isVisible())


def test_keeping_both_parts_is_not_asked_again(qtbot, rig):
    inspector = rig.editor.inspector
    rig.editor.canvas.tools.set_tool("brush")
    stroke(rig, (60, 60), (100, 60))
    qtbot.waitUntil(inspector.message.isVisible)
    QTest.mouseClick(inspector.message.both, LEFT)
    stroke(rig, (300, 200), (310, 200))
    qtbot.waitUntil(lambda: not inspector._refresh.isActive())  # the mask was looked at anew
    assert not inspector.message.isVisible()


def test_an_empty_or_full_mask_is_said_and_cannot_be_used(qtbot, rig):
    inspector = rig.editor.inspector
    document(rig).replace(np.zeros_like(disc()), "Open a mask")
    qtbot.waitUntil(lambda: not inspector.use.isEnabled())
    assert inspector.message.text.text() == "The cut-out is empty. Draw a box around the subject, or click it."
    document(rig).invert()
    qtbot.waitUntil(lambda: "whole photo" in inspector.message.text.text())
    rig.editor.use()
    assert rig.editor._session is not None


def test_the_preview_follows_within_the_gap(qtbot, rig):
    inspector = rig.editor.inspector
    before = inspector.preview.grab().toImage()
    rig.editor.canvas.tools.set_tool("eraser")
    canvas = rig.editor.canvas
    QTest.mousePress(canvas, LEFT, NONE, canvas.viewport.to_widget(260, 200).toPoint())
    qtbot.waitUntil(lambda: inspector.preview.grab().toImage() != before)  # while the stroke goes on
    assert document(rig).painting
    QTest.mouseRelease(canvas, LEFT, NONE, canvas.viewport.to_widget(260, 200).toPoint())


def test_a_failure_is_said_in_the_inspector(qtbot, rig):
    rig.segmenter.fail = True
    rig.editor.canvas.tools.set_tool("select")
    stroke(rig, (80, 80))
    qtbot.waitUntil(rig.editor.inspector.message.isVisible)
    assert "Nothing found" in rig.editor.inspector.message.text.text()


def test_candidates_are_offered_and_chosen(qtbot, rig):
    inspector = rig.editor.inspector
    assert inspector.found.isVisible() and len(inspector.found.values()) == 2
    labels = [inspector.found.button(index).text() for index in range(2)]
    assert labels[1] == candidate_name(rig.editor._session.proposal, 1)
    assert not any("%" in words for words in labels), "how sure the search is does not say which one is meant"
    QTest.mouseClick(inspector.found.button(1), LEFT)
    qtbot.waitUntil(lambda: not rig.editor._session.asking)
    assert area(document(rig).mask) == 100 * 70
    assert len(inspector.found.values()) == 2 and inspector.found.value() == 1


def test_candidates_without_a_name_are_numbered_in_the_language_of_now(qtbot, rig):
    inspector, session = rig.editor.inspector, rig.editor._session
    nameless = tuple(replace(box, label="") for box in session.proposal.boxes)
    session.proposal = replace(session.proposal, name="", boxes=nameless)
    session.proposed.emit(session.proposal)
    assert inspector.found.button(1).text() == "Thing 2"
    try:
        languages.install("zh_CN")
        QApplication.sendPostedEvents()
        assert inspector.found.button(1).text() == candidate_name(session.proposal, 1) != "Thing 2"
    finally:
        languages.install("en")


def test_more_fills_holes_and_starts_over(rig):
    base = disc()
    base[190:210, 290:310] = 0
    document(rig).replace(base, "Open a mask")
    rig.editor.inspector.fill_holes.click()
    assert np.array_equal(document(rig).mask, disc())
    stroke_before = area(document(rig).mask)
    rig.editor.canvas.tools.set_tool("brush")
    stroke(rig, (50, 50), (120, 60))
    assert area(document(rig).mask) > stroke_before
    rig.editor.inspector.reset.click()
    assert np.array_equal(document(rig).mask, disc())


def test_masks_go_out_and_come_back_as_files(qtbot, rig, tmp_path):
    editor = rig.editor
    file = tmp_path / "mask.png"
    document(rig).set_edge(Edge(3, 0))
    editor.write_mask_to(file)
    qtbot.waitUntil(file.exists)
    grown = document(rig).mask.copy()
    qtbot.waitUntil(lambda: np.array_equal(np.array(Image.open(file)), grown))
    editor._session.reset()
    editor.read_mask_from(file)
    qtbot.waitUntil(lambda: np.array_equal(document(rig).mask, grown))
    editor.undo()
    assert np.array_equal(document(rig).mask, disc())


def test_a_mask_of_another_photo_is_refused_in_words(qtbot, rig, tmp_path):
    Image.new("L", (20, 20), 255).save(tmp_path / "other.png")
    rig.editor.read_mask_from(tmp_path / "other.png")
    qtbot.waitUntil(rig.editor.inspector.message.isVisible)
    assert "20 × 20" in rig.editor.inspector.message.text.text()


def test_tool_and_brush_are_remembered(qtbot, rig):
    rig.editor.canvas.tools.set_tool("eraser")
    rig.editor.canvas.tools.set_brush_size(77)
    rig.editor.options.overlay.setValue("outline")
    rig.editor.discard()
    again = MaskEditorView(rig.state, rig.subjects)
    qtbot.addWidget(again)
    assert (again.canvas.tools.tool(), again.canvas.tools.brush_size(), again.canvas.overlay()) == (
        "eraser",
        77,
        "outline",
    )


def test_sliders_and_canvas_show_the_same_size(rig):
    options, canvas = rig.editor.options, rig.editor.canvas
    canvas.tools.set_tool("brush")
    options.size_slider.setValue(120)
    assert canvas.tools.brush_size() == pytest.approx((120 / 200) ** 3 * 1000, abs=2)
    canvas.tools.set_brush_size(300)
    assert options.size_value.text() == "300\u00a0px"
    options.hardness_slider.setValue(25)
    assert canvas.tools.hardness() == 0.25


def test_every_step_has_a_name_for_the_translators(rig):
    import re
    from pathlib import Path

    root = Path(__file__).parents[3]
    used = set()
    for file in ("app/mask/document.py", "app/mask/mask_session.py", "app/editor/editor.py", "app/session/subjects.py"):
        text = (root / file).read_text(encoding="utf-8")
        used |= set(re.findall(r'(?:_commit\(|Step\(|replace\([^()]*?(?:\([^()]*\))?[^()]*?, )"([A-Z][a-z -]+)"', text))
    assert used and used <= set(LABELS)


def test_every_control_has_a_name(rig):
    from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QAbstractSpinBox

    for kind in (QAbstractButton, QAbstractSlider, QAbstractSpinBox):
        for widget in rig.editor.findChildren(kind):
            if widget.isVisible() and not widget.objectName().startswith("qt_"):
                assert widget.accessibleName() or getattr(widget, "text", str)(), widget


def test_the_zoom_is_shown(rig):
    rig.editor.canvas.viewport.zoom_actual()
    assert rig.editor.hints.zoom.text() == "100\u00a0%"
    assert rig.editor.hints.zoom.accessibleName() == "Zoom, 100\u00a0%", "a name hides the text of a label"
    assert rig.editor.canvas.viewport.to_photo(QPointF(0, 0)) is not None


def test_sentences_about_an_answer_are_said_until_the_mask_changes(qtbot, rig):
    editor = rig.editor
    editor.canvas.tools.set_tool("select")
    message = editor.inspector.message.text
    rig.segmenter.notes = [LOST]
    stroke(rig, (80, 80))
    qtbot.waitUntil(lambda: message.text() == LOST)
    editor.inspector.refresh()
    assert editor.inspector.message.isVisible() and message.text() == LOST
    languages.install("zh_CN")
    try:
        QApplication.processEvents()
        assert message.text().startswith("抠图用的网络")
    finally:
        languages.install("en")
    QApplication.processEvents()
    assert message.text() == LOST
    rig.segmenter.notes = []
    stroke(rig, (80, 80))
    qtbot.waitUntil(lambda: message.text() != LOST)


def test_discarding_by_a_slip_can_be_taken_back(qtbot, rig):
    editor = rig.editor
    editor.canvas.tools.set_tool("brush")
    stroke(rig, (50, 50), (120, 60))
    document(rig).set_edge(Edge(3, 1))
    changed = document(rig).mask.copy()
    with qtbot.waitSignal(editor.discarded):
        key(rig, Qt.Key.Key_Escape)
    assert np.array_equal(rig.subjects.session.document.mask, disc())
    editor.begin()
    editor.bring_back()
    assert np.array_equal(document(rig).mask, changed) and document(rig).marks.edge == Edge(3, 1)
    editor.undo()
    assert np.array_equal(document(rig).mask, disc())
    editor.redo()
    editor.use()
    assert np.array_equal(rig.subjects.session.document.mask, changed)


def test_leaving_without_changes_offers_nothing(qtbot, rig):
    with qtbot.assertNotEmitted(rig.editor.discarded):
        key(rig, Qt.Key.Key_Escape)
    rig.editor.begin()
    rig.editor.bring_back()
    assert np.array_equal(document(rig).mask, disc()) and not document(rig).undo_label


def test_escape_in_a_number_leaves_the_field_not_the_editor(qtbot, rig):
    field = rig.editor.inspector.grow
    field.setFocus()
    QTest.keyClicks(field, "7")
    with qtbot.assertNotEmitted(rig.editor.left):
        QTest.keyClick(field, Qt.Key.Key_Escape)
    assert rig.editor.canvas.hasFocus() and rig.editor._session is not None


def hints(rig):
    widgets = rig.editor.hints._hints.findChildren(QWidget)
    return " ".join(one.accessibleName() or one.text() for one in widgets if isinstance(one, (QLabel, KeyCap)))


def test_the_hints_are_about_the_keys_while_the_cross_hair_is_there(qtbot, rig):
    editor = rig.editor
    key(rig, Qt.Key.Key_S)
    assert "Shift-click what does not" in hints(rig) and editor.inspector.use.hint() == "Enter"
    key(rig, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: "Shift-click" not in hints(rig))
    assert "Enter belongs Shift+Enter does not Esc put away" in hints(rig)
    assert editor.inspector.use.hint() == ""  # Enter is not what the button says now
    key(rig, Qt.Key.Key_L)
    qtbot.waitUntil(lambda: "begin to take away" in hints(rig))
    key(rig, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: "Draw around what belongs." in hints(rig))
    assert editor._session is not None


def test_opening_the_editor_prepares_the_photo_for_the_first_click(qtbot, rig, photo):
    qtbot.waitUntil(lambda: rig.segmenter.prepared == [photo.digest])
    rig.segmenter.notes = ["The networks ended."]
    rig.editor.begin()
    qtbot.waitUntil(lambda: rig.editor.inspector.message.text.text() == "The networks ended.")


def test_no_hint_is_cut_off_in_a_narrow_window(qtbot, rig):
    editor = rig.editor
    key(rig, Qt.Key.Key_B)
    for width in (1300, 980, 760):
        editor.resize(width, 800)
        qtbot.wait(10)
        shown = [group for group in editor.hints._groups if group.isVisible()]
        assert shown and all(group.width() >= group.sizeHint().width() for group in shown)
        assert shown[-1].geometry().right() <= editor.hints._hints.width()


def test_tab_reaches_everything_in_the_order_it_is_seen(qtbot, rig):
    editor = rig.editor
    key(rig, Qt.Key.Key_B)
    widget, reached = editor.canvas, []
    while widget not in reached and len(reached) < 60:
        reached.append(widget)
        QTest.keyClick(widget, Qt.Key.Key_Tab)
        widget = QApplication.focusWidget()
    assert widget is editor.canvas
    inspector, options = editor.inspector, editor.options
    wanted = [inspector.grow, inspector.feather, inspector.found.button(0), inspector.more.header, inspector.use]
    wanted += [inspector.discard, editor.rail.tools["select"], editor.rail.tools["hand"], options.size_slider]
    wanted += [options.hardness_slider, options.overlay.button("tint")]
    places = [reached.index(one) for one in wanted]
    assert places == sorted(places)
    assert all(one.accessibleName() or one.text() for one in reached)  # and a screen reader can say where one is
