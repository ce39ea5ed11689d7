"""What a start does not do before the window can be seen."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app import application
from app.application import Program
from app.dialogs.settings_dialog import SettingsDialog
from app.shortcuts import keymap
from app.store.paths import AppPaths
from app.store.settings import OFFER_PUT_AWAY
from app.window.main_window import MainWindow
from tests.e2e.conftest import wait_ready
from tests.installer.launcher.release_server import ReleaseServer

ROOT = Path(__file__).resolve().parents[2]
NOT_YET = (
    *(
        "torch",
        "transformers",
        "diffusers",
        "numpy",
        "cv2",
        "PIL",
        "httpx",
        "asyncio",
        "ssl",
        "multiprocessing",
        "psutil",
    ),
    *("engine.request", "engine.photo.load", "engine.bundle.manifest", "engine.process", "engine.weights.store"),
    *("app.mask.mask_session", "app.session.controller", "app.session.subjects", "app.editor.editor_frame"),
    *("app.editor.mask_canvas", "app.canvas.placement_frame", "app.canvas.action_bar", "app.window.banner"),
    *("app.system.background", "app.system.sharing", "app.window.panel_focus"),
    *("app.gallery.panel", "app.models.dialog", "app.dialogs.settings_dialog", "app.window.dialog_opener"),
)
"""Libraries, and modules of ours that bring much along or that are for what opens later."""
FIRST_PICTURE = """
import sys
from PySide6.QtCore import QEvent, QObject
from app.application import Program, make_application
from app.store.paths import AppPaths
application = make_application([])
program = Program(AppPaths.standard())

class Painted(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint and watched is program.window:
            loaded = sorted(sys.modules)
            from PySide6.QtWidgets import QWidget
            from app.look import type as type_
            others = [
                (type(widget).__name__, widget.objectName())
                for widget in program.window.findChildren(QWidget)
                if widget.font() != type_.font(type_._role_of(widget))
            ]
            sys.stdout.write(repr((loaded, others, program.window.prompt.sheet.whole)))
            sys.stdout.flush()
            import os
            os._exit(0)
        return False

painted = Painted()
program.window.installEventFilter(painted)
program.start()
application.exec()
"""


def test_the_window_is_painted_without_what_is_only_needed_later(private_folders):
    done = subprocess.run([sys.executable, "-c", FIRST_PICTURE], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout, done.stderr
    loaded, other_fonts, fields_built = ast.literal_eval(done.stdout)
    assert "app.window.main_window" in loaded and not set(loaded).intersection(NOT_YET)
    assert not fields_built, "they are folded away"
    assert not other_fonts, "the style sheet came last, and fonts are not set again after it"


@pytest.fixture
def begin(open_program) -> Callable[..., Program]:
    """Opens the program and comes back while the window shows only what is seen at first."""
    return partial(open_program, whole=False)


def click(window: MainWindow, button: QWidget) -> None:
    """A click as the system sends it, to the window of the system."""
    place = button.mapTo(window, button.rect().center())
    QTest.mouseClick(window.windowHandle(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)


def test_keys_of_the_first_moment_reach_a_window_that_is_whole(begin, qtbot):
    program = begin()
    assert not hasattr(program, "controller"), "it has not been completed yet"
    prompt = program.window.prompt.sheet.prompt
    qtbot.keyClicks(prompt, "a duck")
    assert program.window.controller is program.controller
    wait_ready(qtbot, program)
    assert prompt.toPlainText() == "a duck", "an example comes with a prompt, but not over one that was typed"


def test_a_shortcut_of_the_first_moment_acts(begin, qtbot):
    program = begin()
    shown = program.window.panels.is_history_shown()
    combination = QKeySequence(keymap.keys("toggle_history")[0])[0]
    # To the window, as the system sends it: only then are shortcuts looked for as they are for a person.
    QTest.keyClick(program.window.windowHandle(), combination.key(), combination.keyboardModifiers())
    assert program.window.panels.is_history_shown() is not shown


def test_a_click_of_the_first_moment_acts(begin, qtbot):
    program = begin()
    window = program.window
    click(window, window.top_bar.help_button)
    qtbot.waitUntil(lambda: any(type(one).__name__ == "HelpDialog" for one in QApplication.topLevelWidgets()))
    for one in QApplication.topLevelWidgets():
        if type(one).__name__ == "HelpDialog":
            one.close()


def test_generate_of_the_first_moment_draws_the_example_once_it_is_there(begin, qtbot):
    program = begin()
    click(program.window, program.window.prompt.sheet.generate)
    qtbot.waitUntil(lambda: program.state.result is not None, timeout=30000)
    assert program.state.result.request.prompt == program.state.values.prompt


def test_the_engine_begins_to_load_before_the_window_is_whole(begin, qtbot, monkeypatch):
    begun: list[bool] = []
    start = Program._start_engine

    def note(self):
        begun.append(self._whole)
        start(self)

    monkeypatch.setattr(Program, "_start_engine", note)
    wait_ready(qtbot, begin())
    assert begun[0] is False, "its child process takes longest, and works beside the window"


@pytest.mark.qt_log_ignore("This plugin does not support raise", extend=True)
def test_photos_of_another_start_reach_a_window_that_is_not_whole(begin, qtbot):
    program = begin()
    program.receive([ROOT / "resources/examples/duck_toy.webp"])
    qtbot.waitUntil(lambda: any(one.title == "duck_toy.webp" for one in program.state.subjects), timeout=20_000)


def test_what_was_typed_in_the_first_moment_is_kept_over_the_last_session(begin, open_program, qtbot):
    first = open_program()
    wait_ready(qtbot, first)
    first.state.update_values(prompt="a red ball")
    qtbot.waitUntil(lambda: first.keeper.session().prompt == "a red ball", timeout=10_000)
    with qtbot.waitSignal(first.ended, timeout=10_000):
        first.window.close()
    program = begin()
    prompt = program.window.prompt.sheet.prompt
    qtbot.keyClick(prompt, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClicks(prompt, " at night")
    assert prompt.toPlainText() == "a red ball at night"
    wait_ready(qtbot, program)
    assert program.state.values.prompt == "a red ball at night"


def test_the_rest_is_built_in_parts_between_which_the_window_answers(begin, qtbot):
    program = begin()
    parts: list[bool] = []
    beats = QTimer(interval=0)
    beats.timeout.connect(lambda: parts.append(hasattr(program, "link") and not hasattr(program, "keeper")))
    with qtbot.waitSignal(program.completed, timeout=20_000):
        beats.start()
    beats.stop()
    assert sum(parts) >= 5, "the session is built first and the keeper last"


def test_what_cannot_be_built_ends_the_start_with_its_reason(begin, qtbot, monkeypatch):
    program = begin()
    broken = []
    program.broken.connect(broken.append)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "app.mask.drafts", None)
        program.wake()
    assert isinstance(broken[0], ImportError) and not hasattr(program, "controller")


def test_a_window_that_opens_minimised_loads_its_model_all_the_same(open_program, qtbot, monkeypatch):
    monkeypatch.setattr(MainWindow, "show", MainWindow.showMinimized)
    program = open_program()
    qtbot.waitUntil(lambda: program.state.engine.phase == "ready", timeout=20_000)


def test_closing_before_the_start_is_done_ends_it_and_keeps_the_session(open_program, qtbot):
    first = open_program()
    wait_ready(qtbot, first)
    first.state.update_values(prompt="a red ball")
    qtbot.waitUntil(lambda: first.keeper.session().subjects != (), timeout=10_000)
    with qtbot.waitSignal(first.ended, timeout=10_000):
        first.window.close()
    kept = AppPaths.standard().session.read_bytes()
    program = open_program()
    assert program.state.engine.phase == "off"
    with qtbot.waitSignal(program.ended, timeout=10_000):
        program.window.close()
    qtbot.wait(50)
    assert program.state.engine.phase == "off"
    assert AppPaths.standard().session.read_bytes() == kept


def test_the_launcher_is_told_of_a_window_that_is_painted_late(open_program, qtbot, monkeypatch, tmp_path):
    """The model begins to load before the first picture of a slow computer's window is on the screen."""
    sign = tmp_path / "shown"
    monkeypatch.setenv("ECHOGEN_WINDOW_SHOWN", str(sign))
    monkeypatch.setattr(
        MainWindow, "show", lambda window: QTimer.singleShot(10 * application.LATEST_MS, window, window.showNormal)
    )
    program = open_program()
    assert program.state.engine.phase != "off", "everything slow has begun"
    qtbot.waitUntil(sign.exists, timeout=10_000)


def test_a_picture_of_an_older_version_opened_by_the_desktop_brings_its_request_back(open_program, qtbot):
    (file,) = (ROOT / "tests/data/profiles/0.1.0/Pictures").rglob("*78.png")
    program = open_program(file)
    qtbot.waitUntil(lambda: program.state.values.prompt == "a duck in the snow", timeout=20_000)
    values = program.state.values
    assert (values.negative_prompt, values.subject_strength, values.seed) == ("fog", 2.5, 78)
    qtbot.waitUntil(lambda: program.state.result is not None and program.state.result.file == file, timeout=20_000)


def test_a_start_looks_for_a_newer_version_only_where_that_is_ticked(open_program, qtbot, monkeypatch, tmp_path):
    server = ReleaseServer(tmp_path / "served")
    server.announce("99.0")
    monkeypatch.setenv("ECHOGEN_UPDATES", server.url)
    try:
        first = open_program(panels={OFFER_PUT_AWAY: True})
        wait_ready(qtbot, first)
        with qtbot.waitSignal(first.ended, timeout=10_000):
            first.window.close()
        assert server.asked == [], "nobody is asked unless the user said so"
        second = open_program(panels={OFFER_PUT_AWAY: True}, updates=True)
        qtbot.waitUntil(lambda: "EchoGen 99.0 is there. It flies." in second.window.toast.text(), timeout=20_000)
        assert server.asked == ["/latest.json"]
        second.window.toast.take_back()
        dialog = second.window.findChild(SettingsDialog)
        assert dialog.updates.isVisible() and dialog.updates.words.text().startswith("EchoGen 99.0 is there.")
        assert not dialog.updates.get.isVisible(), "no launcher opened this program"
        dialog.close()
    finally:
        server.close()
