"""What a start does not do before the window can be seen."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from PySide6.QtCore import QTimer

from app import application
from app.dialogs.settings_dialog import SettingsDialog
from app.store.paths import AppPaths
from app.store.settings import OFFER_PUT_AWAY
from app.window.main_window import MainWindow
from tests.e2e.conftest import wait_ready
from tests.installer.launcher.release_server import ReleaseServer

ROOT = Path(__file__).resolve().parents[2]
NOT_YET = ("torch", "transformers", "diffusers", "engine.weights.store", "app.models.dialog")


def test_the_window_is_built_without_what_is_only_needed_later(private_folders):
    lines = [
        "import sys",
        "from app.application import Program, make_application",
        "from app.store.paths import AppPaths",
        "application = make_application([])",
        "program = Program(AppPaths.standard())",
        f"print([name for name in {NOT_YET} if name in sys.modules])",
    ]
    command = [sys.executable, "-c", "\n".join(lines) + "\nimport os; sys.stdout.flush(); os._exit(0)"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr


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
        MainWindow, "show", lambda window: QTimer.singleShot(2 * application.LATEST_MS, window, window.showNormal)
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
