"""The shelf: the subjects of the session in their order, one of them current, and what was done to them last. Free of Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np

    from engine import CutOut
    from engine.photo import Photo, SubjectProposal

_MOST_REMOVED = 12
"""Subjects taken off the shelf that can come back: each holds its photo in memory."""


@dataclass(frozen=True, eq=False)
class Subject:
    """One subject on the shelf.

    Attributes:
        key: number of this subject in this session.
        photo: the photo; None for a subject recalled from a picture, of which only the cut-out is left.
        mask: uint8 (H, W) as large as the photo, or None while it is looked for.
        automatic: the mask as it was found, for a reset.
        proposal: the pre-flight's answer, or None.
        cut_out: the subject as the model sees it; None while there is none that can be used.
        name: what it is called, typed or found.
        problem: why the cut-out cannot be used, in words, or "".
        notes: what its photo lacks for a good picture, in words.
        unsure: it comes from an earlier session, where its cut-out was found, called unsure, and not corrected.
        finding: the cut-out is being looked for.
        example: it came with the bundle.
        title: the photo's file name, for tooltips.
        coming: digest of its photo while that is read from the last session; "" otherwise.
        preview: a small copy of that photo, RGB uint8 (H, W, 3), shown meanwhile; or None.
    """

    key: int
    photo: Photo | None = None
    mask: np.ndarray | None = None
    automatic: np.ndarray | None = None
    proposal: SubjectProposal | None = None
    cut_out: CutOut | None = None
    name: str = ""
    problem: str = ""
    notes: tuple[str, ...] = ()
    unsure: bool = False
    finding: bool = False
    example: bool = False
    title: str = ""
    coming: str = ""
    preview: np.ndarray | None = None


class SubjectShelf:
    """Subjects that come, change, move and go; what tells others of it is ``SessionState``.

    Attributes:
        subjects: in their order. current: index of the current one, or -1.
    """

    def __init__(self) -> None:
        self.subjects: tuple[Subject, ...] = ()
        self.current = -1
        self._next_key = 1
        self._removed: list[tuple[int, Subject | int]] = []

    @property
    def subject(self) -> Subject | None:
        """The current one."""
        return self.subjects[self.current] if self.current >= 0 else None

    def add(self, values: Mapping[str, Any]) -> Subject:
        """Put a subject at the end and make it the current one. ``values``: fields of ``Subject`` but the key."""
        subject = self._made(values)
        self.subjects = (*self.subjects, subject)
        self.current = len(self.subjects) - 1
        return subject

    def update(self, key: int, changes: Mapping[str, Any]) -> int | None:
        """Change fields of a subject. Returns its index; None where it is gone, or is so already."""
        index = self._index(key)
        if index is None or all(_same(getattr(self.subjects[index], name), value) for name, value in changes.items()):
            return None
        changed = replace(self.subjects[index], **changes)
        self.subjects = (*self.subjects[:index], changed, *self.subjects[index + 1 :])
        return index

    def select(self, index: int) -> bool:
        """Make another one current, -1 for none. False where it is so already, or there is no such subject."""
        if index == self.current or not -1 <= index < len(self.subjects):
            return False
        self.current = index
        return True

    def remove(self, key: int, *, for_good: bool = False) -> bool:
        """Take a subject off; the one before it becomes current. False where it is gone already. ``undo`` brings it back, unless
        it went for good."""
        place = self._index(key)
        if place is None:
            return False
        gone, current = self.subjects[place], self.subject
        if not gone.example and not for_good:
            self._done(place, gone)
        self.subjects = tuple(subject for subject in self.subjects if subject is not gone)
        if current is not None and current is not gone:
            self.current = self.subjects.index(current)
        elif self.subjects:
            self.current = max(min(self.current, len(self.subjects)) - 1, 0)
        else:
            self.current = -1
        return True

    def move(self, key: int, place: int) -> bool:
        """Give a subject another place, 0 … their number - 1. False where it stands there, or there is no such place."""
        before = self._index(key)
        if before is None or before == place or not 0 <= place < len(self.subjects):
            return False
        self._done(before, key)
        return self._put(key, place)

    def undo(self) -> Literal["removed", "moved", "gone"] | None:
        """Undo what was done last. Returns what that was, "gone" for a move of one that was taken off since; None when there is
        nothing to undo."""
        if not self._removed:
            return None
        place, subject = self._removed.pop()
        if isinstance(subject, int):
            return "moved" if self._put(subject, place) else "gone"
        self.subjects = (*self.subjects[:place], subject, *self.subjects[place:])
        self.current = self.subjects.index(subject)
        return "removed"

    def put_before(self, subjects: Sequence[Mapping[str, Any]], current: int) -> tuple[Subject, ...]:
        """Put subjects before what is there, which stays the current one; on an empty shelf ``current`` is."""
        made, opened = tuple(map(self._made, subjects)), self.subjects
        if opened:
            self.current += len(made)
        else:
            self.current = min(max(current, 0 if made else -1), len(made) - 1)
        self.subjects = (*made, *opened)
        return made

    def _made(self, values: Mapping[str, Any]) -> Subject:
        subject = Subject(self._next_key, **values)
        self._next_key += 1
        return subject

    def _index(self, key: int) -> int | None:
        return next((index for index, subject in enumerate(self.subjects) if subject.key == key), None)

    def _done(self, place: int, what: Subject | int) -> None:
        self._removed = [*self._removed[1 - _MOST_REMOVED :], (place, what)]

    def _put(self, key: int, place: int) -> bool:
        """Returns whether the subject is still there."""
        index = self._index(key)
        if index is None:
            return False
        moved, current = self.subjects[index], self.subject
        others = [subject for subject in self.subjects if subject is not moved]
        self.subjects = (*others[:place], moved, *others[place:])
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
