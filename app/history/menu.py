"""The menus of the history: for the chosen pictures, for what is shown, and for the folder they lie in."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtWidgets import QAbstractButton, QMenu

from app.history.commands import PictureCommands
from app.history.orders import add_order_entries
from app.language.say import say
from app.shortcuts import add_entry, shortcut


def add_picture_entries(menu: QMenu, commands: PictureCommands) -> None:
    """The entries for the chosen pictures; none when nothing is chosen."""
    chosen = commands.chosen()
    if not chosen:
        return
    one = chosen[0]
    missing = commands.is_missing(one)
    if missing:
        menu.addAction(say("Find the file…"), commands.locate)
        menu.addAction(say("Remove from the history"), commands.forget)
        menu.addSeparator()
    single = not missing and len(chosen) == 1
    add_entry(menu, "view_history", commands.view_large, enabled=single)
    menu.addSeparator()
    add_entry(menu, "recall_all", commands.recall_all, enabled=single)
    add_entry(menu, "recall_prompt", commands.recall_prompt, enabled=single)
    add_entry(menu, "recall_seed", commands.recall_seed, enabled=single)
    menu.addSeparator()
    starred = all(picture.starred for picture in chosen)
    add_entry(menu, "star", commands.toggle_star, text=say("Take the star away") if starred else "")
    if len(chosen) > 1:
        add_entry(menu, "side_by_side", commands.sideBySideRequested.emit, enabled=not missing)
    add_entry(menu, "history_compare", commands.compare, enabled=commands.can_compare(), text=_compare_words(commands))
    menu.addSeparator()
    there = [picture for picture in chosen if not commands.is_missing(picture)]
    if len(chosen) > 1:
        for text, metadata in (
            (say("Save {0} pictures to a folder…"), True),
            (say("Save {0} pictures without metadata…"), False),
        ):
            save = menu.addAction(text.format(len(there)), partial(commands.saveAllRequested.emit, there, metadata))
            save.setEnabled(bool(there))
    else:
        menu.addAction(say("Save as…"), partial(commands.saveRequested.emit, one, True)).setEnabled(not missing)
        menu.addAction(say("Save without metadata…"), partial(commands.saveRequested.emit, one, False)).setEnabled(
            not missing
        )
    menu.addAction(say("Copy picture"), partial(commands.copyRequested.emit, one)).setEnabled(single)
    menu.addAction(shortcut("copy_prompt").label, commands.copy_prompt).setEnabled(len(chosen) == 1)
    add_entry(menu, "reveal", commands.reveal, enabled=not missing)
    menu.addSeparator()
    add_entry(menu, "delete", commands.delete)
    menu.addSeparator()


def _compare_words(commands: PictureCommands) -> str:
    """The label of *Compare*: which pictures, or why it cannot. A menu has no tooltips."""
    chosen = commands.chosen()
    if commands.can_compare():
        return say("Compare with the one before") if len(chosen) == 1 else say("Compare the two")
    if len(chosen) > 2:
        return say("Compare: choose only two")
    if any(commands.is_missing(picture) for picture in chosen):
        return say("Compare: the file is missing")
    return say("Compare: Ctrl-click another one, too")


def add_view_entries(
    menu: QMenu,
    star: QAbstractButton,
    search: Callable[[], object],
    choose_order: Callable[[bool], object],
    most_alike: bool,
    commands: PictureCommands,
) -> None:
    """Add to a menu which pictures of the history are shown, in which order, and where they lie.

    Args:
        star: the button of *Starred only*, which the entry presses.
        choose_order, most_alike: as ``add_order_entries`` takes them.
    """
    only = menu.addAction(say("Starred only"), star.toggle)
    only.setCheckable(True)
    only.setChecked(star.isChecked())
    add_entry(menu, "search", search)
    menu.addSeparator()
    add_order_entries(menu, choose_order, most_alike)
    menu.addSeparator()
    add_folder_entries(menu, commands)


def add_folder_entries(menu: QMenu, commands: PictureCommands) -> None:
    """The folder of all pictures."""
    menu.addAction(say("Open the pictures folder"), commands.open_folder)
    menu.addAction(say("Rescan folder"), commands.rescan)
