"""The candidates of a photo: the same ones in the panel and in the editor."""

from __future__ import annotations

from app.mask.candidates import MOST, candidate_name, candidates
from engine.photo import Box, SubjectProposal
from tests.app.mask.fakes import disc


def proposed(*scores: float, labels: tuple[str, ...] = ()) -> SubjectProposal:
    named = (*labels, *("",) * len(scores))
    boxes = tuple(Box(0, 0, 9, 9, score, label) for score, label in zip(scores, named, strict=False))
    return SubjectProposal("mug", boxes, disc(), scores[0])


def test_only_candidates_worth_a_choice_are_offered():
    assert candidates(None) == () == candidates(proposed(0.9)), "no choice"
    assert len(candidates(proposed(0.9, 0.5, 0.09))) == 2
    assert candidates(proposed(0.9, 0.09)) == ()
    assert len(candidates(proposed(*[0.8] * 9))) == MOST


def test_a_candidate_has_the_name_that_the_search_gave_it_or_a_number():
    several = proposed(0.9, 0.5, 0.4, labels=("", "cushion"))
    assert [candidate_name(several, index) for index in range(3)] == ["mug", "cushion", "Thing 3"]
