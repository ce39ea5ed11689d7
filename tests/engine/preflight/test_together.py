"""Several pieces of work at the same time."""

from __future__ import annotations

import threading

import pytest

from engine.preflight import together as module
from engine.preflight.together import together


def test_tasks_run_at_the_same_time_and_results_keep_their_order(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module.os, "cpu_count", lambda: 2)
    met = threading.Barrier(2, timeout=10)

    def wait(name: str) -> str:
        met.wait()  # alone it would never end
        return name

    assert together([lambda: wait("one"), lambda: wait("other")]) == ["one", "other"]


def test_one_core_runs_them_in_the_thread_that_asks(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module.os, "cpu_count", lambda: 1)
    assert together([threading.current_thread] * 3) == [threading.current_thread()] * 3


def test_an_error_reaches_who_asked_after_the_others_have_ended():
    ended: list[int] = []

    def fail() -> None:
        raise KeyError("gone")

    with pytest.raises(KeyError):
        together([fail, lambda: ended.append(1)])
    assert ended == [1] or module.os.cpu_count() == 1


def test_nothing_to_do_is_no_error():
    assert together([]) == []
