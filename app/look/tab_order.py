"""Tab follows what is seen: the layouts, not the order in which widgets were made.

Qt appends every new widget to the end of its window's focus chain. What is made later (chips of another model, the cards of an
error) would be reached last, far from where it stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLayout, QWidget


def follow_layout(window: QWidget) -> None:
    """Put the widgets of a window that take Tab into the order of its layouts; nothing happens where they are in it.

    What stands in no layout comes after what does, in the order it has.
    """
    chain = _chain(window)
    stops = [widget for widget in chain if _is_stop(widget)]
    place = {widget: index for index, widget in enumerate(chain)}
    wanted = [widget for widget in _walk(window, place) if _is_stop(widget)]
    if wanted == stops:
        return
    for first, second in pairwise(wanted):
        QWidget.setTabOrder(first, second)


def _chain(window: QWidget) -> list[QWidget]:
    widgets, widget = [], window.nextInFocusChain()
    while widget is not None and widget is not window:
        widgets.append(widget)
        widget = widget.nextInFocusChain()
    return widgets


def _is_stop(widget: QWidget) -> bool:
    return bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus) and widget.focusProxy() is None


def _walk(widget: QWidget, place: dict[QWidget, int]) -> Iterator[QWidget]:
    """The widgets inside one, each before its own children."""
    children = [child for child in widget.children() if isinstance(child, QWidget) and not child.isWindow()]
    layout = widget.layout()
    laid = {held: index for index, held in enumerate(_held(layout))} if layout is not None else {}
    last = len(place) + len(laid)
    for child in sorted(children, key=lambda child: (laid.get(child, last), place.get(child, last))):
        yield child
        yield from _walk(child, place)


def _held(layout: QLayout) -> Iterator[QWidget]:
    for index in range(layout.count()):
        item = layout.itemAt(index)
        if item is None:
            continue
        held, inner = item.widget(), item.layout()
        if held is not None:
            yield held
        elif inner is not None:
            yield from _held(inner)
