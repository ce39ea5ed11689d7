"""A press of Generate that comes before what it needs."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.session.controller import Controller
from app.session.queue import PictureQueue
from app.session.state import SessionState
from app.session.subjects import Subjects
from app.store.history_store import HistoryStore
from app.store.paths import AppPaths
from app.window.main_window import MainWindow
from engine.events import EngineInfo
from tests.app.fake_bundle import cut_out, fake_bundle
from tests.app.fake_link import FakeLink
from tests.app.look_fixture import dressed, plain_look  # noqa: F401 – fixtures

pytestmark = pytest.mark.usefixtures("plain_look")


class Rig:
    """The window of a program that has just begun, with an engine that only writes down what is asked."""

    def __init__(self, qtbot, tmp_path: Path) -> None:
        self.folder, self.link, self.state = tmp_path, FakeLink(), SessionState()
        self.controller = Controller(
            self.state,
            PictureQueue(self.state, self.link),
            Subjects(self.state),
            HistoryStore(None, tmp_path / "pictures"),
        )
        self.window = MainWindow(self.state, self.controller.store, AppPaths.standard())
        self.window.complete(self.controller)
        qtbot.addWidget(self.window)
        self.window.resize(1280, 860)
        self.window.show()
        qtbot.waitExposed(self.window)
        self.window.activateWindow()
        self.button = self.window.prompt.sheet.generate

    def open_model(self) -> None:
        manifest = fake_bundle(self.folder)
        info = EngineInfo(manifest.identity, "fake", "CPU")
        self.state.update_engine(phase="ready", manifest=manifest, folder=self.folder, info=info)

    def press(self) -> None:
        QTest.mouseClick(self.button, Qt.MouseButton.LeftButton)
        QApplication.processEvents()

    def drawn(self) -> list[str]:
        QApplication.processEvents()
        return [request.prompt for request in self.link.drawn]


@pytest.fixture
def rig(qtbot, tmp_path: Path) -> Rig:
    return Rig(qtbot, tmp_path)


def test_a_press_in_the_first_moment_draws_as_soon_as_model_and_subject_are_there(rig: Rig):
    rig.press()
    assert rig.window.toast.isVisible() and rig.drawn() == []
    subject = rig.state.add_subject(name="robot", finding=True)
    rig.state.update_values(prompt="a robot in the snow", seed=5)
    rig.open_model()
    assert rig.drawn() == []
    rig.state.update_subject(subject.key, finding=False, cut_out=cut_out())
    assert rig.drawn() == ["a robot in the snow"]
    rig.state.update_subject(subject.key, name="toy")
    assert len(rig.drawn()) == 1, "one press, one picture"


def test_a_prompt_that_is_missing_is_said_while_the_subject_is_found(rig: Rig):
    rig.open_model()
    subject = rig.state.add_subject(finding=True)
    QApplication.processEvents()
    assert not rig.button.isEnabled() and rig.button.toolTip() == "Write a prompt first"
    rig.window.drawing.generate()  # by its key
    assert rig.window.toast.text() == "Write a prompt first"
    rig.state.update_values(prompt="a robot in the snow")
    rig.state.update_subject(subject.key, finding=False, cut_out=cut_out())
    assert rig.drawn() == [], "what was said is done with"


def test_esc_takes_back_a_press_that_waits(rig: Rig):
    rig.open_model()
    rig.state.update_values(prompt="a robot in the snow")
    subject = rig.state.add_subject(finding=True)
    rig.press()
    QTest.keyClick(rig.window, Qt.Key.Key_Escape)
    assert rig.window.toast.text() == "Stopped"
    rig.state.update_subject(subject.key, finding=False, cut_out=cut_out())
    assert rig.drawn() == []


def test_without_anything_on_its_way_there_is_nothing_to_press(rig: Rig):
    rig.open_model()
    QApplication.processEvents()
    assert not rig.button.isEnabled() and rig.button.toolTip() == "Add a photo first"


def test_after_the_engine_stopped_and_came_back_it_is_ready(rig: Rig):
    rig.open_model()
    rig.controller.ended.emit("Stopped: not enough memory")
    assert rig.window.top_bar.status.text() == "Stopped: not enough memory"
    rig.state.update_engine(phase="loading", fraction=0.0)
    rig.controller.ended.emit("Stopped: the engine stopped")  # told after it is begun again
    rig.state.update_engine(phase="ready")
    assert rig.window.top_bar.status.text() == "Ready"


@pytest.mark.parametrize(
    ("names", "words", "taken"),
    [
        (["cat.jpg"], "Drop to use this photo", True),
        (["cat.jpg", "dog.jpg", "folder"], "Drop to put 2 photos on the shelf", True),
        (["folder"], "A folder cannot be opened: drop the photos in it", False),
    ],
)
def test_the_frame_says_what_becomes_of_what_is_dragged(rig: Rig, tmp_path, names, words, taken):
    (tmp_path / "folder").mkdir()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / name)) for name in names])
    at, buttons, none = QPoint(400, 300), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(rig.window, QDragEnterEvent(at, Qt.DropAction.CopyAction, data, buttons, none))
    move = QDragMoveEvent(at, Qt.DropAction.CopyAction, data, buttons, none)
    QApplication.sendEvent(rig.window, move)
    frame = rig.window.drop_frame
    assert frame.isVisible() and frame.text == words and move.isAccepted() == taken
    rig.window.grab()
    QApplication.sendEvent(rig.window, QDragLeaveEvent())
    assert frame.isHidden()
