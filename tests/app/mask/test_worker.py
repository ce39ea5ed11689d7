"""The mask thread: latest wins, stale answers are never delivered, it ends in time."""

from __future__ import annotations

import numpy as np
import pytest

from app.mask.brush import Brush
from app.mask.strokes import Painted
from app.mask.worker import Find, MaskService, Refine
from engine.photo.hints import Box, Click, Hint
from tests.app.mask.fakes import FakeSegmenter
from tests.app.settled import settle, turn_over


@pytest.fixture
def heard(service):
    """Everything the service said."""
    signals = {"answered": [], "failed": [], "superseded": []}
    service.answered.connect(lambda answer: signals["answered"].append(answer))
    service.failed.connect(lambda failure: signals["failed"].append(failure))
    service.superseded.connect(lambda ticket: signals["superseded"].append(ticket))
    return signals


def test_an_answer_has_the_ticket_of_its_job(qtbot, service, photo, heard):
    ticket = service.ask(Find(photo, Hint("thing", Box(10, 10, 50, 50))))
    assert service.busy
    qtbot.waitUntil(lambda: bool(heard["answered"]))
    (answer,) = heard["answered"]
    assert answer.job.ticket == ticket and answer.proposal.name == "thing"
    assert not service.busy


def test_the_latest_wins(qtbot, service, photo, heard, segmenter):
    segmenter.gate.clear()
    tickets = [service.ask(Refine(photo, (Click(x, 50),))) for x in (50, 150, 250, 350)]
    segmenter.gate.set()
    settle(qtbot, service)
    assert [answer.job.ticket for answer in heard["answered"]] == tickets[-1:]
    assert heard["superseded"] == tickets[:-1]
    assert len(segmenter.asked) == 2  # the first was under way, the two between were never begun


def test_what_was_cancelled_is_not_answered(qtbot, service, photo, heard, segmenter):
    segmenter.gate.clear()
    ticket = service.ask(Find(photo))
    service.cancel()
    segmenter.gate.set()
    settle(qtbot, service)
    assert heard["superseded"] == [ticket] and not heard["answered"] and not service.busy
    service.ask(Find(photo))
    qtbot.waitUntil(lambda: bool(heard["answered"]))


def test_hand_work_comes_back_on_top_of_every_answer(qtbot, service, photo, heard):
    painted = (Painted(((300.0, 200.0),), Brush(40, 1.0, False), False), Painted(((20.0, 20.0),), Brush(20), True))
    service.ask(Refine(photo, (Click(300, 200),), painted=painted))
    qtbot.waitUntil(lambda: bool(heard["answered"]))
    mask = heard["answered"][0].mask
    assert mask[200, 300] == 0 and mask[20, 20] == 255 and mask[200, 325] == 255


def test_failures_are_told_in_words(qtbot, service, photo, heard, segmenter):
    segmenter.fail = True
    service.ask(Find(photo))
    qtbot.waitUntil(lambda: bool(heard["failed"]))
    assert heard["failed"][0].error.fact == "Nothing found in the photo."


def test_a_fault_of_ours_becomes_a_sentence(qtbot, photo, caplog):
    class Broken(FakeSegmenter):
        def find_subject(self, photo, hint):
            raise ZeroDivisionError("by design")

    service = MaskService(Broken)
    with qtbot.waitSignal(service.failed) as failure:
        service.ask(Find(photo))
    assert "by design" in failure.args[0].error.fact and "ZeroDivisionError" in failure.args[0].details
    service.close()
    assert "the segmenter failed" in caplog.text


def test_closing_waits_and_says_nothing_more(qtbot, photo, segmenter):
    service = MaskService(lambda: segmenter)
    answers = []
    service.answered.connect(answers.append)
    service.ask(Find(photo))
    service.close()
    turn_over(qtbot)  # the thread is gone: what it said before is in the window's queue
    assert not answers and not service._thread.isRunning()
    service.ask(Find(photo))  # too late: ignored
    service.close()


def test_the_segmenter_is_made_once_and_in_the_thread(qtbot, photo, qapp):
    from PySide6.QtCore import QThread

    made = []
    service = MaskService(lambda: made.append(QThread.currentThread()) or FakeSegmenter())
    for _ in range(2):
        with qtbot.waitSignal(service.answered):
            service.ask(Find(photo))
    assert len(made) == 1 and made[0] is not qapp.thread()
    service.close()


def test_the_real_segmenter_finds_a_plain_thing(qtbot):
    from engine.photo.load import photo_from_pixels

    rgb = np.full((160, 200, 3), 70, np.uint8)
    rgb[40:120, 60:140] = (220, 60, 40)
    service = MaskService()
    with qtbot.waitSignal(service.answered, timeout=30000) as answer:
        service.ask(Find(photo_from_pixels(rgb)))
    service.close()
    mask = answer.args[0].proposal.mask
    assert mask[80, 100] == 255 and mask[10, 10] == 0
