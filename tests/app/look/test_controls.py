"""The controls: what they hold, how keys move them, and the traps of style sheets."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from app.look import controls, focus, icons, stylesheet
from app.look import type as type_
from app.look.controls import (
    CheckBox,
    Disclosure,
    IconButton,
    LabelledSlider,
    NumberField,
    OutlinedButton,
    PrimaryButton,
    SearchField,
    Segmented,
    label,
)
from app.look.glyphs import Glyph
from app.look.theme import duration, notifier, parse_color, theme, tokens
from app.resources import resource


@pytest.fixture(autouse=True)
def look(qapp):
    stylesheet.install(qapp)
    yield
    notifier.set_choice("light")
    notifier.set_motion("system")
    type_.set_text_scale(1.0)
    qapp.setStyleSheet("")


@pytest.fixture
def page(qtbot):
    widget = QWidget()
    qtbot.addWidget(widget)
    QVBoxLayout(widget)
    widget.resize(400, 300)

    def add(*children: QWidget) -> None:
        for child in children:
            widget.layout().addWidget(child)
        with qtbot.waitActive(widget):
            widget.show()
            widget.activateWindow()

    widget.add = add
    return widget


def test_every_colour_of_both_themes_can_be_read():
    for name in ("light", "dark"):
        for value in tokens()["color"][name].values():
            assert parse_color(value).isValid()
    assert parse_color("rgba(8, 9, 10, 0.5)").alpha() in (127, 128)
    with pytest.raises(ValueError):
        parse_color("no colour")


def test_the_theme_changes_at_once_and_tells_it(qtbot):
    notifier.set_choice("light")
    with qtbot.waitSignal(notifier.changed):
        notifier.set_choice("dark")
    assert theme().name == "dark" and theme().color("text") == QColor("#ECEEF0")
    assert "#1b1c1f" in QApplication.instance().styleSheet().lower()


def test_reduced_motion_ends_movements_but_not_how_long_a_message_stays():
    notifier.set_motion("reduced")
    assert duration("cross-fade") == 0 and duration("toast") == 4000
    notifier.set_motion("full")
    assert duration("cross-fade") == 160


def test_every_icon_renders_in_its_colour():
    files = [file for file in resource("icons").glob("*.svg") if file.stem != "echogen"]
    assert len(files) > 50
    for file in files:
        image = icons.pixmap(file.stem, QColor("#ff0000"), 18).toImage()
        drawn = [image.pixelColor(x, y) for x in range(18) for y in range(18) if image.pixelColor(x, y).alpha() > 90]
        assert drawn and all(color.red() > 200 and color.green() < 60 for color in drawn), file.stem


def test_the_fonts_that_ship_are_used_and_follow_the_text_size(page):
    label = QLabel("text")
    type_.apply(label, "label")
    page.add(label)
    assert label.fontInfo().family().startswith("Inter")
    field, fixed = NumberField(0, 9), QWidget()
    type_.set_width(fixed, 100)
    page.add(field, fixed)
    type_.set_text_scale(1.5)
    inside = field.findChild(QLineEdit)
    assert label.font().pixelSize() == round(13 * 1.5)
    assert inside.font().pixelSize() == round(13 * 1.5) and fixed.width() == 150
    notifier.set_choice("dark")
    assert label.font().pixelSize() == inside.font().pixelSize() == round(13 * 1.5), "another theme keeps the size"
    type_.set_text_scale(1.0)
    assert inside.font().pixelSize() == 13 and fixed.width() == 100


def test_the_cross_of_a_search_has_the_colour_of_the_theme(page):
    notifier.set_choice("light")
    field = SearchField()
    page.add(field)
    for choice in ("light", "dark"):
        notifier.set_choice(choice)
        image = field.cross.icon().pixmap(18, 18).toImage()
        drawn = [image.pixelColor(x, y) for x in range(18) for y in range(18)]
        darkest = max(drawn, key=QColor.alpha)
        assert abs(darkest.lightness() - theme().color("text-muted").lightness()) < 20, choice


def test_a_number_field_shows_its_text_with_and_without_buttons(page):
    with_buttons, without = NumberField(0, 500, suffix=" px"), NumberField(0, 2**32 - 1, buttons=False)
    page.add(with_buttons, without)
    with_buttons.setValue(46)
    without.setValue(4182075555)
    for field, text in ((with_buttons, "46 px"), (without, "4182075555")):
        edit = field.findChild(QLineEdit)
        assert edit.text() == text
        assert edit.width() > field.fontMetrics().horizontalAdvance(text) and edit.height() > 14
        assert field.rect().contains(edit.geometry())
    assert without.value() == 4182075555


def test_the_field_inside_a_spin_box_has_no_border_of_its_own(page):
    field = NumberField()
    page.add(field)
    field.clear()
    image = field.grab().toImage()
    middle = image.height() // 2
    ratio = image.devicePixelRatio()
    borders = [theme().color(name) for name in ("outline", "focus")]
    hits = [x for x in range(image.width()) if any(_near(image.pixelColor(x, middle), border) for border in borders)]
    assert hits and all(x < 3 * ratio or x > image.width() - 28 * ratio for x in hits)


def _near(a: QColor, b: QColor) -> bool:
    return max(abs(a.red() - b.red()), abs(a.green() - b.green()), abs(a.blue() - b.blue())) < 12


def test_a_labelled_slider_rounds_keeps_its_range_and_resets(page, qtbot):
    slider = LabelledSlider("Follow the prompt", 0, 8, 0.1, 2.5)
    page.add(slider)
    with qtbot.waitSignal(slider.valueChanged) as caught:
        slider.setValue(3.14159)
    assert caught.args == [3.1] and slider.value() == 3.1
    slider.setValue(99)
    assert slider.value() == 8
    slider.edit.setText("4,2")
    slider.edit.editingFinished.emit()
    assert slider.value() == 4.2
    QTest.mouseDClick(slider.title, Qt.MouseButton.LeftButton)
    assert slider.value() == 2.5
    slider.slider.setFocus()
    QTest.keyClick(slider.slider, Qt.Key.Key_Right)
    assert slider.value() == 2.6


def test_the_wheel_changes_a_slider_only_with_the_focus(page):
    slider, other = LabelledSlider("A", 0, 8, 0.1, 2.5), QLineEdit()
    page.add(slider, other)
    other.setFocus()
    for focused in (False, True):
        if focused:
            slider.slider.setFocus()
        event = QWheelEvent(
            QPointF(20, 10),
            QPointF(slider.slider.mapToGlobal(QPoint(20, 10))),
            QPoint(),
            QPoint(0, 120),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(slider.slider, event)
        assert (slider.value() != 2.5) == focused


def test_a_choice_tells_its_value_and_moves_with_the_arrows(page, qtbot):
    choice = Segmented([("tint", "Tint"), ("outline", "Outline"), ("model", "Model view")], "Overlay")
    page.add(choice)
    with qtbot.waitSignal(choice.valueChanged) as caught:
        choice.setValue("model")
    assert caught.args == ["model"] and choice.value() == "model"
    choice.button("model").setFocus()
    QTest.keyClick(choice.button("model"), Qt.Key.Key_Left)
    assert choice.value() == "outline"
    assert choice.button("outline").accessibleName() == "Overlay, Outline"
    choice.setValue(None)
    QTest.keyClick(choice.button("model"), Qt.Key.Key_Return)
    assert choice.value() == "model", "as every button takes Enter"


def test_a_folded_section_opens_by_key_and_says_what_it_holds(page):
    section = Disclosure("Strengths", QLabel("content"))
    page.add(section)
    section.set_summary("2.5 and 2.5")
    assert not section.content.isVisible() and section.header.accessibleDescription() == "2.5 and 2.5"
    section.header.setFocus()
    QTest.keyClick(section.header, Qt.Key.Key_Space)
    assert section.is_open() and section.content.isVisible()
    QTest.keyClick(section.header, Qt.Key.Key_Return)
    assert not section.is_open()


def test_a_busy_button_keeps_its_width_and_takes_no_clicks(page):
    button = OutlinedButton("Find", busy_text="Finding the subject…")
    page.add(button)
    clicks = []
    button.clicked.connect(lambda: clicks.append(1))
    width = button.sizeHint().width()
    button.set_busy(True)
    assert button.sizeHint().width() == width
    QTest.keyClick(button, Qt.Key.Key_Return)
    assert clicks == []
    button.set_busy(False)
    QTest.keyClick(button, Qt.Key.Key_Return)
    assert clicks == [1]


def test_the_focus_ring_shows_for_the_keyboard_only(page):
    first, second = PrimaryButton("One"), PrimaryButton("Two")
    page.add(first, second)
    first.setFocus(Qt.FocusReason.TabFocusReason)
    assert focus.is_visible(first)
    ring = _ring(page)
    assert ring.isVisible() and ring.geometry().contains(first.geometry())
    QTest.mouseClick(second, Qt.MouseButton.LeftButton)
    assert second.hasFocus() and not focus.is_visible(second) and not ring.isVisible()
    QTest.keyClick(second, Qt.Key.Key_Tab)
    assert focus.is_visible(first) and _ring(page).isVisible()
    QTest.mouseClick(second, Qt.MouseButton.LeftButton)
    second.setEnabled(False)
    assert first.hasFocus() and not focus.is_visible(first), "Qt handed it on, as if Tab had been pressed"


def test_what_a_mouse_opened_has_no_focus_ring_though_keys_were_used_before(page):
    opener, opened = IconButton("settings", "Settings"), PrimaryButton("First of a dialog")
    opener.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    page.add(opener, opened)
    opener.clicked.connect(lambda: opened.setFocus(Qt.FocusReason.OtherFocusReason))
    page.setFocus()
    QTest.keyClick(page, Qt.Key.Key_Tab)
    assert focus.is_visible(opener)
    opener.clearFocus()
    QTest.mouseClick(opener, Qt.MouseButton.LeftButton)
    assert opened.hasFocus() and not focus.is_visible(opened)
    QTest.keyClick(opened, Qt.Key.Key_Left)
    assert focus.is_visible(opened) or focus.is_visible(opener), "the first key shows where it is"


def _ring(window: QWidget) -> QWidget:
    return next(child for child in window.findChildren(QWidget) if type(child).__name__ == "_Ring")


def test_an_icon_button_has_a_name_and_its_key_in_the_tooltip(qtbot):
    button = IconButton("brush", "Brush", "B")
    qtbot.addWidget(button)
    assert button.accessibleName() == "Brush" and button.toolTip() == "Brush (B)"


def test_icons_beside_words_grow_with_the_words(page):
    glyph, tick = Glyph("lock", side=16, tile=40), CheckBox("Show")
    page.add(glyph, tick)
    before = tick.sizeHint().width()
    type_.set_text_scale(1.5)
    assert glyph.width() == glyph.height() == 60
    assert tick.sizeHint().width() > before * 1.2
    type_.set_text_scale(1.0)
    assert glyph.width() == 40


@pytest.mark.parametrize("height", [120, 900])
def test_what_is_unfolded_at_the_bottom_is_scrolled_to(qtbot, height):
    inner, content = QWidget(), QWidget()
    content.setFixedHeight(height)
    above = QWidget()
    above.setFixedHeight(500)
    section = Disclosure("Where models come from", content)
    column = QVBoxLayout(inner)
    column.addWidget(above)
    column.addWidget(section)
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setWidget(inner)
    area.resize(300, 300)
    qtbot.addWidget(area)
    area.show()
    bar = area.verticalScrollBar()
    section.set_open(True)  # as the last session had it: nobody asked to see it
    qtbot.wait(20)
    assert bar.value() == 0
    section.set_open(False)
    qtbot.waitUntil(lambda: section.header.visibleRegion().isEmpty())
    section.header.click()
    view = area.viewport()
    qtbot.waitUntil(lambda: bar.value() > 0)
    top = section.header.mapTo(view, QPoint()).y()
    assert top >= 0 and top + section.header.height() < view.height()
    shown = view.height() - content.mapTo(view, QPoint()).y()
    assert shown >= min(height, 200)


@pytest.mark.parametrize("hidden", [False, True])
def test_what_moves_to_another_place_keeps_the_text_size(page, hidden):
    first, second = QWidget(page), QWidget(page)
    moved = QWidget(first)
    row = QVBoxLayout(moved)
    words, button = label("Subject", "section"), OutlinedButton("Replace")
    row.addWidget(words)
    row.addWidget(button)
    page.show()
    first.setHidden(hidden)
    sizes = []
    for scale in (1.5, 1.0):
        type_.set_text_scale(scale)
        moved.setParent(second)
        moved.show()
        QApplication.processEvents()
        sizes.append((words.font().pixelSize(), button.font().pixelSize()))
        second, first = first, second
    small = type_.font("section").pixelSize(), type_.font("label").pixelSize()
    assert sizes == [tuple(round(size * 1.5) for size in small), small]


def test_the_icon_of_a_plain_button_stands_where_the_lines_of_its_column_begin(page):
    line, button = controls.label("Or is it one of these?"), controls.PlainButton("Better cut-outs…", "download")
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.addWidget(line)
    column.addLayout(controls.at_line_start(button))
    page.add(holder)
    page.grab()
    shot = button.grab().toImage()
    ground = shot.pixelColor(shot.width() - 2, shot.height() // 2)
    inked = (x for x in range(shot.width()) for y in range(shot.height()) if shot.pixelColor(x, y) != ground)
    first = next(inked) / shot.devicePixelRatio()
    assert abs(button.x() + first - line.x()) <= 3, "icons have a little air of their own"


def test_the_tooltip_of_a_line_that_is_cut_is_what_it_says_now(page):
    line = controls.ElidedLabel("35 of 31 tokens")
    line.setFixedWidth(40)
    page.add(line)
    for text in ("35 of 31 tokens", "36 of 31 tokens"):
        line.setText(text)
        line.grab()
        assert line.toolTip() == text
    line.setText("36")
    line.grab()
    assert line.toolTip() == ""
