"""The shelf: the subjects of the session in their order, one of them current, and what was done to them last. Free of Qt."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from engine import MAX_VIEWS

if TYPE_CHECKING:
    import numpy as np

    from engine import CutOut, Placement
    from engine.photo import Photo, SubjectProposal

_MOST_REMOVED = 12
"""Subjects taken off the shelf that can come back: each holds its photo in memory."""


@dataclass(frozen=True, eq=False)
class Subject:
    """One photo of a subject on the shelf; most subjects have one.

    Attributes:
        key: number of this photo in this session.
        card: number of its card: photos with the same one are of the same subject, and stand side by side.
        photo: the photo; None for a subject recalled from a picture, of which only the cut-out is left.
        mask: uint8 (H, W) as large as the photo, or None while it is looked for.
        automatic: the mask as it was found, for a reset.
        proposal: the pre-flight's answer, or None.
        cut_out: the subject as the model sees it; None while there is none that can be used.
        name: what it is called, typed or found.
        problem: why the cut-out cannot be used, in words, or "".
        notes: what its photo lacks for a good picture, in words.
        unsure: it comes from an earlier session, where its cut-out was found, called unsure, and not corrected.
        corrected: it comes from an earlier session, where its cut-out was found and then corrected.
        score: of its cut-out when that was found in an earlier session, as in ``SubjectProposal``; 0 otherwise.
        finding: the cut-out is being looked for.
        example: it came with the bundle.
        title: the photo's file name, for tooltips.
        coming: digest of its photo while that is read from the last session; "" otherwise.
        preview: a small copy of that photo, RGB uint8 (H, W, 3), shown meanwhile; or None.
        draft: name of the unfinished work on its mask, 64 hexadecimal digits; no other photo on the shelf has it, and it stays the
            same over all starts.
    """

    key: int
    card: int = 0
    photo: Photo | None = None
    mask: np.ndarray | None = None
    automatic: np.ndarray | None = None
    proposal: SubjectProposal | None = None
    cut_out: CutOut | None = None
    name: str = ""
    problem: str = ""
    notes: tuple[str, ...] = ()
    unsure: bool = False
    corrected: bool = False
    score: float = 0.0
    finding: bool = False
    example: bool = False
    title: str = ""
    coming: str = ""
    preview: np.ndarray | None = None
    draft: str = ""


class _Removed(Struct, frozen=True):
    """Photos that were taken off: the place of their card among the cards, and of the first of them on the card."""

    card_place: int
    place: int
    photos: tuple[Subject, ...]


class _Moved(Struct, frozen=True):
    """A card that stood at another place."""

    card: int
    place: int


class _Placed(Struct, frozen=True):
    """A photo that stood at another place of its card."""

    key: int
    place: int


class SubjectShelf:
    """Subjects that come, change, move and go; what tells others of it is ``SessionState``.

    Photos of one subject lie on one card and stand side by side; the first of them is the one that is drawn.

    Attributes:
        subjects: every photo in order, card by card. current: index of the current one, or -1.
        placements: by card, where its subject was put by hand. A card that comes back has its place again.
    """

    def __init__(self) -> None:
        self.subjects: tuple[Subject, ...] = ()
        self.current = -1
        self.placements: dict[int, Placement] = {}
        self._next_key = 1
        self._removed: list[_Removed | _Moved | _Placed] = []
        self._drafts: set[str] = set()

    @property
    def subject(self) -> Subject | None:
        """The current one."""
        return self.subjects[self.current] if self.current >= 0 else None

    @property
    def cards(self) -> tuple[tuple[Subject, ...], ...]:
        """The cards in their order, each with its photos."""
        return tuple(tuple(photos) for _, photos in groupby(self.subjects, key=lambda subject: subject.card))

    @property
    def card(self) -> int:
        """Number of the card that the current one lies on; 0 for none."""
        subject = self.subject
        return subject.card if subject is not None else 0

    def place(self, card: int, placement: Placement | None) -> None:
        """Put the subject of a card somewhere by hand; None has every seed choose a place again."""
        if placement is not None:
            self.placements[card] = placement
        else:
            self.placements.pop(card, None)

    def photos_of(self, card: int) -> tuple[Subject, ...]:
        """The photos on a card, the first one first; none where it is gone."""
        return tuple(subject for subject in self.subjects if subject.card == card)

    def add(self, values: Mapping[str, Any]) -> Subject:
        """Put a photo at the end and make it the current one; with the ``card`` of another subject at the end of that card, under
        its name. A card that is gone or full gets no more: the photo is a subject of its own then.

        Args:
            values: fields of ``Subject`` but the key.
        """
        others = self.photos_of(values.get("card", 0))
        if others and len(others) <= MAX_VIEWS:
            subject = self._made({**values, "name": others[0].name or values.get("name", "")})
            place = self.subjects.index(others[-1]) + 1
        else:
            subject, place = self._made({**values, "card": 0}), len(self.subjects)
        self.subjects = (*self.subjects[:place], subject, *self.subjects[place:])
        self.current = place
        return subject

    def update(self, key: int, changes: Mapping[str, Any]) -> int | None:
        """Change fields of a photo; a name is that of its whole card. Returns its index; None where it is gone, or is so
        already."""
        index = self._index(key)
        if index is None or all(_same(getattr(self.subjects[index], name), value) for name, value in changes.items()):
            return None
        changed = replace(self.subjects[index], **changes)
        subjects = (*self.subjects[:index], changed, *self.subjects[index + 1 :])
        if "name" in changes:
            subjects = tuple(
                replace(one, name=changed.name) if one.card == changed.card and one.name != changed.name else one
                for one in subjects
            )
        self.subjects = subjects
        return index

    def select(self, index: int) -> bool:
        """Make another one current, -1 for none. False where it is so already, or there is no such subject."""
        if index == self.current or not -1 <= index < len(self.subjects):
            return False
        self.current = index
        return True

    def remove(self, key: int, *, alone: bool = False, for_good: bool = False) -> bool:
        """Take the card that a photo lies on off the shelf, or that photo ``alone`` off its card; the card that takes its
        place, or the photo before it, becomes current. False where it is gone already. ``undo`` brings it back, unless it went for good."""
        index = self._index(key)
        if index is None:
            return False
        card, current = self.subjects[index].card, self.subject
        gone = (self.subjects[index],) if alone else self.photos_of(card)
        place = self.subjects.index(gone[0])
        if not gone[0].example and not for_good:
            self._done(_Removed(self._card_place(card), self.photos_of(card).index(gone[0]), gone))
        self.subjects = tuple(subject for subject in self.subjects if subject not in gone)
        if current is not None and current not in gone:
            self.current = self.subjects.index(current)
        else:
            self.current = self._beside(card, place)
        return True

    def _beside(self, card: int, place: int) -> int:
        """The subject that is current after those at a place went: another photo of the card, else the first one of
        the card that takes its place."""
        if not self.subjects:
            return -1
        left = self.photos_of(card)
        if left:
            first = self.subjects.index(left[0])
            return min(max(place - 1, first), first + len(left) - 1)
        beside = self.subjects[min(place, len(self.subjects) - 1)]
        return self.subjects.index(self.photos_of(beside.card)[0])

    def move(self, key: int, place: int) -> bool:
        """Give the card that a photo lies on another place, 0 … their number - 1. False where it stands there, or there is no such
        place."""
        index, cards = self._index(key), self.cards
        if index is None or not 0 <= place < len(cards):
            return False
        card = self.subjects[index].card
        before = self._card_place(card)
        if before == place:
            return False
        self._done(_Moved(card, before))
        return self._put(card, place)

    def make_first(self, key: int) -> bool:
        """Make a photo the first one of its card, which is the one that is drawn. False where it is so already, or is gone."""
        index = self._index(key)
        photos = self.photos_of(self.subjects[index].card) if index is not None else ()
        place = next((place for place, photo in enumerate(photos) if photo.key == key), 0)
        if place == 0:
            return False
        self._done(_Placed(key, place))
        return self._place_photo(key, 0)

    @property
    def can_undo(self) -> bool:
        """True if something was done to the shelf that can be undone."""
        return bool(self._removed)

    def undo(self) -> Literal["removed", "moved", "placed", "gone"] | None:
        """Undo what was done last. Returns what that was, "gone" for a move of one that was taken off since; None when there is
        nothing to undo."""
        if not self._removed:
            return None
        done = self._removed.pop()
        if isinstance(done, _Moved):
            return "moved" if self._put(done.card, done.place) else "gone"
        if isinstance(done, _Placed):
            return "placed" if self._place_photo(done.key, done.place) else "gone"
        cards, photos = list(self.cards), done.photos
        there = self.photos_of(photos[0].card)
        if there and len(there) + len(photos) <= MAX_VIEWS + 1:
            place = self._card_place(photos[0].card)
            cards[place] = (*there[: done.place], *photos, *there[done.place :])
        else:
            if there:  # other photos took its room meanwhile: it comes back as a subject of its own
                number, self._next_key = self._next_key, self._next_key + 1
                photos = tuple(replace(photo, card=number) for photo in photos)
            cards.insert(done.card_place, photos)
        self.subjects = tuple(photo for card in cards for photo in card)
        self.current = self.subjects.index(photos[0])
        return "removed"

    def put_before(self, subjects: Sequence[Mapping[str, Any]], current: int) -> tuple[Subject, ...]:
        """Put subjects before what is there, which stays the current one; on an empty shelf ``current`` is.

        Args:
            subjects: fields of each, and its ``placement``, which is that of its card; equal ``card`` numbers other than 0 say that
                photos lie on one card, as long as they stand side by side.
        """
        made: list[Subject] = []
        wanted = 0
        for values in subjects:
            before, wanted = wanted, values.get("card", 0)
            joins = wanted and wanted == before and len(self._run(made)) <= MAX_VIEWS
            fields = {name: value for name, value in values.items() if name != "placement"}
            made.append(self._made({**fields, "card": made[-1].card if joins else 0}))
            if values.get("placement") is not None:
                self.place(made[-1].card, values["placement"])
        opened = self.subjects
        if opened:
            self.current += len(made)
        else:
            self.current = min(max(current, 0 if made else -1), len(made) - 1)
        self.subjects = (*made, *opened)
        return tuple(made)

    @staticmethod
    def _run(made: Sequence[Subject]) -> list[Subject]:
        """Those on the card of the last one."""
        return [subject for subject in made if subject.card == made[-1].card]

    def _made(self, values: Mapping[str, Any]) -> Subject:
        key, self._next_key = self._next_key, self._next_key + 1
        draft = values.get("draft", "")
        if not draft or draft in self._drafts:
            draft = os.urandom(32).hex()
        self._drafts.add(draft)
        return Subject(key, **{**values, "card": values.get("card") or key, "draft": draft})

    def _index(self, key: int) -> int | None:
        return next((index for index, subject in enumerate(self.subjects) if subject.key == key), None)

    def _card_place(self, card: int) -> int:
        return next((place for place, photos in enumerate(self.cards) if photos[0].card == card), -1)

    def _done(self, what: _Removed | _Moved | _Placed) -> None:
        self._removed = [*self._removed[1 - _MOST_REMOVED :], what]

    def _place_photo(self, key: int, place: int) -> bool:
        """Returns whether the photo is still there."""
        index, current = self._index(key), self.subject
        if index is None:
            return False
        photo = self.subjects[index]
        begin = self.subjects.index(self.photos_of(photo.card)[0])
        others = [one for one in self.subjects if one is not photo]
        others.insert(begin + min(place, len(self.photos_of(photo.card)) - 1), photo)
        self.subjects = tuple(others)
        if current is not None:
            self.current = self.subjects.index(current)
        return True

    def _put(self, card: int, place: int) -> bool:
        """Returns whether the card is still there."""
        moved, current = self.photos_of(card), self.subject
        if not moved:
            return False
        cards = [photos for photos in self.cards if photos != moved]
        cards.insert(place, moved)
        self.subjects = tuple(photo for photos in cards for photo in photos)
        if current is not None:
            self.current = self.subjects.index(current)
        return True


def _same(a: Any, b: Any) -> bool:
    """Equal without comparing pixels: arrays are the same only when they are one object."""
    import numpy as np  # only now: the window imports this module while it starts

    if a is b:
        return True
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return False
    return bool(a == b)
