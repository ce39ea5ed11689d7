"""A day at one window: what two hundred pictures leave behind."""

from __future__ import annotations

import gc
import logging
import threading
from collections import Counter
from pathlib import Path

import psutil
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

from app.application import Program
from engine.process.client import ENGINE
from tests.e2e.paper import save_disc
from tests.e2e.test_person import CTRL, drop_photo, press, type_prompt, wait_long

log = logging.getLogger(__name__)

PICTURES, FIRST, EVERY = 200, 20, 10
GROWTH = 1.05
SPARE = 5  # objects that may happen to be there


def in_memory(process: psutil.Process) -> int:
    """Bytes of a process that are there; what the allocator keeps for the next picture counts."""
    return int(process.memory_info().rss)


def engine_child() -> psutil.Process:
    """The largest child: the one that holds the model."""
    return max(psutil.Process().children(recursive=True), key=in_memory)


def living(program: Program) -> Counter[str]:
    """What could be left over: objects of the window by their classes, threads, timers that run, children."""
    for _ in range(3):
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QCoreApplication.processEvents()
        gc.collect()
    objects = [*program.findChildren(QObject), *program.window.findChildren(QObject)]
    found = Counter(type(one).__name__ for one in objects)
    found["widgets"] = len(QApplication.allWidgets())
    found["top-level widgets"] = len(QApplication.topLevelWidgets())
    found["running timers"] = sum(isinstance(one, QTimer) and one.isActive() for one in objects)
    found["threads"] = threading.active_count()
    found["system threads"] = psutil.Process().num_threads()
    found["open files"] = psutil.Process().num_fds() if hasattr(psutil.Process, "num_fds") else 0
    found.update(f"Python's {type(one).__name__}" for one in gc.get_objects() if isinstance(one, QObject))
    found["children"] = len(psutil.Process().children(recursive=True))
    return found


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_two_hundred_pictures_in_one_window_need_no_more_memory_than_twenty(
    open_program, qtbot, real_bundle, tmp_path: Path
):
    program = open_program(engine=ENGINE, bundle=str(real_bundle))
    qtbot.waitUntil(lambda: program.state.engine.phase == "ready", timeout=240_000)
    drop_photo(qtbot, program, save_disc(tmp_path / "ball.png"))
    type_prompt(program, "a ball in the snow")
    sizes: dict[str, list[int]] = {"window": [], "engine": []}
    # Only twice: to look at Qt's own passing objects keeps Python's halves of them.
    kinds: dict[int, Counter[str]] = {}
    for number in range(1, PICTURES + 1):
        press(program, Qt.Key.Key_Return, CTRL)
        wait_long(qtbot, program)
        if number in (FIRST, PICTURES):
            kinds[number] = living(program)
        if number >= FIRST and number % EVERY == 0:
            gc.collect()
            sizes["window"].append(in_memory(psutil.Process()))
            sizes["engine"].append(in_memory(engine_child()))
            log.info(
                "%d pictures: %s", number, {what: f"{bytes_used[-1] >> 20} MB" for what, bytes_used in sizes.items()}
            )
    assert len(program.store.pictures()) == PICTURES
    for what, bytes_used in sizes.items():
        # The end against the twentieth picture; the middle one of three, because allocators breathe.
        assert sorted(bytes_used[-3:])[1] <= bytes_used[0] * GROWTH, f"{what}: {[size >> 20 for size in bytes_used]} MB"
    # Objects, too: what is left over once per picture would be there 180 times.
    grown = {what: count for what, count in (kinds[PICTURES] - kinds[FIRST]).items() if count > SPARE}
    assert not grown, f"more than after {FIRST} pictures: {grown}"
