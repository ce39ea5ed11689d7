"""Unfinished work on a mask: written, read back, damaged, pruned."""

from __future__ import annotations

import os

import numpy as np
import pytest

from app.mask.brush import Brush
from app.mask.drafts import Draft, DraftStore
from app.mask.strokes import Edge, MaskMarks, Painted
from engine.photo.hints import Box, Click
from engine.placement import Placement
from tests.app.mask.fakes import disc

MARKS = MaskMarks(
    (Click(1.5, 2.25), Click(7, 8, include=False)),
    Box(1, 2, 30, 40, 0.5, "cat"),
    (
        Painted(((1.0, 2.0), (3.5, 4.25)), Brush(12.5, 0.3, False), False),
        Painted(((9.0, 9.0), (20.0, 9.0), (9.0, 30.0)), None, True),
    ),
    Edge(-3.0, 2.5),
    -1,
)


@pytest.fixture
def store(tmp_path) -> DraftStore:
    return DraftStore(tmp_path / "drafts")


def digest(number: int) -> str:
    return f"{number:064x}"


@pytest.mark.parametrize("marks", [MARKS, MaskMarks()])
def test_a_draft_comes_back_to_the_bit(store, marks):
    store.save(Draft(digest(1), disc(), marks))
    found = store.load(digest(1))
    assert found is not None and np.array_equal(found.base, disc()) and found.marks == marks
    assert store.names() == {digest(1)} and store.load(digest(2)) is None
    placed = Draft(digest(1), disc(), marks, Placement(0.25, 0.5, 0.75, -12.5, True))
    store.save(placed)
    assert store.load(digest(1)).placement == placed.placement and found.placement is None
    store.clear(digest(1))
    assert store.names() == set() and store.load(digest(1)) is None


@pytest.mark.parametrize("cut", [0, 10, 200, -30])
def test_a_damaged_draft_counts_as_not_there(store, cut):
    store.save(Draft(digest(1), disc(), MARKS))
    file = next(store.folder.iterdir())
    file.write_bytes(file.read_bytes()[:cut])
    assert store.load(digest(1)) is None


def test_a_draft_of_a_newer_version_is_kept_aside(store, monkeypatch):
    with monkeypatch.context() as newer:
        newer.setattr("app.mask.drafts._VERSION", 2)
        store.save(Draft(digest(1), disc(), MARKS))
    content = next(store.folder.iterdir()).read_bytes()
    assert store.load(digest(1)) is None
    store.clear(digest(1))
    assert store.names() == set() and [file.read_bytes() for file in store.folder.iterdir()] == [content]


def test_only_the_newest_drafts_are_kept(store):
    for number in range(30):
        store.save(Draft(digest(number), np.zeros((4, 4), np.uint8), MaskMarks()))
        os.utime(store.folder / f"{digest(number)}.draft", (number, number))
    store.save(Draft(digest(99), np.zeros((4, 4), np.uint8), MaskMarks()))
    assert len(store.names()) == 24 and digest(99) in store.names() and digest(0) not in store.names()
