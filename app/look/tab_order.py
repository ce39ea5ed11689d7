"""Tab reaches what was made later where it stands.

Qt appends every new widget to the end of its window's focus chain: the chips of a model that was opened would be reached last,
behind the history. Who fills a part of the window later says where Tab is to find it.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from PySide6.QtWidgets import QWidget


def tab_after(anchor: QWidget, widgets: Iterable[QWidget]) -> None:
    """Put widgets behind another one of the same window, in the order given."""
    for first, second in pairwise((anchor, *widgets)):
        QWidget.setTabOrder(first, second)


def tab_within(holder: QWidget, widgets: Iterable[QWidget]) -> None:
    """Put widgets inside another one where that stands, in the order given."""
    # Qt puts nothing behind its own ancestor: they go before it, behind what comes before all of their ancestors.
    before = holder.previousInFocusChain()
    while before is not None and before.isAncestorOf(holder):
        if before.isWindow():
            return
        before = before.previousInFocusChain()
    if before is not None:
        tab_after(before, widgets)
