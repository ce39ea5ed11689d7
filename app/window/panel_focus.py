"""F6: from panel to panel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtWidgets import QApplication, QWidget

from app.look import focus


@dataclass(frozen=True, eq=False)
class Station:
    """One panel: the area, and the widget in it that takes the focus."""

    area: QWidget
    entry: QWidget


class PanelFocus(QObject):
    """Moves the focus to the next or the previous panel.

    Args:
        stations: the panels as they are now, in order.
    """

    def __init__(self, parent: QObject, stations: Callable[[], Sequence[Station]]) -> None:
        super().__init__(parent)
        self._stations = stations

    @Slot()
    def next(self) -> None:
        self._step(1)

    @Slot()
    def previous(self) -> None:
        self._step(-1)

    def here(self) -> int:
        """Index of the panel with the focus, or -1."""
        focused = QApplication.focusWidget()
        for index, station in enumerate(self._stations()):
            if focused is not None and (focused is station.area or station.area.isAncestorOf(focused)):
                return index
        return -1

    def _step(self, step: int) -> None:
        stations, here = self._stations(), self.here()
        following = here + step if here >= 0 else (0 if step > 0 else -1)
        entry = stations[following % len(stations)].entry
        entry.setFocus(Qt.FocusReason.ShortcutFocusReason)
        focus.reveal(entry)
