"""Some tensors of a remote file: the header is believed in nothing."""

import asyncio
import json
import struct

import numpy as np
import pytest
from safetensors.numpy import load, save

from engine.errors import AccessRefused, NetworkError
from engine.weights.transfer import tensors
from engine.weights.transfer.hub import Busy
from engine.weights.transfer.requests import make_client
from engine.weights.transfer.tensors import Subset, choose_tensors, read_header
from tests.engine.weights import hub_server as faults
from tests.engine.weights.hub_server import COMMIT, Repository

WEIGHTS = {
    "decoder.a": np.arange(6, dtype=np.float32).reshape(2, 3),
    "encoder.a": np.arange(20, dtype=np.float32).reshape(4, 5),
    "encoder.b": np.arange(7, dtype=np.float16),
    "encoder.empty": np.zeros((0, 4), np.float32),
    "shared.weight": np.arange(9, dtype=np.int64),
}


def parts(content: bytes) -> tuple[bytes, int]:
    length = struct.unpack("<Q", content[:8])[0]
    return content[8 : 8 + length], len(content)


def cut_out(content: bytes, subset: Subset) -> bytes:
    return subset.prefix + b"".join(content[s.start : s.start + s.length] for s in subset.segments)


@pytest.mark.parametrize(
    "prefixes",
    [("encoder.",), ("shared.", "encoder."), ("decoder.", "encoder.", "shared."), ("shared.", "encoder.empty")],
)
def test_the_subset_is_a_sound_file_with_just_these_tensors(prefixes):
    content = save(WEIGHTS)
    subset = choose_tensors(*parts(content), prefixes, "file")
    found = load(cut_out(content, subset))
    assert found.keys() == {name for name in WEIGHTS if name.startswith(prefixes)}
    for name, tensor in found.items():
        assert np.array_equal(tensor, WEIGHTS[name]) and tensor.dtype == WEIGHTS[name].dtype
    assert subset.size == len(cut_out(content, subset))
    assert len(subset.prefix) % 8 == 0


def test_neighbours_are_fetched_in_one_stretch():
    content = save({f"encoder.{i}": np.zeros(10, np.float32) for i in range(9)})
    assert len(choose_tensors(*parts(content), ("encoder.",), "file").segments) == 1


@pytest.fixture
def remote(hub):
    """Ask for the header of a file with this content, with faults of the server on the way."""

    def ask(content: bytes, *wrong: faults.Fault) -> bytes:
        hub.repositories["them/net"] = Repository({"f.safetensors": content})
        hub.fail("f.safetensors", *wrong)
        url = f"{hub.url}/them/net/resolve/{COMMIT}/f.safetensors"

        async def go() -> bytes:
            async with make_client(5.0) as client:
                return await read_header(client, url, len(content), None, "f")

        return asyncio.run(go())

    return ask


def test_the_header_is_read_whatever_its_length(hub, remote, monkeypatch):
    content = save({f"encoder.{n}": np.zeros(3, np.float32) for n in range(30)})
    assert remote(content) == parts(content)[0]
    monkeypatch.setattr(tensors, "_FIRST_READ", 64)
    assert remote(content) == parts(content)[0], "asked for a second time, as long as it says it is"
    hub.ranges = False
    assert remote(content) == parts(content)[0]


def test_of_a_server_without_ranges_no_more_than_the_beginning_is_taken(hub, remote, monkeypatch):
    content = save({"encoder.a": np.zeros(2**20, np.float32)})
    monkeypatch.setattr(tensors, "_FIRST_READ", 64)
    hub.ranges, hub.slow = False, 0.001
    assert remote(content) == parts(content)[0]
    assert hub.sent("f.safetensors") < len(content) / 2


@pytest.mark.parametrize(
    ("fault", "kind", "message"),
    [
        (faults.status(403), AccessRefused, "does not give f"),
        (faults.status(503), Busy, "fault of its own"),
        (faults.status(404), NetworkError, "with 404"),
        (faults.cut(0.01), Busy, "cut|early"),
        (faults.other_length(-400), Busy, "early"),
    ],
)
def test_a_header_that_does_not_come_is_said(remote, fault, kind, message):
    with pytest.raises(kind, match=message):
        remote(save(WEIGHTS), fault)


@pytest.mark.parametrize("content", [b"", b"abc", struct.pack("<Q", 2**60) + b"{}", struct.pack("<Q", 1) + b"{}"])
def test_what_is_no_safetensors_file_is_said(remote, content):
    with pytest.raises(NetworkError, match="no safetensors file"):
        remote(content)


def test_a_file_without_any_is_not_fetched():
    assert choose_tensors(*parts(save(WEIGHTS)), ("nothing.",), "file") == Subset(b"", ())


@pytest.mark.parametrize(
    "header",
    [
        b"not json",
        b"[]",
        b'{"encoder.a": 5}',
        b'{"encoder.a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 15]}}',
        b'{"encoder.a": {"dtype": "F32", "shape": [4], "data_offsets": [-16, 0]}}',
        b'{"encoder.a": {"dtype": "F32", "shape": [400], "data_offsets": [0, 1600]}}',
        b'{"encoder.a": {"dtype": "F33", "shape": [4], "data_offsets": [0, 16]}}',
        b'{"encoder.a": {"dtype": "F32", "shape": "x", "data_offsets": [0, 16]}}',
        json.dumps({"encoder.a": {"dtype": "F32", "shape": [4], "data_offsets": [16, 0]}}).encode(),
    ],
)
def test_a_header_that_lies_is_refused(header):
    with pytest.raises(NetworkError, match="no safetensors file, or a damaged one"):
        choose_tensors(header, 8 + len(header) + 100, ("encoder.",), "file")
