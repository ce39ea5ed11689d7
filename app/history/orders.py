"""The orders in which pictures are shown: the same ones in every menu and bar."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu

from app.language.say import say


def orders() -> tuple[tuple[str, bool], ...]:
    """The words of each order, and whether it puts the most alike pictures first."""
    return (say("Newest first"), False), (say("Most alike first"), True)


def add_order_entries(menu: QMenu, choose: Callable[[bool], object], most_alike: bool) -> None:
    """Add the orders to a menu, one of which is marked. ``choose`` is given what ``orders`` says of the one that is chosen."""
    group = QActionGroup(menu)
    for words, alike in orders():
        entry = menu.addAction(words, partial(choose, alike))
        entry.setCheckable(True)
        entry.setChecked(alike == most_alike)
        group.addAction(entry)
