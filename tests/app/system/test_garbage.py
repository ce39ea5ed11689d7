"""Circular garbage is collected, and by the window's thread only."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest

from app.system.garbage import GarbageCollector


class Knot:
    """An object that only the garbage collection can free; it tells the thread that did."""

    freed_in: list[str]

    def __init__(self, freed_in: list[str]) -> None:
        self.itself = self
        weakref.finalize(self, lambda: freed_in.append(threading.current_thread().name))


@pytest.fixture
def collector(qapp) -> Iterator[GarbageCollector]:
    collector = GarbageCollector()
    yield collector
    collector.stop()


def test_garbage_of_a_thread_is_collected_in_the_windows_thread(qtbot, collector):
    freed_in: list[str] = []

    def work() -> None:
        for _ in range(2_000):  # more than Python lets pass
            Knot(freed_in)

    thread = threading.Thread(target=work, name="worker")
    thread.start()
    thread.join()
    assert freed_in == []
    qtbot.waitUntil(lambda: len(freed_in) >= 2_000, timeout=5_000)
    assert set(freed_in) == {threading.main_thread().name}


def test_python_gets_its_collection_back(qapp):
    before = gc.isenabled()
    gc.enable()
    collector = GarbageCollector()
    assert not gc.isenabled()
    collector.settle()
    assert gc.get_freeze_count() > 0
    collector.stop()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
    if not before:
        gc.disable()
