"""Work in pieces: order, room between two of them, an error, and stopping."""

from __future__ import annotations

import sys

import pytest
from PySide6.QtCore import QObject, QTimer

from app.system.deferred import DeferredSteps, imports
from tests.app.settled import turn_over


@pytest.fixture
def parent(qapp) -> QObject:
    return QObject()


def test_steps_come_in_order_and_let_other_things_happen_between(qtbot, parent):
    done: list[str] = []
    others = QTimer(parent, interval=0)
    others.timeout.connect(lambda: done.append("·"))
    others.start()
    deferred = DeferredSteps([lambda: done.append("a"), lambda: done.append("b"), lambda: done.append("c")], parent)
    assert done == [] and not deferred.done, "nothing is done at once"
    qtbot.waitUntil(lambda: deferred.done)
    others.stop()
    text = "".join(done)
    assert text.replace("·", "") == "abc"
    assert "ab" not in text and "bc" not in text


def test_an_error_in_one_step_does_not_keep_the_next_from_its_turn(qtbot, parent):
    done: list[str] = []

    def fail() -> None:
        raise ValueError("by design")

    with qtbot.captureExceptions() as raised:
        deferred = DeferredSteps([fail, lambda: done.append("b")], parent)
        qtbot.waitUntil(lambda: deferred.done)
    assert done == ["b"] and [kind for kind, _, _ in raised] == [ValueError]


def test_what_is_left_is_not_done_after_stop(qtbot, parent):
    done: list[str] = []
    deferred = DeferredSteps([lambda: done.append("a"), lambda: deferred.stop(), lambda: done.append("c")], parent)
    qtbot.waitUntil(lambda: deferred.done)
    turn_over(qtbot)
    assert done == ["a"] and not deferred._timer.isActive()


def test_steps_in_no_hurry_wait_for_other_work_but_not_for_ever(qtbot, parent, monkeypatch):
    done: list[str] = []
    busy = [True]
    steps = DeferredSteps([lambda: done.append("a")], parent, [lambda: done.append("b")], lambda: busy[0])
    qtbot.waitUntil(lambda: done == ["a"])
    timer = QTimer(parent, interval=0)
    timer.start()
    for _ in range(20):  # turns of the event loop
        with qtbot.waitSignal(timer.timeout):
            pass
    assert done == ["a"] and not steps.done
    busy[0] = False
    qtbot.waitUntil(lambda: steps.done)
    assert done == ["a", "b"]

    monkeypatch.setattr("app.system.deferred._LONGEST_WAIT", 0.0)
    steps = DeferredSteps([], parent, [lambda: done.append("c")], lambda: True)
    qtbot.waitUntil(lambda: steps.done)
    assert done[-1] == "c"


def test_modules_are_imported_step_by_step():
    sys.modules.pop("this_module_is_not_there", None)
    steps = imports("json.tool", "this_module_is_not_there")
    steps[0]()
    assert "json.tool" in sys.modules
    with pytest.raises(ModuleNotFoundError):
        steps[1]()
