"""The measuring script runs, and would say that a figure is missed."""

from __future__ import annotations

import json

import pytest

from app.gallery import bench
from tests.app.look_fixture import dressed, plain_look  # noqa: F401 – fixtures

pytestmark = pytest.mark.usefixtures("plain_look")


def test_it_measures_and_judges(capsys, monkeypatch):
    monkeypatch.setattr(bench, "_STEPS", 12)
    monkeypatch.setattr(bench, "LIMITS", dict.fromkeys(bench.LIMITS, 1e6))
    assert bench.main(["--pictures", "150", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) >= set(bench.WORDS) and found["gap"] > 0
    monkeypatch.setattr(bench, "measure", lambda path: {**found, "search": 1e7})
    assert bench.main(["--pictures", "1"]) == 1
