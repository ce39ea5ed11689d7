"""The set-up window: what it shows while work goes on, when it fails, and at the end."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent

from installer.launcher import window as module
from installer.launcher.errors import SetupFailed
from installer.launcher.first_sign import FirstSign, take_away_the_lent
from installer.launcher.network import Network
from installer.launcher.opening import DOES_NOT_OPEN, ENDED, NOT_DONE, SHOWN
from installer.launcher.places import INSTALLED, Places, write
from installer.launcher.setup import Progress
from installer.launcher.window import SetupWindow
from main import NEEDED


class Asked:
    """Stands in for the thread's work: the test says what it tells."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.starts = 0
        monkeypatch.setattr(module.Worker, "start", lambda worker: setattr(self, "starts", self.starts + 1))


@pytest.fixture
def asked(monkeypatch, tmp_path):
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    return Asked(monkeypatch)


@pytest.fixture
def window(qapp, asked, tmp_path):
    window = SetupWindow(tmp_path / "root")
    window.start()
    yield window
    window.close()
    window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def shown(window: SetupWindow) -> set[str]:
    names = ("pause", "again", "folder", "network")
    return {name for name in names if getattr(window, name).isVisible()}


def test_the_set_up_window_needs_no_package_but_qt():
    """It opens while the others are still being fetched."""
    others = [name for name in NEEDED if name != "PySide6"]
    code = f"import sys; sys.modules.update(dict.fromkeys({others})); import installer.launcher.window"
    done = subprocess.run([sys.executable, "-c", code], cwd=module.ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_bytes_and_time_left_are_shown_and_pause_holds_the_words(window):
    assert shown(window) == {"pause"} and not window.log.isVisible()
    window.worker.progressed.emit(Progress("program", "fetch", 100_000_000, 325_000_000, 130.0))
    assert window.detail.text() == "Getting the parts of the program: 100 of 325 MB, about 2 min left"
    assert window.bar.value() == 307 and window.pause.isEnabled()
    window.pause.click()
    assert window.worker.control.paused and window.pause.text() == "Go on"
    window.worker.progressed.emit(Progress("program", "fetch", 100_000_000, 325_000_000))
    assert window.detail.text().startswith("Paused")
    window.pause.click()
    assert not window.worker.control.paused and window.pause.text() == "Pause"
    window.worker.progressed.emit(Progress("program", "install"))
    assert window.bar.maximum() == 0 and not window.pause.isEnabled()


def test_a_card_that_is_not_drawn_with_is_said_while_it_is_set_up(window):
    window.worker.noticed.emit("It draws with the processor.")
    assert window.text.text().splitlines() == [
        "This happens once. You can use the computer meanwhile.",
        "It draws with the processor.",
    ]
    window.worker.progressed.emit(Progress("program", "fetch", 1, 10))
    assert window.text.text().endswith("processor.") and window.rect().contains(window.text.geometry())


def test_a_failure_offers_what_helps_and_trying_again(window, asked):
    window.worker.failed.emit(SetupFailed("4.0 GB are needed, and 1.0 GB is free.", "Make room.", "disk"))
    assert shown(window) == {"again", "folder"} and window.text.text().endswith("Make room.")
    assert window.title.text() == "The set-up stopped" and not window.bar.isVisible()
    window.again.click()
    assert asked.starts == 2 and shown(window) == {"pause"}
    assert window.title.text() == "Setting up EchoGen" and window.bar.isVisible()
    window.worker.failed.emit(SetupFailed("The server cannot be reached.", "", "network"))
    assert shown(window) == {"again", "network"}
    window.network.click()
    assert window.settings.isVisible()
    window.settings._fields["proxy"].setText(" http://proxy:3128 ")
    window.again.click()
    assert Network.load().proxy == "http://proxy:3128" and not window.settings.isVisible()


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_the_dialog_of_the_launcher_goes_when_the_window_is_there_and_no_key_pauses_by_chance(window, monkeypatch):
    with subprocess.Popen(["sleep", "60"]) as dialog:
        sign = FirstSign()
        sign._process = dialog
        for name, value in sign.lend().items():
            monkeypatch.setenv(name, value)
        take_away_the_lent()
        assert dialog.wait(10) == -signal.SIGTERM
    assert FirstSign().lend() == {}
    window.worker.progressed.emit(Progress("program", "fetch", 1, 10))
    assert not window.pause.hasFocus() and window.focusWidget() is not window.show_log
    window.pause.setFocus()
    window.worker.progressed.emit(Progress("program", "install"))
    assert window.focusWidget() is not window.show_log


def test_another_folder_is_used_from_then_on(window, asked, monkeypatch, tmp_path):
    window.worker.failed.emit(SetupFailed("The disk is full.", "", "disk"))
    monkeypatch.setattr(module.QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "large"))
    window.folder.click()
    chosen = Places.standard(tmp_path / "root")
    assert chosen.folder == tmp_path / "large" / "EchoGen" and asked.starts == 2
    assert "was begun" not in window.text.text()
    chosen.prepare()
    monkeypatch.setattr(module.QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "larger"))
    window.worker.failed.emit(SetupFailed("The disk is full.", "", "disk"))
    window.folder.setFocus()
    window.folder.click()
    assert window.focusWidget() is not window.show_log, "no ring on a button that nobody asked for"
    assert f"What was begun in {chosen.folder} is removed at the next start." in window.text.text()
    assert window.rect().contains(window.text.geometry())


def test_a_folder_in_the_cloud_is_refused_and_another_one_offered(window, asked, monkeypatch, tmp_path):
    window.worker.failed.emit(SetupFailed("The disk is full.", "", "disk"))
    monkeypatch.setattr(module.QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "OneDrive" / "Documents"))
    starts = asked.starts
    window.folder.click()
    assert "is kept in OneDrive" in window.text.text() and shown(window) == {"again", "folder"}
    assert asked.starts == starts and window.rect().contains(window.text.geometry())


def test_the_log_is_read_and_follows(window):
    places = Places.standard(window._root)
    places.prepare()
    write(places.log, "first line\n")
    window.show_log.click()
    assert window.log.toPlainText() == "first line"
    write(places.log, "first line\nsecond line\n")
    window._read_log()
    assert window.log.toPlainText().endswith("second line") and window.show_log.text() == "Hide the log"


def test_it_goes_when_the_program_is_there_and_stays_when_it_is_not(window, tmp_path):
    Places.standard(window._root).prepare()
    window.worker.opening.emit()
    assert window.title.text() == "Opening EchoGen"
    window.worker.opened.emit(ENDED)
    assert window.isVisible() and window.log.isVisible() and window.code == NOT_DONE
    assert not window.detail.isVisible(), "nothing arrives any more"
    window.worker.opened.emit(SHOWN)
    assert not window.isVisible() and window.code == 0


def test_a_newer_version_that_does_not_open_leaves_the_rest_to_the_launcher(window, monkeypatch, tmp_path):
    monkeypatch.setenv(INSTALLED, str(tmp_path / "installed"))
    window.worker.opened.emit(ENDED)
    assert not window.isVisible() and window.code == DOES_NOT_OPEN


def test_the_window_is_as_high_as_what_it_shows(window):
    window.worker.failed.emit(SetupFailed("The server cannot be reached.", "What has arrived is kept.", "network"))
    assert not window.detail.isVisible(), "it is said once"
    small = window.height()
    window.network.click()
    last = window.settings._fields["updates"]
    assert window.height() > small and window.rect().contains(last.geometry().translated(window.settings.pos()))
    window.again.click()
    assert window.detail.isVisible() and window.height() < small + 60, "a bar and a line more, and no fields"


def test_whatever_the_work_raises_is_shown(qapp, tmp_path, monkeypatch):
    def broken(*_: object) -> None:
        raise RuntimeError("unheard of")

    monkeypatch.setattr(module, "Setup", broken)
    worker = module.Worker(Path(tmp_path), [])
    failures: list[SetupFailed] = []
    worker.failed.connect(failures.append)
    worker._work()
    assert "unheard of" in str(failures[0])
