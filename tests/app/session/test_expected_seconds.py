"""What a picture is expected to take, from those before it."""

from __future__ import annotations

import numpy as np

from app.session.expected_seconds import ExpectedSeconds
from app.session.state import SessionState
from engine.events import Finished, Timing
from engine.request import GenerationRequest, ScaleBits

BITS = ScaleBits((np.zeros((1, 1, 5), np.uint8),))


def finished(seconds: float, remembered: int = 0, kept: ScaleBits | None = None) -> Finished:
    request = GenerationRequest("a duck", kept=kept)
    return Finished(request, np.zeros((4, 4, 3), np.uint8), BITS, Timing(total=seconds, remembered=remembered))


def test_only_whole_drawings_count(qapp):
    state = SessionState()
    expected = ExpectedSeconds(state)
    expected.measure(finished(10.0))
    assert state.expected_seconds == 10.0
    expected.measure(finished(4.0, remembered=3))
    expected.measure(finished(4.0, kept=BITS))
    assert state.expected_seconds == 10.0
    expected.measure(finished(6.0))
    assert state.expected_seconds == 8.0


def test_one_picture_that_was_held_up_does_not_spoil_the_estimate(qapp):
    state = SessionState()
    expected = ExpectedSeconds(state)
    expected.measure(finished(2.0))
    expected.measure(finished(22.0))
    assert state.expected_seconds == 3.0, "it counts as one that took twice as long"
    for _ in range(6):
        expected.measure(finished(22.0))
    assert state.expected_seconds > 15.0, "pictures that all take longer do"


def test_better_one_with_remembered_scales_than_none(qapp):
    state = SessionState()
    ExpectedSeconds(state).measure(finished(4.0, remembered=3))
    assert state.expected_seconds == 4.0
