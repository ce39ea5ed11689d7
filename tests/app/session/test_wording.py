"""Prompt, subject and its name belong together."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from app.session.state import SessionState
from app.session.wording import Disagreement, Wording, exchanged

EXAMPLES = (
    SimpleNamespace(prompt="a duck toy on the beach", subject_name="duck toy"),
    SimpleNamespace(prompt="a robot in the snow", subject_name="robot"),
)


@pytest.fixture
def state(qapp):
    state = SessionState()
    state.update_engine(manifest=SimpleNamespace(examples=EXAMPLES))
    return state


@pytest.fixture
def wording(state):
    wording = Wording(state, state)
    yield wording
    wording._timer.stop()


def name(state, wording, text):
    for end in range(1, len(text) + 1):
        state.update_subject(state.subject.key, name=text[:end])
    wording.settle()


def test_an_examples_prompt_goes_when_a_photo_comes(state, wording):
    state.add_subject(name="duck toy", example=True)
    state.update_values(prompt="a duck toy on the beach")
    state.add_subject(finding=True)
    assert state.values.prompt == ""


@pytest.mark.parametrize("prompt", ["my duck toy on the beach", "a shoe floating on top of water"])
def test_a_prompt_that_somebody_wrote_stays(state, wording, prompt):
    state.add_subject(name="duck toy", example=True)
    state.update_values(prompt=prompt)
    state.add_subject(finding=True)
    assert state.values.prompt == prompt


def test_an_examples_prompt_stays_when_the_session_comes_back(state, wording):
    state.update_values(prompt="a duck toy on the beach")
    state.put_back_subjects(({"name": "boat"},), 0)
    assert state.values.prompt == "a duck toy on the beach"
    assert wording.disagreement() == Disagreement("duck toy", "boat")


def test_the_name_fills_the_noun_of_the_prompt_and_follows(state, wording):
    state.add_subject(name="duck toy", example=True)
    state.update_values(prompt="a duck toy in the jungle")
    state.add_subject(finding=True)
    assert wording.disagreement() == Disagreement("duck toy", "")
    name(state, wording, "apple")
    assert state.values.prompt == "an apple in the jungle"
    name(state, wording, "mug")
    assert state.values.prompt == "a mug in the jungle"
    assert wording.disagreement() is None


def test_letters_on_the_way_to_a_name_match_nothing(state, wording):
    state.update_values(prompt="a cat and a robot")
    state.add_subject(name="cat")
    name(state, wording, "andiron")
    assert state.values.prompt == "an andiron and a robot"


def test_choosing_another_subject_changes_no_word_and_says_so(state, wording):
    state.add_subject(name="backpack")
    state.add_subject(name="teapot")
    state.update_values(prompt="A backpack on the beach")
    assert wording.disagreement() == Disagreement("backpack", "teapot")
    wording.replace()
    assert state.values.prompt == "A teapot on the beach"
    state.select_subject(0)
    assert wording.disagreement() == Disagreement("teapot", "backpack")


@pytest.mark.parametrize(
    ("prompt", "spoken", "word", "result"),
    [
        ("An owl by an owl", "owl", "cat", "A cat by a cat"),
        ("the mug, a mugger", "mug", "egg", "the egg, a mugger"),
        ("a (odd) thing", "(odd)", "new", "a new thing"),
        ("a mug", "mug", r"\1 cup", r"a \1 cup"),
    ],
)
def test_names_are_exchanged_as_whole_words(prompt, spoken, word, result):
    assert exchanged(prompt, spoken, word) == result


def test_a_name_that_the_prompt_has_another_for_is_put_there_when_asked(state, wording):
    wording.replace()
    assert state.values.prompt == "", "nothing disagrees"
    state.add_subject(name="cat")
    state.update_values(prompt="a duck toy on the beach")
    wording.replace()
    assert state.values.prompt == "a cat on the beach"


def test_only_so_many_names_are_remembered(wording):
    for number in range(60):
        wording._remember(f"name {number}")
    wording._remember("name 20")
    assert len(wording._earlier) == 50 and "name 9" not in wording._earlier
    assert list(wording._earlier)[-1] == "name 20"
