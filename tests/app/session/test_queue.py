"""The queue of pictures, with a link that only writes down what is asked."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from app.language import languages
from app.session.engine_link import Previews
from app.session.queue import PictureQueue
from app.session.state import SessionState
from engine.errors import DeviceLost
from engine.events import EngineInfo, Finished, ScalePreview, Started, Timing
from engine.planning.plans import TITLES
from engine.process.messages import Failed, Prepared, Replanned
from engine.request import CutOut, GenerationRequest, ScaleBits
from engine.sentence import Sentence
from tests.app.fake_link import FakeLink

STEP_DOWN = Sentence(
    "Memory ran out with the plan “{plan}”; “{below}” is used now.", plan=TITLES["balanced"], below=TITLES["low"]
)
WORDS = "This model does not know “robot”; it will not show."
GRIDS = ((1, 1), (2, 2))


@pytest.fixture
def queue(qapp):
    state = SessionState()
    queue = PictureQueue(state, FakeLink())
    state.update_engine(phase="ready", info=EngineInfo("mini@0123456789ab", "/mini", "CPU"))
    return queue


def begin(queue: PictureQueue, number: int, *notes: str) -> None:
    queue._link.started.emit(number, Started(GenerationRequest("a"), GRIDS, (0.5, 0.5), notes=notes))


def test_a_smaller_plan_in_the_middle_of_a_picture_is_said_once(queue):
    notes = []
    queue.noted.connect(notes.append)
    queue.draw([GenerationRequest("a robot")])
    begin(queue, 1, WORDS)
    assert notes == [], "the prompt panel says what the prompt lacks"
    begin(queue, 1, STEP_DOWN, WORDS)
    assert notes == [STEP_DOWN]
    queue.stop_after()
    begin(queue, 7, STEP_DOWN, "Of another job.")
    assert notes == [STEP_DOWN]


def test_it_is_said_in_the_user_s_language(queue):
    notes = []
    queue.noted.connect(notes.append)
    languages.install("zh_CN")
    try:
        queue.draw([GenerationRequest("a robot")])
        begin(queue, 1)
        begin(queue, 1, STEP_DOWN)
    finally:
        languages.install("en")
    assert notes == ["方案“均衡”内存不足；现改用“低内存”。"]


def test_scales_are_asked_of_the_model_that_drew_them(queue):
    bits, here = ScaleBits((np.zeros((1, 1, 4), np.uint8),)), "mini@0123456789ab"
    for bundle, number in ((here, 1), ("", 2), ("other@0123456789ab", None)):
        request = GenerationRequest("a", size=(64, 64), bundle=bundle)
        assert queue.paint_scales(request, bits) == number
    assert [(b, r.size, r.bundle) for b, r in queue._link.asked] == [(bits, (64, 64), here), (bits, (64, 64), "")]
    queue._state.update_engine(phase="loading")
    assert queue.paint_scales(GenerationRequest("a"), bits) is None


def test_a_smaller_plan_shows_in_the_engines_state(queue):
    info = EngineInfo("mini@0123456789ab", "/mini", "CPU", "Balanced")
    queue._link.replanned.emit(Replanned(info))
    assert queue._state.engine.info == info
    # Another model is on its way: what the old one says of itself does not count any more.
    queue._state.update_engine(phase="loading", info=None)
    queue._link.replanned.emit(Replanned(info))
    assert queue._state.engine.info is None


def finish(queue: PictureQueue, number: int, colour: int = 90) -> Finished:
    event = Finished(GenerationRequest("a"), np.full((4, 4, 3), colour, np.uint8), ScaleBits(()), Timing(total=1.0))
    queue._link.finished.emit(number, event, Previews(number))
    return event


def test_a_picture_is_completed_outside_of_the_window_s_thread_and_counts_as_drawn_until_then(queue, qtbot):
    told, failed, threads = [], [], []
    queue.finished.connect(lambda event, images: told.append(event))
    queue.failed.connect(lambda error, details: failed.append(error))
    go_on = threading.Event()

    def completion(event):
        def work():
            threads.append(threading.current_thread())
            assert go_on.wait(20)
            return replace(event, image=event.image + 1)

        return work

    queue.completion = completion
    queue.draw([GenerationRequest("a"), GenerationRequest("b")])
    begin(queue, 1)
    finish(queue, 1)
    assert told == [] and queue._state.jobs.busy and len(queue._link.drawn) == 1
    go_on.set()
    qtbot.waitUntil(lambda: len(told) == 1)
    assert told[0].image[0, 0, 0] == 91 and threads[0] is not threading.main_thread()
    assert len(queue._link.drawn) == 2, "the next one is drawn"

    def broken(event):
        def work():
            raise MemoryError("no room")

        return work

    queue.completion = broken
    begin(queue, 2)
    finish(queue, 2, 30)
    qtbot.waitUntil(lambda: len(told) == 2)
    assert told[1].image[0, 0, 0] == 30 and "no room" in str(failed[0]) and not queue._state.jobs.busy


def requests(count: int) -> list[GenerationRequest]:
    return [GenerationRequest("a robot", seed=seed) for seed in range(count)]


def test_what_a_stop_forgets_can_come_back(queue):
    asked = requests(3)
    queue.draw(asked)
    queue._link.cancel = lambda number: None
    assert queue.stop_now() == 2, "one is drawn, two waited"
    assert queue.unfinished() == []
    queue.bring_back()
    assert queue.unfinished() == asked[1:]


def test_another_model_holds_what_was_asked_for(queue):
    asked = requests(3)
    queue.draw(asked)
    queue._link.cancel = queue._link.open = lambda *_: None
    queue.open("other", "auto", "auto")
    assert queue._state.jobs.held == 3 and queue.unfinished() == asked, "in its order, and nothing twice"
    queue.stop_now()
    assert queue._state.jobs.held == 3


def test_a_picture_that_was_done_when_another_model_was_chosen_is_not_held_as_well(queue):
    """Its last message lay on the way already."""
    asked, told = requests(2), []
    queue.finished.connect(lambda event, images: told.append(event))
    queue.draw(asked)
    queue._link.cancel = queue._link.open = lambda *_: None
    queue.open("other", "auto", "auto")
    finish(queue, 1)
    assert len(told) == 1 and queue.unfinished() == asked[1:]
    assert [entry.phase for entry in queue.entries()] == ["held"]


def test_the_expected_time_is_the_engines(queue):
    queue.draw([GenerationRequest("a robot")])
    queue._link.started.emit(1, Started(GenerationRequest("a"), GRIDS, (0.5, 0.5), expected_seconds=12.0))
    assert queue._state.expected_seconds == 12.0


def test_a_preview_of_another_picture_or_of_one_that_stops_is_not_shown(queue):
    previews, skipped = [], []
    queue.previewed.connect(previews.append)
    queue.previewSkipped.connect(skipped.append)
    queue._link.cancel = lambda number: None
    queue.draw([GenerationRequest("a robot")])
    preview = ScalePreview(0, 2, (1, 1), np.zeros((4, 4, 3), np.uint8), 0.1)
    queue._link.preview.emit(7, preview)
    queue._link.preview.emit(1, preview)
    queue._link.previewSkipped.emit(7, preview)
    queue._link.previewSkipped.emit(1, preview)
    assert previews == skipped == [preview]
    queue.stop_now()
    queue._link.preview.emit(1, preview)
    queue._link.previewSkipped.emit(1, preview)
    assert len(previews) == len(skipped) == 1


# Encoding ahead


@pytest.fixture
def ahead(queue):
    """A queue whose prompt and subject can be encoded; the pause of the user is over at once."""
    queue._state.add_subject(cut_out=CutOut(np.full((16, 16, 4), 90, np.uint8)), name="robot")
    queue._state.update_values(prompt="a robot ")
    queue._ahead._timer.stop()
    queue._ahead._prepare()
    return queue


def test_what_is_encoded_is_said_until_the_prompt_changes(ahead):
    asked = ahead._ahead._asked
    assert (asked.prompt, asked.negative_prompt) == ("a robot", "")
    ahead._link.prepared.emit(Prepared(asked, (WORDS,)))
    assert ahead._state.prepared == (WORDS,)
    ahead._ahead.consider()
    assert ahead._state.prepared == (WORDS,) and not ahead._ahead._timer.isActive()
    ahead._state.update_values(prompt="a duck")
    assert ahead._state.prepared is None and ahead._ahead._timer.isActive()


def test_an_answer_that_is_out_of_date_says_nothing(ahead):
    asked = ahead._ahead._asked
    ahead._state.update_values(prompt="a duck")
    ahead._link.prepared.emit(Prepared(asked, (WORDS,)))
    ahead._link.prepared.emit(Prepared(asked, (WORDS,)))
    assert ahead._state.prepared is None


def test_an_error_of_encoding_ahead_is_not_told_and_one_that_nobody_asked_for_is(ahead):
    errors = []
    ahead.failed.connect(lambda error, _: errors.append(str(error)))
    failed = Failed(None, DeviceLost(Sentence.row("Gone."), Sentence.row("Again.")), "")
    ahead._link.failed.emit(failed, Previews(0))
    assert errors == [] and ahead._state.engine.phase == "ready"
    ahead._link.failed.emit(failed, Previews(0))
    assert errors == ["Gone. Again."] and ahead._state.engine.phase == "failed"


def test_nothing_is_encoded_while_something_is_drawn_or_missing(ahead):
    ahead._ahead.forget()
    ahead._state.update_values(prompt=" ")
    ahead._ahead._prepare()
    ahead._state.update_values(prompt="a duck")
    ahead._state.update_subject(ahead._state.subject.key, cut_out=None)
    ahead._ahead._prepare()
    assert ahead._ahead._asked is None
    ahead._state.update_subject(ahead._state.subject.key, cut_out=CutOut(np.full((16, 16, 4), 90, np.uint8)))
    ahead.draw([GenerationRequest("a robot")])
    ahead._ahead._prepare()
    assert ahead._ahead._asked is None
