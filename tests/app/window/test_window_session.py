"""The first moment of a start: what is seen is what the last session had."""

from __future__ import annotations

from app.session.state import SessionState
from app.store.history_store import HistoryStore
from app.store.paths import AppPaths
from app.store.saved_session import SavedSession
from app.window.main_window import MainWindow
from tests.app.look_fixture import dressed  # noqa: F401 – a fixture


def test_sections_that_are_open_show_the_values_of_the_session_at_once(dressed, qtbot, tmp_path):  # noqa: F811
    state, store = SessionState(), HistoryStore(None, tmp_path / "pictures")
    window = MainWindow(state, store, AppPaths.standard())
    qtbot.addWidget(window)
    values = {"prompt_strength": 6.5, "subject_strength": 2.0, "look_strength": 1.5, "temperature": 0.4, "count": 4}
    window.window_session.restore(
        SavedSession(controls={**values, "seed": "no number", "sections": {"strengths": True}})
    )
    sheet = window.prompt.sheet
    assert sheet.sections["strengths"].is_open()
    shown = [dial.value() for dial in (sheet.prompt_strength, sheet.subject_strength, sheet.look, sheet.temperature)]
    assert shown == [6.5, 2.0, 1.5, 0.4] and sheet.apart.isChecked() and sheet.count.value() == 4
    assert state.values.prompt == "" and state.values.seed == 0, "a value that cannot be stays as it is"
    store.close()
