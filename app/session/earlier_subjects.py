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
        """Make the subject of a request the current one: the one on the shelf that is the same, else its cut-out, with the
        photo it is of as soon as that is read."""
        wanted = request.subject
        if wanted is None:
            return
        for index, subject in enumerate(self._state.subjects):
            if subject.cut_out is not None and subject.cut_out.digest == wanted.digest:
                self._state.select_subject(index)
                return
        made = self._state.add_subject(cut_out=wanted, name=request.subject_name, title=title)
        if wanted.photo and wanted.mask:
            background.run(_find, self._assets, made.key, wanted, title, done=self._found)

    @Slot(object)
    def _found(self, found: _Found) -> None:
        if found.values is not None:
            self._state.update_subject(found.key, **found.values)


def _find(assets: AssetStore, key: int, wanted: CutOut, title: str) -> _Found:
    photo, mask = assets.load_photo(wanted.photo, title), assets.load_mask(wanted.mask)
    if photo is None or mask is None or mask.shape != photo.rgb.shape[:2]:
        return _Found(key, None)
    return _Found(key, {"photo": photo, "mask": mask, "automatic": mask})
