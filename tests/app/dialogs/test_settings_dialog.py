"""The settings: what is chosen acts at once, and what changes elsewhere is seen."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication

from app.dialogs.settings_dialog import PAGES, SettingsDialog
from app.language import languages
from app.look.theme import notifier
from app.session.state import SessionState
from app.shortcuts import TABLE, as_written, keymap, sequence


@pytest.fixture
def state(qapp) -> SessionState:
    state = SessionState()
    state.update_settings(theme="light", language="en")
    return state


@pytest.fixture
def dialog(qtbot, state, window, tmp_path):
    dialog = SettingsDialog(state, [], tmp_path / "Pictures", window, "appearance")
    dialog.open()
    yield dialog
    dialog.close()
    languages.install("en")


def test_an_open_dialog_follows_what_changes_elsewhere(dialog, state):
    told: list[str] = []
    state.settingsChanged.connect(lambda: told.append(state.settings.theme))
    state.update_settings(
        theme="dark", text_scale=1.3, motion="full", memory="low", previews=False, framing="reference"
    )
    assert dialog.theme.value() == "dark"
    assert dialog.text_size.value() == 1.3
    assert dialog.motion.value() == "full"
    assert dialog.memory.currentData() == "low"
    assert dialog.framing.value() == "reference"
    assert not dialog.previews.isChecked()
    assert told == ["dark"]  # following is no choice of the user


def test_an_open_dialog_is_painted_in_the_new_theme(dialog):
    def paper() -> tuple[int, ...]:
        return dialog.grab().toImage().pixelColor(dialog.width() // 2, dialog.height() - 60).getRgb()

    light = paper()
    notifier.set_choice("dark")
    assert sum(paper()[:3]) < sum(light[:3]) - 300


def test_a_choice_is_taken_over_at_once(dialog, state, qtbot):
    qtbot.mouseClick(dialog.theme.button("dark"), Qt.MouseButton.LeftButton)
    assert state.settings.theme == "dark"


def test_another_language_keeps_the_page_and_the_choices(dialog, state, qtbot):
    state.update_settings(theme="dark", pictures=str(Path("/somewhere")))
    languages.install("zh_CN")
    qtbot.waitUntil(lambda: dialog.windowTitle() == "设置")
    assert dialog.pages.currentIndex() == 2
    assert dialog.theme.value() == "dark"
    assert dialog.folder.text().endswith("Pictures")
    qtbot.mouseClick(dialog.theme.button("light"), Qt.MouseButton.LeftButton)
    assert state.settings.theme == "light"


def test_choosing_a_language_keeps_the_keyboard_in_the_list(dialog, state, qtbot):
    state.settingsChanged.connect(lambda: languages.install(state.settings.language))
    qtbot.waitActive(dialog)
    before = dialog.language
    before.setFocus()
    qtbot.keyClick(before, Qt.Key.Key_End)
    assert state.settings.language == "zh_CN"
    qtbot.waitUntil(lambda: dialog.language is not before and dialog.focusWidget() is dialog.language)
    qtbot.keyClick(dialog.language, Qt.Key.Key_Up)
    assert state.settings.language == "en"


def turn_to_keys(qtbot, dialog) -> None:
    dialog._group.button(PAGES.index("keys")).click()
    qtbot.waitUntil(lambda: dialog._keys.widget().building.done)


def test_keys_are_written_as_everywhere_else(dialog, qtbot):
    assert not dialog.key_rows, "a hundred fields that nobody looks at make the dialog slow"
    dialog._group.button(PAGES.index("keys")).click()
    changeable = [line.id for line in TABLE if not line.gesture]
    assert 0 < len(dialog.key_rows) < len(changeable) / 3, "no more at once than is seen"
    first = dict(dialog.key_rows)
    QApplication.processEvents()
    places = [(row.y(), row.height()) for row in first.values()]
    qtbot.waitUntil(lambda: dialog._keys.widget().building.done)
    QApplication.processEvents()
    assert list(dialog.key_rows) == changeable and [(row.y(), row.height()) for row in first.values()] == places
    for action, row in dialog.key_rows.items():
        keys = keymap.keys(action)
        assert row.edit.text() == (as_written(sequence(keys[0])) if keys else "none")
    assert dialog.key_rows["generate"].edit.text() == "Ctrl+Enter"
    further = {action: row.further.text() for action, row in dialog.key_rows.items() if row.further.text()}
    assert further["cancel"] == "also Esc" and further["redo"] == "also Ctrl+Y"
    assert "generate" not in further, "the two Enter keys are one"
    dialog.key_rows["vary"].edit.setKeySequence("Ctrl+Shift+Return")
    assert dialog.key_rows["vary"].edit.text() == "Ctrl+Shift+Enter"


def test_escape_gives_back_a_key_and_leaves_and_is_never_one_itself(dialog, qtbot):
    turn_to_keys(qtbot, dialog)
    row = dialog.key_rows["copy"]
    before = keymap.keys("copy")
    row.edit.setFocus()
    try:
        qtbot.keyClick(row.edit, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
        assert row.edit.text() == "Ctrl+S" and row.conflict.text() == "Also used by “Save as”"
        qtbot.keyClick(row.edit, Qt.Key.Key_Escape)
        assert row.edit.text() == "Ctrl+C" and not row.conflict.text() and dialog.isVisible()
        again = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier)
        row.edit.keyPressEvent(again)
        assert not again.isAccepted(), "the dialog hears it, and closes"
        assert row.edit.text() == "Ctrl+C" and keymap.keys("copy") == before
    finally:
        keymap.reset()


def test_a_key_that_is_taken_from_another_action_leaves_the_caret_in_its_field(dialog, qtbot):
    turn_to_keys(qtbot, dialog)
    row = dialog.key_rows["copy"]
    row.edit.setFocus()
    try:
        qtbot.keyClick(row.edit, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
        row.take_button.setFocus()
        row.take_button.click()
        assert keymap.keys("copy")[0] == "Ctrl+S" and not row.take_button.isVisible()
        assert row.edit.hasFocus(), "the next key would be given to the action below"
        row.reset_button.setFocus()
        row.reset_button.click()
        assert keymap.keys("copy")[0] == "Ctrl+C" and not row.reset_button.isEnabled()
        assert row.edit.hasFocus()
    finally:
        keymap.reset()


def test_in_another_language_everything_is_there_before_it_is_painted(dialog):
    QApplication.processEvents()
    before = dialog.pages
    place = before.geometry()
    dialog._rebuild()  # paints nothing by itself; the next turn of the event loop does
    assert dialog.pages is not before and dialog.pages.isVisible() and dialog.pages.geometry() == place
