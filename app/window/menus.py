"""The window's actions and menus, made from the table of keys."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QMainWindow, QMenu, QMenuBar

from app.shortcuts import GROUPS, TABLE, WINDOW, BoundAction, bind, group_label, keymap, sequences

_SEPARATED_BEFORE = (
    "save",
    "export_cutout",
    "quit",
    "vary",
    "new_seed",
    "compare",
    "fit",
    "toggle_history",
    "undo",
    "settings",
)


class Commands(QObject):
    """Every action of the context "window", bound to what it does.

    Args:
        window: gets the shortcuts; on macOS also the menu bar.
        runs: slots by action. Actions of the table that the window does not run are left to their panels.
        offered: tells of actions that are never switched off whether a menu is to offer them now.
        fills: by group, what puts the entries into its menu each time it opens, where they depend on what there is.
    """

    def __init__(
        self,
        window: QMainWindow,
        runs: Mapping[str, Callable[..., object]],
        offered: Callable[[], Mapping[str, bool]],
        fills: Mapping[str, Callable[[QMenu], object]],
    ) -> None:
        super().__init__(window)
        self._window, self._offered, self._fills = window, offered, fills
        self._grey: list[BoundAction] = []
        self.actions: dict[str, BoundAction] = {}
        for line in TABLE:
            if line.context == WINDOW and line.id in runs:
                self.actions[line.id] = bind(window, line.id, runs[line.id])
        self.menu = QMenu(window)
        self._menus: list[QMenu] = []
        self._bar: QMenuBar | None = None
        self._editing = False
        self._fill()
        keymap.changed.connect(self._retitle)
        keymap.changed.connect(self._share_escape)
        self._share_escape()

    def _fill(self) -> None:
        self._bar = self._window.menuBar() if sys.platform == "darwin" else None
        for group in GROUPS:
            lines = [line for line in TABLE if line.group == group and line.id in self.actions]
            if not lines:
                continue
            menu = QMenu(self._window)
            menu.setProperty("group", group)
            if group in self._fills:
                menu.aboutToShow.connect(self._fill_anew)
            else:
                menu.aboutToShow.connect(self._make_grey)
                menu.aboutToHide.connect(self._make_plain)
            for line in lines:
                if line.id in _SEPARATED_BEFORE and menu.actions():
                    menu.addSeparator()
                menu.addAction(self.actions[line.id])
            self._menus.append(menu)
            self.menu.addMenu(menu)
            if self._bar is not None:
                self._bar.addMenu(menu)
        self._retitle()

    @Slot()
    def _fill_anew(self) -> None:
        menu = self.sender()
        assert isinstance(menu, QMenu)
        menu.clear()
        self._fills[menu.property("group")](menu)

    @Slot()
    def _make_grey(self) -> None:
        """While a menu is open, what has no use now is grey in it. Its keys act again as soon as it is closed."""
        self._make_plain()
        for name, offered in self._offered().items():
            action = self.actions[name]
            if not offered and action.isEnabled():
                action.setEnabled(False)
                self._grey.append(action)

    @Slot()
    def _make_plain(self) -> None:
        for action in self._grey:
            action.setEnabled(True)
        self._grey = []

    @Slot()
    def _retitle(self) -> None:
        for menu in self._menus:
            menu.setTitle(group_label(menu.property("group")))

    def menu_of(self, group: str) -> QMenu:
        """Return the menu of a group of the table."""
        return next(menu for menu in self._menus if menu.property("group") == group)

    def set_editing(self, editing: bool) -> None:
        """Tell whether the editor of the cut-out is open, which has keys of its own."""
        self._editing = editing
        self._share_escape()

    @Slot()
    def _share_escape(self) -> None:
        """Two actions on one key would block each other: while the editor is open, Esc is its own."""
        keys = keymap.keys("cancel")
        if self._editing:
            keys = tuple(key for key in keys if key not in keymap.keys("leave_editor"))
        self.actions["cancel"].setShortcuts(sequences(keys))

    def retranslate(self) -> None:
        for action in self.actions.values():
            action.refresh()
        self._retitle()

    def enable(self, **enabled: bool) -> None:
        """Switch actions on and off by their names."""
        for name, on in enabled.items():
            if name in self.actions:
                self.actions[name].setEnabled(on)
