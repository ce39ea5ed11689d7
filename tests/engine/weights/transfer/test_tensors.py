"""Some tensors of a remote file: the header is believed in nothing."""

import json
import struct

import numpy as np
import pytest
from safetensors.numpy import load, save

from engine.errors import NetworkError
from engine.weights.transfer.tensors import Subset, choose_tensors

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


@pytest.mark.parametrize("prefixes", [("encoder.",), ("shared.", "encoder."), ("decoder.", "encoder.", "shared.")])
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
