"""The subjects on the shelf without a window: searches that end in every way, masks that are edited, cut-outs that follow."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from PIL import Image
from PySide6.QtGui import QImage

from app.mask.brush import Brush
from app.session.state import SessionState
from app.session.subject_work import Composed, Found
from app.session.subjects import Subjects
from engine.errors import SubjectNotFound
from engine.photo.hints import Box, SubjectProposal
from engine.photo.load import photo_from_pixels
from engine.sentence import NOTHING, Sentence
from tests.app.mask.fakes import FakeSegmenter
from tests.app.session.test_controller import Session
from tests.app.walks.test_session_walk import at_once

__all__ = ["at_once"]
FAILED = SubjectNotFound(Sentence.row("Nothing there."), Sentence.row("Draw a box."))


@pytest.fixture
def one(at_once, tmp_path):
    session = Session(tmp_path)
    session.problems = []
    session.subjects.failed.connect(lambda error: session.problems.append(str(error)))
    yield session
    session.die()


def another(one: Session, grey: int = 9) -> int:
    """One more photo on the shelf; its key."""
    pixels = np.full((64, 64, 3), grey, np.uint8)
    subject = one.state.add_subject(photo=photo_from_pixels(pixels, name=f"{grey}.png"), name="ball", finding=True)
    one.subjects._begin_search(subject.key)
    return subject.key


def paint(session) -> None:
    session.document.begin_stroke((20.0, 8.0), Brush(10))
    session.document.extend_stroke((40.0, 8.0))
    session.document.end_stroke()


def found(key: int, left: int = 8) -> Found:
    mask = np.zeros((64, 64), np.uint8)
    mask[16:48, left:48] = 255
    return Found(key, SubjectProposal("ball", (Box(left, 16, 48, 48, 0.9, "ball"),), mask, 0.9))


# Searching


def test_the_segmenter_is_made_while_the_first_photo_is_read(at_once, tmp_path):
    made = []
    subjects = Subjects(SessionState(), lambda: made.append(FakeSegmenter()) or made[-1])
    assert not made
    subjects.reading.open_file(tmp_path / "not there.png")  # whatever becomes of it
    assert len(made) == 1
    subjects.reading.open_file(tmp_path / "not there.png")
    assert len(made) == 1
    subjects.close()


def test_a_search_for_what_is_gone_or_closed_changes_nothing(one):
    key, before = one.state.subject.key, one.state.subject
    one.subjects._found(found(99))
    one.subjects._begin_search(99)
    assert one.state.subjects == (before,)
    one.subjects.close()
    one.state.update_subject(key, finding=True)
    one.subjects._begin_search(key)
    assert one.state.subject.finding, "nothing is begun any more"


def test_a_search_that_fails_is_said_unless_the_mask_was_painted(one):
    key = one.state.subject.key
    editing = one.subjects.begin_edit()
    told = []
    editing.marksChanged.connect(lambda: told.append(True))
    one.subjects._found(Found(key, FAILED))
    assert told and one.problems == [str(FAILED)]
    paint(one.subjects.session)
    one.subjects._found(Found(key, FAILED))
    assert len(one.problems) == 1


def test_what_is_found_later_reaches_the_editor_too_and_a_subject_that_waits(one):
    key = one.state.subject.key
    editing = one.subjects.begin_edit()
    one.subjects._found(found(key, left=4))
    assert editing.document.mask[30, 5] == 255 and one.state.subject.mask[30, 5] == 255
    for grey in (20, 30, 40):
        another(one, grey)
    assert key not in one.subjects._sessions, "three masks keep their undo"
    one.subjects._found(found(key, left=6))
    subject = next(subject for subject in one.state.subjects if subject.key == key)
    assert subject.mask[30, 7] == 255 and not subject.mask[30, 5]
    one.subjects._found(Found(key, FAILED))
    assert one.problems == [], "of a subject that nobody looks at"


def test_the_mask_of_a_photo_that_is_gone_is_not_held(one):
    """It is as large as its photo."""
    key = one.state.subject.key
    for grey in (20, 30, 40):
        another(one, grey)
    one.subjects._found(found(key, left=6))  # of a subject whose session was put away meanwhile
    mask = weakref.ref(next(subject.mask for subject in one.state.subjects if subject.key == key))
    one.state.remove_subject(key, for_good=True)
    one.keeper.save()
    gc.collect()
    assert mask() is None


def test_a_photo_whose_subject_is_looked_for_is_not_said_to_be_empty(one):
    first = one.state.subject.key
    photo = photo_from_pixels(np.full((64, 64, 3), 9, np.uint8), name="second.png")
    one.state.add_subject(photo=photo, finding=True)
    one.subjects._found(found(first, left=5))  # of the photo before: what is shown is not found yet
    one.subjects._publish_current()
    assert one.state.subject.finding and one.state.subject.problem == "" and one.state.subject.mask is None
    paint(one.subjects.session)
    one.subjects._publish_current()
    assert one.state.subject.mask is not None, "what was painted meanwhile is taken"


def test_looking_again_takes_the_name_unless_the_mask_was_corrected(one, monkeypatch):
    asked = []
    session = one.subjects.session
    monkeypatch.setattr(session, "find", lambda hint: asked.append(hint.name))
    one.state.update_subject(one.state.subject.key, name="duck")
    one.subjects.find_again()
    monkeypatch.setattr(type(session), "corrected", property(lambda _: True))
    one.subjects.find_again()
    assert asked == ["duck"]


def test_what_the_segmenter_notes_is_said_where_the_user_looks(one):
    note = Sentence.row("A simpler way.")
    one.subjects._prepared(NOTHING)
    one.subjects._prepared(note)
    assert one.problems == ["A simpler way."]
    noted = []
    one.subjects.begin_edit().noted.connect(noted.append)
    one.subjects._prepared(note)
    assert noted == [note] and len(one.problems) == 1


# Editing


def test_without_a_photo_there_is_nothing_to_edit(one):
    one.state.remove_subject(one.state.subject.key)
    assert one.subjects.session is None and one.subjects.begin_edit() is None
    one.subjects.accept_edit()
    one.subjects.bring_back()
    one.subjects.keep_strokes()
    one.subjects.find_again()
    assert not one.subjects.is_changing() and one.subjects.editing is None


def test_an_accepted_edit_is_one_step_and_a_discarded_one_can_come_back(one):
    used = []
    one.subjects.editUsed.connect(used.append)
    key, before = one.state.subject.key, one.state.subject.mask.copy()
    paint(one.subjects.begin_edit())
    one.subjects.discard_edit(keep=True)
    one.go()
    assert np.array_equal(one.state.subject.mask, before)
    one.subjects.begin_edit()
    one.subjects.bring_back()
    one.subjects.bring_back()
    one.subjects.accept_edit()
    one.go()
    assert used == [key] and one.state.subject.mask[8, 30] == 255 and one.subjects.editing is None
    one.subjects.session.undo()
    one.go()
    assert np.array_equal(one.state.subject.mask, before)


def test_what_was_discarded_goes_with_its_subject(one):
    key = one.state.subject.key
    paint(one.subjects.begin_edit())
    one.subjects.discard_edit(keep=True)
    another(one)
    one.subjects.begin_edit()
    one.subjects.bring_back()
    assert not one.subjects.editing.document.mask[8, 30], "it is of another subject"
    one.state.remove_subject(key)
    assert one.subjects._discarded is None


def test_an_edit_of_a_subject_that_was_taken_off_is_put_away(one):
    paint(one.subjects.begin_edit())
    one.state.remove_subject(one.state.subject.key)
    one.subjects.accept_edit()
    assert one.subjects.editing is None and one.state.subjects == ()


def test_at_the_end_the_last_strokes_are_the_mask(one):
    before = one.state.subject.mask
    one.subjects.keep_strokes()
    assert one.state.subject.mask is before
    paint(one.subjects.session)
    one.subjects.keep_strokes()
    assert one.state.subject.mask[8, 30] == 255


def test_strokes_are_not_lost_when_another_subject_is_chosen(one):
    key = one.state.subject.key
    paint(one.subjects.session)
    one.subjects._publish.start()
    another(one)
    first = next(subject for subject in one.state.subjects if subject.key == key)
    assert first.mask[8, 30] == 255


def test_a_mask_that_is_painted_is_published_when_the_stroke_ends(one):
    document = one.subjects.session.document
    document.begin_stroke((20.0, 8.0), Brush(10))
    before = one.state.subject.cut_out
    one.subjects._publish_current()
    assert one.subjects._publish.isActive() and one.subjects.is_changing() and one.state.subject.cut_out is before
    document.end_stroke()
    assert not one.subjects.is_changing() and one.state.subject.cut_out != before


# Cut-outs


def test_cut_outs_that_are_out_of_date_or_of_nobody_are_passed_over(one):
    subject = one.state.subject
    told = []
    one.subjects.composed.connect(lambda: told.append(True))
    one.subjects._composing._composed(Composed(subject.key, -1, subject.mask, None, "old"))
    assert one.state.subject.problem == "" and told == [True], "who waits for it has the newest one"
    one.subjects._composing._numbers[99] = 1
    one.subjects._composing._composed(Composed(99, 1, subject.mask, None, "of nobody"))
    assert one.state.subjects == (subject,) and len(told) == 1


def test_another_framing_composes_every_subject_anew(one):
    keys = [one.state.subject.key, *(another(one, grey) for grey in (20, 30, 40))]
    one.state.add_subject(cut_out=one.state.subject.cut_out, name="without its photo")
    before = {subject.key: subject.cut_out for subject in one.state.subjects}
    assert keys[0] not in one.subjects._sessions
    one.state.update_settings(framing="reference")
    after = {subject.key: subject.cut_out for subject in one.state.subjects}
    assert [after[key].framing for key in keys] == ["reference"] * 4
    assert sum(after[key] is before[key] for key in before) == 1, "a cut-out without its photo stays"


# Several photos of one subject


def with_second_photo(one: Session) -> tuple[int, int]:
    """Another photo of the first subject, found and cut out; the keys of both."""
    first = one.state.subject
    pixels = np.full((64, 64, 3), 30, np.uint8)
    added = one.state.add_subject(photo=photo_from_pixels(pixels, name="back.png"), card=first.card, finding=True)
    one.subjects._found(found(added.key, 20))
    return first.key, added.key


def test_a_picture_is_drawn_of_all_photos_whichever_is_looked_at(one):
    with_second_photo(one)
    front, back = (photo.cut_out for photo in one.state.photos)
    assert front is not None and back is not None and one.state.cut_outs == (front, back)
    for index in (0, 1):
        one.state.select_subject(index)
        one.state.update_values(prompt="a ball in the snow")
        one.controller.generate()
        drawn = one.link.drawn[-1]
        assert (drawn.subject, drawn.views, drawn.subject_name) == (front, (back,), one.state.subject.name)


def test_generate_waits_for_every_photo_and_says_what_is_wrong_with_one(one):
    first, second = with_second_photo(one)
    one.state.update_values(prompt="a ball")
    assert one.controller.can_draw()[0]
    one.state.update_subject(second, cut_out=None, problem="Nothing is marked.")
    one.state.select_subject(0)
    assert one.controller.can_draw() == (False, "Nothing is marked.")
    one.state.update_subject(second, problem="", finding=True)
    assert one.controller.can_draw() == (False, "The cut-out is not ready yet")
    one.state.remove_subject(second, alone=True)
    assert one.controller.can_draw()[0] and one.state.photos[0].key == first


def test_a_mask_that_changes_on_another_photo_of_the_card_is_waited_for(one):
    with_second_photo(one)
    one.state.select_subject(0)
    second = one.state.photos[1]
    before = second.cut_out
    paint(one.subjects._session_of(second))
    one.subjects._composing._numbers[second.key] += 1  # it is being composed
    assert one.subjects.is_changing()
    one.subjects._composing._numbers[second.key] -= 1
    assert not one.subjects.is_changing() and one.state.photos[1].cut_out is before


def test_a_photo_of_the_card_that_is_not_looked_at_gets_its_cut_out_too(one):
    first = one.state.subject
    mask = np.zeros((64, 64), np.uint8)
    mask[16:48, 20:48] = 255
    photo = photo_from_pixels(np.full((64, 64, 3), 30, np.uint8), name="back.png")
    values = {"photo": photo, "mask": mask, "card": 5, "name": "ball", "title": "back.png"}
    one.state.put_back_subjects((values | {"cut_out": first.cut_out}, values, {**values, "mask": None}), 0)
    one.state.select_subject(0)
    _, second, third = one.state.photos
    assert second.cut_out is not None and third.finding
    one.subjects._begin_search(third.key)
    assert len(one.state.cut_outs) == 3 and one.state.subject.key == one.state.photos[0].key


def test_photos_are_added_up_to_four_and_one_that_is_there_is_shown(one, tmp_path):
    card = one.state.subject.card
    files = []
    for grey in (20, 60, 100, 140):
        files.append(tmp_path / f"{grey}.png")
        Image.fromarray(np.full((64, 64, 3), grey, np.uint8)).save(files[-1])
    one.subjects.reading.add_photos(card, files[:2])
    assert [photo.title for photo in one.state.photos[1:]] == ["20.png", "60.png"] and not one.problems
    one.subjects.reading.add_photos(card, files[:1])
    assert len(one.state.photos) == 3 and one.state.subject.title == "20.png"
    one.subjects.reading.add_photos(card, files[2:])
    assert len(one.state.photos) == 4 and len(one.state.subjects) == 4
    assert one.problems == ["A subject has at most 4 photos. Take one of them out first."]
    one.subjects.reading.open_file(files[3])
    assert len(one.state.photos) == 1 and len(one.state.cards) == 2, "opened by itself it is a subject of its own"
    picture = QImage(64, 64, QImage.Format.Format_RGB32)
    picture.fill(0x334455)
    one.subjects.reading.add_photos(one.state.subject.card, [picture], "Pasted picture")
    assert [photo.title for photo in one.state.photos] == ["140.png", "Pasted picture"]
