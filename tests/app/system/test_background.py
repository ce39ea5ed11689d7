"""Work in the background: results come back in the window's thread, failures are told, nothing outlives the end."""

from __future__ import annotations

import threading

import pytest
from PySide6.QtCore import QObject, QThread, Slot

from app.system import background


class Receiver(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.results: list = []
        self.errors: list = []
        self.threads: set = set()

    @Slot(object)
    def take(self, value) -> None:
        self.results.append(value)
        self.threads.add(QThread.currentThread())

    @Slot(object)
    def fail(self, error) -> None:
        self.errors.append(error)


@pytest.fixture(autouse=True)
def ended(qapp):
    yield
    background.shutdown()


def test_results_come_back_in_this_thread(qtbot):
    receiver = Receiver()
    names = []

    def work(number):
        names.append(threading.current_thread().name)
        return number * 2

    for number in range(5):
        background.run(work, number, done=receiver.take)
    qtbot.waitUntil(lambda: len(receiver.results) == 5)
    assert sorted(receiver.results) == [0, 2, 4, 6, 8]
    assert receiver.threads == {QThread.currentThread()}
    assert all(name.startswith("background") for name in names)
    qtbot.waitUntil(lambda: not background._running)


def test_failures_are_told(qtbot, caplog):
    receiver = Receiver()
    background.run(lambda: 1 / 0, done=receiver.take, failed=receiver.fail)
    qtbot.waitUntil(lambda: len(receiver.errors) == 1)
    assert isinstance(receiver.errors[0], ZeroDivisionError)
    assert receiver.results == []
    background.run(lambda: 1 / 0)
    qtbot.waitUntil(lambda: "work in the background failed" in caplog.text)


def test_a_receiver_that_is_gone_gets_nothing(qtbot):
    import shiboken6

    receiver, gate = Receiver(), threading.Event()
    background.run(gate.wait, done=receiver.take)
    shiboken6.delete(receiver)
    gate.set()
    qtbot.waitUntil(lambda: not background._running)


def test_shutdown_finishes_what_runs_and_drops_what_waits(qtbot):
    started, finished, gate = [], [], threading.Event()

    def work(number):
        started.append(number)
        gate.wait(10)
        finished.append(number)

    for number in range(20):
        background.run(work, number)
    qtbot.waitUntil(lambda: len(started) == 2)
    background.shutdown(wait=False)
    gate.set()
    qtbot.waitUntil(lambda: len(finished) == 2)
    qtbot.waitUntil(lambda: not any(thread.name.startswith("background") for thread in threading.enumerate()))
    assert len(started) == 2


def test_shutdown_while_results_arrive_over_and_over(qapp):
    """A race between the thread that emits and the one that forgets once ended the process; one round rarely shows it."""
    for _ in range(150):
        started, finished, gate = [], [], threading.Event()

        def work(number, started=started, finished=finished, gate=gate):
            started.append(number)
            gate.wait(10)
            finished.append(number)

        for number in range(20):
            background.run(work, number)
        while len(started) < 2:
            qapp.processEvents()
        background.shutdown(wait=False)
        gate.set()
        while len(finished) < 2:
            qapp.processEvents()
    assert not background._running


def test_reading_never_waits_for_patient_work(qtbot):
    receiver, gate = Receiver(), threading.Event()
    for _ in range(3):
        background.run(gate.wait, 10, done=receiver.take, patient=True)
    background.run(lambda: "read", done=receiver.take)
    qtbot.waitUntil(lambda: receiver.results == ["read"])
    gate.set()
    qtbot.waitUntil(lambda: receiver.results == ["read", True, True, True])
