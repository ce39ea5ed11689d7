"""The menu of the picture on the canvas, and the keys of the canvas that act on its file."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, QPoint, Qt, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu

from app.canvas.panel import CanvasPanel
from app.history.panel import HistoryPanel
from app.language.say import say
from app.session.state import SessionState
from app.shortcuts import add_entry, bind, shortcut
from app.store.history_store import Picture
from app.system.sharing import reveal
from app.window.full_screen import FullScreen
from app.window.menus import Commands
from app.window.toasts import Toast


class PictureMenu(QObject):
    """See the module.

    Args:
        commands: the window's actions: what cannot be done now is grey here, too.
        history: has the pictures, and does what is done with their files.
        full_screen: shows the picture alone on the screen.
    """

    def __init__(
        self,
        canvas: CanvasPanel,
        state: SessionState,
        commands: Commands,
        history: HistoryPanel,
        full_screen: FullScreen,
        toast: Toast,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._canvas, self._state, self._history = canvas, state, history
        self._actions, self._full_screen, self._toast = commands.actions, full_screen, toast
        canvas.canvas.menuWanted.connect(self._open)
        canvas.results.grid.menuWanted.connect(self._open_for_current)
        bind(canvas.canvas, "view_canvas", self.view)
        bind(canvas.canvas, "reveal_canvas", self.reveal)
        bind(canvas.canvas, "delete_canvas", self.delete)

    def picture(self) -> Picture | None:
        """The picture on the canvas as the history has it; None while it forms, was stopped, or is being saved. Of several side
        by side it is the current one."""
        current = self._canvas.current_result()
        if current is not None:
            return current
        result = self._state.result
        if result is None or result.picture is None:
            return None
        try:
            return self._history.store.get(result.picture)
        except KeyError:
            return None

    @Slot(QPoint)
    def _open(self, position: QPoint) -> None:
        menu = self.menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(position)

    @Slot(QPoint)
    def _open_for_current(self, position: QPoint) -> None:
        """Of several side by side: the history's menu, which acts on what is chosen there."""
        picture = self.picture()
        if picture is not None:
            self._history.view.choose(picture.id)
            menu = self._history.context_menu()
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(position)

    def menu(self) -> QMenu:
        """The actions on the picture that is shown."""
        menu, picture, actions = QMenu(self._canvas), self.picture(), self._actions
        kept, commands = picture is not None, self._history.commands
        add_entry(menu, "view_canvas", self.view)
        menu.addSeparator()
        menu.addAction(actions["copy"])
        add_entry(menu, "copy_prompt", self.copy_prompt, enabled=self._canvas.request is not None)
        for name in ("save", "save_plain", "save_2x", "save_4x"):
            menu.addAction(actions[name])
        menu.addSeparator()
        for name in ("vary", "redraw", "redraw_region", "cut_out", "compare"):
            menu.addAction(actions[name])
        menu.addSeparator()
        for name, what in (("recall_all", "all"), ("recall_prompt", "prompt"), ("recall_seed", "seed")):
            entry = menu.addAction(_recall_words(name))
            entry.setEnabled(kept)
            if picture is not None:
                entry.triggered.connect(partial(self._recall, picture, what))
        menu.addSeparator()
        starred = self._canvas.actions_bar.starred()
        words = say("Take the star away") if starred else ""
        add_entry(menu, "star_canvas", self._canvas.toggle_star, enabled=kept, text=words)
        there = kept and not commands.is_missing(picture)  # type: ignore[arg-type]
        add_entry(menu, "reveal_canvas", self.reveal, enabled=there)
        menu.addSeparator()
        add_entry(menu, "delete_canvas", self.delete, enabled=kept)
        return menu

    def _recall(self, picture: Picture, what: str) -> None:
        self._history.commands.recall(picture, what)

    @Slot()
    def view(self) -> None:
        """The picture alone on the screen."""
        current = self._canvas.current_result()
        if current is not None:
            self._full_screen.open(current)
        else:
            self._full_screen.open_shown()

    @Slot()
    def copy_prompt(self) -> None:
        """The prompt of the picture that is shown, to the clipboard."""
        if self._canvas.request is not None:
            QGuiApplication.clipboard().setText(self._canvas.request.prompt)
            self._toast.show_message(say("Prompt copied"))

    @Slot()
    def reveal(self) -> None:
        """The file of the picture that is shown in the system's file manager."""
        picture = self.picture()
        if picture is not None:
            reveal(picture.file)

    @Slot()
    def delete(self) -> None:
        """The picture that is shown to the trash, unless the keys belong to the frame that lies over it."""
        picture = self.picture()
        if picture is not None and not self._canvas.placement.is_over():
            self._history.commands.delete_pictures([picture.id])


def _recall_words(action: str) -> str:
    """The words of the history's table without its keys, which act in the history only."""
    return shortcut(action).label
