"""The part of the link that lives in the engine's thread, called in the test's own: what it passes on, in which order."""

from __future__ import annotations

import os

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication

from app.session import engine_link
from app.session.engine_link import EngineLink, EngineWorker, Previews
from engine.errors import Cancelled, DeviceLost, EchoGenError
from engine.events import EngineInfo, Finished, ScalePreview, Started, Timing
from engine.process.messages import Ended, Failed, Generate, JobEvent, Loading, Open, PaintScales, Replanned
from engine.request import GenerationRequest
from engine.sentence import Sentence
from tests.app.walks.scripted_link import GRIDS, bits_of, picture_of

REQUEST = GenerationRequest("a ball", seed=3)


class FakeProcess:
    """In the place of ``EngineProcess``: hands out what a test put in."""

    def __init__(self, engine: str = "", threads: int | None = None) -> None:
        self.engine, self.threads = engine, threads
        self.did: list[object] = []
        self.messages: list[object] = []
        self.problem: Exception | None = None
        self._ends = os.pipe()

    def start(self) -> None:
        self.did.append("start")
        if self.problem is not None:
            raise self.problem

    def send(self, command: object) -> None:
        self.did.append(command)

    def fileno(self) -> int:
        return self._ends[0]

    def receive(self, timeout: float) -> object:
        assert timeout == 0, "the thread waits for nothing"
        return self.messages.pop(0) if self.messages else None

    def close(self, timeout: float) -> None:
        self.did.append("close")

    def free(self) -> None:
        for end in self._ends:
            os.close(end)


@pytest.fixture
def worker(qapp, monkeypatch):
    made: list[FakeProcess] = []

    def make(*arguments) -> FakeProcess:
        made.append(FakeProcess(*arguments))
        return made[-1]

    monkeypatch.setattr(engine_link, "EngineProcess", make)
    worker = EngineWorker("engine", 2)
    worker.told = []
    worker.message.connect(worker.told.append)
    yield worker
    worker._stop_listening()
    QCoreApplication.processEvents()
    for process in made:
        process.free()


def receive(worker: EngineWorker, *messages: object) -> list[object]:
    worker.process.messages += messages
    worker._receive()
    told, worker.told[:] = list(worker.told), []
    return told


def preview(scale: int) -> JobEvent:
    return JobEvent(1, ScalePreview(scale, 4, GRIDS[scale], picture_of(REQUEST, scale), 0.1))


def test_the_child_is_started_once_with_the_first_command(worker):
    worker.send(Open("mini", "auto", "auto"))
    worker.send(Generate(1, REQUEST))
    assert worker.process.did == ["start", Open("mini", "auto", "auto"), Generate(1, REQUEST)]
    assert worker._notifier.isEnabled() and worker.told == []


@pytest.mark.parametrize("problem", [OSError("no memory"), DeviceLost(Sentence.row("Gone."), Sentence.row("Again."))])
def test_a_child_that_cannot_be_started_is_told_of_what_was_asked(worker, problem):
    worker.process.problem = problem
    for command in (Open("mini", "auto", "auto"), Generate(5, REQUEST), PaintScales(1, bits_of(REQUEST), REQUEST)):
        worker.send(command)
    assert [failed.job for failed in worker.told] == [None, 5], "painted scales are a courtesy"
    for failed in worker.told:
        assert isinstance(failed.error, EchoGenError) and str(problem) in str(failed.error)


def test_a_picture_brings_its_previews_and_they_are_announced_once(worker):
    announced = []
    worker.previewWaiting.connect(lambda: announced.append(True))
    worker.send(Generate(1, REQUEST))
    begun = JobEvent(1, Started(REQUEST, GRIDS, (0.25,) * 4))
    assert receive(worker, begun, preview(0), preview(2)) == [begun] and announced == [True]
    number, waiting = worker.waiting.take()
    assert number == 1 and [preview.scale for preview in waiting] == [0, 2] and worker.waiting.take() == (1, [])
    done = JobEvent(1, Finished(REQUEST, picture_of(REQUEST), bits_of(REQUEST), Timing()))
    previews, last = receive(worker, done)
    assert last == done and previews.job == 1
    assert [image is not None for image in previews.images] == [True, False, True, False]
    late = JobEvent(1, ScalePreview(3, 4, GRIDS[3], np.zeros((4, 4, 3), np.uint8), 0.1))
    assert receive(worker, late) == [], "of a picture that is done"


def test_a_picture_that_fails_brings_what_it_had(worker):
    worker.send(Generate(1, REQUEST))
    receive(worker, JobEvent(1, Started(REQUEST, GRIDS, (0.25,) * 4)), preview(0))
    failed = Failed(1, Cancelled(), "")
    previews, last = receive(worker, failed)
    assert last == failed and previews.images[0] is not None and previews.images[1] is None
    opening = Failed(None, DeviceLost(Sentence.row("Gone."), Sentence.row("Again.")), "")
    assert receive(worker, opening, Loading(0.5, "half")) == [opening, Loading(0.5, "half")]


def test_after_its_end_the_next_command_starts_another_child(worker):
    worker.send(Open("mini", "auto", "auto"))
    first = worker.process
    assert receive(worker, Ended(9), Loading(1.0, "never")) == [Ended(9)]
    assert first.did[-1] == "close" and worker.process is not first and worker._notifier is None
    assert (worker.process.engine, worker.process.threads) == ("engine", 2)
    worker.send(Open("mini", "auto", "auto"))
    assert worker.process.did[0] == "start" and worker._notifier is not None


def test_windows_has_no_notifier_for_pipes_and_asks_now_and_then(worker, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(engine_link.sys, "platform", "win32")
        worker._listen()
    assert worker._notifier is None and worker._poll.isActive()
    worker._stop_listening()
    assert worker._poll is None


@pytest.mark.parametrize("running", [False, True])
def test_closing_ends_the_child_and_the_thread(worker, monkeypatch, running):
    class Thread:
        ended = 0

        def quit(self):
            self.ended += 1

    thread = Thread()
    monkeypatch.setattr(worker, "thread", lambda: thread)
    if running:
        worker.send(Open("mini", "auto", "auto"))
    worker.close()
    assert ("close" in worker.process.did) == running and thread.ended == 1 and worker._notifier is None


def test_the_windows_end_tells_each_kind_of_message(qapp, monkeypatch, caplog):
    link = EngineLink("nobody:asked")
    try:
        told = []
        link.replanned.connect(told.append)
        link.ended.connect(told.append)
        link.preview.connect(lambda *_: told.append("preview"))
        info = EngineInfo("mini@0", "/mini", "CPU")
        link._take(Replanned(info))
        link._take(Ended(9))
        link._take_preview()
        assert told == [Replanned(info), Ended(9)], "no preview waits"
        link.previewSkipped.connect(lambda job, skipped: told.append(skipped.scale))
        for scale in range(3):
            link._worker.waiting.put(4, preview(scale).event)
        link._take_preview()
        assert told[2:] == [0, 1, "preview"], "the latest is shown, the tiles of the others are filled"
        failed = []
        link.failed.connect(lambda message, previews: failed.append(previews))
        link._take(Previews(4, (None,)))
        link._take(Failed(5, Cancelled(), ""))
        assert [(previews.job, previews.images) for previews in failed] == [(5, ())], "not those of another picture"
        with monkeypatch.context() as patched:
            patched.setattr(link._thread, "wait", lambda _: False)
            assert not link.shutdown() and "did not end in time" in caplog.text
    finally:
        assert link.shutdown()
    assert link.shutdown(), "both are gone: a second time there is nothing to end"
