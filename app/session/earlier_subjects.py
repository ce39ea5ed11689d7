"""Subjects of earlier pictures: a picture carries its cut-out, and which photo and mask that is of.

A recall shows the cut-out at once, and the photo as soon as it is read, if it is still here: then the cut-out can be edited.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Slot

from app.session.state import SessionState
from app.store.assets import AssetStore
from app.system import background
from engine import CutOut, GenerationRequest


@dataclass(frozen=True, eq=False)
class _Found:
    key: int
    values: dict[str, Any] | None


class EarlierSubjects(QObject):
    """See the module. ``assets``: the photos and masks of all sessions."""

    def __init__(self, state: SessionState, assets: AssetStore, parent: QObject) -> None:
        super().__init__(parent)
        self._state, self._assets = state, assets

    def take(self, request: GenerationRequest, title: str) -> None:
        """Make the subject of a request the current one, under the name that it has there: the one on the shelf with the same photos,
        else their cut-outs, with the photos they are of as soon as those are read."""
        if request.subject is None:
            return
        photos = (request.subject, *request.views)
        wanted = [cut_out.digest for cut_out in photos]
        for card in self._state.cards:
            if [photo.cut_out.digest if photo.cut_out is not None else "" for photo in card] == wanted:
                self._state.select_subject(self._state.subjects.index(card[0]))
                if request.subject_name:
                    self._state.update_subject(card[0].key, name=request.subject_name)
                return
        number = 0
        for cut_out in photos:
            made = self._state.add_subject(card=number, cut_out=cut_out, name=request.subject_name, title=title)
            number = made.card
            if cut_out.photo and cut_out.mask:
                background.run(_find, self._assets, made.key, cut_out, title, done=self._found)
        self._state.select_subject(self._state.subjects.index(self._state.photos[0]))

    @Slot(object)
    def _found(self, found: _Found) -> None:
        if found.values is not None:
            self._state.update_subject(found.key, **found.values)


def _find(assets: AssetStore, key: int, wanted: CutOut, title: str) -> _Found:
    photo, mask = assets.load_photo(wanted.photo, title), assets.load_mask(wanted.mask)
    if photo is None or mask is None or mask.shape != photo.rgb.shape[:2]:
        return _Found(key, None)
    return _Found(key, {"photo": photo, "mask": mask, "automatic": mask})
