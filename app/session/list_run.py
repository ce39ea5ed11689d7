"""A list that is drawn: which of its pictures are there. They are drawn and kept as all others are."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QImage

from app.look.pixels import to_image
from app.session.controller import Controller
from app.store.history_store import HistoryStore, Picture
from app.store.list_store import ListStore
from app.system import background
from engine import Damage, EchoGenError, Finished, GenerationRequest, ListedRequest, ScaleBits, read_value

log = logging.getLogger(__name__)

_SMALL = 256


@dataclass(frozen=True, eq=False)
class ListedPicture:
    """A picture of the list.

    Attributes:
        image: at most 256 px a side.
        picture: its entry in the history; None until it is saved.
    """

    image: QImage
    picture: Picture | None = None


@dataclass(frozen=True)
class _Saved:
    """In the session: which list it is, and the number of each picture that is in the history."""

    key: str
    pictures: list[int | None]


class ListRun(QObject):
    """See the module. One for the window; a new list takes the place of the one before.

    Args:
        store: keeps the list for the next start.

    Attributes:
        listed, pictures: what was asked for, and what there is of it.
        busy: pictures of the list are drawn or wait.

    Signals:
        changed(int): the picture at this place of the list is another one.
        kept: what the session says of the list is different.
        begun: another list. ended(int): nothing of it waits any more; how many pictures there are.
    """

    changed = Signal(int)
    kept = Signal()
    begun = Signal()
    ended = Signal(int)

    def __init__(self, controller: Controller, store: ListStore | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._controller, self._store, self._key = controller, store, ""
        self._coming_back: dict[str, Any] | None = None
        self._came_back = False
        self.listed: tuple[ListedRequest, ...] = ()
        self.pictures: list[ListedPicture | None] = []
        self._places: dict[int, tuple[GenerationRequest, int]] = {}
        self._saving: dict[int, tuple[ScaleBits, int]] = {}
        self.busy = False
        controller.queue.finishing.connect(self._finishing)
        controller.saver.kept.connect(self._kept)
        controller.state.jobChanged.connect(self._follow)

    def begin(self, listed: Sequence[ListedRequest]) -> None:
        """Draw a list."""
        self.listed = tuple(listed)
        self.pictures = [None] * len(listed)
        self._came_back = False
        self._places.clear()
        self._saving.clear()
        self._key = secrets.token_hex(8)
        if self._store is not None:
            background.run(self._store.save, self._key, self.listed, failed=self._not_kept)
        self._draw(range(len(listed)))
        self.kept.emit()
        self.begun.emit()

    # The next start

    def saved(self) -> dict[str, Any] | None:
        """For the session: which list it is, and the number of each picture that is in the history."""
        if not self.listed:
            return self._coming_back
        numbers = [
            found.picture.id if found is not None and found.picture is not None else None for found in self.pictures
        ]
        return {"key": self._key, "pictures": numbers}

    def restore(self, saved: Any) -> None:
        """Bring a list back that was drawn before the program ended; a damaged one is let go."""
        if self._store is None or saved is None:
            return
        try:
            kept = read_value(saved, _Saved)
        except Damage:
            log.warning("the list of the last session could not be read", exc_info=True)
            return
        self._coming_back = saved
        background.run(_fetch, self._store, self._controller.store, kept, done=self._fetched, failed=self._not_kept)

    @Slot(object)
    def _fetched(self, fetched: tuple[str, tuple[ListedRequest, ...], list[ListedPicture | None]]) -> None:
        key, listed, pictures = fetched
        self._coming_back = None
        if listed and not self.listed:
            self._key, self.listed, self.pictures, self._came_back = key, listed, pictures, True
            self._claim()
            self.begun.emit()

    def _claim(self) -> None:
        """Take back the pictures of the list that come back in the queue undrawn, as requests of their own."""
        free = [place for place, found in enumerate(self.pictures) if found is None]
        for request in self._controller.queue.unfinished():
            place = next((place for place in free if _alike(self.listed[place].request, request)), None)
            if place is not None:
                free.remove(place)
                self._places[id(request)] = (request, place)
        self.busy = bool(self._places)
        self._came_back = not self.busy

    @Slot(object)
    def _not_kept(self, error: Exception) -> None:
        self._coming_back = None
        log.warning("the list of prompts is not kept for the next start", exc_info=error)

    @property
    def paused(self) -> bool:
        """True while the rest of the list waits for the user."""
        jobs = self._controller.state.jobs
        return self.busy and not jobs.busy and not jobs.waiting

    def draw_rest(self) -> None:
        """Draw what was paused, or stopped before it was drawn."""
        if self.paused:
            self._controller.queue.resume()
        elif not self.busy:
            self._draw([place for place, found in enumerate(self.pictures) if found is None])

    def _draw(self, places: Sequence[int]) -> None:
        def queued(requests: Sequence[GenerationRequest]) -> None:
            self._places |= {id(request): (request, place) for request, place in zip(requests, places, strict=True)}
            self.busy = True

        self._controller.draw_all([self.listed[place].request for place in places], queued)

    @property
    def done(self) -> int:
        """The number of pictures that are done."""
        return sum(found is not None for found in self.pictures)

    @Slot(object, object)
    def _finishing(self, request: GenerationRequest, event: Finished) -> None:
        found = self._places.get(id(request))
        if found is None:
            return
        place = found[1]
        small = to_image(event.image).scaled(
            _SMALL, _SMALL, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
        self.pictures[place] = ListedPicture(small)
        self._saving[id(event.bits)] = (event.bits, place)
        self.changed.emit(place)

    @Slot(object, object)
    def _kept(self, event: Finished, picture: Picture) -> None:
        saving = self._saving.pop(id(event.bits), None)
        if saving is not None and (found := self.pictures[saving[1]]) is not None:
            self.pictures[saving[1]] = ListedPicture(found.image, picture)
            self.changed.emit(saving[1])
            self.kept.emit()

    @Slot()
    def _follow(self) -> None:
        """Pictures that are neither drawn nor wait any more are done, or were stopped."""
        if self._came_back:
            self._claim()
        if not self._places:
            return
        before, self.busy = self.busy, any(id(one) in self._places for one in self._controller.queue.unfinished())
        if before and not self.busy:
            self.ended.emit(self.done)


def _fetch(
    lists: ListStore, store: HistoryStore, kept: _Saved
) -> tuple[str, tuple[ListedRequest, ...], list[ListedPicture | None]]:
    listed = lists.load(kept.key)
    pictures = [_picture(store, number) for number in kept.pictures[: len(listed)]]
    return kept.key, listed, pictures + [None] * (len(listed) - len(pictures))


def _picture(store: HistoryStore, number: int | None) -> ListedPicture | None:
    """A picture of the history; None when it is gone."""
    if number is None:
        return None
    try:
        picture, image = store.get(number), QImage.fromData(store.thumb(number))
    except (EchoGenError, KeyError, OverflowError):
        return None
    return ListedPicture(image, picture) if not image.isNull() else None


def _alike(one: GenerationRequest, other: GenerationRequest) -> bool:
    return (one.prompt, one.seed, one.size, one.subject_name) == (
        other.prompt,
        other.seed,
        other.size,
        other.subject_name,
    )
