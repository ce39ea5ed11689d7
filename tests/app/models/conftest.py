"""A hub that misbehaves on request, a controller without an engine, and Qt's event loop as asyncio's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator

import pytest
import qasync
from PySide6.QtCore import QCoreApplication, QEvent

from app.session.downloads import Downloads
from app.session.state import SessionState
from app.system import background
from engine.bundle.library import shipped_folder
from engine.weights.store import ModelStore
from tests.app.host_window import window  # noqa: F401
from tests.app.look_fixture import dressed, look, plain_look  # noqa: F401
from tests.engine.weights.conftest import hub, pauses, policy  # noqa: F401
from tests.engine.weights.hub_server import Repository


class FakeController:
    """What ``Downloads`` asks of the controller; it counts instead of opening anything."""

    def __init__(self) -> None:
        self.state = SessionState()
        self.state.update_engine(folder=shipped_folder() / "mini", phase="ready")
        self.models = self
        self.looked = self.restarted = 0

    def search(self) -> None:
        self.looked += 1

    def restart(self) -> None:
        self.restarted += 1


@pytest.fixture
def controller(qapp) -> FakeController:
    return FakeController()


@pytest.fixture
def helpers(hub):  # noqa: F811
    """The cut-out helpers, as the hub has them."""
    for repository, kind in (
        ("IDEA-Research/grounding-dino-tiny", "grounding-dino"),
        ("facebook/sam2.1-hiera-small", "sam2"),
    ):
        hub.repositories[repository] = Repository(
            {"config.json": json.dumps({"model_type": kind}).encode(), "model.safetensors": b"w" * 300_000}
        )
    return hub


@pytest.fixture
def models(tmp_path, monkeypatch):
    folder = tmp_path / "models"
    monkeypatch.setenv("ECHOGEN_MODELS", str(folder))
    return folder


@pytest.fixture
def downloads(controller, models, hub, policy) -> Downloads:  # noqa: F811
    return Downloads(controller, store=ModelStore(policy=policy, stall_seconds=5))


@pytest.fixture
def run(qapp) -> Iterator[Callable]:
    """Runs a coroutine in Qt's event loop, at most a minute."""
    loop = qasync.QEventLoop(qapp)

    def run_it(coroutine):
        return loop.run_until_complete(asyncio.wait_for(coroutine, 60))

    with loop:
        yield run_it
    background.shutdown()


def settle() -> None:
    """Give everything its place, as a person sees it before the click."""
    for _ in range(4):  # from the inside out
        QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)


async def until(condition: Callable[[], object]) -> None:
    """Let the loop run until something is true."""
    while not condition():
        await asyncio.sleep(0.01)
