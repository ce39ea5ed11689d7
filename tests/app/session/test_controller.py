"""What the user asks of the session, without a window: what is drawn, shown, kept, and said when something goes wrong."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.resources import resource
from app.session import saver
from app.session.file_opener import read_picture
from app.session.state import Result
from engine.bundle.manifest import read_manifest
from engine.errors import CannotWrite, DeviceLost, NotEnoughMemory, Outdone, RequestError
from engine.events import Finished, Timing
from engine.into_photo import PhotoAtHand
from engine.photo.load import load_photo, photo_from_pixels
from engine.placement import Placement
from engine.process.messages import Failed, Loading
from engine.request import GenerationRequest
from engine.sentence import Sentence
from tests.app.walks.scripted_link import Previews, bits_of, picture_of
from tests.app.walks.test_session_walk import Start, at_once

__all__ = ["at_once"]


class Session(Start):
    """A start with a photo and a prompt, and what it said."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.notices: list[str] = []
        self.errors: list[str] = []
        self.ends: list[str] = []
        self.controller.notice.connect(self.notices.append)
        self.controller.failed.connect(lambda error, _: self.errors.append(str(error)))
        self.controller.ended.connect(self.ends.append)
        self.queue.open("paper", "auto", "auto")
        pixels = np.full((64, 64, 3), 7, np.uint8)
        self.state.add_subject(photo=photo_from_pixels(pixels, name="a.png"), name="ball", finding=True)
        self.subjects._begin_search(self.state.subject.key)  # not only when a window has painted the photo
        self.state.update_values(prompt="a ball in the snow", seed=7, seed_locked=True)

    def steps(self, count: int = 6) -> None:
        for _ in range(count):
            self.link.step()

    @property
    def result(self) -> Result:
        assert self.state.result is not None
        return self.state.result

    def seeds(self) -> list[int]:
        return [picture.seed for picture in self.store.pictures()]


@pytest.fixture
def one(at_once, tmp_path):
    session = Session(tmp_path)
    yield session
    session.die()


@pytest.fixture
def with_mini(one):
    one.state.update_engine(manifest=read_manifest(resource("mini")))
    return one


# Drawing


def test_what_is_drawn_is_shown_and_in_the_history(one):
    one.controller.generate()
    one.steps(2)
    assert one.state.result is None and one.state.jobs.busy
    one.steps()
    assert np.array_equal(one.result.image, picture_of(one.result.request)) and not one.result.unfinished
    assert one.result.file.is_file() and one.seeds() == [7] and one.controller.saving == 0
    assert one.ends == ["Done in 0.1\u00a0s"] and one.errors == []


def test_what_is_missing_is_said_and_nothing_is_asked_for(one):
    one.state.update_values(prompt=" ")
    for ask in (one.controller.generate, lambda: one.controller.draw_ideas(2)):
        ask()
    assert len(one.notices) == 2 and all(one.notices) and one.link.drawn == []
    assert one.controller.can_draw_list()[0], "a list brings its prompts"


def test_what_joins_the_queue_is_counted(one):
    one.controller.generate()
    one.controller.vary(one.link.drawn[0])
    assert one.notices == ["1 waiting"] and one.queue.waiting == 1


def test_the_field_has_the_seed_of_what_was_asked_for_last_unless_one_is_kept(one):
    one.state.update_values(seed_locked=False)
    one.controller.generate()
    one.steps()
    first = one.result.request
    for ask in (one.controller.vary, one.controller.finish, one.controller.finish_idea):
        ask(first)
        one.steps()
        assert one.state.values.seed == one.result.request.seed == one.link.drawn[-1].seed
    assert one.link.drawn[1].seed != first.seed
    one.state.update_values(seed=42, seed_locked=True)
    one.controller.vary(first)
    assert one.state.values.seed == 42, "a kept seed is kept"


def test_a_stop_before_the_first_scale_leaves_the_picture_that_was_there(one):
    one.controller.generate()
    one.steps()
    before = one.result
    one.controller.vary(before.request)
    one.steps(1)
    assert one.state.result is None
    one.queue.stop_now()
    one.steps(1)
    assert one.result.picture == before.picture and one.ends[-1] == "Stopped"


def test_a_stopped_picture_is_shown_as_far_as_it_came_and_can_be_finished(one):
    one.controller.generate()
    one.steps(3)
    one.queue.stop_now()
    one.steps(1)
    assert one.result.unfinished and np.array_equal(one.result.image, picture_of(one.result.request, 2))
    assert [image is not None for image in one.result.previews][:2] == [True, True]
    assert one.seeds() == []
    one.controller.finish(one.result.request)
    one.steps()
    assert one.seeds() == [7] and not one.result.unfinished


def test_an_error_brings_the_last_picture_back_unless_it_was_deleted(one):
    one.controller.generate()
    one.steps()
    before = one.result
    for deleted in (False, True):
        one.controller.vary(before.request)
        one.steps(2)
        if deleted:
            one.controller.forget([before.picture + 1])
            one.controller.forget([before.picture])
        one.link.fail()
        assert one.ends[-1].startswith("Stopped: ") and one.ends[-1][9].islower()
        assert (one.state.result is None) == deleted
    assert len(one.errors) == 2 and one.state.jobs.held == 2
    one.link.fail(NotEnoughMemory(Sentence.row("Nobody asked."), Sentence.row("No.")))
    assert len(one.errors) == 2


def test_less_memory_and_the_same_picture_again(one):
    one.controller.generate()
    one.steps(1)
    one.link.fail()
    one.controller.use_low_memory()
    assert one.state.settings.memory == "low" and [request.seed for request in one.link.drawn] == [7, 7]


def test_ideas_are_shown_as_they_form_and_one_is_drawn_to_its_end(one):
    begun, previewed, done = [], [], []
    one.controller.ideasBegun.connect(begun.append)
    one.queue.ideaPreviewed.connect(lambda idea, _: previewed.append(idea))
    one.queue.ideaFinished.connect(done.append)
    one.controller.draw_ideas(2)
    one.steps(16)
    (requests,) = begun
    assert previewed == [0, 0, 1, 1, 2, 2, 3, 3] and done == [0, 1, 2, 3] and one.seeds() == []
    assert len({request.seed for request in requests}) == 4
    one.controller.finish_idea(requests[2])
    one.steps()
    assert one.seeds() == [requests[2].seed]


def test_previews_are_told_only_where_they_are_wanted(one):
    previews = []
    one.queue.previewed.connect(previews.append)
    one.controller.generate()
    one.steps(2)
    one.state.update_settings(previews=False)
    one.steps(1)
    assert len(previews) == 1


# The most alike


def likeness_of(one: Session, *values: float | None) -> list[tuple[int, int]]:
    """Answer so many pictures of one press; None for one that is given up."""
    best = []
    one.queue.bestFound.connect(lambda event, given_up: best.append((event.request.seed, given_up)))
    for value in values:
        number, request, _ = one.link.job
        one.steps(2)
        if value is None:
            one.link.fail(Outdone())
            continue
        one.link.job = None
        event = Finished(request, picture_of(request), bits_of(request), Timing((0.1,), total=0.1), likeness=value)
        one.link.finished.emit(number, event, Previews())
    return best


def contest(one: Session, count: int) -> None:
    one.queue.draw([GenerationRequest("a ball", seed=seed) for seed in range(1, count + 1)], contest=True)


def test_the_most_alike_of_a_press_takes_the_canvas(one):
    contest(one, 4)
    assert likeness_of(one, 0.5, 0.9, None, 0.7) == [(2, 1)]
    assert one.result.request.seed == 2 and one.result.likeness == 0.9 and one.result.file.is_file()
    assert one.notices == ["The most alike: 90\u00a0% · 1 given up early"]
    assert one.link.contests == [one.link.contests[0]] * 4


def test_the_most_alike_that_is_shown_already_stays_and_a_new_press_counts_anew(one):
    contest(one, 2)
    contest(one, 2)
    assert likeness_of(one, 0.9, 0.5, 0.2, 0.3) == [(1, 0), (2, 0)]
    assert one.notices == ["The most alike: 90\u00a0%", "The most alike: 30\u00a0%"]
    assert one.result.request.seed == 2 and one.result.likeness == 0.3


def test_of_pictures_without_a_likeness_none_is_the_most_alike(one):
    contest(one, 2)
    one.steps(12)
    assert one.notices == [] and one.seeds() == [2, 1]


def test_only_several_pictures_of_a_model_that_tells_likeness_are_a_contest(with_mini):
    one = with_mini
    tells = one.controller.tells_likeness()
    one.state.update_values(count=2, best_first=True)
    one.controller.generate()
    assert (one.link.contests[0] is not None) == tells
    one.state.update_engine(manifest=None)
    assert not one.controller.tells_likeness()


# When something is not kept


def refused(*_, **__):
    raise CannotWrite(Sentence.row("The disk is full."), Sentence.row("Make room."))


def test_a_picture_that_cannot_be_saved_is_kept_in_mind_until_it_can(one, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(saver, "keep_picture", refused)
        one.controller.generate()
        one.steps()
    assert one.errors == ["The disk is full. Make room."] and one.seeds() == [] and one.controller.saving == 0
    assert one.result.file is None and not one.result.unfinished
    one.controller.save_unsaved()
    assert one.seeds() == [7] and one.result.file.is_file()
    one.controller.save_unsaved()
    assert one.seeds() == [7], "once"


def test_what_a_full_disk_did_not_take_is_saved_with_the_next_picture_that_it_takes(one, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(saver, "keep_picture", refused)
        for _ in range(2):
            one.controller.generate()
            one.steps()
            one.state.update_values(seed=one.state.values.seed + 1)
    assert one.seeds() == [] and len(one.errors) == 2
    one.controller.generate()
    one.steps()
    assert sorted(one.seeds()) == [7, 8, 9] and one.controller.saving == 0 and len(one.errors) == 2


def test_a_failure_of_any_kind_is_a_sentence(one, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError("of zero")

    monkeypatch.setattr(saver, "keep_picture", broken)
    one.controller.generate()
    one.steps()
    assert one.errors == ["The picture could not be saved: of zero Save it with Save as…."]


def test_at_the_end_what_could_not_be_saved_goes_to_a_folder_of_the_programs_own(one, monkeypatch, tmp_path):
    with monkeypatch.context() as patched:
        patched.setattr(saver, "keep_picture", refused)
        one.controller.generate()
        one.steps()
    with monkeypatch.context() as patched:
        patched.setattr("app.session.controller.keep_picture", refused)
        one.controller.rescue(tmp_path / "rescued")
    assert one.seeds() == []
    one.controller.rescue(tmp_path / "rescued")
    assert [path.suffix for path in (tmp_path / "rescued").iterdir()] == [".png"] and one.seeds() == [7]
    assert one.controller.saving == 0 and one.queue_keeper._store.read() == [], "it is not drawn once more"


def test_a_picture_that_was_replaced_on_the_canvas_still_learns_where_it_is(one, monkeypatch):
    waiting = []
    monkeypatch.setattr(one.controller.saver, "keep", lambda *arguments: waiting.append(arguments))
    one.controller.generate()
    one.steps()
    one.controller.vary(one.result.request)
    one.steps(2)
    finished, token, images = waiting[0]
    one.controller.saver._kept(saver._keep(finished, one.store, token, images))
    one.link.fail()
    assert one.result.file.is_file() and one.result.request.seed == 7


# The engine


def test_an_engine_that_dies_is_started_again_but_not_for_ever(one):
    one.controller.generate()
    for death in range(3):
        one.steps(2)
        one.link.die()
        assert one.state.jobs.held == 1 and not one.state.jobs.busy
        assert one.state.engine.phase == ("ready" if death < 2 else "failed")
        if death < 2:
            one.queue.resume()
    assert len(one.errors) == 3 and all("ended unexpectedly" in error for error in one.errors)
    assert "Start it again" in one.errors[2]
    one.queue.bring_back()
    assert one.state.jobs.held == 1 and one.state.jobs.waiting == 0, "nothing waits for an engine that is gone"
    one.queue.resume()
    one.steps()
    assert one.state.engine.phase == "ready" and one.seeds() == [7], "whoever asks for a picture has it started again"


def test_what_failed_is_no_longer_said_when_it_is_drawn_after_all(one):
    cleared = []
    one.controller.cleared.connect(lambda: cleared.append(one.state.jobs.held))
    for go_on in (one.queue.resume, lambda: one.queue.draw_held([one.queue.entries()[0].number])):
        one.controller.generate()
        one.steps(2)
        cleared.clear()
        one.link.fail()
        assert cleared == []
        go_on()
        assert cleared == [1]
        one.steps()


def test_the_low_memory_plan_draws_what_is_not_drawn_yet_and_nothing_twice(one):
    one.controller.generate()
    one.controller.vary(one.link.drawn[0])
    one.steps(2)
    one.link.fail()
    one.controller.use_low_memory()
    one.steps(12)
    assert one.state.jobs.held == 0 and len(one.seeds()) == 2


def test_an_engine_that_dies_idle_is_started_again_in_silence(one):
    one.link.die()
    assert one.errors == [] and one.state.engine.phase == "ready"


def test_answers_about_another_picture_are_passed_over(one):
    one.controller.generate()
    one.steps(2)
    request = one.link.drawn[0]
    event = Finished(request, picture_of(request), bits_of(request), Timing((0.1,), total=0.1))
    one.link.finished.emit(99, event, Previews())
    one.link.failed.emit(
        Failed(99, NotEnoughMemory(Sentence.row("Too little."), Sentence.row("Less.")), ""), Previews()
    )
    one.queue._completed((99, event, Previews(), None))
    assert one.state.jobs.busy and one.seeds() == [] and one.errors == []


def test_a_model_that_cannot_be_opened_holds_what_waits(one):
    one.controller.generate()
    one.link.loading.emit(Loading(0.5, "half"))
    assert one.state.engine.fraction == 1.0, "it is open: that is of an earlier one"
    one.state.update_engine(phase="loading")
    one.link.loading.emit(Loading(0.5, "half"))
    assert one.state.engine.fraction == 0.5
    one.link.failed.emit(Failed(None, DeviceLost(Sentence.row("Gone."), Sentence.row("Again.")), ""), Previews())
    assert one.state.engine.phase == "failed" and one.state.jobs.held == 1 and one.errors == ["Gone. Again."]


def test_a_picture_that_cannot_be_completed_is_kept_as_it_was_drawn(one):
    def broken():
        raise ZeroDivisionError("of zero")

    one.queue.completion = lambda _: broken
    one.controller.generate()
    one.steps()
    assert one.seeds() == [7] and "could not be put into the photo" in one.errors[0]


# Files


def test_pictures_are_saved_elsewhere_from_their_file_and_from_the_screen(one, tmp_path):
    written = []
    one.controller.exported.connect(written.append)
    one.controller.generate()
    one.steps(3)
    one.queue.stop_now()
    one.steps(1)
    one.controller.export(one.result, tmp_path / "unfinished", metadata=True)
    one.controller.finish(one.result.request)
    one.steps()
    one.controller.export(one.result, tmp_path / "screen.png", metadata=True)
    one.controller.export(one.result, tmp_path / "plain.png", metadata=False)
    one.controller.export(one.result.file, tmp_path / "file.webp", metadata=True)
    assert [path.name for path in written] == ["unfinished.png", "screen.png", "plain.png", "file.webp"]
    assert read_picture(tmp_path / "screen.png").request == one.result.request
    for name in ("unfinished.png", "plain.png"):
        assert load_photo(tmp_path / name).rgb.shape == (32, 32, 3)
        with pytest.raises(Exception, match="carries no settings"):
            read_picture(tmp_path / name)


def test_what_cannot_be_saved_elsewhere_is_a_sentence(one, tmp_path, monkeypatch):
    one.controller.generate()
    one.steps()
    one.controller.export(one.result, tmp_path / "missing" / "a.png", metadata=True)
    assert len(one.errors) == 1

    def broken(*_, **__):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(saver, "save_plain", broken)
    one.controller.export(one.result, tmp_path / "a.jpg", metadata=True)
    assert one.errors[1].startswith("The picture could not be saved: ") and "Input/output" in one.errors[1]


def test_a_picture_that_is_dropped_is_known_when_it_is_of_the_history(one, tmp_path, monkeypatch):
    one.controller.generate()
    one.steps()
    monkeypatch.setattr(one.store, "pictures", lambda: pytest.fail("it takes half a second to read 25,000 pictures"))
    file, number = one.result.file, one.result.picture
    elsewhere = tmp_path / "elsewhere.png"
    elsewhere.write_bytes(file.read_bytes())
    one.controller.show_dropped(read_picture(elsewhere))
    assert one.result.picture is None and one.result.file == elsewhere
    one.controller.show_dropped(read_picture(file))
    assert one.result.picture == number and len(one.result.grids) == 4


def test_a_picture_that_has_lost_its_bits_is_shown(one, tmp_path):
    one.controller.generate()
    one.steps()
    one.controller.show_dropped(replace(read_picture(one.result.file), bits=None))
    assert one.result.bits is None and one.result.grids == ()


# Places and regions


def test_a_place_is_asked_only_of_a_model_that_knows_places(with_mini):
    one, place = with_mini, Placement(0.4, 0.6, 0.5)
    one.state.update_values(placement=place)
    queued = []
    one.controller.draw_all([GenerationRequest("a", placement=place)], queued.append)
    assert queued[0][0].placement == place
    known = one.state.engine.manifest
    one.state.update_engine(manifest=replace(known, placed_content=None))
    one.controller.draw_all([GenerationRequest("a", placement=place)], queued.append)
    assert queued[1][0].placement is None


def test_new_details_leave_the_subject_where_it_stands(with_mini):
    one = with_mini
    request = replace(GenerationRequest("a", seed=3), subject=one.state.subject.cut_out)
    one.controller.redraw(request, bits_of(request), 2)
    drawn = one.link.drawn[-1]
    assert drawn.placement == one.state.engine.manifest.place(request) and len(drawn.kept) == 2
    one.state.update_engine(manifest=None)
    one.controller.redraw(request, bits_of(request), 2)
    assert one.queue._line.waiting[-1].request.placement is None


def test_a_region_of_a_photo_is_drawn_and_comes_back_into_the_photo(with_mini):
    one = with_mini
    pixels = np.random.default_rng(3).integers(0, 256, (600, 700, 3), np.uint8)
    photo = photo_from_pixels(pixels, name="room.jpg")
    mask = np.zeros((600, 700), np.uint8)
    with pytest.raises(RequestError, match="empty"):
        one.controller.draw_in_photo(photo, mask)
    mask[200:400, 200:420] = 255
    assert one.controller.draw_in_photo(photo, mask)
    request = one.link.drawn[-1]
    width, height = request.region.size
    event = Finished(request, np.zeros((height, width, 3), np.uint8), bits_of(request), Timing(total=0.1))
    whole = one.controller._at_its_place(event)()
    assert whole.image.shape == pixels.shape
    assert np.array_equal(whole.image[mask == 0], pixels[mask == 0]) and not whole.image[290:310, 290:310].any()
    assert one.controller._at_its_place(replace(event, request=replace(request, region=None))) is None
    one.controller.regions._photos = [PhotoAtHand(pixels, "another")]
    assert one.controller._at_its_place(event) is None and "not at hand" in one.notices[-1]
    # A picture that is shown is the photo outside of its region: enough to draw into it again.
    one.state.set_result(Result(request, whole.image, event.bits))
    assert one.controller._at_its_place(event) is not None


def test_a_region_needs_what_a_picture_needs(with_mini):
    one = with_mini
    photo, mask = photo_from_pixels(np.zeros((300, 300, 3), np.uint8)), np.full((300, 300), 255, np.uint8)
    one.state.update_values(prompt="")
    assert not one.controller.draw_in_photo(photo, mask) and one.notices
    one.state.update_values(prompt="a ball")
    one.state.update_engine(manifest=None)
    assert not one.controller.draw_in_photo(photo, mask) and one.link.drawn == []
