"""A list that is drawn: which of its pictures are there. They are drawn and kept as all others are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QImage

from app.look.pixels import to_image
from app.session.controller import Controller
from app.store.history_store import Picture
from engine import Finished, GenerationRequest, ListedRequest, ScaleBits

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


class ListRun(QObject):
    """See the module. One for the window; a new list takes the place of the one before.

    Attributes:
        listed, pictures: what was asked for, and what there is of it.
        busy: pictures of the list are drawn or wait.

    Signals:
        changed(int): the picture at this place of the list is another one.
        begun: another list. ended(int): nothing of it waits any more; how many pictures there are.
    """

    changed = Signal(int)
    begun = Signal()
    ended = Signal(int)

    def __init__(self, controller: Controller, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._controller = controller
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
        self._places.clear()
        self._saving.clear()
        self._draw(range(len(listed)))
        self.begun.emit()

    def draw_rest(self) -> None:
        """Draw what was stopped before it was drawn."""
        if not self.busy:
            self._draw([place for place, found in enumerate(self.pictures) if found is None])

    def _draw(self, places: Sequence[int]) -> None:
        def queued(requests: Sequence[GenerationRequest]) -> None:
            self._places |= {id(request): (request, place) for request, place in zip(requests, places, strict=True)}
            self.busy = True

        self._controller.draw_all([self.listed[place].request for place in places], queued)

    @property
    def done(self) -> int:
        """How many pictures there are."""
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

    @Slot()
    def _follow(self) -> None:
        """Pictures that are neither drawn nor wait any more are done, or were stopped."""
        if not self._places:
            return
        before, self.busy = self.busy, any(id(one) in self._places for one in self._controller.queue.unfinished())
        if before and not self.busy:
            self.ended.emit(self.done)
