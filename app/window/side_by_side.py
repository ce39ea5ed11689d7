"""Several pictures side by side: shown by themselves when a press of Generate that asked for several is done, and when asked for."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtWidgets import QApplication

from app.canvas.results import MOST
from app.session.controller import Controller
from app.store.history_store import Picture
from app.window.panels import Panels
from engine import Finished, Started


class SideBySide(QObject):
    """Collects what one press draws, and connects the grid with the history."""

    def __init__(self, panels: Panels, controller: Controller, parent: QObject) -> None:
        super().__init__(parent)
        self._panels, self._state, self._store = panels, controller.state, controller.store
        self._history, self._canvas, self._view = panels.history, panels.canvas, panels.canvas.results
        self._drawn: list[int] = []
        self._kept: list[Picture] = []
        self._left: list[Picture] = []
        controller.drawing.connect(self._begins)
        controller.kept.connect(self._is_kept)
        controller.queue.finished.connect(self._finished)
        controller.queue.idle.connect(self._show_when_done)
        self._view.grid.opened.connect(self._open)
        self._view.grid.starWanted.connect(self._star)
        self._view.closed.connect(self._close)
        self._history.commands.starred.connect(self._starred)
        self._history.commands.deleted.connect(self._deleted)
        self._history.commands.opened.connect(self._another_shown)

    # The pictures of one press

    @Slot(object, object)
    def _begins(self, event: Started, size: object) -> None:
        jobs = self._state.jobs
        if jobs.index <= 1:
            self._drawn, self._kept = [], []

    @Slot(object, object)
    def _finished(self, event: Finished, images: object) -> None:
        self._drawn.append(event.request.seed)

    @Slot(object)
    def _is_kept(self, picture: Picture) -> None:
        if picture.seed in self._drawn:
            self._kept.append(picture)
            self._show_when_done()

    @Slot()
    def _show_when_done(self) -> None:
        """All of a press are drawn and on disk: show them, unless something else is being done over the canvas."""
        done = len(self._kept) == len(self._drawn) >= 2 and not self._state.jobs.busy
        if done and not self._panels.is_editing() and not self._canvas.placement.is_over():
            pictures, self._drawn, self._kept = self._kept, [], []
            self._show(pictures, take_focus=self._may_take_focus())

    def _may_take_focus(self) -> bool:
        """Return True if the pictures may take the focus: a user who types goes on typing."""
        sheet, focused = self._panels.prompt.sheet, QApplication.focusWidget()
        return focused in (None, sheet.generate, sheet.cancel, self._canvas.canvas)

    # Asked for

    def pictures(self) -> Sequence[Picture]:
        """The pictures to show: the chosen ones of the history, else those of the same request as the one on the canvas."""
        chosen = [picture for picture in self._history.view.chosen() if not self._history.model.is_missing(picture)]
        if len(chosen) > 1:
            return chosen[:MOST]
        shown = self._shown()
        return self._history.model.group_of(shown)[:MOST] if shown is not None else ()

    def can_show(self) -> bool:
        """Return True if there are pictures to show, or they are shown and can be put away."""
        return self._view.isVisible() or len(self.pictures()) > 1

    def _shown(self) -> int | None:
        """The picture on the canvas, which has the ring in the history: the tiles begin with it."""
        return self._state.result.picture if self._state.result is not None else None

    @Slot()
    def toggle(self) -> None:
        """Show them, or put them away."""
        if self._view.isVisible():
            self._close()
            return
        pictures = self.pictures()
        if self._state.jobs.busy:
            self._panels.toast.show_message(self.tr("The picture is shown when the drawing is done"))
        elif len(pictures) < 2:
            self._panels.toast.show_message(self.tr("Choose two or more pictures in the history first"))
        else:
            self._show(pictures, take_focus=True)

    def _show(self, pictures: Sequence[Picture], *, take_focus: bool) -> None:
        self._canvas.show_results(pictures, self._shown())
        if take_focus:
            self._view.grid.setFocus(Qt.FocusReason.ShortcutFocusReason)

    @Slot(object)
    def _open(self, picture: Picture) -> None:
        self._close()
        self._history.show_picture(picture.id)

    @Slot()
    def _close(self) -> None:
        focused = QApplication.focusWidget()
        had_focus = focused is not None and self._view.isAncestorOf(focused)
        self._canvas.close_results()
        if had_focus:
            self._canvas.canvas.setFocus(Qt.FocusReason.OtherFocusReason)

    # Stars and the trash

    @Slot(object)
    def _star(self, picture: Picture) -> None:
        self._history.commands.star([picture])

    @Slot(int, bool)
    def _starred(self, picture: int, on: bool) -> None:
        if self._view.isVisible() and any(one.id == picture for one in self._view.grid.pictures):
            self._view.grid.replace(self._store.get(picture))

    @Slot(tuple)
    def _deleted(self, pictures: tuple[int, ...]) -> None:
        left = [picture for picture in self._view.grid.pictures if picture.id not in pictures]
        if self._view.isVisible() and len(left) < len(self._view.grid.pictures):
            if len(left) < 2:
                self._close()
                return
            shown = self._shown()
            self._canvas.show_results(left, shown)
            self._left = left if shown is None or shown in pictures else []

    @Slot(object)
    def _another_shown(self, opened: object) -> None:
        """The picture on the canvas was thrown away from here: another one takes its place, and the others still stand over it."""
        left, self._left = self._left, []
        if left and not self._state.jobs.busy:
            self._show(left, take_focus=True)
