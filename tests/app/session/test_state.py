"""The state tells every change once, after it is in place, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from app.session.state import SessionState
from engine.placement import Placement
from engine.request import CutOut, GenerationRequest

SIGNALS = "photoChanged maskChanged promptChanged requestChanged engineChanged jobChanged resultChanged preparedChanged settingsChanged"

LEFT, RIGHT = Placement(0.3, 0.6, 0.4), Placement(0.7, 0.6, 0.4)


@pytest.fixture
def told(qapp):
    state = SessionState()
    heard: list[str] = []
    for name in SIGNALS.split():
        getattr(state, name).connect(lambda name=name: heard.append(name))
    return state, heard


def cut_out(value: int = 0) -> CutOut:
    return CutOut(np.full((8, 8, 4), value, np.uint8))


def test_values_tell_only_what_changed(told):
    state, heard = told
    state.update_values(seed=3)
    assert heard == ["requestChanged"]
    heard.clear()
    state.update_values(prompt="a ball")
    assert heard == ["promptChanged", "requestChanged"]
    heard.clear()
    state.update_values(prompt="a ball", seed=3)
    assert heard == []


def test_a_new_subject_is_the_current_one(told):
    state, heard = told
    first = state.add_subject(name="cat", cut_out=cut_out())
    assert state.subject is first and state.current == 0
    assert heard == ["photoChanged", "maskChanged"]
    second = state.add_subject(name="dog")
    assert state.subject is second and first.key != second.key


def test_an_update_of_another_subject_is_silent_and_of_a_gone_one_ignored(told):
    state, heard = told
    first = state.add_subject(name="cat")
    state.add_subject(name="dog")
    heard.clear()
    state.update_subject(first.key, cut_out=cut_out())
    assert heard == []
    state.update_subject(first.key, name="tiger")
    assert heard == ["photoChanged"] and state.subjects[0].name == "tiger", "the shelf shows names"
    state.update_subject(999, name="nobody")
    assert [subject.name for subject in state.subjects] == ["tiger", "dog"]


def test_the_same_value_again_is_silent(told):
    state, heard = told
    subject = state.add_subject(name="cat", mask=np.zeros((4, 4), np.uint8))
    heard.clear()
    state.update_subject(subject.key, name="cat", mask=subject.mask)
    assert heard == []
    state.update_subject(subject.key, mask=np.zeros((4, 4), np.uint8))
    assert heard == ["maskChanged"]


def test_removing_keeps_a_sensible_current_subject(told):
    state, _ = told
    keys = [state.add_subject(name=name).key for name in "abc"]
    state.select_subject(1)
    state.remove_subject(keys[0])
    assert state.subject.name == "b"
    state.remove_subject(keys[1])
    assert state.subject.name == "c"
    state.remove_subject(keys[2])
    assert state.subject is None and state.current == -1


def test_readiness_says_what_is_missing(told):
    state, _ = told
    assert state.readiness().starting
    state.update_engine(phase="failed")
    assert state.readiness().failed and not state.readiness().starting
    state.update_engine(phase="loading")
    assert state.readiness().loading and not state.readiness().has_photo
    subject = state.add_subject(name="cat", problem="The cut-out is empty.")
    assert state.readiness().has_photo and not state.readiness().has_subject
    assert state.readiness().problem == "The cut-out is empty."
    state.update_subject(subject.key, finding=True)
    assert state.readiness().problem == "" and not state.readiness().has_subject, "it is being looked for"
    state.update_subject(subject.key, finding=False)
    state.update_subject(subject.key, cut_out=cut_out(), problem="")
    state.update_values(prompt="  ")
    assert state.readiness().has_subject and not state.readiness().has_prompt


def test_a_subject_that_was_taken_off_comes_back_where_it_stood(told):
    state, heard = told
    keys = [state.add_subject(name=name, mask=np.zeros((4, 4), np.uint8)).key for name in "abc"]
    taken = state.subjects[1]
    state.remove_subject(keys[1])
    heard.clear()
    assert state.bring_back_subject() and not state.bring_back_subject()
    assert [subject.name for subject in state.subjects] == ["a", "b", "c"] and state.subject is taken
    assert heard == ["photoChanged", "maskChanged"]


def test_a_subject_that_is_not_on_the_shelf_can_be_neither_taken_off_nor_moved(told):
    state = SessionState()
    first, second = state.add_subject(name="one"), state.add_subject(name="two")
    before = state.subjects
    state.remove_subject(99)
    state.move_subject(99, 0)
    state.move_subject(second.key, 7)
    state.move_subject(second.key, 1)
    assert state.subjects == before and not state.bring_back_subject()
    state.move_subject(second.key, 0)
    assert [subject.name for subject in state.subjects] == ["two", "one"] and state.subject.key == second.key
    state.remove_subject(first.key)
    assert state.bring_back_subject() and state.bring_back_subject()
    assert [subject.name for subject in state.subjects] == ["one", "two"]


def test_a_move_cannot_be_undone_for_a_subject_that_an_example_made_way_for(told):
    state = SessionState()
    state.add_subject(name="one")
    example = state.add_subject(name="two", example=True)
    state.move_subject(example.key, 0)
    state.remove_subject(example.key)
    assert [subject.name for subject in state.subjects] == ["one"]
    state.bring_back_subject()
    assert [subject.name for subject in state.subjects] == ["one"]


def test_every_subject_has_the_place_where_it_was_put_and_a_new_one_none(told):
    state, heard = told
    state.update_values(placement=LEFT)
    dog = state.add_subject(name="dog")
    assert state.values.placement == LEFT, "what was chosen before there was a subject holds for the first one"
    heard.clear()
    robot = state.add_subject(name="robot")
    assert state.values.placement is None and heard == ["photoChanged", "maskChanged", "requestChanged"]
    state.update_values(placement=RIGHT)
    further = state.add_subject(name="robot", card=robot.card)
    assert state.values.placement == RIGHT, "another photo of the same subject"
    state.make_first_photo(further.key)
    assert state.values.placement == RIGHT
    state.select_subject(0)
    assert state.values.placement == LEFT
    state.update_values(placement=None)
    state.remove_subject(robot.key)
    assert state.values.placement is None and state.subject.key == dog.key
    state.bring_back_subject()
    assert state.values.placement == RIGHT, "back from where it was taken off"
    state.remove_subject(robot.key)
    state.remove_subject(dog.key)
    assert state.add_subject(name="vase") and state.values.placement is None


def test_a_picture_is_not_redrawn_at_the_place_of_another_subject(told):
    state, _ = told
    state.add_subject(name="dog")
    request = GenerationRequest("a dog")
    state.set_moved_over(request)
    state.update_values(placement=LEFT)
    assert state.was_moved_over(request)
    state.add_subject(name="robot")
    assert not state.was_moved_over(request)


def test_the_result_and_what_is_said_of_the_prompt_are_told_once(told):
    state, heard = SessionState(), []
    state.preparedChanged.connect(lambda: heard.append("prepared"))
    state.resultChanged.connect(lambda: heard.append("result"))
    state.set_prepared(("a note",))
    state.set_prepared(("a note",))
    state.set_result(None)
    assert heard == ["prepared"] and state.prepared == ("a note",)
