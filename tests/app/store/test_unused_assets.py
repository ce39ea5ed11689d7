"""What goes from the folder of photos and masks, and what stays."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

import numpy as np
import pytest

from app.store.assets import GRACE_SECONDS, AssetStore
from app.store.history_store import HistoryStore
from app.store.unused_assets import remove_unused
from engine import CutOut, GenerationRequest, ScaleBits
from engine.photo import save_picture
from engine.photo.load import photo_from_pixels

IMAGE = np.full((16, 16, 3), 90, np.uint8)
YEAR = 365 * GRACE_SECONDS


@pytest.fixture
def assets(tmp_path) -> AssetStore:
    return AssetStore(tmp_path / "assets")


@pytest.fixture
def history(tmp_path):
    store = HistoryStore(tmp_path / "history.sqlite", tmp_path / "pictures")
    yield store
    store.close()


def kept(assets: AssetStore, seed: int, age: float = YEAR) -> tuple[str, str]:
    """A photo and a mask that were last used ``age`` seconds ago; their digests."""
    chance = np.random.default_rng(seed)
    photo = photo_from_pixels(chance.integers(0, 256, (6, 8, 3), dtype=np.uint8), None, "a.jpg")
    found = assets.save_photo(photo), assets.save_mask(chance.integers(0, 256, (6, 8), dtype=np.uint8))
    for file in assets.folder.glob("*.png"):
        if file.name.split(".")[0] in found:
            os.utime(file, (time.time() - age,) * 2)
    return found


def request(photo: str, mask: str, **more) -> GenerationRequest:
    subject = CutOut(np.zeros((8, 8, 4), np.uint8), photo=photo, mask=mask)
    return GenerationRequest("a dog", subject=subject, bundle="mini@1", **more)


def left(assets: AssetStore) -> set[str]:
    return {file.name.split(".")[0] for file in assets.folder.glob("*.png")}


def test_what_a_picture_the_queue_or_the_session_refers_to_stays(assets, history, tmp_path):
    drawn, view, waiting, shelf, unused = (kept(assets, seed) for seed in range(5))
    second = CutOut(np.zeros((8, 8, 4), np.uint8), photo=view[0], mask=view[1])
    picture = history.add(tmp_path / "a.png", request(*drawn, views=(second,)), IMAGE, 1.0)
    history.enqueue([request(*waiting)])
    assert remove_unused(history, assets, shelf) == 2
    assert left(assets) == {*drawn, *view, *waiting, *shelf} and not left(assets) & {*unused}
    history.delete([picture.id])
    assert remove_unused(history, assets, shelf) == 0, "it can be brought back"
    history.forget(picture.id)
    assert remove_unused(history, assets, ()) == 6
    assert left(assets) == {*waiting}


def test_what_was_used_within_the_last_day_stays(assets, history):
    written, read, saved = kept(assets, 1, age=60.0), kept(assets, 2), kept(assets, 3)
    assert assets.load_photo(read[0]) is not None and assets.load_mask(read[1]) is not None
    kept(assets, 3, age=0.0)  # the same photo is dropped once more
    assert remove_unused(history, assets, ()) == 0
    assert left(assets) == {*written, *read, *saved}


def test_pictures_of_earlier_programs_are_read_before_anything_goes(assets, history, tmp_path, monkeypatch):
    needed, unused = kept(assets, 1), kept(assets, 2)
    files = [tmp_path / f"{number}.png" for number in range(3)]
    bits = ScaleBits((np.zeros((1, 1, 4), np.uint8),))
    for file in files[:2]:
        save_picture(file, IMAGE, request(*needed), bits)
    files[2].write_bytes(b"no picture any more")
    for file in files:
        history.add(file, request("", ""), IMAGE, 1.0)
    with sqlite3.connect(tmp_path / "history.sqlite") as database:
        database.execute("UPDATE pictures SET assets=NULL")
    monkeypatch.setattr("app.store.unused_assets._READ_AT_ONCE", 2)
    assert remove_unused(history, assets, ()) == 0, "of one picture it is not known yet"
    assert len(left(assets)) == 4
    assert remove_unused(history, assets, ()) == 2
    assert left(assets) == {*needed} and not left(assets) & {*unused}


def test_a_years_worth_of_photos_is_looked_through_quickly(assets, history, tmp_path):
    assets.folder.mkdir(parents=True)
    old = time.time() - YEAR
    for number in range(3000):
        file = assets.folder / f"{number:064x}.photo.png"
        file.write_bytes(b"")
        os.utime(file, (old, old))
    for number in range(0, 3000, 10):
        history.add(tmp_path / f"{number}.png", request(f"{number:064x}", ""), IMAGE, 1.0)
    (assets.folder / "of somebody else.png").write_bytes(b"")
    assert remove_unused(history, assets, ()) == 2700
    assert len(left(assets)) == 301


def test_a_history_of_an_earlier_program_gets_its_column(tmp_path):
    HistoryStore(tmp_path / "history.sqlite", tmp_path).close()
    with sqlite3.connect(tmp_path / "history.sqlite") as database:
        database.execute("ALTER TABLE pictures DROP COLUMN assets")
    again = HistoryStore(tmp_path / "history.sqlite", Path(tmp_path))
    assert again.assets() == set() and again.without_assets(5) == []
    again.close()
