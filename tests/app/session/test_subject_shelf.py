"""The shelf without Qt: subjects come, move and go, and the last of it can be undone."""

from __future__ import annotations

from app.session.subject_shelf import SubjectShelf


def shelf_of(*names: str) -> SubjectShelf:
    shelf = SubjectShelf()
    for name in names:
        shelf.add({"name": name})
    return shelf


def names(shelf: SubjectShelf) -> list[str]:
    return [subject.name for subject in shelf.subjects]


def test_the_current_one_stays_the_current_one_while_others_move_and_go():
    shelf = shelf_of("a", "b", "c")
    first, second, third = (subject.key for subject in shelf.subjects)
    assert shelf.select(1) and shelf.move(second, 2) and names(shelf) == ["a", "c", "b"]
    assert shelf.remove(first) and not shelf.remove(first)
    assert shelf.subject is not None and shelf.subject.key == second
    assert shelf.remove(second) and shelf.subject is not None and shelf.subject.key == third


def test_what_was_done_is_undone_one_by_one():
    shelf = shelf_of("a", "b", "c")
    first, second, _ = (subject.key for subject in shelf.subjects)
    shelf.move(first, 2)
    shelf.remove(second)
    assert names(shelf) == ["c", "a"]
    assert shelf.undo() == "removed" and names(shelf) == ["b", "c", "a"]
    assert shelf.undo() == "moved" and names(shelf) == ["a", "b", "c"]
    assert shelf.undo() is None


def test_a_move_of_one_that_does_not_come_back_changes_nothing():
    shelf = shelf_of("a", "b")
    example = shelf.add({"name": "example", "example": True})
    shelf.move(example.key, 0)
    shelf.remove(example.key)
    before = shelf.subjects
    assert shelf.undo() == "gone" and shelf.subjects == before


def test_a_change_that_changes_nothing_is_none():
    shelf = shelf_of("a")
    key = shelf.subjects[0].key
    assert shelf.update(key, {"name": "a"}) is None and shelf.update(99, {"name": "b"}) is None
    assert shelf.update(key, {"name": "b"}) == 0 and names(shelf) == ["b"]


def test_a_session_comes_back_in_front_of_what_was_opened_meanwhile():
    shelf = shelf_of("opened")
    shelf.put_before([{"name": "a"}, {"name": "b"}], 0)
    assert names(shelf) == ["a", "b", "opened"] and shelf.current == 2
    empty = SubjectShelf()
    empty.put_before([{"name": "a"}, {"name": "b"}], 1)
    assert empty.current == 1
