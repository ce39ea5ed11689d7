"""Random walks over what a user and an engine can do to a session: whatever the order, nothing is lost and nothing disagrees.

The rules of ``docs/states.md`` that need no window. A start in the middle of a walk is a kill -9: new objects on the same files.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from PySide6.QtCore import QCoreApplication, QEvent

from app.session.controller import Controller
from app.session.keeper import SessionKeeper
from app.session.queue import PictureQueue
from app.session.queue_keeper import QueueKeeper
from app.session.state import Result, SessionState
from app.session.subjects import Subjects
from app.session.values import PanelValues, for_next_picture, recall
from app.store.assets import AssetStore
from app.store.history_store import HistoryStore
from app.store.saved_session import SessionStore
from app.store.settings import SettingsStore
from app.system import background
from engine.photo.load import load_photo, photo_from_pixels
from engine.photo.picture_file import read_picture_file
from engine.request import GenerationRequest
from tests.app.walks.scripted_link import ScriptedLink, picture_of
from tests.app.walks.small_segmenter import SmallSegmenter

PROMPTS = ("a ball in the snow", "a red ball", "")


class Start:
    """The objects of one start of the program, without a window."""

    def __init__(self, folder: Path) -> None:
        self.state, self.link = SessionState(), ScriptedLink()
        self.queue = PictureQueue(self.state, self.link)
        self.store = HistoryStore(folder / "history.sqlite", folder / "pictures")
        self.subjects = Subjects(self.state, SmallSegmenter)
        self.controller = Controller(self.state, self.queue, self.subjects, self.store)
        self.queue_keeper = QueueKeeper(self.state, self.queue, self.controller.saver, self.store.queue)
        self.keeper = SessionKeeper(
            self.state,
            SessionStore(folder / "session.json"),
            SettingsStore(folder / "settings.json"),
            AssetStore(folder / "assets"),
            dict,
        )
        self.keeper.restore(self.keeper.load())
        self.queue_keeper.restore()

    def go(self) -> None:
        """The timers of the session at once: what would be done a moment later is done now."""
        for timer, act in (
            (self.subjects._publish, self.subjects._publish_current),
            (self.keeper._timer, self.keeper.save),
        ):
            if timer.isActive():
                timer.stop()
                act()
        self.queue._ahead.put_off()

    def die(self) -> None:
        self.keeper._closed = True
        for timer in (self.keeper._timer, self.queue._ahead._timer, self.subjects._publish):
            timer.stop()
        self.subjects.close()
        self.store.close()


class SessionWalk(RuleBasedStateMachine):
    """The walk: ``asked`` holds every picture that was asked for until the user lets it go or it is in the history."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="walk"))
        self.asked: list[tuple[str, int]] = []
        self.drawn: list[tuple[str, int]] = []
        self.photos = 0
        self.start = Start(self.folder)
        self.start.queue.open("paper", "auto", "auto")
        self._listen()
        self.open_photo()

    def _listen(self) -> None:
        self.start.controller.kept.connect(self._kept)

    def _kept(self, picture) -> None:
        self.asked.remove((picture.prompt, picture.seed))
        self.drawn.append((picture.prompt, picture.seed))

    def teardown(self) -> None:
        self.start.die()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        shutil.rmtree(self.folder)

    @property
    def state(self) -> SessionState:
        return self.start.state

    # What the user does

    @rule(prompt=st.sampled_from(PROMPTS), count=st.integers(1, 3), locked=st.booleans())
    def type(self, prompt: str, count: int, locked: bool) -> None:
        self.state.update_values(prompt=prompt, count=count, seed_locked=locked)

    @rule()
    def open_photo(self) -> None:
        self.photos += 1
        pixels = np.full((64, 64, 3), self.photos % 256, np.uint8)
        self.state.add_subject(photo=photo_from_pixels(pixels, name="a.png"), name="ball", finding=True)

    @rule(place=st.integers(0, 5))
    def choose_subject(self, place: int) -> None:
        self.state.select_subject(min(place, len(self.state.subjects) - 1))

    @precondition(lambda self: len(self.state.subjects) > 1)
    @rule()
    def take_off(self) -> None:
        self.state.remove_subject(self.state.subject.key)

    @rule()
    def put_back(self) -> None:
        self.state.bring_back_subject()

    @rule()
    def generate(self) -> None:
        before = self.state.values
        values = for_next_picture(before)
        self.state.set_values(values)
        possible, _ = self.start.controller.can_draw()
        self.start.controller.generate()
        if possible:
            self.asked += [(values.prompt, values.seed + index) for index in range(values.count)]
        if before.seed_locked:
            assert self.state.values.seed == before.seed, "a kept seed stays"

    @precondition(lambda self: self.state.result is not None)
    @rule()
    def vary(self) -> None:
        self.start.controller.vary(self.state.result.request)
        self._asked_last()

    @precondition(lambda self: self.state.result is not None and self.state.result.unfinished)
    @rule()
    def finish(self) -> None:
        self.start.controller.finish(self.state.result.request)
        self._asked_last()

    @precondition(lambda self: self.state.result is not None and self.state.result.bits is not None)
    @rule(keep=st.integers(1, 3))
    def redraw(self, keep: int) -> None:
        result = self.state.result
        self.start.controller.redraw(result.request, result.bits, keep)
        self._asked_last()

    def _asked_last(self) -> None:
        queue = self.start.queue
        newest = queue._line.waiting[-1] if queue._line.waiting else queue._line.drawing
        self.asked.append((newest.request.prompt, newest.request.seed))

    @rule()
    def ideas(self) -> None:
        self.start.controller.draw_ideas(2)

    @rule()
    def stop(self) -> None:
        held = [job.request for job in self.start.queue._line.held]
        self.start.queue.stop_now()
        self._let_go(held)

    @precondition(lambda self: self.state.jobs.busy)
    @rule()
    def stop_after(self) -> None:
        jobs = self.state.jobs
        drawing = [jobs.request] if not (jobs.stopping or jobs.ideas) else []
        held = [job.request for job in self.start.queue._line.held]
        self.start.queue.stop_after()
        self._let_go([*drawing, *held])

    @rule()
    def resume(self) -> None:
        self.start.queue.resume()

    @rule()
    def drop(self) -> None:
        self.start.queue.drop_held()
        self._let_go(list(self.start.queue.unfinished()))

    def _let_go(self, left: list[GenerationRequest]) -> None:
        """The user does not want what was asked for, but these."""
        self.asked = [(request.prompt, request.seed) for request in left]

    @precondition(lambda self: bool(self.start.store.pictures()))
    @rule(place=st.integers(0, 9))
    def show(self, place: int) -> None:
        if not self.state.jobs.busy:
            pictures = self.start.store.pictures()
            opened = read_picture_file(pictures[place % len(pictures)].file)
            picture = pictures[place % len(pictures)]
            image = load_photo(picture.file).rgb
            self.state.set_result(Result(opened.request, image, opened.bits, 0.1, picture.id, picture.file))

    @precondition(lambda self: self.state.result is not None)
    @rule(what=st.sampled_from(("all", "seed", "prompt")))
    def recall(self, what: str) -> None:
        values, _ = recall(self.state.result.request, self.state.values, what)
        self.state.set_values(replace(values, kept=None, size=None))

    @rule()
    def delete(self) -> None:
        result = self.state.result
        if result is not None and result.picture is not None:
            self.start.store.delete([result.picture])
            self.start.controller.forget([result.picture])
            self.state.set_result(None)
            self.drawn.remove((result.request.prompt, result.request.seed))

    # What the engine does

    @rule()
    def step(self) -> None:
        self.start.link.step()

    @rule()
    def steps(self) -> None:
        for _ in range(7):
            self.start.link.step()

    @precondition(lambda self: self.start.link.job is not None and not self.start.link.cancelled)
    @rule()
    def fail(self) -> None:
        self.start.link.fail()

    @precondition(lambda self: self.start.link.job is not None and not self.start.link.cancelled)
    @rule()
    def die(self) -> None:
        self.start.queue._deaths = 0
        self.start.link.die()

    @rule()
    def kill(self) -> None:
        """kill -9, and the next start."""
        self.start.go()
        values = self.state.values
        titles = [subject.name for subject in self.state.subjects]
        self.start.die()
        self.start = Start(self.folder)
        self._listen()
        assert self.state.values == replace(values, region=None), "words and dials come back"
        assert [subject.name for subject in self.state.subjects] == titles, "so does the shelf"
        assert self.state.jobs.held == len(self.asked) and not self.state.jobs.busy
        self.start.queue.open("paper", "auto", "auto")

    # What holds at every moment

    @invariant()
    def nothing_that_was_asked_for_is_lost(self) -> None:
        here = sorted((request.prompt, request.seed) for request in self.start.queue.unfinished())
        on_disk = sorted((request.prompt, request.seed) for _, request in self.start.store.queue.read())
        assert here == on_disk == sorted(self.asked)
        kept = sorted((picture.prompt, picture.seed) for picture in self.start.store.pictures())
        assert kept == sorted(self.drawn)

    @invariant()
    def jobs_tell_the_queue(self) -> None:
        jobs, queue = self.state.jobs, self.start.queue
        assert jobs.busy == (queue._line.drawing is not None) == (queue._number is not None)
        assert (jobs.waiting, jobs.held) == (len(queue._line.waiting), len(queue._line.held))
        assert not (jobs.stopping or jobs.last or jobs.ideas) or jobs.busy
        if self.state.engine.phase == "ready":
            assert jobs.busy or not jobs.waiting, "what waits is drawn as soon as it can be"

    @invariant()
    def what_is_shown_is_what_was_drawn(self) -> None:
        result, jobs = self.state.result, self.state.jobs
        forming = self.start.controller._forming
        assert forming is None or (jobs.busy and not jobs.ideas and result is None)
        if result is None:
            return
        assert result.unfinished == (result.bits is None)
        if result.unfinished:
            assert result.picture is None and result.file is None
        else:
            assert np.array_equal(result.image, picture_of(result.request))
            picture = self.start.store.get(result.picture)
            assert picture.file == result.file and picture.seed == result.request.seed
            assert picture.id in {one.id for one in self.start.store.pictures()}, "what is deleted is not shown"

    @invariant()
    def the_shelf_is_whole(self) -> None:
        subjects = self.state.subjects
        assert -1 <= self.state.current < len(subjects) and (self.state.current >= 0) == bool(subjects)
        assert len({subject.key for subject in subjects}) == len(subjects)
        assert isinstance(self.state.values, PanelValues)


@pytest.fixture
def at_once(qapp, monkeypatch):
    """Work in the background is done where it is asked for, so that a walk is the same every time."""

    def run(function, *arguments, done=None, failed=None, patient=False):
        try:
            value = function(*arguments)
        except Exception as error:
            if failed is None:
                raise
            failed(error)
            return
        if done is not None:
            done(value)

    monkeypatch.setattr(background, "run", run)
    monkeypatch.setattr(os, "fsync", lambda _: None)  # nothing here loses its power


def walk(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        SessionWalk,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=[Phase.generate],  # a walk is short enough to be read as it is
            suppress_health_check=list(HealthCheck),
            database=None,
            derandomize=examples < 100,
        ),
    )


def test_short_walks(at_once):
    walk(12, 30)


@pytest.mark.long
@pytest.mark.timeout(4 * 3600)
def test_a_thousand_walks(at_once):
    walk(1000, 50)
