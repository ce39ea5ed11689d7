"""The engine's thread and link, with a child process that draws plain colours."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication

from app.session.engine_link import EngineLink, Previews
from engine.errors import BundleError, Cancelled, NotEnoughMemory
from engine.request import GenerationRequest, ScaleBits
from tests.app.settled import drain

FAKE = "tests.engine.fake_engine:FakeEngine"

BITS = ScaleBits(tuple(np.zeros((n, n, 4), np.uint8) for n in (1, 2, 3)))


@pytest.fixture
def link(qtbot):
    link = EngineLink(FAKE)
    yield link
    assert link.shutdown()


@pytest.fixture
def opened(qtbot, link):
    with qtbot.waitSignal(link.opened, timeout=20_000):
        link.open("mini")
    return link


def test_opening_tells_its_progress_and_what_was_opened(qtbot, link):
    fractions = []
    link.loading.connect(lambda message: fractions.append(message.fraction))
    with qtbot.waitSignal(link.opened, timeout=20_000) as caught:
        link.open("mini")
    assert caught.args[0].info.device == "CPU, 2 cores"
    assert fractions[0] == 0.0 and 0.5 in fractions


def test_the_model_before_is_not_told_once_another_one_is_asked_for(qtbot, opened):
    """Its answer may lie on the way already: the window would be ready while the other one is still being loaded."""
    told = []
    opened.opened.connect(lambda message: told.append(message.info.bundle.partition("@")[0]))
    opened.open("first")
    time.sleep(0.5)  # the child has answered, and this thread has not looked yet
    opened.open("second")
    qtbot.waitUntil(lambda: "second" in told, timeout=20_000)
    assert told == ["second"]


def test_a_missing_bundle_fails_with_its_sentence(qtbot, link):
    with qtbot.waitSignal(link.failed, timeout=20_000) as caught:
        link.open("missing")
    failed, previews = caught.args
    assert failed.job is None and isinstance(failed.error, BundleError) and previews.images == ()


def test_a_picture_forms_and_brings_all_its_previews(qtbot, opened):
    previews = []
    opened.preview.connect(lambda job, preview: previews.append((job, preview.scale)))
    with qtbot.waitSignals([opened.started, opened.finished], timeout=20_000, order="strict"):
        job = opened.generate(GenerationRequest("a duck"))
    assert previews and all(number == job for number, _ in previews)
    assert [scale for _, scale in previews] == sorted({scale for _, scale in previews})


def test_the_strip_is_complete_although_the_window_was_busy(qtbot, opened):
    scales, done = [], []
    opened.preview.connect(lambda job, preview: scales.append(preview.scale))
    opened.finished.connect(lambda job, finished, previews: done.append(previews))
    opened.generate(GenerationRequest("a duck"))
    time.sleep(1.0)  # the window hangs: what it missed is not delivered late
    qtbot.waitUntil(lambda: bool(done), timeout=20_000)
    assert isinstance(done[0], Previews) and all(image is not None for image in done[0].images)
    assert len(scales) <= 1


def test_cancelling_ends_the_picture_and_the_next_one_is_drawn(qtbot, opened):
    with qtbot.waitSignal(opened.preview, timeout=20_000):
        job = opened.generate(GenerationRequest("a slow duck"))
    with qtbot.waitSignal(opened.failed, timeout=5_000) as caught:
        opened.cancel(job)
    failed, previews = caught.args
    assert isinstance(failed.error, Cancelled) and failed.job == job
    assert previews.images[0] is not None and previews.images[-1] is None
    with qtbot.waitSignal(opened.finished, timeout=20_000):
        opened.generate(GenerationRequest("a duck"))


def test_an_error_of_the_engine_arrives_whole(qtbot, opened):
    with qtbot.waitSignal(opened.failed, timeout=20_000) as caught:
        opened.generate(GenerationRequest("a duck, memory"))
    assert isinstance(caught.args[0].error, NotEnoughMemory)
    assert "low-memory" in caught.args[0].error.step


def test_a_child_that_died_is_told_and_starts_anew_with_the_next_command(qtbot, opened):
    with qtbot.waitSignal(opened.ended, timeout=20_000) as caught:
        opened.generate(GenerationRequest("a duck, die"))
    assert caught.args[0].exit_code == 9
    with qtbot.waitSignal(opened.opened, timeout=20_000):
        opened.open("mini")
    with qtbot.waitSignal(opened.finished, timeout=20_000):
        opened.generate(GenerationRequest("a duck"))


def test_preparing_answers_with_its_command(qtbot, opened):
    with qtbot.waitSignal(opened.prepared, timeout=20_000) as caught:
        command = opened.prepare("a duck", "rain")
    assert caught.args[0].command == command


def test_the_scales_of_an_earlier_picture_come_when_nothing_is_drawn(qtbot, opened):
    order = []
    opened.finished.connect(lambda *_: order.append("picture"))
    opened.scalesPainted.connect(lambda answer: order.append(answer))
    with qtbot.waitSignal(opened.preview, timeout=20_000):
        opened.generate(GenerationRequest("a duck"))
    opened.paint_scales(BITS, GenerationRequest("a duck"))
    number = opened.paint_scales(BITS, GenerationRequest("a duck", size=(256, 256)))
    qtbot.waitUntil(lambda: len(order) == 2, timeout=20_000)
    assert order[0] == "picture", "a picture that is drawn is not disturbed"
    assert order[1].number == number and len(order[1].images) == 3, "the last wish alone is answered"
    last = opened.paint_scales(BITS, GenerationRequest("a duck"))
    qtbot.waitUntil(lambda: len(order) > 2, timeout=20_000)
    assert [answer.number for answer in order[2:]] == [last], "and nothing came for the wish that was given up"


def test_an_answer_that_is_out_of_date_is_not_passed_on(qtbot, opened):
    scales = []
    opened.scalesPainted.connect(scales.append)
    opened.paint_scales(BITS, GenerationRequest("a duck"))
    time.sleep(0.3)  # the window hangs: the first answer lies in its queue
    number = opened.paint_scales(BITS, GenerationRequest("a duck"))
    qtbot.waitUntil(lambda: bool(scales), timeout=20_000)
    assert [answer.number for answer in scales] == [number]


def test_scales_asked_of_a_dead_engine_are_no_error(qtbot, opened):
    failures = []
    opened.failed.connect(lambda failed, _: failures.append(failed))
    with qtbot.waitSignal(opened.ended, timeout=20_000):
        opened.generate(GenerationRequest("a duck, die"))
    opened._worker.process._child = None
    opened._worker._running = True  # it has died, and nobody has noticed yet
    opened.paint_scales(BITS, GenerationRequest("a duck"))
    drain(qtbot, opened._worker)
    opened._worker._running = False
    assert failures == []


def test_closing_while_drawing_is_quick_and_leaves_no_thread(qtbot):
    before = threading.active_count()
    link = EngineLink(FAKE)
    with qtbot.waitSignal(link.opened, timeout=20_000):
        link.open("mini")
    with qtbot.waitSignal(link.preview, timeout=20_000):
        link.generate(GenerationRequest("a slow duck"))
    start = time.monotonic()
    assert link.shutdown()
    assert time.monotonic() - start < 3
    assert link.shutdown()  # a second time does nothing
    QCoreApplication.processEvents()
    assert threading.active_count() <= before
