"""The Models dialog against a real store and a hub on this computer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog
from shiboken6 import isValid

from app.dialogs.diagnostics import diagnostics
from app.dialogs.licence_text import LicenceText, shipped_text
from app.language import amounts
from app.look.controls import PlainButton
from app.models import words
from app.models.dialog import ModelsDialog
from app.models.licences import LicenceSheet
from app.session.downloads import IMPORT
from app.session.state import EngineStatus
from app.session.to_get import look_up
from app.store.settings import Settings
from engine.bundle.conversion_report import report_file, write_report
from engine.bundle.library import models_folder
from engine.bundle.published import published_manifest
from engine.device.devices import GIB, Device
from engine.errors import CannotWrite, DoesNotFit
from engine.planning.plans import all_plans
from engine.weights.catalogue import APACHE, FLUX_DEV, MIT, MODELS, PARTS
from engine.weights.settings import load_settings
from engine.weights.state import ModelState
from engine.weights.transfer import download
from tests.app.models.conftest import settle, until
from tests.e2e.paper import write_paper_bundle
from tests.engine.weights import hub_server as faults

CARD_16 = Device("cuda", "NVIDIA", 16 * GIB, 15 * GIB, half=True)


@pytest.fixture
def dialog(qtbot, downloads, controller, window):
    dialog = ModelsDialog(downloads, controller, window)
    dialog.open()
    yield dialog
    if isValid(dialog):
        dialog.close()


def click(button) -> None:
    settle()
    assert button.isVisible() and button.isEnabled()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def accept(card) -> None:
    click(card.button)
    assert card.sheet is not None
    click(card.sheet.accept)


# What there is


def test_every_model_has_a_card_with_one_button(dialog, downloads):
    assert list(dialog.cards) == [state.name for state in downloads.store.models()]
    assert dialog.cards["echogen-2b"].button.text() == "Get"
    assert dialog.cards["echogen-125m"].button.text() == "Choose files…"
    assert dialog.cards["cut-out"].licence_tag.text() == "Apache-2.0"
    assert "free in the models folder" in dialog.free_space.text()


def test_what_drawing_needs_is_said_before_anything_is_fetched(dialog, downloads, controller):
    downloads.device = CARD_16
    downloads.deviceKnown.emit()
    card = dialog.cards["echogen-2b"]
    assert card.needs.text().startswith("Balanced: needs 13.9\u00a0GB, you have 16\u00a0GB.")
    assert dialog.memory.title.text() == "Memory plan for EchoGen 2B"
    assert dialog.memory.choice.values() == ["auto", "resident", "balanced", "low", "int8", "streamed"]
    click(dialog.memory.choice.button("resident"))
    assert controller.state.settings.memory == "resident"
    assert dialog.memory.words.text() == "Fast: needs 20.5\u00a0GB, you have 16\u00a0GB."
    assert dialog.memory.glyph.icon_name() == "triangle-alert"
    assert dialog.memory.gauge.share > 1
    for plan, times in (("int8", 1), ("streamed", 0)):
        click(dialog.memory.choice.button(plan))
        assert dialog.memory.notes.text().count("smaller form") == times, "nothing is said twice"


# Getting


def test_licences_are_shown_once_then_it_is_fetched_and_used(run, helpers, dialog, downloads, controller, models):
    card, notice = dialog.cards["cut-out"], []
    downloads.notice.connect(notice.append)
    click(card.button)
    assert helpers.requests == []
    assert not card.button.isVisible()
    click(card.sheet.refuse)
    assert card.sheet is None and not load_settings().accepted

    async def go():
        accept(card)
        await until(lambda: card.state.installed and not downloads.busy)

    run(go())
    assert load_settings().has_accepted("grounding-dino-tiny", "Apache-2.0")
    assert card.sign.isVisible() and card.sign.text.text() == "Ready"
    assert not card.button.isVisible() and not card.bar.isVisible()
    assert notice == ["Better cut-outs is ready"]
    assert controller.restarted == 1 and controller.looked == 1


def test_pause_keeps_bytes_and_resume_goes_on_after_the_dialog_was_closed(
    run, helpers, dialog, downloads, controller, window
):
    helpers.slow = 0.005
    card = dialog.cards["cut-out"]

    async def go():
        accept(card)
        await until(lambda: card.state.done > 60_000)
        assert card.button.text() == "Pause" and card.parts.isVisible()
        assert " of 60" in card.amount.text()
        click(card.button)
        await until(lambda: card.state.phase == "paused" and not downloads.busy)
        assert card.button.text() == "Resume" and card.speed.text() == "Paused"
        named = card.state.total
        assert look_up("cut-out") == named < MODELS["cut-out"].bundle_bytes, "what the server named"
        assert amounts.size(named) in LicenceSheet(downloads, "cut-out", dialog).amount.text()
        done = card.state.done
        click(card.button)
        assert card.sheet is None  # accepted once
        await until(lambda: downloads.state("cut-out").done > done)
        dialog.close()
        helpers.slow = 0.0
        await until(lambda: downloads.state("cut-out").installed and not downloads.busy)
        return done

    assert run(go()) > 60_000
    again = ModelsDialog(downloads, controller, window)
    again.open()
    assert again.cards["cut-out"].sign.isVisible()
    again.close()


def test_a_failure_is_a_sentence_with_a_button_that_goes_on(run, helpers, dialog, downloads):
    helpers.fail("model.safetensors", *[faults.cut(0.5)] * 1, *[faults.status(503)] * 12)
    card = dialog.cards["cut-out"]

    async def go():
        accept(card)
        await until(lambda: card.state.phase == "failed" and not downloads.busy)
        assert card.problem.title.text() == "The download stopped"
        assert card.problem.step.text() == "Resume" and not card.button.isVisible()
        assert "resume" not in card.problem.text.text(), "the button says that, or Try again where nothing has arrived"
        helpers.faults.clear()
        click(card.problem.step)
        await until(lambda: card.state.installed and not downloads.busy)

    run(go())
    assert not card.problem.isVisible()


def test_a_full_disk_asks_for_another_folder(run, helpers, dialog, downloads, monkeypatch, tmp_path):
    monkeypatch.delenv("ECHOGEN_MODELS")
    monkeypatch.setattr(type(downloads.store), "free_bytes", lambda self: 1000)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "large"))
    card = dialog.cards["cut-out"]

    async def go():
        accept(card)
        await until(lambda: card.state.phase == "failed" and not downloads.busy)

    run(go())
    assert isinstance(downloads.problem("cut-out"), CannotWrite)
    assert card.problem.title.text() == "The disk is nearly full"
    assert card.problem.step.text() == "Choose another folder…"
    click(card.problem.step)
    assert models_folder() == downloads.store.folder == tmp_path / "large"
    assert not card.problem.isVisible()


def test_closing_the_program_pauses_what_is_going_on(run, helpers, downloads):
    helpers.slow = 0.01
    downloads.accept("cut-out", ())

    async def begin():
        downloads.get("cut-out")
        await until(lambda: downloads.state("cut-out").done > 20_000)

    run(begin())
    downloads.close()
    assert not downloads.busy
    assert downloads.state("cut-out").phase == "paused"


# Keeping


def test_verify_finds_what_is_damaged_and_remove_asks_first(run, helpers, dialog, downloads, models):
    card = dialog.cards["cut-out"]

    async def go():
        accept(card)
        await until(lambda: card.state.installed and not downloads.busy)
        card.verify()
        await until(lambda: not downloads.busy)
        assert card.verdict.text() == "Every file is as it should be."
        (models / "parts" / "sam2.1-hiera-small" / "model.safetensors").write_bytes(b"v" * 300_000)
        card.verify()
        await until(lambda: not downloads.busy)
        assert "model.safetensors" in card.verdict.text()
        assert card.verdict.property("tone") == "danger"
        click(card.stop)
        assert card.question.isVisible() and "Better cut-outs" in card.question.text.text()
        click(card.question.no)
        assert (models / "parts").exists() and not card.question.isVisible()
        click(card.stop)
        click(card.question.yes)
        await until(lambda: not downloads.busy)

    run(go())
    assert card.button.text() == "Get"
    assert not (models / "parts" / "sam2.1-hiera-small").exists()


def test_a_bundle_is_imported_used_and_removed(run, dialog, downloads, controller, models, monkeypatch, tmp_path):
    write_paper_bundle(tmp_path / "stick" / "paper")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "stick"))

    async def go():
        click(dialog.import_button)
        assert dialog.import_button.is_busy()
        await until(lambda: not downloads.busy)
        card = dialog.cards["paper"]
        assert controller.looked == 1 and card.action == "use"
        click(card.button)
        assert controller.state.settings.bundle == str(models / "paper")
        controller.state.update_engine(folder=models / "paper")
        assert card.sign.text.text() == "In use" and not card.button.isVisible()
        names = [action.text() for action in card.make_menu().actions()]
        assert names == ["Verify", "Show in the folder", "Remove…"]
        downloads.remove("paper")
        await until(lambda: not downloads.busy)

    run(go())
    assert controller.state.settings.bundle == ""  # the small one is opened before its files go
    assert "paper" not in dialog.cards and not (models / "paper").exists()


def test_a_folder_without_models_is_said_at_the_top(run, dialog, downloads, tmp_path):
    async def go():
        downloads.import_folder(tmp_path)
        await until(lambda: not downloads.busy)

    run(go())
    assert "no model files" in dialog.problem.text.text()
    assert not dialog.import_button.is_busy()
    click(dialog.problem.close_button)
    assert downloads.problem(IMPORT) is None and not dialog.problem.isVisible()


# Choices, token, address


def test_a_licence_is_read_without_leaving_the_program(dialog, monkeypatch):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    card = dialog.cards["echogen-2b"]
    click(card.button)
    reads = {
        button.accessibleName(): button for button in card.sheet.findChildren(PlainButton) if button.property("licence")
    }
    assert reads.keys() == {"Read the licence MIT", "Read the licence Apache-2.0"}
    for name, beginning in (("MIT", "Permission is hereby granted"), ("Apache-2.0", "9. Accepting Warranty")):
        click(reads[f"Read the licence {name}"])
        (page,) = dialog.findChildren(LicenceText)
        assert page.isVisible() and beginning in page.text.toPlainText()
        assert not opened
        click(page.page)
        assert [url.scheme() for url in opened] == ["https"]
        opened.clear()
        click(page.done_button)
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        assert not dialog.findChildren(LicenceText)
    assert not load_settings().accepted, "reading is not accepting"


def test_what_only_the_publisher_has_is_read_there(dialog, monkeypatch, qtbot):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    card = dialog.cards["echogen-2b"]
    click(card.button)
    card.sheet.choices[0].setCurrentIndex(2)
    card.sheet.choices[0].activated.emit(2)
    (read,) = (
        button
        for button in card.sheet.findChildren(PlainButton)
        if button.accessibleName() == "Read the licence FLUX.1 [dev] Non-Commercial"
    )
    qtbot.waitUntil(read.isVisible)
    click(read)
    assert [url.toString() for url in opened] == [FLUX_DEV.url]


def test_the_shipped_texts_read_like_their_licences():
    for licence in (MIT, APACHE):
        assert licence.is_text(shipped_text(licence) or "")
    assert shipped_text(FLUX_DEV) is None


def test_the_tag_says_what_is_fetched_and_later_what_it_takes(dialog, downloads):
    state = downloads.state("echogen-2b")
    assert dialog.cards["echogen-2b"].size_tag.text() == f"{amounts.size(state.total)} to download"
    assert dialog.cards["mini"].size_tag.text() == amounts.size(downloads.state("mini").size)


def test_a_choice_brings_its_own_licence_and_the_token_is_in_no_file(run, dialog, downloads, private_folders):
    card = dialog.cards["echogen-2b"]
    click(card.button)
    sheet = card.sheet
    assert sheet.token.isHidden()
    sheet.choices[0].setCurrentIndex(2)
    sheet.choices[0].activated.emit(2)
    assert [part.licence.name for part in sheet.parts() if part.gated] == ["FLUX.1 [dev] Non-Commercial"]
    assert not sheet.token.isHidden()
    sheet.token.setText("no token, with spaces")

    async def go(wanted):
        click(sheet.accept)
        await until(lambda: sheet.accept.isEnabled() or card.sheet is None)
        assert (card.sheet is None) == wanted

    run(go(False))
    assert sheet.problem.isVisible()
    assert not load_settings().accepted
    sheet.token.setText("hf_abcdefgh")

    async def accepted():
        click(sheet.accept)
        await until(lambda: card.sheet is None)
        downloads.pause("echogen-2b")
        await until(lambda: not downloads.busy)

    run(accepted())
    assert load_settings().choices["echogen-2b"] == ("flux-dev-vae",)
    assert downloads.store.tokens.get() == "hf_abcdefgh"
    texts = [file.read_bytes() for file in private_folders.rglob("*") if file.is_file()]
    assert texts and not any(b"hf_abcdefgh" in text for text in texts)


def test_a_part_that_has_become_gated_asks_for_a_token_where_it_says_so(run, helpers, dialog, downloads):
    helpers.repositories["facebook/sam2.1-hiera-small"].gated = True
    card = dialog.cards["cut-out"]

    async def go():
        accept(card)
        await until(card.problem.isVisible)
        assert "https://huggingface.co/facebook/sam2.1-hiera-small" in card.problem.text.text()
        assert card.problem.step.text() == "Enter access token…"
        click(card.problem.step)
        assert card.sheet is not None and not card.sheet.token.isHidden()
        card.sheet.token.setText(helpers.token)
        click(card.sheet.accept)
        await until(lambda: card.state.installed and not downloads.busy)

    run(go())
    assert not card.problem.isVisible()


def test_a_larger_size_is_a_question_with_one_button(run, helpers, dialog, downloads, monkeypatch):
    monkeypatch.setitem(PARTS, "sam2.1-hiera-small", replace(PARTS["sam2.1-hiera-small"], expected_bytes=1000))
    monkeypatch.setattr(download, "_BYTES_UNASKED", 1000)
    card = dialog.cards["cut-out"]

    async def go():
        accept(card)
        await until(card.problem.isVisible)
        assert "has 300 KB for SAM 2.1 small, and 1 KB was shown to you" in card.problem.text.text()
        assert not any("/resolve/" in request.path for request in helpers.requests)
        click(card.problem.step)
        await until(lambda: card.state.installed and not downloads.busy)

    run(go())
    assert load_settings().sizes["sam2.1-hiera-small"] > 300_000


def test_a_conversion_that_did_not_fit_is_said_after_a_restart_too(qtbot, dialog, downloads, models):
    """The card has the sentence, *Copy diagnostics* the names of what was found."""
    found = [f"gpt.{n}.weight" for n in range(20)] + ["args"]
    write_report(report_file(models, "echogen-2b"), DoesNotFit("x.pth does not hold the weights.", found=found))
    (models / "parts" / "dinov2-base").mkdir(parents=True)
    card = dialog.cards["echogen-2b"]
    card.refresh()
    assert card.problem.isVisible() and card.problem.title.text() == "The published files do not fit"
    assert "x.pth does not hold the weights" in card.problem.text.text() and "newer version" in card.problem.text.text()
    text = diagnostics(models, Settings(), EngineStatus())
    assert "echogen-2b was not converted: x.pth does not hold the weights." in text
    assert "  gpt.*.weight (20 times)" in text.splitlines() and "  args" in text.splitlines()


def test_an_unsafe_address_is_refused_in_words(dialog, downloads):
    sources = dialog.sources.content
    before = downloads.store.settings.base_url
    dialog.sources.set_open(True)
    sources.address.setText("http://example.org")
    sources.address.editingFinished.emit()
    assert "https://" in sources.address_problem.text() and sources.address_problem.isVisible()
    assert downloads.store.settings.base_url == before
    sources.address.setText("https://mirror.example.org/")
    sources.address.editingFinished.emit()
    assert downloads.store.settings.base_url == "https://mirror.example.org"
    assert not sources.address_problem.isVisible()


# Words


def test_numbers_are_said_as_people_say_them():
    state = ModelState("x", "X", "", "MIT", "fetching", done=6_100_000_000, total=14_200_000_000, rate=38e6, left=240)
    assert amounts.amount(state.done, state.total) == "6.1 of 14.2\u00a0GB"
    assert amounts.amount(340_000_000, state.total) == "340\u00a0MB of 14.2\u00a0GB"
    assert words.speed(state) == "38\u00a0MB/s, about 4 min left"
    assert words.speed(replace(state, rate=0.0)) == ""


def test_the_best_plan_is_the_fastest_that_fits():
    plans = all_plans(published_manifest("echogen-2b"), CARD_16)
    assert words.best_plan(plans).key == "balanced"
    assert words.best_plan(()) is None
    assert words.best_plan(all_plans(published_manifest("echogen-2b"), replace(CARD_16, free=GIB))).key == "streamed"


def test_wrong_bytes_are_refused_and_the_way_on_works_at_once(run, helpers, dialog, downloads):
    helpers.fail("model.safetensors", *[faults.wrong_bytes(9)] * 4)
    card = dialog.cards["cut-out"]

    async def go():
        accept(card)
        await until(card.problem.isVisible)
        assert (
            "arrived twice with other content than its publisher describes; it was thrown away"
            in card.problem.text.text()
        )
        helpers.faults.clear()
        click(card.problem.step)
        await until(lambda: card.state.installed and not downloads.busy)

    run(go())
    assert not card.problem.isVisible()


def test_a_button_pressed_while_the_stopping_ends_is_not_lost(run, helpers, dialog, downloads):
    helpers.slow = 0.005
    card = dialog.cards["cut-out"]

    async def go():
        accept(card)
        await until(lambda: card.state.done > 20_000)
        click(card.button)
        pressed = []

        def press_at_once(name):
            if card.state.phase == "paused" and not pressed:
                assert downloads.is_busy("cut-out")
                pressed.append(name)
                helpers.slow = 0.0
                click(card.button)

        downloads.changed.connect(press_at_once)
        await until(lambda: card.state.installed and not downloads.busy)
        assert pressed

    run(go())


def test_the_licences_get_the_room_and_the_button_that_accepts_is_in_sight(qtbot, dialog, downloads):
    downloads.device = CARD_16
    downloads.deviceKnown.emit()
    assert dialog.memory.isVisible()
    card = dialog.cards["echogen-2b"]
    click(card.button)
    settle()
    qtbot.waitUntil(lambda: dialog._area.viewport().rect().contains(place_of(card.sheet.accept, dialog)))
    assert not dialog.memory.isVisible()
    click(card.sheet.refuse)
    assert dialog.memory.isVisible()


def test_a_licence_stands_apart_from_the_one_before(dialog):
    card = dialog.cards["echogen-2b"]
    click(card.button)
    settle()
    grid = card.sheet._grid
    (title, summary), (next_title, _) = (
        [grid.itemAtPosition(3 * number + line, 0).geometry() for line in (0, 1)] for number in (0, 1)
    )
    assert next_title.top() - summary.bottom() >= 4 + (summary.top() - title.bottom())


def place_of(widget, dialog):
    viewport = dialog._area.viewport()
    return widget.rect().translated(widget.mapTo(viewport, widget.rect().topLeft()))


def test_the_focus_stays_with_the_model_when_its_button_goes(run, helpers, dialog, downloads):
    card = dialog.cards["cut-out"]

    async def go():
        accept(card)
        await until(lambda: card.state.installed and not downloads.busy)

    run(go())
    assert not card.button.isVisible()
    assert dialog.focusWidget() is card.more
