"""The record of a download on the disk: it comes back, and a damaged one counts as none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.weights.catalogue import PARTS
from engine.weights.transfer.download import STATE, PartDownload

PART = PARTS["dinov2-base"]
FILE = {
    "name": "model.safetensors",
    "remote": "model.safetensors",
    "remote_size": 100,
    "sha256": "ab" * 32,
    "git": "",
    "segments": [[0, 10], [20, 5]],
    "prefix": "YWJj",
    "etag": "e",
    "recorded": "",
    "stamp": [15, 1_764_000_000_123_456_789],
}
RECORD = {
    "format": 1,
    "part": PART.key,
    "repository": PART.repository,
    "commit": "0" * 40,
    "licence": "apache-2.0",
    "gated": True,
    "written": "2026-11-01T10:00:00+0000",
    "files": [FILE],
}


def read(folder: Path, record: object) -> PartDownload:
    (folder / STATE).write_text(record if isinstance(record, str) else json.dumps(record), encoding="utf-8")
    return PartDownload(PART, folder)


def test_what_was_written_down_comes_back(tmp_path):
    download = read(tmp_path, RECORD)
    assert download.plan is not None and download.plan.gated
    (file,) = download.plan.files
    assert (file.size, file.prefix, file.stamp) == (18, b"abc", (15, 1_764_000_000_123_456_789))
    assert [(segment.start, segment.length) for segment in file.segments] == [(0, 10), (20, 5)]


def test_it_is_written_as_it_was_read(tmp_path):
    download = read(tmp_path, RECORD)
    download._save()
    written = json.loads((tmp_path / STATE).read_text(encoding="utf-8"))
    assert list(written) == list(RECORD) and list(written["files"][0]) == list(FILE)
    assert written | {"written": ""} == RECORD | {"written": ""}


def test_an_older_record_without_gated_is_read(tmp_path):
    assert read(tmp_path, {name: value for name, value in RECORD.items() if name != "gated"}).plan is not None


@pytest.mark.parametrize(
    "record",
    [
        *("{", "[]", "null", "[" * 100_000, '{"format": 1}'),
        RECORD | {"format": 2},
        RECORD | {"part": "another"},
        RECORD | {"repository": "another/one"},
        RECORD | {"commit": 5},
        RECORD | {"files": 5},
        RECORD | {"files": [FILE | {"name": "../x"}]},
        RECORD | {"files": [FILE | {"remote": "/etc/passwd"}]},
        RECORD | {"files": [FILE | {"name": 5}]},
        RECORD | {"files": [FILE | {"segments": [[-1, 2]]}]},
        RECORD | {"files": [FILE | {"segments": [[1]]}]},
        RECORD | {"files": [FILE | {"stamp": [1]}]},
        RECORD | {"files": [FILE | {"prefix": "!"}]},
        RECORD | {"files": [FILE | {"remote_size": 10**400}]},
        RECORD | {"files": [{"name": "model.safetensors"}]},
    ],
    ids=range(19),
)
def test_a_damaged_record_counts_as_none(tmp_path, record):
    assert read(tmp_path, record).plan is None
