import asyncio
import shutil

import pytest

from engine.weights.transfer.file_transfer import RetryPolicy
from tests.engine.weights.hub_server import FakeHub


@pytest.fixture
def hub(monkeypatch):
    """A hub on loopback that can be made to misbehave, and a disk with room for everything.

    Until the hub has answered, a part counts with the gigabytes that its publisher has of it.
    """
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: shutil._ntuple_diskusage(10**12, 0, 10**12))
    server = FakeHub()
    monkeypatch.setenv("ECHOGEN_HUB", server.url)
    yield server
    server.close()


@pytest.fixture
def pauses():
    """Every pause a transfer made; none of them is waited for."""
    return []


@pytest.fixture
def policy(pauses):
    async def sleep(seconds):
        pauses.append(seconds)
        await asyncio.sleep(0)

    return RetryPolicy(attempts=4, sleep=sleep)
