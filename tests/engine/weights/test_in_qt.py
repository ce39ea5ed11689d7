"""The same store in Qt's event loop, as the window runs it: the loop stays free while bytes arrive."""

import asyncio
import json

import pytest

from engine.weights.store import ModelStore
from tests.engine.weights import hub_server as faults
from tests.engine.weights.hub_server import Repository


@pytest.fixture
def helpers(hub):
    for repository in ("IDEA-Research/grounding-dino-tiny", "facebook/sam2.1-hiera-small"):
        hub.repositories[repository] = Repository(
            {"config.json": json.dumps({}).encode(), "model.safetensors": b"w" * 400_000}
        )
    return hub


def test_get_pause_and_resume_in_qasync(qapp, helpers, policy, tmp_path, monkeypatch):
    import qasync

    monkeypatch.setenv("ECHOGEN_MODELS", str(tmp_path / "models"))
    helpers.slow = 0.005
    helpers.fail("model.safetensors", faults.cut(0.1))
    store = ModelStore(policy=policy, stall_seconds=5)
    store.accept_licences("cut-out")
    beats, told = [], []
    store.subscribe(told.append)

    async def beat():
        while True:
            beats.append(store.state("cut-out").phase)
            await asyncio.sleep(0.01)

    async def go():
        heart = asyncio.ensure_future(beat())
        task = asyncio.ensure_future(store.get("cut-out"))
        while store.state("cut-out").done < 100_000:
            await asyncio.sleep(0.01)
        store.pause("cut-out")
        paused = await task
        helpers.slow = 0.0
        ready = await store.resume("cut-out")
        heart.cancel()
        return paused, ready

    loop = qasync.QEventLoop(qapp)
    with loop:
        paused, ready = loop.run_until_complete(go())
    assert paused.paused and paused.done >= 100_000
    assert ready.installed
    assert "fetching" in beats
    assert set(told) == {"cut-out"}
