"""Into the editor of a region and back: for a finished picture, and for a photo that the subject goes into."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtWidgets import QWidget

from app.language import sentences
from app.session.controller import Controller
from app.session.picture_drafts import PictureDrafts
from app.session.state import Result, SessionState
from app.system import background
from app.system.failures import in_words
from app.window.panels import Panels
from app.window.photo_sources import ask_for_photo
from engine import EchoGenError, Placement, Sentence
from engine.photo import Photo, as_place, load_photo, photo_from_pixels


class Redrawing(QObject):
    """See the module.

    Args:
        window: owner of the file dialog.
    """

    def __init__(self, panels: Panels, controller: Controller, window: QWidget) -> None:
        super().__init__(window)
        self._panels, self._controller, self._window = panels, controller, window
        self._state: SessionState = controller.state
        self._place: Result | Photo | None = None
        self._file: Path | None = None
        self._next: tuple[Photo, Path | None] | None = None
        self._drafts: PictureDrafts | None = None
        panels.region.accepted.connect(self._accepted)
        panels.region.left.connect(self._leave)
        panels.editorOpen.connect(self._open_next, Qt.ConnectionType.QueuedConnection)
        panels.canvas.actions_bar.region.connect(self.redraw_region)
        panels.canvas.strip.regionRequested.connect(self.redraw_region)
        panels.prompt.sheet.photo_button.clicked.connect(self.choose_photo)
        self._state.requestChanged.connect(self._show_count)

    @Slot()
    def _show_count(self) -> None:
        if self._place is not None:
            self._panels.region.set_count(self._state.values.count)

    def set_drafts(self, drafts: PictureDrafts) -> None:
        """Set where the marks are kept on disk while the editor is open."""
        self._drafts = drafts

    def can_redraw(self) -> bool:
        """Return True if a finished picture is shown, of which a region can be drawn anew with the subject there is."""
        result = self._state.result
        finished = result is not None and not result.unfinished and bool(self._state.cut_outs)
        return finished and not self._panels.is_editing() and not self._state.jobs.busy

    @Slot()
    def redraw_region(self) -> None:
        """Mark a region of the picture that is shown."""
        result = self._state.result
        if result is not None and self.can_redraw():
            self._place = result
            whole = result.request.region.whole if result.request.region is not None else 0
            goes_in = self._controller.regions.goes_into(result)
            self._open(photo_from_pixels(result.image), whole, goes_in=goes_in)

    @Slot()
    def choose_photo(self) -> None:
        """Ask for the photo that the subject goes into."""
        name = ask_for_photo(self._window, self.tr("Put the subject into a photo"))
        if name is not None:
            self.open_photo(name)

    def open_photo(self, file: Path) -> None:
        """Read a photo in the background, then mark where in it the subject goes."""
        background.run(_read, file, done=self._read, failed=self._not_loaded)

    @Slot(object)
    def _read(self, read: tuple[Photo, Path]) -> None:
        self._loaded(*read)

    def _loaded(self, photo: Photo, file: Path | None = None) -> None:
        self._next = photo, file
        self._open_next()

    @Slot()
    def _open_next(self) -> None:
        """The photo that was read is marked; while another editor is open it waits until that one is closed."""
        if self._next is not None and not self._panels.is_editing():
            (self._place, self._file), self._next = self._next, None
            self._open(self._place, 0, into_photo=True)

    @Slot(object)
    def _not_loaded(self, error: Exception) -> None:
        fact = Sentence("The photo could not be opened: {error}", error=error)
        self._controller.failed.emit(in_words(error, fact, Sentence("Choose another one.")), "")

    def _open(self, photo: Photo, whole: int, *, into_photo: bool = False, goes_in: bool = False) -> None:
        manifest, panels = self._state.engine.manifest, self._panels
        scales = len(manifest.schedules[0].grids) if manifest is not None else 1
        placed = into_photo and manifest is not None and manifest.placed_content is not None
        cut_out = next(iter(self._state.cut_outs), None) if placed else None
        panels.region_prompt.set_reader(panels.prompt.sheet.prompt.reader)
        panels.region_prompt.setPlainText(self._state.values.prompt)
        session = panels.region.begin(photo, scales, whole, into_photo=into_photo, goes_in=goes_in, subject=cut_out)
        panels.region.set_count(self._state.values.count)
        goes_on = self._drafts is not None and self._drafts.begin(session, "region")
        panels.open_editor(panels.region)
        if goes_on and session.placement is not None:
            panels.toast.show_message(self.tr("The subject stands where you put it last time"))
        elif goes_on:
            panels.toast.show_message(self.tr("What you marked last time is here again"))
        elif photo.notes:
            panels.toast.show_message(sentences.joined(photo.notes))

    @Slot(object, int, object)
    def _accepted(self, mask: np.ndarray, whole: int, placement: Placement | None) -> None:
        self._take_prompt()
        drawn = False
        try:
            if isinstance(self._place, Result):
                drawn = self._controller.redraw_region(self._place, mask, whole)
            elif self._place is not None:
                drawn = self._controller.draw_in_photo(self._place, mask, whole, placement, self._file)
        except EchoGenError as error:
            self._panels.region.side.show_error(error)
        if drawn:
            self._panels.region.leave()
            self._panels.canvas.canvas.setFocus(Qt.FocusReason.OtherFocusReason)  # where it forms; nobody types

    @Slot()
    def _leave(self) -> None:
        self._take_prompt()
        self._place = self._file = None
        if self._drafts is not None:
            self._drafts.end()
        self._panels.close_editor()

    def _take_prompt(self) -> None:
        prompt = self._panels.region_prompt
        if prompt.document().isModified():
            self._state.update_values(prompt=prompt.text())
            prompt.document().setModified(False)  # a region that is refused goes on: what is undone then counts, too


def _read(file: Path) -> tuple[Photo, Path]:
    return as_place(load_photo(file)), file
