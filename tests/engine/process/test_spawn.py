"""The mechanism of all child processes: messages, sudden death, ends that are bounded."""

from __future__ import annotations

import os
import signal
import threading
import time
from types import SimpleNamespace

import psutil
import pytest

from engine.process import spawn
from engine.process.spawn import ChildLost, ChildProcess
from tests.engine.process import children


@pytest.fixture
def start():
    started = []

    def start(main):
        child = ChildProcess(main, name="a child of the tests")
        started.append(child)
        return child

    yield start
    for child in started:
        child.end()
        assert not child.alive


def test_messages_and_bytes_cross_and_an_end_that_was_asked_for_is_no_fault(start):
    child = start(children.echo)
    child.send({"a": 1})
    assert child.receive(30) == {"a": 1}
    assert child.receive(0) is None
    child.send("bytes follow", memoryview(b"pixels"))
    assert child.receive(30) == b"pixels"
    os.kill(child.pid, signal.SIGINT)  # Ctrl+C is for the parent
    child.send("still there")
    assert child.receive(30) == "still there"
    child.send("end")
    with pytest.raises(ChildLost) as lost:
        child.receive(30)
    assert lost.value.exit_code == 0


@pytest.mark.parametrize(
    ("order", "code"), [(signal.SIGKILL, -9), (7, 7), ("a broken function", 1)], ids=["killed", "exit", "fault"]
)
def test_what_a_child_said_before_it_died_arrives_and_then_the_code_it_died_with(start, order, code):
    child = start(children.echo)
    heard, ended = [], threading.Event()
    codes = []
    child.listen(heard.append, lambda code: (codes.append(code), ended.set()))
    child.send("last words")
    child.send(order)
    assert ended.wait(30)
    assert heard == ["last words"] and codes == [code]
    with pytest.raises(ChildLost):
        for _ in range(2):  # the system may take one message more for a process that is just gone
            child.send("anybody there?")


def test_a_child_whose_message_cannot_be_read_is_ended_as_one_that_failed(start):
    child = start(children.echo)
    heard, codes, ended = [], [], threading.Event()
    child.listen(heard.append, lambda code: (codes.append(code), ended.set()))
    child.send("last words")
    child.send("no message follows")
    assert ended.wait(30)
    assert heard == ["last words"] and codes == [1] and not child.alive


def test_a_child_that_does_not_listen_is_ended_in_bounded_time(start):
    child = start(children.deaf)
    assert child.receive(30) == "started"
    began = time.monotonic()
    child.end(0.1)
    assert not child.alive and time.monotonic() - began < 5
    with pytest.raises(ChildLost):
        child.send("hello")


def test_a_child_without_a_console_ends_as_it_was_asked_to(start):
    child = start(children.mute)
    with pytest.raises(ChildLost) as lost:
        child.receive(60)
    assert lost.value.exit_code == 0


def test_a_child_that_computes_gives_way_to_the_window_on_every_system(monkeypatch):
    lowered = []
    monkeypatch.setattr(spawn.os, "nice", lowered.append)
    monkeypatch.setattr(psutil, "BELOW_NORMAL_PRIORITY_CLASS", "below normal", raising=False)
    monkeypatch.setattr(psutil, "Process", lambda: SimpleNamespace(nice=lowered.append))
    for platform in ("linux", "win32"):
        monkeypatch.setattr(spawn.sys, "platform", platform)
        spawn.give_way()
    assert lowered == [5, "below normal"]
