"""What the canvas says before its first picture."""

from __future__ import annotations

from app.session.state import SessionState
from app.window.empty_canvas import empty_words


def test_a_prompt_is_asked_for_only_where_there_is_none(qapp):
    state = SessionState()
    state.add_subject(name="robot")
    assert empty_words(state)[1].startswith("Write where it should be, press Generate")
    state.update_values(prompt="a robot on the beach")
    assert empty_words(state)[1] == "Press Generate and watch the picture form from coarse to fine."
