"""The first moment of a start: what is seen is what the last session had."""

from __future__ import annotations

from app.language.scene_names import scene_name
from app.resources import resource
from app.session.state import SessionState
from app.store.history_store import HistoryStore
from app.store.paths import AppPaths
from app.store.saved_session import SavedSession, SavedSubject
from app.window.main_window import MainWindow
from engine.bundle.manifest import read_manifest
from tests.app.look_fixture import dressed  # noqa: F401 – a fixture
from tests.app.settled import settle


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
    assert state.values.seed == 0, "a value that cannot be stays as it is"
    store.close()


def test_the_place_of_what_is_on_its_way_is_kept_from_the_first_moment(dressed, qtbot, tmp_path):  # noqa: F811
    """Prompt, chips and photo come after the first paint: what lies below them stands where it will stand."""
    state, store = SessionState(), HistoryStore(None, tmp_path / "pictures")
    window = MainWindow(state, store, AppPaths.standard())
    qtbot.addWidget(window)
    window.resize(1300, 800)
    window.show()
    sheet, subject = window.prompt.sheet, window.subject
    window.window_session.restore(SavedSession())
    shipped = read_manifest(resource("mini")).language.scenes
    settle(qtbot)
    chips = [chip.geometry() for chip in sheet.chips.chips()]
    below, drop = sheet.avoid.y(), subject.drop_zone.y()
    assert [chip.text() for chip in sheet.chips.chips()] == [scene_name(scene.label) for scene in shipped[:5]]
    assert not any(chip.isEnabled() for chip in sheet.chips.chips()) and subject.coming.isVisible()
    canvas = window.canvas.y()
    assert window.window_session.describe()["controls"]["offer"] == canvas > 100, "the card over the canvas comes, too"
    window.panels.let_room_go()
    settle(qtbot)
    assert window.canvas.y() == 0 == window.window_session.describe()["controls"]["offer"]
    sheet.chips.set_scenes(shipped, resource("mini"))
    settle(qtbot)
    assert [chip.geometry() for chip in sheet.chips.chips()] == chips and sheet.avoid.y() == below
    assert all(chip.isEnabled() for chip in sheet.chips.chips())
    subject.expect(None)
    settle(qtbot)
    assert subject.drop_zone.y() < drop, "the room was that of the example"

    words = SavedSession(
        subjects=(SavedSubject(photo="0" * 64),),
        prompt="a cup in the snow",
        controls={"scenes": {"first": [], "count": 0}, "photo": {"height": 200, "own": True}},
    )
    again = MainWindow(SessionState(), store, AppPaths.standard())
    qtbot.addWidget(again)
    again.show()
    again.window_session.restore(words)
    assert again.prompt.sheet.prompt.text() == "a cup in the snow"
    assert not again.prompt.sheet.scenes.isVisible(), "that model offers none"
    assert again.subject.coming.height() == 200 and not again.subject.drop_zone.isVisible()
    assert again.window_session.describe()["controls"]["photo"] == {"height": 200, "own": True}
    again.subject.expect_no_more()
    assert again.subject.drop_zone.isVisible() and not again.subject.coming.isVisible()
    store.close()
