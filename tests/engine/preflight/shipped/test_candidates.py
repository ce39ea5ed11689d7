"""Answers to choose from: in doubt there are many, and the outline of one alone is drawn finely."""

from __future__ import annotations

import numpy as np
import pytest

from engine.preflight.colours.marks import Marks
from engine.preflight.colours.working_photo import WorkingPhoto
from engine.preflight.shipped import candidates
from engine.preflight.shipped.network import SHIPPED
from tests.engine.preflight.scenes import toy


def test_a_candidate_is_drawn_as_if_it_had_been_from_the_beginning():
    window = WorkingPhoto(toy()[0]).whole
    view = SHIPPED.predict(window.fine)
    assert view is not None
    rough = candidates._roughly(window, view.logits)[1]
    at_once = candidates._by_both(window, view.logits, None, Marks())
    assert rough.models is not None and at_once.models is None
    np.testing.assert_array_equal(rough.drawn().inside, at_once.inside)
    assert at_once.drawn() is at_once


@pytest.mark.parametrize("again", [True, False])
def test_the_answer_is_drawn_whatever_led_to_it(again: bool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(candidates, "_AGREED", 2.0)  # always in doubt
    monkeypatch.setattr(candidates, "ranked", lambda rated, *_: sorted(rated, key=lambda one: one.models is None))
    if not again:
        monkeypatch.setattr(candidates, "answer_again", lambda *_: None)
    found = candidates.by_itself(WorkingPhoto(toy()[0]), SHIPPED, Marks(), lambda: ())
    assert found is not None and any(one.models is not None for one in found[1:])
    assert found[0].models is None
