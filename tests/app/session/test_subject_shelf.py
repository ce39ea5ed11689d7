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


def test_the_card_that_takes_the_place_of_one_that_goes_is_current():
    shelf = SubjectShelf()
    card_of(shelf, "a")
    card_of(shelf, "b")
    card_of(shelf, "c", "d")
    for gone, current in (("b", "c"), ("c", "a")):
        key = next(photo.key for photo in shelf.subjects if photo.title == gone)
        shelf.select([photo.key for photo in shelf.subjects].index(key))
        shelf.remove(key)
        assert shelf.subject is not None and shelf.subject.title == current


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


# Several photos of one subject


def card_of(shelf: SubjectShelf, *titles: str) -> int:
    """A subject with a photo of each title; returns its card."""
    card = 0
    for title in titles:
        card = shelf.add({"title": title, "card": card, "name": titles[0]}).card
    return card


def titles(shelf: SubjectShelf) -> list[list[str]]:
    return [[photo.title for photo in card] for card in shelf.cards]


def test_photos_of_one_subject_lie_on_one_card_under_one_name():
    shelf = SubjectShelf()
    card = card_of(shelf, "front", "side")
    card_of(shelf, "other")
    added = shelf.add({"title": "back", "card": card, "name": "something else"})
    assert titles(shelf) == [["front", "side", "back"], ["other"]] and shelf.subject is added
    assert added.name == "front", "a subject has one name"
    assert shelf.update(added.key, {"name": "shoe"}) is not None
    assert [photo.name for photo in shelf.subjects] == ["shoe", "shoe", "shoe", "other"]


def test_a_card_takes_four_photos_and_a_further_one_is_a_subject_of_its_own():
    shelf = SubjectShelf()
    card = card_of(shelf, "a", "b", "c", "d")
    fifth = shelf.add({"title": "e", "card": card})
    assert titles(shelf) == [["a", "b", "c", "d"], ["e"]] and fifth.card != card
    assert shelf.add({"title": "f", "card": 99}).card not in (card, fifth.card, 99), "a card that is gone"


def test_a_photo_is_taken_out_alone_and_comes_back_where_it_was():
    shelf = SubjectShelf()
    card_of(shelf, "before")
    card_of(shelf, "a", "b", "c")
    first, second, _ = (photo.key for photo in shelf.subjects[1:])
    assert shelf.remove(second, alone=True) and titles(shelf) == [["before"], ["a", "c"]]
    assert shelf.subject is not None and shelf.subject.title == "c", "what was looked at stays"
    assert shelf.remove(first, alone=True) and titles(shelf) == [["before"], ["c"]], "the next one is the first one now"
    assert shelf.undo() == "removed" and shelf.undo() == "removed"
    assert titles(shelf) == [["before"], ["a", "b", "c"]] and shelf.subject.title == "b"
    shelf.remove(second, alone=True)
    assert shelf.subject.title == "a", "the photo before it, not the subject before it"


def test_a_card_goes_and_moves_and_comes_back_with_all_its_photos():
    shelf = SubjectShelf()
    card_of(shelf, "a", "b")
    card_of(shelf, "c")
    card_of(shelf, "d", "e")
    keys = {photo.title: photo.key for photo in shelf.subjects}
    assert shelf.move(keys["e"], 0) and titles(shelf) == [["d", "e"], ["a", "b"], ["c"]]
    assert shelf.remove(keys["b"]) and titles(shelf) == [["d", "e"], ["c"]]
    assert shelf.undo() == "removed" and titles(shelf) == [["d", "e"], ["a", "b"], ["c"]]
    assert shelf.undo() == "moved" and titles(shelf) == [["a", "b"], ["c"], ["d", "e"]]


def test_a_photo_whose_room_was_taken_comes_back_as_a_subject_of_its_own():
    shelf = SubjectShelf()
    card = card_of(shelf, "a", "b", "c", "d")
    shelf.remove(shelf.subjects[1].key, alone=True)
    shelf.add({"title": "new", "card": card})
    assert shelf.undo() == "removed"
    assert sorted(titles(shelf)) == [["a", "c", "d", "new"], ["b"]]
    assert len({photo.card for photo in shelf.subjects}) == 2


def test_the_photos_of_a_card_come_back_together_whatever_numbers_the_session_had():
    shelf = SubjectShelf()
    card_of(shelf, "opened")
    saved = [("a", 7), ("b", 7), ("c", 0), ("d", 0), ("e", 3), ("f", 7), *(("g", 9) for _ in range(5))]
    shelf.put_before([{"title": title, "card": card} for title, card in saved], 0)
    assert titles(shelf) == [["a", "b"], ["c"], ["d"], ["e"], ["f"], ["g"] * 4, ["g"], ["opened"]]
    assert len({photo.card for photo in shelf.subjects}) == 8
