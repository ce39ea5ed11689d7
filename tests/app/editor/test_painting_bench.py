"""The benchmark runs, says what it measures, and its exit code tells whether the limit is kept."""

from __future__ import annotations

import json

from app.editor import painting_bench


def test_the_benchmark_at_a_small_size(qapp, monkeypatch, capsys):
    monkeypatch.setattr(painting_bench, "WIDTH", 600)
    monkeypatch.setattr(painting_bench, "HEIGHT", 400)
    monkeypatch.setattr(painting_bench, "_MOVES", 8)
    monkeypatch.setattr(painting_bench, "_REPEATS", 1)
    monkeypatch.setattr(painting_bench, "_QUIET", 0.02)
    monkeypatch.setattr(painting_bench, "LIMIT_MS", 1e6)
    monkeypatch.setattr(painting_bench, "GAP_MS", 1e6)
    assert painting_bench.main(["--zoom", "fit", "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)["milliseconds"]
    assert measured["paint at fit"]["p95"] >= measured["paint at fit"]["p50"] > 0
    # Such a small photo is done at once, in less than a clock's tick now and then: only the big ones take time.
    assert {"invert", "fill the holes", "fill the holes, done after", "grow, feather"} <= measured.keys()
    monkeypatch.setattr(painting_bench, "LIMIT_MS", 0.0)
    assert painting_bench.main(["--zoom", "fit"]) == 1
    assert capsys.readouterr().err == "too slow: paint at fit over 0 ms\n"
