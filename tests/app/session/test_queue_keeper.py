"""What was asked for is drawn, whatever happens in between."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QObject, Signal

from app.session.queue import PictureQueue
from app.session.queue_keeper import QueueKeeper
from app.session.state import SessionState
from app.store.errors import QueueNotRead
from app.store.history_store import HistoryStore
from engine.errors import Cancelled, CannotWrite, NotEnoughMemory
from engine.events import EngineInfo, Finished, Timing
from engine.process.messages import Failed
from engine.request import CutOut, GenerationRequest, ScaleBits
from tests.app.fake_link import FakeLink

SUBJECT = CutOut(np.full((8, 8, 4), 200, np.uint8))


class Previews:
    images = ()


class Saver(QObject):
    kept = Signal(object, object)


class Start:
    """One start of the program on the same database."""

    def __init__(self, path, folder) -> None:
        self.store = HistoryStore(path, folder)
        self.state, self.link, self.saver = SessionState(), FakeLink(), Saver()
        self.link.cancelled = []
        self.link.cancel = self.link.cancelled.append
        self.link.open = lambda *_: None
        self.queue = PictureQueue(self.state, self.link)
        self.keeper = QueueKeeper(self.state, self.queue, self.saver, self.store.queue)
        self.state.update_engine(phase="ready", info=EngineInfo("mini@0123456789ab", "/mini", "CPU"))
        self.events: list[Finished] = []
        self.queue.finished.connect(lambda event, _: self.events.append(event))

    def draw(self, *prompts: str) -> None:
        self.queue.draw([GenerationRequest(prompt, SUBJECT, seed=7) for prompt in prompts])

    def finish(self) -> None:
        request = self.state.jobs.request
        bits = ScaleBits((np.ones((1, 1, 4), np.uint8),))
        event = Finished(request, np.zeros((8, 8, 3), np.uint8), bits, Timing((0.1,), 0.1))
        self.link.finished.emit(self.state.jobs.drawing, event, Previews())

    def fail(self, error) -> None:
        self.link.failed.emit(Failed(self.state.jobs.drawing, error, ""), Previews())

    def on_disk(self) -> list[str]:
        return [request.prompt for _, request in self.store.queue.read()]


@pytest.fixture
def start(qapp, tmp_path):
    starts = []

    def one() -> Start:
        starts.append(Start(tmp_path / "history.sqlite", tmp_path))
        return starts[-1]

    yield one
    for one in starts:
        one.queue._ahead.put_off()
        one.store.close()


def test_what_waits_comes_back_paused_and_is_drawn_when_asked(start):
    first = start()
    first.draw("a", "b", "c")
    assert first.on_disk() == ["a", "b", "c"], "the one that is being drawn, too"
    again = start()  # killed in the middle of the first picture
    assert again.keeper.restore() == 3
    assert again.state.jobs.held == 3 and not again.state.jobs.busy and not again.link.drawn
    again.queue.resume()
    assert again.state.jobs.busy and again.state.jobs.waiting == 2 and again.state.jobs.held == 0
    assert again.link.drawn[0] == GenerationRequest("a", SUBJECT, seed=7)
    assert again.on_disk() == ["a", "b", "c"]


def test_a_picture_leaves_the_table_when_it_is_in_the_history(start):
    one = start()
    one.draw("a", "b")
    one.finish()
    assert one.on_disk() == ["a", "b"], "drawn, and not on disk yet"
    one.saver.kept.emit(replace(one.events[0], image=np.ones((9, 9, 3), np.uint8)), None)  # put into a photo
    assert one.on_disk() == ["b"]


def test_what_the_user_stops_is_forgotten_and_what_a_quit_stops_is_not(start):
    one = start()
    one.draw("a", "b")
    one.queue.stop_now()
    assert one.link.cancelled and one.on_disk() == []
    one.fail(Cancelled())
    one.draw("c", "d")
    one.keeper.freeze()
    one.queue.stop_now()
    one.fail(Cancelled())
    assert one.on_disk() == ["c", "d"]


def test_an_error_holds_what_waits_and_the_next_picture_is_drawn_first(start):
    one = start()
    one.draw("a", "b")
    one.fail(NotEnoughMemory("Too little.", "Less."))
    assert one.state.jobs.held == 2 and not one.state.jobs.busy and one.on_disk() == ["a", "b"]
    one.draw("c")
    assert one.state.jobs.request.prompt == "c" and one.state.jobs.held == 2
    one.queue.drop_held()
    assert one.state.jobs.held == 0 and one.on_disk() == ["c"]


def test_a_row_that_cannot_be_read_is_said_once_and_set_aside_until_it_can(start):
    one = start()
    one.draw("a", "b")
    database = one.store.database
    (whole,) = database.row("SELECT request FROM queue WHERE id=1")
    with database.transaction() as changes:
        changes.execute("UPDATE queue SET request=? WHERE id=1", (whole.replace('"a"', '{"new": "words"}'),))
    again = start()
    assert again.keeper.restore() == 1 and again.keeper.unreadable == 1 and again.on_disk() == ["b"]
    later = start()
    assert later.keeper.restore() == 1 and later.keeper.unreadable == 0, "it was said already"
    with database.transaction() as changes:  # a program that knows these words
        changes.execute("UPDATE queue_aside SET request=?", (whole,))
    newer = start()
    assert newer.keeper.restore() == 2 and newer.on_disk() == ["b", "a"]
    assert database.rows("SELECT * FROM queue_aside") == []


def test_the_pixels_of_a_subject_are_kept_once_for_all_its_pictures_and_go_with_the_last(start):
    """Each row had all of them: five hundred pictures were 78 MB, written while the window stood still."""
    one = start()
    store, database = one.store.queue, one.store.database
    chance = np.random.default_rng(1)
    front, back = (CutOut(chance.integers(0, 256, (64, 64, 4), np.uint8)) for _ in range(2))
    asked = GenerationRequest('a box "png": "#"', front, views=(back,), seed=1).several(20, 1)
    keys = store.add(asked)
    rows = database.rows("SELECT length(request) FROM queue")
    assert max(length for (length,) in rows) < 2000 and database.row("SELECT count(*) FROM queue_cut_outs") == (2,)
    assert [request for _, request in store.read()] == list(asked)
    whole = json.dumps(asked[0].to_json())  # as it was written before
    with database.transaction() as changes:
        changes.execute("UPDATE queue SET request=? WHERE id=?", (whole, keys[0]))
    assert store.read()[0][1] == asked[0]
    store.remove(keys[:-1])
    assert store.read() == [(keys[-1], asked[-1])]
    with database.transaction() as changes:  # one that no program will read keeps none of the others' pixels
        changes.execute("INSERT INTO queue_aside (request) VALUES ('')")
    store.remove(keys[-1:])
    assert database.row("SELECT count(*) FROM queue_cut_outs") == (0,)


def test_what_is_missing_is_said_in_words():
    assert QueueNotRead(1).fact == "One waiting picture cannot be read."
    assert QueueNotRead(3).fact == "3 waiting pictures cannot be read." and pickle.loads(
        pickle.dumps(QueueNotRead(3))
    ).sentence.startswith("3 waiting")


def test_a_disk_that_refuses_stops_no_picture_and_what_waits_is_kept_as_soon_as_it_can_be(start, monkeypatch):
    one = start()

    def full(*_):
        raise CannotWrite("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(one.store.queue, "add", full)
        one.draw("a", "b", "c")
        one.finish()
        one.saver.kept.emit(one.events[0], None)
    assert one.link.drawn[-1].prompt == "b" and one.on_disk() == []
    one.draw("d")
    assert one.on_disk() == ["b", "c", "d"], "and not the one that is in the history"
    with monkeypatch.context() as patched:
        patched.setattr(one.store.queue, "remove", full)
        one.finish()
        one.saver.kept.emit(one.events[1], None)
    assert one.link.drawn[-1].prompt == "c" and one.on_disk() == ["b", "c", "d"]


def test_ideas_are_not_kept(start):
    one = start()
    one.queue.draw_ideas([GenerationRequest("a", SUBJECT)], 2)
    assert one.state.jobs.ideas and one.on_disk() == []


def prompts(one: Start) -> list[str]:
    return [entry.request.prompt for entry in one.queue.entries()]


def numbers(one: Start) -> dict[str, int]:
    return {entry.request.prompt: entry.number for entry in one.queue.entries()}


def test_the_order_that_was_given_comes_back(start):
    one = start()
    one.draw("a", "b", "c", "d")
    number = numbers(one)
    one.queue.move(number["d"], number["b"])
    assert prompts(one) == one.on_disk() == ["a", "d", "b", "c"]
    one.queue.move(number["b"], None)
    one.queue.move(number["c"], number["a"])  # in front of the one that is drawn: next
    assert prompts(one) == one.on_disk() == ["a", "c", "d", "b"]
    one.queue.move(number["a"], None)
    assert prompts(one) == ["a", "c", "d", "b"], "what is drawn stays first"
    one.finish()
    assert one.state.jobs.request.prompt == "c"
    again = start()
    again.keeper.restore()
    assert prompts(again) == ["a", "c", "d", "b"], "the finished one is not in the history yet"


def test_one_is_taken_out_and_brought_back_and_the_count_stays_true(start):
    one = start()
    one.draw("a", "b", "c", "d")
    one.finish()
    assert (one.state.jobs.index, one.state.jobs.count) == (2, 4)
    one.queue.take_out([numbers(one)["c"]])
    assert prompts(one) == ["b", "d"] and one.on_disk() == ["a", "b", "d"]
    assert (one.state.jobs.index, one.state.jobs.count) == (2, 3)
    one.queue.bring_back()
    assert prompts(one) == ["b", "c", "d"] and one.state.jobs.count == 4
    assert one.on_disk()[1:] == ["b", "c", "d"]
    assert not one.queue.bring_back()
    for prompt in ("c", "d"):
        one.queue.take_out([numbers(one)[prompt]])
    assert one.queue.bring_back() and prompts(one) == one.on_disk()[1:] == ["b", "d"]
    assert one.queue.bring_back() and prompts(one) == one.on_disk()[1:] == ["b", "c", "d"], (
        "what was taken out before it, too"
    )
    one.queue.take_out([numbers(one)["b"]])
    assert one.link.cancelled == [one.state.jobs.drawing] and one.state.jobs.stopping


def test_a_pause_keeps_what_waits_and_a_failed_one_is_tried_again(start):
    one = start()
    one.draw("a", "b", "c")
    one.queue.pause()
    assert [entry.phase for entry in one.queue.entries()] == ["drawing", "held", "held"]
    one.fail(NotEnoughMemory("It does not fit."))
    entries = one.queue.entries()
    assert [entry.phase for entry in entries] == ["failed", "held", "held"] and not one.state.jobs.busy
    assert entries[0].problem.fact == "It does not fit."
    one.queue.draw_held([entries[2].number])
    assert one.state.jobs.request.prompt == "c" and (one.state.jobs.index, one.state.jobs.count) == (1, 1)
    one.queue.draw_held([entries[0].number])
    assert [entry.phase for entry in one.queue.entries()] == ["drawing", "waiting", "held"], "no longer a failed one"
    assert sorted(one.on_disk()) == ["a", "b", "c"]
