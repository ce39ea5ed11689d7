"""Names, folders and the session file."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.store.paths import AppPaths, ensure_folder
from app.store.picture_files import free_name, picture_name, with_suffix
from app.store.saved_session import SavedFinding, SavedSession, SavedSubject, SessionStore
from engine.errors import CannotWrite
from engine.files import write_atomically
from engine.sentence import Sentence


@given(st.text(max_size=300), st.integers(0, 2**32 - 1))
def test_any_prompt_gives_a_name_that_every_system_takes(prompt: str, seed: int):
    name = picture_name(prompt, seed)
    assert name.endswith(f" {seed}.png")
    assert (not set(name) & set('<>:"/\\|?*') and name.isprintable()) or not prompt.isprintable()
    assert len(name.encode()) <= 200
    assert Path(name).name == name
    assert not name.startswith((" ", "."))


@pytest.mark.parametrize("prompt", ["", "...", "CON", "nul", "con.v2", "aux .x", "COM¹", "///", "\n\t"])
def test_prompts_without_usable_letters_become_picture(prompt: str):
    assert picture_name(prompt, 3) == "picture 3.png"


def test_nothing_in_a_name_is_invisible_or_turns_the_reading_direction():
    assert picture_name("\u202egnp.exe\u200b a\ufeffrobot\x07", 1) == "gnp.exe a robot 1.png"


@pytest.mark.parametrize(
    ("name", "suffix", "wanted"),
    [
        ("duck", ".png", "duck.png"),
        ("duck v1.2", ".png", "duck v1.2.png"),
        ("dusk v1.2", ".json", "dusk v1.2.json"),
        ("list 1.5", ".jsonl", "list 1.5.jsonl"),
        ("list.ndjson", ".jsonl", "list.ndjson"),
        ("duck.WEBP", ".png", "duck.WEBP"),
        ("duck.gif", ".png", "duck.gif"),
    ],
)
def test_a_file_gets_a_suffix_where_it_has_none(name: str, suffix: str, wanted: str):
    assert with_suffix(Path(name), suffix) == Path(wanted)
    assert with_suffix(Path(name), ".png", only=True) == Path(f"{name}.png")


def test_a_name_that_gets_its_suffix_is_that_of_no_file_that_is_there(tmp_path):
    (tmp_path / "duck.png").write_bytes(b"mine")
    assert with_suffix(tmp_path / "duck") == with_suffix(tmp_path / "duck", only=True) == tmp_path / "duck (2).png"
    assert with_suffix(tmp_path / "duck.png") == tmp_path / "duck.png", "the file dialog has asked"


def test_a_long_prompt_ends_at_a_word():
    assert (
        picture_name("a toy robot in the snow, " * 10, 3)
        == "a toy robot in the snow, a toy robot in the snow, a toy 3.png"
    )


def test_free_name_counts_up(tmp_path: Path):
    (tmp_path / "a 1.png").touch()
    (tmp_path / "a 1 (2).png").touch()
    assert free_name(tmp_path / "a 1.png").name == "a 1 (3).png"
    assert free_name(tmp_path / "b.png").name == "b.png"


def test_standard_paths_lie_in_the_users_folders(private_folders: Path):
    paths = AppPaths.standard()
    for path in (paths.data, paths.config, paths.log, paths.pictures, paths.history, paths.session, paths.assets):
        assert private_folders in path.parents


def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path):
    assert ensure_folder(tmp_path / "new" / "folder").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(CannotWrite, match="file"):
        ensure_folder(tmp_path / "file" / "inside")


def test_writing_is_all_or_nothing(tmp_path: Path, monkeypatch):
    target = tmp_path / "session.json"
    write_atomically(target, b"old")

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(CannotWrite, match="is full") as caught:
        write_atomically(target, b"new")
    assert caught.value.title == "The disk is full"
    assert caught.value.fact.startswith("session.json needs 3 bytes, "), "not 0.0 MB"
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target], "no half file stays behind"


STATE = SavedSession(
    subjects=(SavedSubject("ab" * 32, "cd" * 32, "toy robot", "robot.jpg"), SavedSubject("ef" * 32)),
    current=1,
    prompt="a toy robot “in” the snow\nat dusk",
    negative_prompt="blurry",
    controls={"count": 4, "sections": {"strengths": True}, "look_strength": None},
    prompt_history=("one", "two"),
    window="AAAA",
)


def test_a_session_comes_back_as_it_was(tmp_path: Path):
    store = SessionStore(tmp_path / "session.json")
    assert store.load() == SavedSession()
    store.save(STATE)
    assert SessionStore(store.path).load() == STATE


def test_what_is_a_number_or_a_text_by_inheritance_does_not_keep_a_session_from_being_written(tmp_path: Path):
    """A score of NumPy, a name that is a sentence: without them the whole session was not saved."""
    found = SavedFinding(np.float64(0.5), boxes=((0, 0, 8, 8, np.float64(0.5)),))
    store = SessionStore(tmp_path / "session.json")
    store.save(SavedSession((SavedSubject("digest", name=Sentence("Pasted picture"), found=found),)))
    (subject,) = store.load().subjects
    assert subject.name == "Pasted picture" and subject.found == found


def test_an_unchanged_session_is_not_written_again(tmp_path: Path):
    store = SessionStore(tmp_path / "session.json")
    store.save(STATE)
    store.path.unlink()
    store.save(STATE)
    assert not store.path.exists()
    store.save(SavedSession())
    assert store.path.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"version": 2}',
        b'{"version": 1, "subjects": 5}',
        b'{"version": 1, "subjects": [5]}',
        b'{"version": 1, "prompt": 5}',
        b'{"version": 1, "controls": []}',
        b'{"version": 1, "prompt_history": 5}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_session_is_an_empty_one(tmp_path: Path, content: bytes):
    path = tmp_path / "session.json"
    path.write_bytes(content)
    assert SessionStore(path).load() == SavedSession()


def test_a_session_from_a_newer_version_keeps_what_is_known(tmp_path: Path):
    path = tmp_path / "session.json"
    path.write_text(json.dumps({"version": 1, "prompt": "a robot", "invented": [1, 2]}))
    assert SessionStore(path).load() == SavedSession(prompt="a robot")


@pytest.mark.parametrize(
    "damage",
    [{"subjects": 5}, {"version": 2}, {"controls": 7}, {"prompt_history": "x"}, {"window": 3}, {"current": "last"}],
)
def test_a_session_is_read_field_by_field_and_a_copy_is_kept(tmp_path, damage):
    file = tmp_path / "session.json"
    store = SessionStore(file)
    store.save(SavedSession(subjects=(SavedSubject("a" * 64),), current=0, prompt="a duck", prompt_history=("one",)))
    data = json.loads(file.read_text(encoding="utf-8")) | damage
    file.write_text(json.dumps(data), encoding="utf-8")
    found = SessionStore(file).load()
    assert found.prompt == "a duck"
    assert found.subjects == (() if "subjects" in damage else (SavedSubject("a" * 64),))
    assert json.loads((tmp_path / "session.json.bad").read_text(encoding="utf-8")) == data


def test_a_damaged_subject_is_left_out_and_the_chosen_one_stays(tmp_path):
    file = tmp_path / "session.json"
    store = SessionStore(file)
    store.save(SavedSession(subjects=tuple(SavedSubject(letter * 64) for letter in "abc"), current=2))
    data = json.loads(file.read_text(encoding="utf-8"))
    data["subjects"][0] = {"photo": 7}
    file.write_text(json.dumps(data), encoding="utf-8")
    found = SessionStore(file).load()
    assert found.subjects[found.current].photo == "c" * 64
