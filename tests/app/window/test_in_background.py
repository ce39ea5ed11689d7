"""What is told of a drawing while the window is not in front, and what keeps the computer awake meanwhile."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QProgressBar, QWidget

from app.session.state import Jobs, SessionState
from app.window import in_background
from app.window.in_background import InBackground
from engine.errors import NotEnoughMemory
from engine.events import Finished, Timing
from engine.request import GenerationRequest, ScaleBits


class FakeQueue(QObject):
    idle = Signal()
    finished, failed = Signal(object, object), Signal(object, str)


class FakeNotices(QObject):
    clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[tuple[str, str]] = []

    def show(self, title: str, text: str) -> None:
        self.shown.append((title, text))

    def put_away(self) -> None:
        pass


class FakeInhibitor:
    def __init__(self) -> None:
        self.held = 0

    def hold(self) -> None:
        self.held += 1

    def release(self) -> None:
        self.held -= 1


class Scene:
    def __init__(self, qtbot) -> None:
        self.window, self.state, self.queue = QWidget(), SessionState(), FakeQueue()
        qtbot.addWidget(self.window)
        self.bar = QProgressBar(self.window)
        self.bar.setRange(0, 1000)
        self.bar.setValue(0)
        canvas = SimpleNamespace(strip=SimpleNamespace(bar=self.bar))
        self.notices, self.inhibitor = FakeNotices(), FakeInhibitor()
        self.news = InBackground(self.window, self.state, self.queue, canvas, self.inhibitor, self.notices)

    def draw(self, index: int = 1, count: int = 1, waiting: int = 0) -> None:
        self.state.set_jobs(Jobs(drawing=index, index=index, count=count, waiting=waiting))

    def finish(self, prompt: str) -> None:
        bits = ScaleBits((np.ones((1, 1, 4), np.uint8),))
        image = np.zeros((8, 8, 3), np.uint8)
        self.queue.finished.emit(Finished(GenerationRequest(prompt), image, bits, Timing(total=1.0)), ())


@pytest.fixture
def scene(qtbot, monkeypatch) -> Scene:
    scene = Scene(qtbot)
    scene.in_front = False
    monkeypatch.setattr(InBackground, "is_in_front", lambda self: scene.in_front)
    return scene


def test_done_is_told_once_for_a_press_and_only_from_behind(scene):
    scene.draw(1, 2, 1)
    scene.finish("a duck")
    assert scene.notices.shown == []
    scene.draw(2, 2)
    scene.finish("a bear")
    scene.queue.idle.emit()
    assert scene.notices.shown == [("2 pictures are done", "a duck\na bear")]
    scene.in_front = True
    scene.finish("a cat")
    scene.queue.idle.emit()
    scene.in_front = False
    scene.queue.idle.emit()
    scene.state.update_settings(notices=False)
    scene.finish("a dog")
    scene.queue.idle.emit()
    assert len(scene.notices.shown) == 1, "seen, stopped, or not wanted"


def test_the_prompts_of_several_pictures_are_told_once_each_and_only_the_first_few(scene):
    for prompt in ("a duck", "a duck", "a bear"):
        scene.finish(prompt)
    scene.queue.idle.emit()
    for prompt in ("a duck", "a bear", "a cat", "a dog"):
        scene.finish(prompt)
    scene.queue.idle.emit()
    assert scene.notices.shown == [
        ("3 pictures are done", "a duck\na bear"),
        ("4 pictures are done", "a duck\na bear\na cat\n…"),
    ]


def test_a_failure_is_told(scene):
    scene.queue.failed.emit(NotEnoughMemory("It does not fit."), "")
    assert scene.notices.shown == [("Not enough memory", "It does not fit.")]


def test_the_title_tells_the_progress_of_all_that_was_asked_for(scene):
    scene.draw(2, 4)
    assert scene.window.windowTitle() == "25\u00a0% – EchoGen"
    scene.bar.setValue(500)
    assert scene.window.windowTitle() == "37\u00a0% – EchoGen", "at the moment at which the bar moves"
    scene.bar.setValue(999)
    assert scene.window.windowTitle() == "49\u00a0% – EchoGen"
    scene.state.set_jobs(Jobs())
    assert scene.window.windowTitle() == "EchoGen"


def test_the_computer_stays_awake_while_a_long_drawing_goes_on(qtbot, monkeypatch):
    monkeypatch.setattr(in_background, "AWAKE_AFTER_MS", 1)
    scene = Scene(qtbot)
    scene.draw(1, 2, 1)
    qtbot.waitUntil(lambda: scene.inhibitor.held == 1)
    scene.draw(2, 2)
    assert scene.inhibitor.held == 1 and not scene.news._awake.isActive(), "held once for all of them"
    scene.state.set_jobs(Jobs())
    assert scene.inhibitor.held == 0
    scene.draw()
    scene.news.close()
    assert scene.inhibitor.held == 0 and not scene.news._awake.isActive()
