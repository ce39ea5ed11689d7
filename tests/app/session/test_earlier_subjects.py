"""Recalling a picture brings back the photo of its subject, and its cut-out can be edited again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.session.earlier_subjects import EarlierSubjects
from app.session.state import SessionState
from app.session.subjects import Subjects
from app.store.assets import AssetStore
from app.system import background
from engine.photo.framing import cut_out
from engine.photo.load import Photo, photo_from_pixels
from engine.request import GenerationRequest
from tests.app.walks.small_segmenter import SmallSegmenter

MASK = np.zeros((64, 64), np.uint8)
MASK[16:48, 16:48] = 255


@pytest.fixture
def photo() -> Photo:
    return photo_from_pixels(np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8), name="cat.png")


@pytest.fixture
def earlier(qapp, tmp_path):
    state = SessionState()
    subjects = Subjects(state, SmallSegmenter)
    yield EarlierSubjects(state, AssetStore(tmp_path / "assets"), state), state, subjects
    subjects.close()
    background.shutdown()


def test_the_photo_comes_back_with_its_mask_and_can_be_edited(earlier, photo, qtbot):
    finder, state, subjects = earlier
    finder._assets.save_photo(photo)
    finder._assets.save_mask(MASK)
    # As it comes out of a file.
    request = GenerationRequest.loads(GenerationRequest("a", cut_out(photo, MASK, 32), subject_name="cat").dumps())
    finder.take(request, "a picture.png")
    assert state.subject.cut_out == request.subject, "at once: who presses Generate now draws this"
    qtbot.waitUntil(lambda: state.subject.photo is not None, timeout=30_000)
    assert state.subject.photo.digest == photo.digest and np.array_equal(state.subject.mask, MASK)
    assert (state.subject.name, state.subject.title, state.subject.cut_out) == ("cat", "a picture.png", request.subject)
    assert np.array_equal(subjects.begin_edit().document.mask, MASK)
    finder.take(request, "again.png")
    assert len(state.subjects) == 1


def test_without_its_photo_the_cut_out_stays(earlier, photo, qtbot):
    finder, state, _ = earlier
    finder.take(GenerationRequest("a", cut_out(photo, MASK, 32)), "a picture.png")
    qtbot.waitUntil(lambda: not background._running, timeout=30_000)
    assert state.subject.photo is None and state.subject.cut_out is not None


def test_a_request_without_a_subject_changes_nothing_and_one_without_a_photo_brings_its_cut_out(earlier, photo):
    finder, state, _ = earlier
    finder.take(GenerationRequest("a"), "a picture.png")
    assert state.subjects == ()
    state.add_subject(cut_out=cut_out(photo, 255 - MASK, 32), name="ground")
    made = cut_out(photo, MASK, 32)
    finder.take(GenerationRequest("a", replace(made, photo="", mask=""), subject_name="cat"), "a picture.png")
    assert [subject.name for subject in state.subjects] == ["ground", "cat"] and state.subject.photo is None


def test_a_subject_on_the_shelf_gets_the_name_that_the_picture_kept(earlier, photo):
    finder, state, _ = earlier
    made = cut_out(photo, MASK, 32)
    state.add_subject(cut_out=made, name="cat")
    finder.take(GenerationRequest("a", made, subject_name="old tabby"), "a picture.png")
    assert [subject.name for subject in state.subjects] == ["old tabby"]
    finder.take(GenerationRequest("a", made), "nameless.png")
    assert state.subject.name == "old tabby", "a picture without a name has none to bring back"


def test_a_picture_of_several_photos_brings_them_all(earlier, photo, qtbot):
    finder, state, _ = earlier
    other = photo_from_pixels(np.full((64, 64, 3), 80, np.uint8), name="back.png")
    for one in (photo, other):
        finder._assets.save_photo(one)
    finder._assets.save_mask(MASK)
    front, back = cut_out(photo, MASK, 32), cut_out(other, MASK, 32)
    state.add_subject(cut_out=front, name="cat")
    finder.take(GenerationRequest("a", front, subject_name="cat", views=(back,)), "two.png")
    assert [len(card) for card in state.cards] == [1, 2], "with one photo it is another subject"
    assert state.cut_outs == (front, back) and state.subject.cut_out is front
    qtbot.waitUntil(lambda: all(one.photo is not None for one in state.photos), timeout=30_000)
    assert [one.photo.digest for one in state.photos] == [photo.digest, other.digest]
    finder.take(GenerationRequest("a", front, subject_name="cat"), "one.png")
    assert len(state.photos) == 1 and len(state.cards) == 2
    finder.take(GenerationRequest("b", front, views=(back,)), "two.png")
    assert len(state.photos) == 2 and len(state.cards) == 2
