"""The gallery as a page of the window: opens it, and leads back to the canvas with the picture that was chosen."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Qt, Signal, SignalInstance, Slot

from app.session.state import SessionState
from app.store.history_store import Picture
from app.window.panels import Panels

SIZE = "gallery_size"
"""Where the settings keep the size of the thumbnails."""


class GalleryPage(QObject):
    """See the module.

    Args:
        asked: what the user did shows on the canvas (a picture was asked for): the gallery makes way.

    Signals:
        changed: the gallery was opened or left.
    """

    changed = Signal()

    def __init__(self, panels: Panels, state: SessionState, asked: Sequence[SignalInstance], parent: QObject) -> None:
        super().__init__(parent)
        self._panels, self._state = panels, state
        self._known = False
        panels.history.gallery_button.clicked.connect(self.toggle)
        for signal in (*asked, panels.history.commands.recallRequested, panels.history.commands.compareRequested):
            signal.connect(self.leave)

    @Slot()
    def toggle(self) -> None:
        """Open it, or go back to the canvas."""
        panels = self._panels
        if panels.is_gallery():
            self.leave()
        elif not panels.is_editing():
            self._introduce()
            panels.show_gallery(True)
            shown = self._state.result
            panels.gallery.begin(shown.picture if shown is not None else None)
            self.changed.emit()

    def _introduce(self) -> None:
        if not self._known:
            self._known = True
            gallery = self._panels.gallery
            gallery.set_size(str(self._state.settings.panels.get(SIZE, "medium")))
            gallery.sizeChosen.connect(self._keep_size)
            gallery.left.connect(self.leave)
            gallery.opened.connect(self._open)

    @Slot()
    def leave(self) -> None:
        """Back to the canvas, as it was."""
        panels = self._panels
        if not panels.is_gallery():
            return
        panels.show_gallery(False)
        place = panels.history.view if panels.history.isVisible() else panels.prompt.sheet.prompt
        place.setFocus(Qt.FocusReason.OtherFocusReason)
        self.changed.emit()

    @Slot(object)
    def _open(self, picture: Picture) -> None:
        self.leave()
        self._panels.history.show_picture(picture.id)

    @Slot(str)
    def _keep_size(self, name: str) -> None:
        self._state.update_settings(panels={**self._state.settings.panels, SIZE: name})
