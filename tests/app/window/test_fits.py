"""Small promises of the window: keys taken, presses seen."""

from __future__ import annotations

from app.shortcuts import Keymap
from app.window.status_line import status_of


def test_a_key_is_taken_from_the_action_that_had_it():
    keys = Keymap()
    keys.take("copy", ("Ctrl+S",))
    assert keys.keys("copy") == ("Ctrl+S",) and keys.keys("save") == ()
    assert keys.conflicts("copy") == []
    keys.take("box", ("E",))
    assert keys.keys("eraser") == ()


def test_a_download_is_said_in_the_window_while_nothing_is_drawn():
    from app.session.state import SessionState

    state = SessionState()
    state.update_engine(phase="ready")
    assert status_of(state, fetching="Downloading it, 3 %")[0] == "Downloading it, 3 %"
    assert status_of(state, editing="Marking a region", fetching="Downloading it")[0] == "Marking a region"
    assert status_of(state, last="Done in 3 s")[0] == "Done in 3 s"
