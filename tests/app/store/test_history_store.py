"""The history loses no picture: not by crashes, damage, full disks, or taking a deletion back."""

from __future__ import annotations

import io
import os
import sqlite3
import subprocess
import sys
import threading
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs
from PIL import Image

from app.store.errors import HistoryNotWritten
from app.store.history_store import HistoryStore
from app.store.picture_files import export_name, export_picture, keep_picture, open_picture
from engine.errors import CannotWrite, EchoGenError, InputError, PhotoError
from engine.events import Finished, Timing
from engine.photo.enlarge import save_larger
from engine.photo.picture_file import carries_request, read_picture_file, save_picture
from engine.request import CutOut, GenerationRequest, ScaleBits


def a_picture(seed: int = 1, prompt: str = "a toy robot in the snow", **changes) -> Finished:
    random = np.random.default_rng(seed)
    image = random.integers(0, 256, (48, 64, 3), dtype=np.uint8)
    cut_out = CutOut(np.full((16, 16, 4), 200, np.uint8))
    bits = ScaleBits(tuple(random.integers(0, 2, (n, n, 4), dtype=np.uint8) for n in (1, 2, 4)))
    request = GenerationRequest(prompt, subject=cut_out, subject_name="toy robot", seed=seed, bundle="mini@0")
    return Finished(replace(request, **changes), image, bits, Timing(total=2.5))


@pytest.fixture
def store(tmp_path: Path):
    history = HistoryStore(tmp_path / "data" / "history.sqlite", tmp_path / "Pictures" / "EchoGen")
    yield history
    history.close()


def reopened(store: HistoryStore) -> HistoryStore:
    store.close()
    return HistoryStore(store.database.path, store.folder)


def test_a_kept_picture_lies_on_disk_and_in_the_index(store: HistoryStore):
    finished = a_picture(7)
    entry = keep_picture(finished, store)
    assert entry.file == store.folder / "a toy robot in the snow 7.png"
    carried = read_picture_file(entry.file)
    assert carried.request == finished.request
    assert carried.bits == finished.bits
    assert (entry.width, entry.height, entry.seconds, entry.starred) == (64, 48, 2.5, False)
    assert store.pictures() == [entry]
    assert store.find(entry.file) == entry
    with Image.open(io.BytesIO(store.thumb(entry.id))) as thumb:
        assert thumb.format == "WEBP"
        assert thumb.size == (64, 48)


def test_the_same_picture_twice_gets_two_files(store: HistoryStore):
    first, second = keep_picture(a_picture(), store), keep_picture(a_picture(), store)
    assert second.file.name == "a toy robot in the snow 1 (2).png"
    assert first.file.exists()
    assert [entry.id for entry in store.pictures()] == [second.id, first.id]


def test_threads_that_keep_at_once_never_take_each_others_name(store: HistoryStore):
    threads = [threading.Thread(target=keep_picture, args=(a_picture(), store)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(store.folder.glob("*.png"))) == 6
    assert len(store.pictures()) == 6


def test_search_takes_every_word_literally(store: HistoryStore):
    snow = keep_picture(a_picture(1, "a toy robot in 100% snow"), store)
    beach = keep_picture(a_picture(2, "a duck on the beach", subject_name="rubber duck"), store)
    assert store.pictures("snow robot") == [snow]
    assert store.pictures("rubber") == [beach]
    assert store.pictures("100%") == [snow]
    assert store.pictures("%") == [snow]
    assert store.pictures("_") == []
    assert store.pictures("'; DROP TABLE pictures; --") == []
    store.star([beach.id], True)
    assert [entry.id for entry in store.pictures(starred=True)] == [beach.id]
    assert store.pictures("snow", starred=True) == []


def test_everything_is_still_there_after_reopening(store: HistoryStore):
    entry = keep_picture(a_picture(), store)
    store.star([entry.id], True)
    again = reopened(store)
    assert again.pictures() == [structs.replace(entry, starred=True)]
    assert not again.database.was_damaged
    assert not again.database.was_new
    again.close()


def test_a_file_that_a_power_failure_left_empty_is_as_good_as_none(tmp_path: Path):
    path = tmp_path / "history.sqlite"
    path.touch()
    history = HistoryStore(path, tmp_path / "Pictures")
    assert history.database.was_new  # its pictures are looked for in the folder
    history.close()


def test_what_is_recorded_waits_for_the_disk_though_the_start_does_not(store: HistoryStore):
    assert store.database.row("PRAGMA synchronous") == (1,)
    assert reopened(store).database.row("PRAGMA synchronous") == (1,)


def test_a_process_that_is_killed_loses_nothing_that_was_recorded(tmp_path: Path):
    code = """
import os, sys
from pathlib import Path
import numpy as np
from app.store.history_store import HistoryStore
from engine.request import GenerationRequest
store = HistoryStore(Path(sys.argv[1]) / "h.sqlite", Path(sys.argv[1]))
for seed in range(5):
    store.add(Path(f"/nowhere/{seed}.png"), GenerationRequest("robot", seed=seed), np.zeros((8, 8, 3), np.uint8), 1.0)
store.database._connection.execute("BEGIN IMMEDIATE")
store.database._connection.execute("DELETE FROM pictures")
os._exit(9)
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=environment).returncode == 9
    store = HistoryStore(tmp_path / "h.sqlite", tmp_path)
    assert [entry.seed for entry in store.pictures()] == [4, 3, 2, 1, 0]
    store.close()


@pytest.mark.parametrize("damage", ["text", "truncated", "version", "columns"])
def test_a_damaged_index_is_set_aside_and_rebuilt_from_the_pictures(store: HistoryStore, damage: str):
    kept = [keep_picture(a_picture(seed), store) for seed in range(3)]
    (store.folder / "holiday.png").write_bytes(b"\x89PNG\r\n\x1a\n not really")
    Image.new("RGB", (8, 8)).save(store.folder / "other program.png")
    path = store.database.path
    assert path is not None
    if damage in ("version", "columns"):
        with store.database.transaction() as database:
            database.execute(
                "PRAGMA user_version=99" if damage == "version" else "ALTER TABLE pictures DROP COLUMN kept"
            )
        store.close()
    else:
        store.close()
        content = path.read_bytes()
        path.write_bytes(b"not a database at all" * 100 if damage == "text" else content[: len(content) // 2])
    again = HistoryStore(path, store.folder)
    assert again.database.was_damaged
    assert path.with_name("history.sqlite.damaged").exists()
    assert again.rebuild() == 3
    assert {entry.seed for entry in again.pictures()} == {entry.seed for entry in kept}
    assert {entry.group_key for entry in again.pictures()} == {kept[0].group_key}
    assert again.rebuild() == 0
    again.close()


def test_an_index_in_use_by_another_program_is_not_taken_for_a_damaged_one(tmp_path: Path, monkeypatch):
    path = tmp_path / "history.sqlite"
    HistoryStore(path, tmp_path).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode=EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **options: connect(*args, **{**options, "timeout": 0}))
    with pytest.raises(HistoryNotWritten, match="locked"):
        HistoryStore(path, tmp_path)
    other.close()
    assert not path.with_name("history.sqlite.damaged").exists()


def test_a_data_folder_that_cannot_be_made_is_said_and_memory_stands_in(tmp_path: Path):
    (tmp_path / "data").write_text("a file in the way")
    with pytest.raises(CannotWrite):
        HistoryStore(tmp_path / "data" / "history.sqlite", tmp_path)
    store = HistoryStore(None, tmp_path / "Pictures")
    entry = keep_picture(a_picture(), store)
    assert store.pictures() == [entry]
    store.close()


def test_a_full_disk_is_said_in_words_and_spoils_nothing(store: HistoryStore):
    entry = keep_picture(a_picture(1), store)
    pages = store.database._connection.execute("PRAGMA page_count").fetchone()[0]
    store.database._connection.execute(f"PRAGMA max_page_count={pages}")
    noise = np.random.default_rng(0).integers(0, 256, (192, 192, 3), dtype=np.uint8)
    with pytest.raises(CannotWrite, match="full"):
        store.add(store.folder / "second.png", a_picture(2).request, noise, 1.0)
    assert store.pictures() == [entry]
    store.database._connection.execute("PRAGMA max_page_count=1000000")
    store.star([entry.id], True)
    assert store.pictures(starred=True)


def test_a_picture_whose_recording_failed_is_found_again(store: HistoryStore, monkeypatch):
    def full(*args, **options):
        raise CannotWrite("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(store, "add", full)
        with pytest.raises(CannotWrite):
            keep_picture(a_picture(3), store)
    assert store.pictures() == []
    assert store.rebuild() == 1
    assert store.pictures()[0].seed == 3


def test_deleting_can_be_taken_back_until_it_is_purged(store: HistoryStore):
    kept, gone = keep_picture(a_picture(1), store), keep_picture(a_picture(2), store)
    store.delete([kept.id, gone.id])
    assert store.pictures() == []
    assert store.rebuild() == 0, "a hidden picture is not adopted anew"
    store.restore([kept.id])
    trashed: list[str] = []
    assert store.purge(lambda name: (trashed.append(name), Path(name).unlink())) == []
    assert trashed == [str(gone.file)]
    assert store.pictures() == [kept]
    assert kept.file.exists()
    with pytest.raises(KeyError):
        store.get(gone.id)


def test_what_the_trash_refuses_comes_back(store: HistoryStore):
    entry = keep_picture(a_picture(), store)
    store.delete([entry.id])

    def refuse(name: str) -> None:
        raise OSError("no trash on this disk")

    assert store.purge(refuse) == [entry.file]
    assert store.pictures() == [entry]


def test_a_missing_file_can_be_forgotten_or_found(store: HistoryStore, tmp_path: Path):
    moved, lost = keep_picture(a_picture(1), store), keep_picture(a_picture(2), store)
    target = tmp_path / "elsewhere.png"
    moved.file.rename(target)
    lost.file.unlink()
    store.relocate(moved.id, target)
    store.forget(lost.id)
    assert [entry.file for entry in store.pictures()] == [target]


def test_a_hostile_picture_in_the_folder_does_no_harm(store: HistoryStore):
    entry = keep_picture(a_picture(), store)
    bomb = bytearray(entry.file.read_bytes())
    bomb[16:24] = (60_000).to_bytes(4, "big") * 2  # one of ours that claims 3600 megapixels
    bomb[29:33] = zlib.crc32(bomb[12:29]).to_bytes(4, "big")
    (store.folder / "bomb.png").write_bytes(bomb)
    damaged = bytearray(entry.file.read_bytes())
    at = damaged.find(b"iTXt") + 40
    damaged[at : at + 8] = b"\xff" * 8
    (store.folder / "damaged.png").write_bytes(damaged)
    os.mkfifo(store.folder / "pipe.png")
    assert store.rebuild() == 0
    assert store.pictures() == [entry]


@pytest.mark.parametrize("suffix", [".png", ".webp", ".jpg"])
def test_save_as_writes_any_format_and_only_a_png_keeps_its_request(store: HistoryStore, tmp_path: Path, suffix: str):
    entry = keep_picture(a_picture(5), store)
    target = export_picture(entry.file, tmp_path / f"mine{suffix}")
    with Image.open(target) as picture:
        assert picture.size == (64, 48)
    assert carries_request(target) == (suffix == ".png")
    plain = export_picture(entry.file, tmp_path / f"plain{suffix}", metadata=False)
    assert not carries_request(plain)
    with Image.open(plain) as picture:
        assert not picture.info.get("parameters")


def test_save_as_onto_itself_and_without_a_suffix(store: HistoryStore, tmp_path: Path):
    entry = keep_picture(a_picture(5), store)
    assert export_picture(entry.file, entry.file) == entry.file
    with pytest.raises(InputError, match="would be written over"):  # it would not be without metadata
        export_picture(entry.file, entry.file, metadata=False)
    with pytest.raises(InputError, match="would be written over"):
        save_larger(entry.file, entry.file, 2)
    assert carries_request(entry.file), "the original never loses its request"
    assert export_picture(entry.file, tmp_path / "mine") == tmp_path / "mine.png"
    assert export_name("a robot, v1.5", 7, ".webp") == "a robot, v1.5 7.webp"


def test_save_as_says_what_is_wrong(store: HistoryStore, tmp_path: Path):
    entry = keep_picture(a_picture(5), store)
    with pytest.raises(CannotWrite, match="no kind of picture"):
        export_picture(entry.file, tmp_path / "mine.tiff")
    (tmp_path / "file").touch()
    for name in ("mine.png", "mine.jpg"):
        with pytest.raises(CannotWrite):
            export_picture(entry.file, tmp_path / "file" / name)
    entry.file.unlink()
    with pytest.raises(PhotoError, match="cannot be read"):
        export_picture(entry.file, tmp_path / "mine.png")


def test_the_scales_of_a_picture_come_back_small(store: HistoryStore):
    smooth = [np.full((512, 640, 3), 30 * n, np.uint8) for n in range(3)]
    entry = keep_picture(a_picture(1), store, [smooth[0], None, smooth[2]])
    first, second, third = reopened_scales = store.scales(entry.id)
    assert second is None
    assert first is not None and third is not None
    assert first.shape == (205, 256, 3)
    assert abs(int(third.mean()) - 60) <= 2
    opened = open_picture(entry, None, store)
    assert len(opened.scales) == len(reopened_scales)
    assert store.scales(99) == ()
    other = keep_picture(a_picture(2), store)
    assert store.scales(other.id) == ()
    store.forget(entry.id)
    assert store.scales(entry.id) == ()


def test_scales_of_old_pictures_are_forgotten(store: HistoryStore, monkeypatch):
    monkeypatch.setattr("app.store.history_store.SCALES_KEPT", 2)
    entries = [keep_picture(a_picture(seed), store, [np.zeros((8, 8, 3), np.uint8)]) for seed in range(4)]
    assert [len(store.scales(entry.id)) for entry in entries] == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("column", "value"),
    [("film", b"RIFF nothing"), *(("shapes", text) for text in ("{", "5", "[[8]]", "[[-8, 8]]", "[[1e9, 8]]", ""))],
)
def test_damaged_scales_are_none(store: HistoryStore, column: str, value: object):
    entry = keep_picture(a_picture(1), store, [np.zeros((8, 8, 3), np.uint8)])
    with store.database.transaction() as database:
        database.execute(f"UPDATE scales SET {column}=?", (value,))
    assert store.scales(entry.id) == ()


def test_an_index_without_scales_is_brought_up_to_date(store: HistoryStore):
    entry = keep_picture(a_picture(1), store)
    with store.database.transaction() as database:
        database.execute("DROP TABLE scales")
    again = reopened(store)
    assert not again.database.was_damaged
    again.set_scales(entry.id, [np.zeros((8, 8, 3), np.uint8)])
    assert len(again.scales(entry.id)) == 1
    again.close()


def test_rows_that_cannot_be_are_passed_over(tmp_path):
    store = HistoryStore(tmp_path / "history.sqlite", tmp_path)
    good = store.add(tmp_path / "good.png", GenerationRequest("a duck"), np.zeros((8, 8, 3), np.uint8), 1.0)
    for name in ("time", "text", "number", "likeness"):
        store.add(tmp_path / f"{name}.png", GenerationRequest("a duck"), np.zeros((8, 8, 3), np.uint8), 1.0)
    store.close()
    with sqlite3.connect(tmp_path / "history.sqlite") as database:
        database.execute("UPDATE pictures SET created=1e300 WHERE file LIKE '%time.png'")
        database.execute("UPDATE pictures SET prompt=x'00ff' WHERE file LIKE '%text.png'")
        database.execute("UPDATE pictures SET seed='many' WHERE file LIKE '%number.png'")
        database.execute("UPDATE pictures SET likeness='very' WHERE file LIKE '%likeness.png'")
    store = HistoryStore(tmp_path / "history.sqlite", tmp_path)
    assert [picture.id for picture in store.pictures()] == [good.id]
    store.close()


def test_a_name_in_another_encoding_is_a_picture_as_any_other(tmp_path):
    folder = tmp_path / "M\udcfcller"
    try:
        folder.mkdir()
    except (OSError, UnicodeError):
        pytest.skip("this file system has no such names")
    store = HistoryStore(tmp_path / "history.sqlite", folder)
    file = folder / "b\udcf0.png"
    picture = store.add(file, GenerationRequest("a duck"), np.zeros((8, 8, 3), np.uint8), 1.0)
    assert store.find(file) == picture and store.get(picture.id).file == file
    store.close()


def test_one_bad_file_does_not_hide_those_behind_it(tmp_path, monkeypatch):
    bits = ScaleBits((np.ones((1, 1, 4), np.uint8),))
    for name in ("a.png", "b\udcf0.png", "c.png"):
        try:
            save_picture(tmp_path / name, np.zeros((8, 8, 3), np.uint8), GenerationRequest(f"duck {name[0]}"), bits)
        except (CannotWrite, UnicodeError):
            pytest.skip("this file system has no such names")
    (tmp_path / "aa.png").write_bytes(b"nothing")
    store = HistoryStore(None, tmp_path)
    assert store.rebuild() == 3
    assert sorted(picture.prompt for picture in store.pictures()) == ["duck a", "duck b", "duck c"]
    store.close()


def test_a_history_that_breaks_later_says_so(tmp_path):
    store = HistoryStore(None, tmp_path)
    store.database._connection.execute("DROP TABLE pictures")
    with pytest.raises(EchoGenError, match="history"):
        store.pictures()
    store.close()


def test_an_index_from_before_learns_of_likeness(tmp_path):
    import sqlite3

    from app.store.history_store import HistoryStore
    from engine.request import GenerationRequest

    path = tmp_path / "history.sqlite"
    store = HistoryStore(path, tmp_path)
    image = np.zeros((16, 16, 3), np.uint8)
    store.add(tmp_path / "a.png", GenerationRequest("a"), image, 1.0)
    store.close()
    with sqlite3.connect(path) as database:
        database.execute("ALTER TABLE pictures DROP COLUMN likeness")
    database.close()
    store = HistoryStore(path, tmp_path)
    assert not store.database.was_damaged and [picture.likeness for picture in store.pictures()] == [None]
    store.add(tmp_path / "b.png", GenerationRequest("b"), image, 1.0, likeness=0.9)
    store.add(tmp_path / "c.png", GenerationRequest("c"), image, 1.0, likeness=0.4)
    assert [picture.prompt for picture in store.pictures(most_alike=True)] == ["b", "c", "a"]
    assert [picture.prompt for picture in store.pictures()] == ["c", "b", "a"]
    assert [picture.prompt for picture in store.pictures("a", most_alike=True)] == ["a"]
    store.close()


def test_what_fails_halfway_is_not_written(store: HistoryStore):
    entry = keep_picture(a_picture(), store)
    with pytest.raises(ZeroDivisionError), store.database.transaction() as database:
        database.execute("DELETE FROM pictures")
        raise ZeroDivisionError
    assert store.pictures() == [entry]


def test_a_file_that_is_damaged_while_it_is_open_is_a_sentence(store: HistoryStore):
    with pytest.raises(HistoryNotWritten, match="malformed"), store.database.transaction():
        raise sqlite3.DatabaseError("database disk image is malformed")


def test_a_page_that_is_damaged_is_found_when_the_program_did_not_end_in_order(store: HistoryStore):
    entries = [keep_picture(a_picture(seed), store) for seed in range(12)]
    path = store.database.path
    store.close()
    content = bytearray(path.read_bytes())
    for page in range(
        4096 * (len(content) // 4096 - 6), len(content), 4096
    ):  # pages of the pictures, not of the schema
        content[page : page + 100] = b"\xff" * 100
    content[68:72] = bytes(4)  # the mark of an orderly end
    path.write_bytes(content)
    again = HistoryStore(path, store.folder)
    assert again.database.was_damaged and path.with_name("history.sqlite.damaged").exists()
    assert again.rebuild() == len(entries)
    again.close()


def test_what_is_gone_is_said_and_a_deleted_picture_without_a_file_is_forgotten(store: HistoryStore):
    entry = keep_picture(a_picture(), store)
    for ask in (store.get, store.thumb):
        with pytest.raises(KeyError):
            ask(entry.id + 1)
    store.delete([entry.id])
    entry.file.unlink()
    assert store.purge(lambda _: pytest.fail("there is nothing to move")) == []
    with pytest.raises(KeyError):
        store.get(entry.id)


def test_a_row_with_a_path_that_is_none_is_passed_over(store: HistoryStore):
    first, second = keep_picture(a_picture(1), store), keep_picture(a_picture(2), store)
    with store.database.transaction() as database:
        database.execute("UPDATE pictures SET file=? WHERE id=?", ("a\0b.png", first.id))
    assert store.pictures() == [second]
    with pytest.raises(KeyError):
        store.get(first.id)


def test_the_picture_before_may_be_gone(store: HistoryStore):
    before, entry = keep_picture(a_picture(1), store), keep_picture(a_picture(2), store)
    assert np.array_equal(open_picture(entry, before).previous, a_picture(1).image)
    before.file.write_bytes(b"damaged")
    assert open_picture(entry, before).previous is None
    entry.file.unlink()
    with pytest.raises(PhotoError):
        open_picture(entry)


def test_an_exported_name_has_a_suffix_that_can_be_written():
    assert export_name("a duck", 3, ".webp") == "a duck 3.webp"
    with pytest.raises(ValueError, match="none of"):
        export_name("a duck", 3, ".gif")
