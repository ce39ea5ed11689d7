"""The picture full screen: opens it, goes to its neighbours, and comes back with the picture that was looked at last."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from app.canvas.panel import CanvasPanel
from app.canvas.screen import PictureScreen
from app.history.commands import PictureSequence
from app.history.panel import HistoryPanel
from app.look.pixels import read_image
from app.session.state import SessionState
from app.shortcuts import keymap
from app.store.history_store import Picture
from app.system import background
from app.system.sharing import copy_picture

_CACHED = 5


class FullScreen(QObject):
    """See the module.

    Args:
        window: the window it covers and comes back to.
    """

    def __init__(
        self, window: QWidget, state: SessionState, canvas: CanvasPanel, history: HistoryPanel, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._window, self._state, self._canvas, self._history = window, state, canvas, history
        self.screen: PictureScreen | None = None
        self._row: PictureSequence = history.model
        self._picture: Picture | None = None
        self._images: OrderedDict[int, QImage] = OrderedDict()
        canvas.canvas.fullScreenWanted.connect(self.open_shown)
        history.commands.viewRequested.connect(self.open)

    @Slot()
    def open_shown(self) -> None:
        """The picture on the canvas, also one that forms or was stopped."""
        if not self._canvas.canvas.has_picture():
            return
        result = self._state.result
        picture = self._stored(result.picture) if result is not None and result.picture is not None else None
        self._row = self._history.model
        self._picture = picture
        image = self._canvas.canvas.image()
        if picture is not None:
            self._keep(picture.id, image)
            self._begin()
            self._show(picture)
            return
        self._begin()
        request = self._canvas.request
        assert self.screen is not None
        self.screen.show_picture(image, request.prompt if request is not None else "", "", starred=False)

    @Slot(object)
    def open(self, picture: Picture) -> None:
        """A picture of the history, or of the gallery while it is open."""
        self._row = self._history.commands.model
        self._begin()
        self._show(picture)

    def _begin(self) -> None:
        if self.screen is not None:
            return
        screen = self.screen = PictureScreen(self._window)
        screen.setGeometry(self._window.screen().geometry())
        screen.stepped.connect(self._step)
        screen.jumped.connect(self._jump)
        screen.starWanted.connect(self._star)
        screen.deleteWanted.connect(self._delete)
        screen.undoWanted.connect(self._undo)
        screen.copyWanted.connect(self._copy)
        screen.left.connect(self._left)
        screen.showFullScreen()
        screen.activateWindow()
        screen.setFocus()

    # Pictures

    def _show(self, picture: Picture) -> None:
        self._picture = picture
        image = self._images.get(picture.id)
        if image is None:
            background.run(_read, picture.id, picture.file, done=self._arrived)
        else:
            self._present(picture, image)
        for step in (1, -1):
            beside = self._row.beside(picture.id, step)
            if beside is not None and beside.id not in self._images:
                background.run(_read, beside.id, beside.file, done=self._arrived)

    @Slot(object)
    def _arrived(self, read: tuple[int, QImage]) -> None:
        if self.screen is None:
            return  # left meanwhile: nobody looks at it, and it is large
        self._keep(*read)
        if self._picture is not None and self._picture.id == read[0]:
            self._present(self._picture, read[1])

    def _present(self, picture: Picture, image: QImage) -> None:
        if self.screen is not None:
            number, count = self._row.place_of(picture.id)
            place = f"{number} / {count}" if count > 1 else ""
            self.screen.show_picture(image, picture.prompt, place, starred=picture.starred)

    def _keep(self, picture: int, image: QImage) -> None:
        self._images[picture] = image
        self._images.move_to_end(picture)
        while len(self._images) > _CACHED:
            self._images.popitem(last=False)

    def _stored(self, picture: int) -> Picture | None:
        try:
            return self._history.store.get(picture)
        except KeyError:
            return None

    # What the keys do

    @Slot(int)
    def _step(self, step: int) -> None:
        beside = self._row.beside(self._picture.id, step) if self._picture is not None else self._row.end(0)
        if beside is not None:
            self._show(beside)
        elif self.screen is not None:
            self.screen.tell(self.tr("This is the oldest") if step > 0 else self.tr("This is the newest"))

    @Slot(int)
    def _jump(self, place: int) -> None:
        target = self._row.end(place)
        if target is not None:
            self._show(target)

    @Slot()
    def _star(self) -> None:
        if self._picture is not None:
            self._history.commands.star([self._picture])
            self._picture = self._stored(self._picture.id)
            if self._picture is not None and self.screen is not None:
                self.screen.set_star(self._picture.starred)

    @Slot()
    def _delete(self) -> None:
        gone = self._picture
        if gone is None:
            return
        beside = self._row.beside(gone.id, 1) or self._row.beside(gone.id, -1)
        self._history.commands.delete_pictures([gone.id])
        if beside is None:
            self._picture = None
            if self.screen is not None:
                self.screen.close()
            return
        self._show(beside)
        if self.screen is not None:
            self.screen.tell(self.tr("Moved to the trash. {0} brings it back.").format(keymap.shown("screen_undo")))

    @Slot()
    def _undo(self) -> None:
        back = self._history.commands.undo_delete()
        picture = self._stored(back[0]) if back else None
        if picture is not None:
            self._show(picture)

    @Slot()
    def _copy(self) -> None:
        image = self._images.get(self._picture.id) if self._picture is not None else self._canvas.canvas.image()
        if image is not None and not image.isNull():
            copy_picture(image, self._picture.file if self._picture is not None else None)
            if self.screen is not None:
                self.screen.tell(self.tr("Copied"))

    @Slot()
    def _left(self) -> None:
        """Back: the canvas shows what was looked at last, unless a picture forms on it."""
        self.screen = None
        self._images.clear()
        self._window.activateWindow()
        picture, self._picture = self._picture, None
        shown = self._state.result.picture if self._state.result is not None else None
        if picture is None:
            return
        if self._row is not self._history.model or picture.id == shown:
            self._history.commands.choose(picture)
        elif self._state.jobs.busy:
            self._history.release_ring()  # as for one that is clicked: the canvas stays with what is drawn
        else:
            self._history.show_picture(picture.id)


def _read(picture: int, file: Path) -> tuple[int, QImage]:
    return picture, read_image(file)
