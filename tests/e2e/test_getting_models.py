"""The model of the paper, from the first click to a picture: the real window, a server that misbehaves, small random weights."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np
import pytest
import qasync
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication
from tqdm import tqdm

from app.application import Program
from app.models.dialog import ModelsDialog
from engine.bench.published_set import SMALL_PICTURES
from engine.bundle.manifest import read_manifest
from engine.process.client import ENGINE
from engine.weights.inventory import installed_helpers
from engine.weights.settings import load_settings
from engine.weights.store import ModelStore
from tests.app.models.conftest import settle, until
from tests.engine.weights import hub_server as faults
from tests.engine.weights.conftest import hub, pauses, policy  # noqa: F401 - fixtures
from tests.engine.weights.published_set import expect_small_vae, helper_repositories, repositories


def click(button: QAbstractButton) -> None:
    settle()
    assert button.isVisible() and button.isEnabled(), button.accessibleName() or button.text()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def open_models(program: Program) -> ModelsDialog:
    click(program.window.top_bar.models_button)
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, ModelsDialog)
    return dialog


@pytest.fixture
def run(qapp) -> Callable:
    """Runs a coroutine in Qt's event loop, as the program does."""
    loop = qasync.QEventLoop(qapp)

    def run_it(coroutine):
        return loop.run_until_complete(asyncio.wait_for(coroutine, 240))

    with loop:
        yield run_it


@pytest.fixture
def published(hub, monkeypatch):  # noqa: F811
    monkeypatch.setattr(tqdm, "monitor_interval", 0)  # saving small networks shows bars, whose thread would stay
    expect_small_vae(monkeypatch)
    hub.repositories.update(repositories(SMALL_PICTURES) | helper_repositories())
    return hub


@pytest.mark.timeout(600)
def test_the_model_of_the_paper_from_a_click_to_a_picture(run, open_program, published, policy):  # noqa: F811
    program = open_program()
    state, downloads = program.state, program.window.dialogs.downloads
    downloads._take(ModelStore(policy=policy, stall_seconds=60))
    models = downloads.store.folder

    async def get_everything():
        """The licences, once for all that is fetched; a connection that is cut; a pause; bytes that are wrong; conversion."""
        dialog = open_models(program)
        card = dialog.cards["echogen-2b"]
        published.fail("echogen_2b.pth", faults.cut(0.25), faults.status(503), faults.cut(0.75))
        click(card.button)
        sheet = card.sheet
        assert [box.isChecked() for box in sheet.companions.values()] == [True, False]
        click(sheet.companions["naming"])
        titles = [part.title for part in sheet.parts()]
        assert len(titles) == 8
        assert {"DINOv2 base", "Grounding DINO tiny", "SAM 2.1 small", "Qwen2.5-VL 7B"} < set(titles)
        assert not published.requests
        published.slow = 0.002
        held = published.hold("facebook/dinov2-base/model.safetensors")  # nothing of it has come when the pause begins
        click(sheet.accept)
        assert all(downloads.is_busy(name) for name in ("echogen-2b", "cut-out", "naming"))
        await until(lambda: card.state.phase == "fetching" and card.state.done > 200_000)
        click(card.button)
        await until(lambda: not downloads.is_busy("echogen-2b"))
        assert card.state.phase == "paused" and card.button.text() == "Resume"
        kept = card.state.done
        await until(lambda: not downloads.busy)
        for helper in (dialog.cards["cut-out"], dialog.cards["naming"]):
            assert helper.sign.isVisible(), helper.problem.text.text()
        assert not card.sign.isVisible()
        published.slow = 0.0
        held.set()
        published.fail("model.safetensors", faults.wrong_bytes(100), faults.wrong_bytes(2000))
        click(card.button)
        assert card.sheet is None, "accepted once"
        await until(card.problem.isVisible)
        problem = card.problem.text.text()
        assert problem.startswith(
            "model.safetensors of DINOv2 base arrived twice with other content than its publisher"
        )
        assert "it was thrown away" in problem and card.state.done >= kept, "nothing else was"
        click(card.problem.step)
        await until(lambda: card.state.phase == "converting")
        assert "Making it ready to draw" in card.amount.text() and card.button.text() == "Pause"
        await until(lambda: card.state.installed and not downloads.busy)
        return dialog, card

    async def free_space_and_use(dialog, card):
        assert "not needed any more" in card.verdict.text()
        click(card.free)
        click(card.question.yes)
        await until(lambda: not downloads.busy)
        assert not card.free.isVisible() and card.state.originals == 0
        assert not (models / "parts" / "echogen-2b-transformer").exists()
        assert (models / "licences" / "echogen-2b-transformer" / "LICENSE").is_file()
        assert card.button.text() == "Use"
        click(card.button)
        await until(lambda: state.engine.folder == models / "echogen-2b" and state.engine.phase == "ready")
        assert card.sign.text.text() == "In use"
        dialog.accept()

    dialog, card = run(get_everything())
    run(free_space_and_use(dialog, card))
    kinds = ("flan-t5-xl", "sam2.1-hiera-small", "qwen2.5-vl-7b")
    assert all(load_settings().has_accepted(part, "Apache-2.0") for part in kinds)
    assert installed_helpers().keys() == {"grounding", "segmentation", "naming"}
    manifest = read_manifest(models / "echogen-2b")
    assert manifest.transformer == SMALL_PICTURES

    # The next start, with the real engine: the model that was chosen draws.
    again = open_program(engine=ENGINE, bundle=str(models / "echogen-2b"))

    async def draw():
        now = again.state
        await until(lambda: now.engine.phase == "ready" and now.subject is not None and now.subject.cut_out)
        now.update_values(prompt="a ball in the snow")
        click(again.window.prompt.sheet.generate)
        await until(lambda: now.result is not None and not now.jobs.busy)
        return now.result

    result = run(draw())
    assert result.request.bundle == manifest.identity
    assert result.image.shape == (256, 256, 3) and np.ptp(result.image) > 0
    assert len(result.bits.scales) == len(manifest.schedules[0].grids) == 7
