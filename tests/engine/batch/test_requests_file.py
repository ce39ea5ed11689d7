"""Lists of requests: what is written comes back, and a broken line costs nothing but itself."""

from __future__ import annotations

import json

import pytest

from engine.errors import InputError
from engine.request import MAX_JSON_BYTES
from engine.requests_file import BrokenLine, read_requests


def test_what_is_written_comes_back(listed, wanted):
    assert list(read_requests(listed)) == wanted


def test_a_list_written_by_hand(tmp_path):
    path = tmp_path / "list.jsonl"
    path.write_bytes(
        b'\xef\xbb\xbf{"format": 1, "prompt": "snow"}\r\n\r\n{"prompt":"\xe9"}\n{"format":1,"prompt":7}\n[]\n{"format":1,"prompt":"end"}'
    )
    read = list(read_requests(path))
    assert [entry.number for entry in read if isinstance(entry, BrokenLine)] == [3, 4, 5]
    assert [entry.prompt for entry in read if not isinstance(entry, BrokenLine)] == ["snow", "end"]
    assert str(read[1]) == "Line 3 is skipped: It is not UTF-8 text."


def test_a_line_too_long_is_skipped_whole(tmp_path):
    path = tmp_path / "list.jsonl"
    long = json.dumps({"format": 1, "prompt": "x" * (MAX_JSON_BYTES + 10)})
    path.write_text(f'{long}\n{{"format":1,"prompt":"end"}}\n')
    first, second = read_requests(path)
    assert first == BrokenLine(1, "This request is too large to be read.") and second.prompt == "end"


def test_a_broken_line_among_ten_thousand(tmp_path):
    path = tmp_path / "list.jsonl"
    lines = [f'{{"format":1,"prompt":"a ball","seed":{seed}}}' for seed in range(10_000)]
    lines[4_999] = lines[4_999][:-9]
    path.write_text("\n".join(lines))
    read = list(read_requests(path))
    assert [str(entry) for entry in read if isinstance(entry, BrokenLine)] == [
        "Line 5000 is skipped: This request is damaged."
    ]
    assert [entry.seed for entry in read if not isinstance(entry, BrokenLine)] == [
        n for n in range(10_000) if n != 4_999
    ]


def test_no_file(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        next(read_requests(tmp_path / "none.jsonl"))
