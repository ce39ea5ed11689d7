"""Photos and masks on disk by digest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.store.assets import AssetStore
from engine.errors import CannotWrite
from engine.photo import cut_out
from engine.photo.load import photo_from_pixels


@pytest.fixture
def store(tmp_path) -> AssetStore:
    return AssetStore(tmp_path / "assets")


def picture(seed=0, alpha=False):
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)
    return photo_from_pixels(rgb, rng.integers(0, 256, (40, 60), dtype=np.uint8) if alpha else None, "a.jpg")


@pytest.mark.parametrize("alpha", [False, True])
def test_a_photo_comes_back_exactly(store, alpha):
    photo = picture(alpha=alpha)
    again = store.load_photo(store.save_photo(photo), "a.jpg")
    assert np.array_equal(again.rgb, photo.rgb) and again.digest == photo.digest and again.name == "a.jpg"
    assert (again.alpha is None) == (photo.alpha is None)
    if alpha:
        assert np.array_equal(again.alpha, photo.alpha)


def test_a_mask_comes_back_exactly(store):
    mask = np.random.default_rng(1).integers(0, 256, (40, 60), dtype=np.uint8)
    assert np.array_equal(store.load_mask(store.save_mask(mask)), mask)


def test_what_is_gone_damaged_or_no_digest_is_not_there(store):
    digest = store.save_photo(picture())
    (store.folder / f"{digest}.photo.png").write_bytes(b"damaged")
    assert store.load_photo(digest) is None
    assert store.load_photo("../../etc/passwd") is None
    assert store.load_mask("0" * 64) is None and store.load_mask("../../etc/passwd") is None
    mask = store.save_mask(np.zeros((4, 4), np.uint8))
    (store.folder / f"{mask}.mask.png").write_bytes(b"damaged")
    assert store.load_mask(mask) is None


def test_what_cannot_be_packed_is_said_and_leaves_no_file(store, monkeypatch):
    monkeypatch.setattr("app.store.assets.cv2.imencode", lambda *_: (False, None))
    with pytest.raises(CannotWrite, match="cannot be packed"):
        store.save_mask(np.zeros((4, 4), np.uint8))
    assert not list(store.folder.glob("*"))


def test_what_cannot_be_removed_stays_and_the_rest_goes(store, monkeypatch):
    one, other = store.save_photo(picture(1)), store.save_photo(picture(2))
    unlink = Path.unlink
    monkeypatch.setattr(
        Path, "unlink", lambda file, **_: unlink(file) if file.name.startswith(other) else unlink(file / "x")
    )
    assert store.prune([], grace=-1.0) == 1
    assert store.load_photo(one) is not None and store.load_photo(other) is None


def test_a_file_that_was_exchanged_is_not_taken(store):
    one, other = store.save_photo(picture(1)), store.save_photo(picture(2))
    (store.folder / f"{other}.photo.png").replace(store.folder / f"{one}.photo.png")
    assert store.load_photo(one) is None


def test_pruning_keeps_what_the_session_names(store):
    one, other = store.save_photo(picture(1)), store.save_photo(picture(2))
    mask = store.save_mask(np.zeros((4, 4), np.uint8))
    (store.folder / "notes.png").write_bytes(b"mine")
    assert store.prune([one, mask], grace=-1.0) == 1
    assert store.load_photo(one) and store.load_photo(other) is None and store.load_mask(mask) is not None
    assert (store.folder / "notes.png").exists()


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CannotWrite):
        AssetStore(tmp_path / "file").save_photo(picture())


@pytest.mark.parametrize(("size", "small"), [((40, 60), (40, 60)), ((1200, 3001), (211, 528)), ((2000, 3), (528, 1))])
def test_a_small_copy_lies_beside_a_photo(store, size, small):
    rgb = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    digest = store.save_photo(photo_from_pixels(rgb))
    assert store.load_small(digest).shape == (*small, 3)
    (store.folder / f"{digest}.small.png").write_bytes(b"damaged")
    assert store.load_small(digest) is None and store.load_small("../../etc/passwd") is None
    assert store.has_photo(digest) and not store.has_photo("0" * 64) and not store.has_photo("../x")


def test_the_last_cut_out_of_a_photo_comes_back_only_with_its_mask_and_goes_with_its_photo(store):
    photo, mask = picture(), np.zeros((40, 60), np.uint8)
    mask[8:30, 10:40] = 255
    made = cut_out(photo, mask, 32)
    store.save_photo(photo)
    store.save_cut_out(made)
    assert store.load_cut_out(photo.digest, made.mask) == made
    assert store.load_cut_out(photo.digest, "0" * 64) is None, "another mask"
    assert store.prune([photo.digest], grace=-1.0) == 0
    (store.folder / f"{photo.digest}.cutout.json").write_bytes(b"{}")
    assert store.load_cut_out(photo.digest, made.mask) is None
    assert store.prune([], grace=-1.0) == 1 and not list(store.folder.iterdir())
