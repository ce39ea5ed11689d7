"""Random walks over the real window: after every step canvas, ring, strip, seed, status and actions tell the same story.

The rules are those of ``docs/states.md``. A walk is its seed; a failure names the seed and what was done.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication

import app.session.engine_link as engine_link
import app.session.subjects as subjects
from app.application import Program
from app.canvas.result import ResultCanvas
from app.look import stylesheet
from app.look.pixels import to_array
from app.look.theme import notifier
from app.mask.brush import Brush
from app.session.file_opener import read_picture
from app.shortcuts import keymap
from app.store.paths import AppPaths
from app.system import background
from engine.photo.load import photo_from_pixels
from tests.app.walks.scripted_link import ScriptedLink
from tests.app.walks.small_segmenter import SmallSegmenter
from tests.e2e.paper import write_paper_bundle


class WindowWalk:
    """One program, and everything that can be done to it."""

    def __init__(self, program: Program) -> None:
        self.program, self.state, self.window = program, program.state, program.window
        self.link: ScriptedLink = program.link
        self.done: list[str] = []
        self.photos = 0
        self.chose = False
        """The user chose something in the row since a picture was shown: then the ring is where they want it."""
        self.status, self.shown_after = "", False
        """What the status said, and whether another picture was shown since it says so."""
        self.state.resultChanged.connect(self._another_picture)

    def _another_picture(self) -> None:
        self.chose &= (
            len(self.window.history.view.chosen()) > 1
        )  # several stay chosen until something is done with them
        self.shown_after = True

    def settle(self) -> None:
        """Everything that is under way in the background arrives."""
        deadline = time.monotonic() + 30
        while True:
            QCoreApplication.processEvents()
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
            if not background._running:
                QCoreApplication.processEvents()
                if not background._running:
                    return
            assert time.monotonic() < deadline, "work in the background does not end"
            time.sleep(0.001)

    def walk(self, seed: int, steps: int) -> None:
        chance = random.Random(seed)
        self.done = []
        for _ in range(steps):
            name = chance.choice(ACTIONS)
            self.done.append(name)
            try:
                getattr(self, name)(chance)
                self.settle()
                self.check()
            except Exception as error:
                raise AssertionError(f"walk {seed}, after {', '.join(self.done)}: {error!r}") from error

    # What the user does

    def generate(self, chance: random.Random) -> None:
        self.window.drawing.generate()

    def type(self, chance: random.Random) -> None:
        self.window.prompt.sheet.prompt.set_text(
            chance.choice(("a ball in the snow", "a red ball", "a ball on the beach"))
        )

    def count(self, chance: random.Random) -> None:
        self.state.update_values(count=chance.randint(1, 3))

    def lock(self, chance: random.Random) -> None:
        self.window.prompt.toggle_seed_lock()

    def stop(self, chance: random.Random) -> None:
        self.window.drawing.stop()

    def stop_after(self, chance: random.Random) -> None:
        self.program.queue.stop_after()

    def resume(self, chance: random.Random) -> None:
        self.program.queue.resume()

    def drop_held(self, chance: random.Random) -> None:
        self.program.queue.drop_held()

    def vary(self, chance: random.Random) -> None:
        self._act("vary")

    def finish(self, chance: random.Random) -> None:
        bar = self.window.canvas.actions_bar
        if bar.finish_button.isVisibleTo(self.window):
            bar.finish_button.click()

    def redraw(self, chance: random.Random) -> None:
        self.window.canvas.strip.tiles.move_handle(chance.randint(1, 4))
        self._act("redraw")

    def compare(self, chance: random.Random) -> None:
        self._act("compare")

    def ideas(self, chance: random.Random) -> None:
        self._act("ideas")

    def choose_idea(self, chance: random.Random) -> None:
        if not self.window.canvas.ideas.isHidden():
            self.window.canvas.ideas._choose(chance.randint(0, 3))

    def close_ideas(self, chance: random.Random) -> None:
        if not self.window.canvas.ideas.isHidden():
            self.window.canvas.ideas.closed.emit()

    def star(self, chance: random.Random) -> None:
        self.window.canvas.toggle_star()

    def click_picture(self, chance: random.Random) -> None:
        picture = self._any(chance)
        if picture is not None:
            view = self.window.history.view
            view.choose(picture.id)
            view._clicked(view.currentIndex())
            self.chose = self.state.jobs.busy

    def choose_two(self, chance: random.Random) -> None:
        view, model = self.window.history.view, self.window.history.model
        for _ in range(2):
            picture = self._any(chance)
            if picture is not None:
                selection = view.selectionModel()
                selection.select(model.index(model.row_of(picture.id)), selection.SelectionFlag.Select)
                self.chose = True

    def compare_two(self, chance: random.Random) -> None:
        self.window.history.commands.compare()

    def recall(self, chance: random.Random) -> None:
        self.window.history.commands._recall(chance.choice(("all", "prompt", "seed")))

    def drop_picture(self, chance: random.Random) -> None:
        picture = self._any(chance)
        if picture is not None:
            self.program.controller.files.pictureOpened.emit(read_picture(picture.file))

    def delete(self, chance: random.Random) -> None:
        if len(self.window.history.model.pictures()) > 1:
            self.window.history.commands.delete()
            self.chose = True

    def undo_delete(self, chance: random.Random) -> None:
        self.window.history.commands.undo_delete()
        self.chose = True

    def search(self, chance: random.Random) -> None:
        history = self.window.history
        history.search_button.setChecked(not history.search_button.isChecked())
        history.field.setText(chance.choice(("red", "beach", "nothing of the kind")))
        history._search_timer.stop()
        history._filter()

    def starred_only(self, chance: random.Random) -> None:
        self.window.history.star_button.toggle()

    def most_alike(self, chance: random.Random) -> None:
        self.window.history.set_most_alike(chance.random() < 0.5)

    def show_from_elsewhere(self, chance: random.Random) -> None:
        """From the gallery or a list of prompts: a picture that the row may hide."""
        pictures = self.program.store.pictures()
        if pictures:
            self.window.history.show_picture(chance.choice(pictures).id)
            self.chose = self.state.jobs.busy

    def full_screen(self, chance: random.Random) -> None:
        """Some steps through the row, perhaps a deletion, and back."""
        self.window.history.commands.view_large()
        screen = self.window.full_screen.screen
        if screen is not None:
            for _ in range(chance.randint(0, 2)):
                screen.stepped.emit(chance.choice((1, -1)))
            if chance.random() < 0.2:
                screen.deleteWanted.emit()
            if self.window.full_screen.screen is not None:
                self.window.full_screen.screen.close()
            self.chose = self.state.jobs.busy

    def open_photo(self, chance: random.Random) -> None:
        self.photos += 1
        pixels = np.full((64, 64, 3), self.photos % 256, np.uint8)
        self.state.add_subject(photo=photo_from_pixels(pixels, name="a.png"), name="ball", finding=True)

    def choose_subject(self, chance: random.Random) -> None:
        if self.state.subjects:
            self.state.select_subject(chance.randrange(len(self.state.subjects)))

    def take_off(self, chance: random.Random) -> None:
        if len(self.state.subjects) > 1:
            self.state.remove_subject(self.state.subject.key)

    def edit(self, chance: random.Random) -> None:
        self._act("edit_cutout")

    def paint(self, chance: random.Random) -> None:
        session = self.program.subjects.editing
        if session is not None:
            session.document.begin_stroke((chance.uniform(5, 60), 20.0), Brush(6))
            session.document.end_stroke()

    def use(self, chance: random.Random) -> None:
        if self.window.is_editing():
            self.window.editor.use()

    def discard(self, chance: random.Random) -> None:
        if self.window.is_editing():
            self.window.editor.discard()

    # What the engine does

    def step(self, chance: random.Random) -> None:
        self.link.step()

    def steps(self, chance: random.Random) -> None:
        for _ in range(chance.randint(2, 7)):
            self.link.step()

    def fail(self, chance: random.Random) -> None:
        if self.link.job is not None and not self.link.cancelled:
            self.link.fail()

    def _act(self, name: str) -> None:
        """What the menu and the keys do, when they can be pressed."""
        action = self.window.commands.actions[name]
        if action.isEnabled():
            action.trigger()

    def _any(self, chance: random.Random):
        pictures = self.window.history.model.pictures()
        return chance.choice(pictures) if pictures else None

    # What holds at every moment

    def check(self) -> None:
        for rule in (self._canvas, self._strip, self._ring, self._bar, self._actions, self._words, self._editor):
            rule()

    @property
    def _panel(self):
        return self.window.canvas

    @property
    def _picture(self) -> ResultCanvas:
        return self._panel.canvas

    @property
    def _covered(self) -> bool:
        return self._panel.is_covered()

    @property
    def _forming(self) -> bool:
        return self.program.controller._forming is not None

    def _canvas(self) -> None:
        result, canvas = self.state.result, self._picture
        if self._forming:
            assert canvas.state == "forming" and result is None and self.state.jobs.busy, canvas.state
        elif result is None:
            assert canvas.state in ("empty", "error") and not canvas.has_picture(), canvas.state
            assert self._panel.request is None and self._panel.bits is None and self._panel.file is None
        else:
            assert canvas.state == ("stopped" if result.unfinished else "result"), canvas.state
            assert np.array_equal(to_array(canvas.image()), result.image), "another picture is on the canvas"
            panel = self._panel
            assert panel.request == result.request and panel.bits is result.bits and panel.file == result.file
            if result.picture is not None:
                shown = {picture.id for picture in self.program.store.pictures()}
                assert result.picture in shown, "a deleted picture is shown"

    def _strip(self) -> None:
        strip, result = self._panel.strip.model, self.state.result
        assert self._panel.strip.isHidden() == self._covered, "the strip speaks of another picture"
        assert strip.drawing == self._forming
        if result is not None:
            assert strip.grids == (result.grids or strip.grids)
            assert strip.can_keep == (result.bits is not None)

    def _ring(self) -> None:
        history, result = self.window.history, self.state.result
        chosen = [picture.id for picture in history.view.chosen()]
        assert (history.model.running is not None) == self._forming, "the row forms another picture than the canvas"
        if self.chose:
            return
        shown = result.picture if result is not None else None
        there = shown is not None and history.model.row_of(shown) >= 0
        assert chosen == ([shown] if there and not self._forming else []), f"the ring is on {chosen}, {shown} is shown"

    def _bar(self) -> None:
        bar, result = self._panel.actions_bar, self.state.result
        visible = bar.isVisibleTo(self.window) or self.window.is_editing()
        if result is None:
            assert not bar.isVisibleTo(self._panel)
            return
        if not self._covered and not self._panel.placement.is_over():
            assert visible and not bar.isHidden()
        assert bar.finish_button.isHidden() == (not result.unfinished)
        assert bar.star_button.isEnabled() == (result.file is not None)
        starred = result.picture is not None and self.program.store.get(result.picture).starred
        assert bar.starred() == starred, "the star is another picture's"
        cut_out = self._picture._compared.cut_out
        assert (cut_out is not None) == (result.request.subject is not None), "Compare shows another cut-out"

    def _actions(self) -> None:
        actions, result = self.window.commands.actions, self.state.result
        free = not self._covered and not self.window.is_editing()
        for name in ("save", "save_plain"):
            assert actions[name].isEnabled() == (free and result is not None), name
        assert actions["copy"].isEnabled() == (free and self._picture.has_picture())
        assert not actions["vary"].isEnabled() or (free and self._panel.request is not None)
        finished = result is not None and not result.unfinished
        can_draw = bool(self.state.cut_outs) and not self.state.jobs.busy
        assert actions["redraw_region"].isEnabled() == (free and finished and can_draw)
        assert not actions["redraw"].isEnabled() or free

    def _words(self) -> None:
        jobs, prompt = self.state.jobs, self.window.prompt
        status = self.window.top_bar.status.text()
        if self.window.is_editing():
            assert status.startswith("Editing"), status
        elif jobs.busy:
            assert status.startswith(("Drawing", "Stopping")), status
        else:
            assert not status.startswith(("Drawing", "Stopping")), status
            self.shown_after &= status == self.status
            finished = self.state.result is not None and not self.state.result.unfinished
            assert status != "Stopped" or not (finished and self.shown_after), "another picture was not stopped"
        self.status = status
        assert (prompt.sheet.cancel.isVisibleTo(prompt)) == (jobs.busy or jobs.waiting > 0)
        assert round(prompt.sheet.seed.spin.value()) == self.state.values.seed
        assert prompt.sheet.seed.lock.isChecked() == self.state.values.seed_locked
        assert prompt.sheet.prompt.text() == self.state.values.prompt
        assert bool(prompt.sheet.held.text()) == (jobs.held > 0)

    def _editor(self) -> None:
        assert self.window.is_editing() == (self.program.subjects.editing is not None)


_OFTEN = {"generate": 3, "step": 4, "steps": 5, "click_picture": 2}
_NO_ACTIONS = {"settle", "walk", "check"}
ACTIONS = [
    name
    for name in sorted(vars(WindowWalk))
    if not name.startswith("_") and name not in _NO_ACTIONS
    for _ in range(_OFTEN.get(name, 1))
]
"""Everything a walk can do, each as often as its share."""


@pytest.fixture
def walking(qtbot, tmp_path, monkeypatch) -> Iterator[WindowWalk]:
    models = tmp_path / "models"
    monkeypatch.setenv("ECHOGEN_MODELS", str(models))
    monkeypatch.setattr(engine_link, "EngineLink", ScriptedLink)
    monkeypatch.setattr(subjects, "hosted_segmenter", lambda settings: SmallSegmenter())
    write_paper_bundle(models / "paper")
    stylesheet.install(QApplication.instance())
    program = Program(AppPaths.standard())
    program.state.update_settings(bundle=str(models / "paper"), motion="reduced")
    program.start()
    qtbot.waitUntil(lambda: program.state.engine.phase == "ready" and bool(program.state.subjects), timeout=30_000)
    walking = WindowWalk(program)
    walking.settle()
    qtbot.waitUntil(lambda: program.state.subject.cut_out is not None, timeout=30_000)
    yield walking
    if walking.window.is_editing():
        walking.window.editor.discard()
    with qtbot.waitSignal(program.ended, timeout=10_000):
        program.window.close()
    program.deleteLater()
    notifier.set_motion("system")
    keymap.reset()


def test_a_few_walks(walking):
    for seed in range(3):
        walking.walk(seed, 20)
    generate_in_the_open_editor(walking)


def generate_in_the_open_editor(walking: WindowWalk) -> None:
    """What the editor holds is used and drawn; a picture never has another cut-out than the one that is seen."""
    chance, window = random.Random(0), walking.window
    walking.use(chance)
    walking.program.queue.stop_now()
    walking.link.step()
    walking.open_photo(chance)
    walking.type(chance)
    walking.settle()
    while walking.state.subject.cut_out is None:
        walking.settle()
    walking.program.queue.stop_now()  # the walk may have pressed Generate for a subject that was to come, which is drawn now
    walking.link.step()
    window.editing.edit()
    before = walking.state.subject.cut_out
    walking.paint(chance)
    window.commands.actions["generate"].trigger()
    assert not window.is_editing() and not walking.state.jobs.busy, "the new cut-out takes a moment"
    walking.settle()
    drawn = walking.link.drawn[-1].subject
    assert walking.state.jobs.busy and drawn == walking.state.subject.cut_out and drawn != before


FINISH = ("step",) * 7
"""A picture from its beginning to its end."""


@pytest.mark.parametrize(
    "actions",
    [
        ("generate", "step", "step", "stop", "step", "type", "generate", "step", "stop", "step"),
        ("generate", *FINISH, "star", "generate", "step", "step", "stop", "step"),
    ],
    ids=["stopped twice", "starred before"],
)
def test_what_walks_found(walking, actions):
    walking.state.update_values(count=1)
    for name in actions:
        walking.done.append(name)
        getattr(walking, name)(random.Random(len(walking.done)))
        walking.settle()
        walking.check()


BLOCK = 20
"""So many walks go on from one another: long histories find what short ones do not. A block can be repeated by itself."""


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("first", range(100, 200, BLOCK))
def test_many_walks(walking, first):
    for seed in range(first, first + BLOCK):
        walking.walk(seed, 50)
