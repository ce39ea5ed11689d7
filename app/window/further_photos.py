"""Further photos of a subject: chosen, dropped onto its card, taken out again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QMainWindow

from app.session.controller import Controller
from app.window.panels import Panels
from app.window.photo_sources import ask_for_photos, pasted_title


class FurtherPhotos(QObject):
    """See the module.

    Signals:
        given: photos are about to be put on a card.
    """

    given = Signal()

    def __init__(self, panels: Panels, controller: Controller, window: QMainWindow) -> None:
        super().__init__(window)
        self._window, self._panels, self._controller = window, panels, controller
        subject = panels.subject
        subject.photos.addRequested.connect(self.choose)
        subject.photos.photosGiven.connect(self._given_to_current)
        subject.photos.removed.connect(self._taken_out)
        subject.shelf.addRequested.connect(self._choose_for)
        subject.shelf.photosGiven.connect(self._given)

    @Slot()
    def choose(self) -> None:
        """Ask for further photos of the current subject."""
        if self._controller.state.may_add_photo:
            self._choose_for(self._controller.state.photos[0].card)

    @Slot(int)
    def _choose_for(self, card: int) -> None:
        files = ask_for_photos(self._window, self.tr("Add another photo of this"))
        if files:
            self._given(card, files)

    @Slot(object)
    def _given_to_current(self, photos: Sequence[Path | QImage]) -> None:
        self._given(self._controller.state.photos[0].card, photos)

    @Slot(int, object)
    def _given(self, card: int, photos: Sequence[Path | QImage]) -> None:
        self.given.emit()
        self._controller.subjects.reading.add_photos(card, photos, pasted_title())

    @Slot()
    def _taken_out(self) -> None:
        self._panels.toast.show_message(self.tr("Photo taken out"), self._panels.subject.shelf.bring_back)
