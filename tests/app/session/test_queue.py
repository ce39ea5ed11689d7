"""The queue of pictures, with a link that only writes down what is asked."""

from __future__ import annotations

import numpy as np
import pytest

from app.language import languages
from app.session.queue import Generation
from app.session.state import SessionState
from engine.events import EngineInfo, Started
from engine.process.messages import Replanned
from engine.request import GenerationRequest, ScaleBits
from tests.app.fake_link import FakeLink

STEP_DOWN = "Memory ran out with the plan “Balanced”; “Low memory” is used now."
WORDS = "This model does not know “robot”; it will not show."
GRIDS = ((1, 1), (2, 2))


@pytest.fixture
def generation(qapp):
    state = SessionState()
    generation = Generation(state, FakeLink())
    state.update_engine(phase="ready", info=EngineInfo("mini@0123456789ab", "/mini", "CPU"))
    return generation


def begin(generation: Generation, number: int, *notes: str) -> None:
    generation._link.started.emit(number, Started(GenerationRequest("a"), GRIDS, (0.5, 0.5), notes=notes))


def test_a_smaller_plan_in_the_middle_of_a_picture_is_said_once(generation):
    said = []
    generation.noted.connect(said.append)
    generation.draw([GenerationRequest("a robot")])
    begin(generation, 1, WORDS)
    assert said == [], "the prompt panel says what the prompt lacks"
    begin(generation, 1, STEP_DOWN, WORDS)
    assert said == [STEP_DOWN]
    generation.stop_after()
    begin(generation, 7, STEP_DOWN, "Of another job.")
    assert said == [STEP_DOWN]


def test_it_is_said_in_the_user_s_language(generation):
    said = []
    generation.noted.connect(said.append)
    languages.install("zh_CN")
    try:
        generation.draw([GenerationRequest("a robot")])
        begin(generation, 1)
        begin(generation, 1, STEP_DOWN)
    finally:
        languages.install("en")
    assert said == ["方案“均衡”内存不足；现改用“低内存”。"]


def test_scales_are_asked_of_the_model_that_drew_them(generation):
    bits, here = ScaleBits((np.zeros((1, 1, 4), np.uint8),)), "mini@0123456789ab"
    for bundle, number in ((here, 1), ("", 2), ("other@0123456789ab", None)):
        request = GenerationRequest("a", size=(64, 64), bundle=bundle)
        assert generation.paint_scales(request, bits) == number
    assert [(b, r.size, r.bundle) for b, r in generation._link.asked] == [(bits, (64, 64), here), (bits, (64, 64), "")]
    generation._state.update_engine(phase="loading")
    assert generation.paint_scales(GenerationRequest("a"), bits) is None


def test_a_smaller_plan_shows_in_the_engines_state(generation):
    info = EngineInfo("mini@0123456789ab", "/mini", "CPU", "Balanced")
    generation._link.replanned.emit(Replanned(info))
    assert generation._state.engine.info == info
    # Another model is on its way: what the old one says of itself does not count any more.
    generation._state.update_engine(phase="loading", info=None)
    generation._link.replanned.emit(Replanned(info))
    assert generation._state.engine.info is None
