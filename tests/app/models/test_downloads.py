"""Getting, checking and removing models without a dialog: what is pressed at the wrong moment does no harm."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from app.session.downloads import IMPORT, Downloads
from tests.app.models.conftest import until
from tests.app.settled import settle
from tests.e2e.paper import write_paper_bundle

NAME = "cut-out"


def get(run, downloads) -> None:
    """Have the helpers there."""

    async def go():
        assert downloads.accept(NAME, ())
        downloads.get(NAME)
        await until(lambda: not downloads.busy)

    run(go())
    assert downloads.state(NAME).installed


def begin_and_pause(downloads, at_the_end: Callable[[], object]) -> Coroutine[Any, Any, None]:
    """Get a model, pause it, and call ``at_the_end`` when it has stopped but its task has not ended yet."""
    called = []

    def told(name):
        if downloads.state(name).phase == "paused" and not called:
            assert downloads.is_busy(name)
            called.append(name)
            at_the_end()

    async def go():
        assert downloads.accept(NAME, ())
        downloads.get(NAME)
        await until(lambda: downloads.state(NAME).done > 20_000)
        downloads.changed.connect(told)
        downloads.pause(NAME)
        await until(lambda: not downloads.busy)
        assert called

    return go()


def test_what_was_paused_is_not_said_to_be_ready(run, helpers, downloads, controller):
    helpers.slow, notices = 0.005, []
    downloads.notice.connect(notices.append)
    run(begin_and_pause(downloads, lambda: None))
    assert downloads.state(NAME).phase == "paused" and not notices and controller.looked == 0


def test_a_check_that_was_stopped_says_nothing(run, helpers, downloads):
    get(run, downloads)
    phases = []

    def stop_at(phase):
        phases.clear()

        def told(name):
            phases.append(downloads.state(name).phase)
            # The card is told that the check begins, that it works, and that it is over.
            if "checking" in phases and phases[-1] == phase:
                downloads.pause(name)

        return told

    async def check():
        downloads.verify(NAME)
        await until(lambda: not downloads.busy)

    for phase in ("checking", "ready"):
        told = stop_at(phase)
        downloads.changed.connect(told)
        run(check())
        downloads.changed.disconnect(told)
        assert "checking" in phases and downloads.wrong_files(NAME) is None
    run(check())
    assert downloads.wrong_files(NAME) == ()


def test_files_of_the_open_model_stay_until_another_one_is_open(run, downloads, controller, models):
    write_paper_bundle(models / "paper")
    controller.state.update_settings(bundle=str(models / "paper"))
    controller.state.update_engine(folder=models / "paper", phase="ready")

    async def go():
        controller.state.settingsChanged.connect(lambda *_: controller.state.update_engine(phase="loading"))
        downloads.remove("paper")
        await asyncio.sleep(0.15)
        assert controller.state.settings.bundle == "" and (models / "paper" / "bundle.json").is_file()
        controller.state.update_engine(phase="ready")
        await until(lambda: not downloads.busy)

    run(go())
    assert not (models / "paper").exists() and controller.looked == 1


def test_what_is_gone_is_neither_used_nor_accepted(downloads, controller):
    controller.state.update_settings(bundle="mine")
    downloads.use("gone")
    assert controller.state.settings.bundle == "mine"
    assert not downloads.accept("gone", ()) and "no model “gone”" in downloads.problem("gone").fact


def test_what_is_pressed_while_a_model_arrives_changes_nothing(run, helpers, downloads):
    helpers.slow = 0.005

    async def go():
        assert downloads.accept(NAME, ())
        downloads.get(NAME)
        await until(lambda: downloads.state(NAME).done > 20_000)
        downloads.get(NAME)
        downloads.remove(NAME)
        helpers.slow = 0.0
        await until(lambda: not downloads.busy)

    run(go())
    assert downloads.state(NAME).installed and len(helpers.asked("model.safetensors")) == 2  # one of each part


def test_of_what_is_pressed_while_the_stopping_ends_the_last_counts(run, helpers, downloads, controller):
    helpers.slow = 0.005

    def press():
        helpers.slow = 0.0
        downloads.remove(NAME)
        downloads.get(NAME)

    run(begin_and_pause(downloads, press))
    assert downloads.state(NAME).installed and controller.looked == 1


def test_the_end_of_the_program_forgets_what_was_to_follow(run, helpers, downloads):
    helpers.slow = 0.005

    def press_and_quit():
        downloads.get(NAME)
        asyncio.get_running_loop().call_soon(downloads.close)

    run(begin_and_pause(downloads, press_and_quit))
    assert not downloads.busy and downloads.state(NAME).phase == "paused" and downloads.problem(NAME) is None


def test_the_models_are_looked_at_when_they_are_first_needed(controller, models):
    downloads = Downloads(controller)
    downloads.close()  # nothing is there that could be stopped
    assert downloads.store is downloads.store and downloads.store.folder == models


def test_a_folder_that_cannot_hold_models_is_said_and_the_old_one_stays(downloads, models, tmp_path):
    (tmp_path / "file").write_text("no folder")
    before = downloads.store
    downloads.choose_folder(tmp_path / "file" / "models")
    assert downloads.problem(IMPORT) is not None and downloads.store is before


def test_originals_that_are_not_there_are_no_error(run, downloads):
    async def go():
        downloads.free_originals("echogen-2b")
        await until(lambda: not downloads.busy)

    run(go())
    assert downloads.problem("echogen-2b") is None


def test_a_token_is_forgotten_in_the_background(qtbot, downloads, monkeypatch):
    forgotten = []
    monkeypatch.setattr(downloads.store.tokens, "forget", lambda: forgotten.append(True))
    downloads.forget_token()
    settle(qtbot)
    assert forgotten == [True]
