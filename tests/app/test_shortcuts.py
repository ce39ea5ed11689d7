"""The table of keys: no two actions on one key where they meet, changes that are kept, keys that never act while typing."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from app.language import languages
from app.shortcuts import (
    CONTEXTS,
    GROUPS,
    TABLE,
    WINDOW,
    Keymap,
    as_markdown,
    as_written,
    bind,
    keymap,
    sequences,
    tooltip,
)


@pytest.fixture
def keys():
    yield Keymap()


@pytest.fixture(autouse=True)
def original_keys():
    yield
    keymap.reset()


def test_no_two_actions_meet_on_one_key(keys):
    clashes = [(line.id, [other.id for other in keys.conflicts(line.id)]) for line in TABLE if keys.conflicts(line.id)]
    assert clashes == []


def test_names_are_unique_and_every_line_is_complete():
    assert len({line.id for line in TABLE}) == len(TABLE)
    for line in TABLE:
        assert line.context in CONTEXTS and line.text and line.group in GROUPS
        for key in line.keys:
            assert not QKeySequence(key).isEmpty(), key
            assert QKeySequence(key)[0].key() != Qt.Key.Key_unknown, key


def test_the_keys_of_the_design_are_there():
    wanted = {
        "open": "Ctrl+O",
        "paste": "Ctrl+V",
        "generate": "Ctrl+Return",
        "save": "Ctrl+S",
        "copy": "Ctrl+C",
        "brush": "B",
        "eraser": "E",
        "select": "S",
        "smaller": "[",
        "larger": "]",
        "swap": "X",
        "invert": "I",
        "overlay": "O",
        "undo": "Ctrl+Z",
        "redo": "Ctrl+Shift+Z",
        "fit": "Ctrl+0",
        "actual_size": "Ctrl+1",
        "help": "F1",
    }
    for action, key in wanted.items():
        assert key in keymap.keys(action), action
    assert set(keymap.keys("cancel")) == {"Esc", "Shift+X"}
    assert keymap.shown("cancel") == "Esc", "as the button says"
    assert [key.toString() for key in sequences(keymap.keys("cancel"))] == ["Esc", "Shift+X"]


def test_single_letters_belong_to_a_context():
    for line in TABLE:
        for key in line.keys:
            if len(key) == 1:
                assert line.context != WINDOW, line.id


def test_a_conflict_is_found_where_contexts_meet(keys):
    keys.set_keys("brush", ("Ctrl+O",))
    assert [line.id for line in keys.conflicts("brush")] == ["open"]
    keys.set_keys("brush", ("A",))  # A recalls in the history, which is another context
    assert keys.conflicts("brush") == []


def test_own_keys_survive_a_round_trip_and_unknown_ones_are_dropped(keys):
    keys.set_keys("generate", ("Ctrl+G",))
    other = Keymap()
    other.load({**keys.own(), "gone": ["Q"], "open": "not a list"})
    assert other.keys("generate") == ("Ctrl+G",) and other.keys("open") == ("Ctrl+O",)
    other.set_keys("generate", other.keys("generate"))
    other.reset()
    assert other.own() == {}


def test_an_action_follows_a_changed_key(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    triggered = []
    bind(window, "open", lambda: triggered.append("open"))
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    QTest.keyClick(window, Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier)
    assert triggered == ["open"]
    keymap.set_keys("open", ("Ctrl+P",))
    QTest.keyClick(window, Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier)
    assert triggered == ["open"]
    QTest.keyClick(window, Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier)
    assert triggered == ["open", "open"]
    assert tooltip("open") == "Open photo (Ctrl+P)"


def test_keys_never_act_while_typing(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    editor, field = QWidget(), QLineEdit()
    editor.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    column = QVBoxLayout(window)
    column.addWidget(editor)
    column.addWidget(field)
    triggered = []
    bind(editor, "brush", lambda: triggered.append("brush"))
    bind(window, "cancel", lambda: triggered.append("cancel"))
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    field.setFocus()
    QTest.keyClicks(field, "bX")
    assert triggered == [] and field.text() == "bX"
    editor.setFocus()
    QTest.keyClick(editor, Qt.Key.Key_B)
    QTest.keyClick(editor, Qt.Key.Key_X, Qt.KeyboardModifier.ShiftModifier)
    assert triggered == ["brush", "cancel"]


def test_the_documentation_lists_every_line():
    text = as_markdown()
    for line in TABLE:
        assert line.text.rstrip("…") in text


def test_every_key_and_gesture_is_written_in_one_way():
    keys = Keymap()
    written = {line.id: keys.shown(line.id) for line in TABLE}
    assert written["generate"] == "Ctrl+Enter" and written["zoom_wheel"] == "Ctrl+wheel"
    assert not [text for text in written.values() if " + " in text or "Return" in text]


def test_menus_write_keys_as_everything_else_does(qapp):
    try:
        for language in ("en", "zh_CN"):
            languages.install(language)
            for line in TABLE:
                if line.keys:
                    first = sequences(line.keys)[0].toString(QKeySequence.SequenceFormat.NativeText)
                    assert first == keymap.shown(line.id), "Qt's menus write the first key by themselves"
            assert keymap.shown("generate") == "Ctrl+Enter" and as_written(QKeySequence("Backspace")) == "Backspace"
    finally:
        languages.install("en")


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_every_key_is_the_same_key_in_every_language(qtbot, language):
    """Two keys with one translated name became one, twice on its action, and Qt lets such a key trigger nothing."""
    portable = QKeySequence.SequenceFormat.PortableText
    try:
        languages.install(language)
        for line in TABLE:
            read = [key.toString(portable) for key in sequences(line.keys)]
            assert len(set(read)) == len(read), line.id
            assert {QKeySequence.fromString(key, portable).toString(portable) for key in line.keys} <= set(read), (
                line.id
            )
        pressed = []
        window = QWidget()
        qtbot.addWidget(window)
        bind(window, "generate", lambda: pressed.append(1))
        with qtbot.waitExposed(window):
            window.show()
        window.activateWindow()
        for key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            QTest.keyClick(window, key, Qt.KeyboardModifier.ControlModifier)
        assert len(pressed) == 2
    finally:
        languages.install("en")


def test_the_two_enter_keys_are_one(keys):
    keys.set_keys("vary", ("Ctrl+Enter",))
    assert [other.id for other in keys.conflicts("vary")] == ["generate"]
    keys.set_keys("generate", ("Ctrl+Shift+Return",))
    assert not keys.conflicts("vary")
    assert [key.toString() for key in sequences(keys.keys("generate"))] == ["Ctrl+Shift+Enter", "Ctrl+Shift+Return"]
