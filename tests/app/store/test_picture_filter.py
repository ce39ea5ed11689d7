"""What a filter lets through, and that no search reads the pages of the thumbnails."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from app.store.history_store import HistoryStore
from app.store.picture_filter import PictureFilter
from engine.request import GenerationRequest

DAY = 24 * 3600.0


@pytest.fixture
def store(tmp_path: Path):
    store = HistoryStore(tmp_path / "history.sqlite", tmp_path)
    noon = time.mktime((2026, 11, 20, 12, 0, 0, 0, 0, -1))
    rows = [
        ("a duck in the snow", "duck", "mini@1", 0.0),
        ("a duck at night", "duck", "large@2", 0.0),
        ("a mug at 100 % snow_white", "", "mini@1", DAY),
        ("a Mug on the beach", "mug", "mini@1", 2 * DAY),
    ]
    for seed, (prompt, name, bundle, later) in enumerate(rows):
        request = GenerationRequest(prompt, subject_name=name, seed=seed, bundle=bundle)
        store.add(tmp_path / f"{seed}.png", request, np.zeros((8, 8, 3), np.uint8), 1.0, noon + later + seed)
    store.star([1], True)
    yield store
    store.close()


@pytest.mark.parametrize(
    ("wanted", "seeds"),
    [
        (PictureFilter(), [3, 2, 1, 0]),
        (PictureFilter("mug"), [3, 2]),
        (PictureFilter("duck snow"), [0]),
        (PictureFilter("100 %"), [2]),
        (PictureFilter("snow_white"), [2]),
        (PictureFilter("in_the"), []),
        (PictureFilter(starred=True), [0]),
        (PictureFilter(subject="duck"), [1, 0]),
        (PictureFilter(subject=""), [2]),
        (PictureFilter(bundle="large@2"), [1]),
        (PictureFilter(day="2026-11-20"), [1, 0]),
        (PictureFilter(day="2026-11-21"), [2]),
        (PictureFilter("duck", subject="duck", bundle="mini@1", day="2026-11-20"), [0]),
    ],
)
def test_what_a_filter_lets_through(store, wanted, seeds):
    assert [picture.seed for picture in store.read(store.ids(wanted))] == seeds
    assert [picture.seed for picture in store.read(store.ids(wanted, 1))] == seeds[:1]


def test_facets_count_what_is_there(store):
    store.delete([4])
    facets = store.facets()
    assert facets.subjects[0] == ("duck", 2) and dict(facets.subjects)[""] == 1
    assert dict(facets.bundles) == {"mini@1": 2, "large@2": 1}
    assert facets.days == (("2026-11-21", 1), ("2026-11-20", 2))


@pytest.mark.parametrize("wanted", [PictureFilter("duck snow"), PictureFilter(starred=True), PictureFilter(subject="")])
def test_a_search_reads_the_index_alone(store, wanted):
    where, values = wanted.where()
    query = (
        f"EXPLAIN QUERY PLAN SELECT id FROM pictures INDEXED BY by_filter WHERE {where} ORDER BY created DESC, id DESC"
    )
    plan = [row[3] for row in store.database._connection.execute(query, values)]
    assert "COVERING INDEX by_filter" in plan[0], plan


def test_pictures_are_read_in_the_order_of_their_ids_and_without_those_that_are_gone(store):
    assert [picture.seed for picture in store.read([1, 99, 4, 2])] == [0, 3, 1]


def test_a_file_that_was_closed_is_not_read_as_a_whole_again(store, tmp_path, monkeypatch):
    checks = []
    monkeypatch.setattr("app.store.history_database._quick_check", lambda database: checks.append(1) or "ok")
    store.close()
    second = HistoryStore(store.database.path, tmp_path)
    assert checks == [], "it was closed in order"
    HistoryStore(store.database.path, tmp_path).close()
    assert len(checks) == 1, "it is open, as after a crash"
    second.close()
