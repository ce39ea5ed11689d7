"""F1: every key, from the one table."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.dialogs.frame import Dialog
from app.look.controls import ElidedLabel, clear, label
from app.look.key_cap import KeyCap
from app.look.layout import ScrollArea
from app.shortcuts import GROUPS, TABLE, Shortcut, group_label, keymap


def key_caps(key: str) -> QWidget:
    """A row of caps for one combination ("Ctrl+Shift+Z") or gesture ("Shift+click")."""
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(4)
    row.addStretch(1)
    for part in split_keys(key):
        row.addWidget(KeyCap(part))
    return holder


def split_keys(key: str) -> list[str]:
    """ "Ctrl++" → ["Ctrl", "+"]: the plus between keys is not the plus key."""
    if not key:
        return []
    plus = key.endswith("++") or key == "+"
    parts = [part for part in key.split("+") if part]
    return [*parts, "+"] if plus else parts


class HelpDialog(Dialog):
    """All keys by group, with a field to search them.

    Args:
        words: of actions whose words are not those of the table; "" leaves an action out that does nothing now.
    """

    def __init__(self, window: QWidget, words: Mapping[str, str] | None = None) -> None:
        super().__init__("", window, 860, 668)
        self._words = words or {}
        self.setWindowTitle(self.tr("Keys and help"))
        self.title.setText(self.tr("Keys and help"))
        self.setAccessibleName(self.tr("Keys and help"))
        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Search the keys"))
        self.search.setAccessibleName(self.tr("Search the keys"))
        self.search.textChanged.connect(self._fill)
        self.body.addWidget(self.search)
        area = ScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        content = QWidget()
        content.setProperty("scrolled", "true")
        self._columns = QHBoxLayout(content)
        self._columns.setContentsMargins(0, 0, 12, 0)
        self._columns.setSpacing(32)
        area.setWidget(content)
        self.body.addWidget(area, 1)
        self.nothing = label(self.tr("No key does that."), "body", "muted")
        self.body.addWidget(self.nothing)
        self._fill("")
        self.search.setFocus()

    def _fill(self, wanted: str) -> None:
        clear(self._columns)
        groups = [(group, found) for group in GROUPS if (found := self._matching(group, wanted))]
        self.nothing.setVisible(not groups)
        first = _first_column([len(found) + 2 for _, found in groups])
        columns = [QVBoxLayout(), QVBoxLayout()]
        for column in columns:
            column.setSpacing(2)
        for index, (group, found) in enumerate(groups):
            column = columns[0] if index < first else columns[1]
            heading = label(group_label(group), "section")
            heading.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
            column.addWidget(heading)
            grid = QGridLayout()
            grid.setContentsMargins(0, 4, 0, 16)
            grid.setHorizontalSpacing(16)
            grid.setVerticalSpacing(6)
            grid.setColumnStretch(0, 1)
            for row, line in enumerate(found):
                grid.addWidget(ElidedLabel(self._words_of(line), "body"), row, 0)
                grid.addWidget(key_caps(keymap.shown(line.id)), row, 1, Qt.AlignmentFlag.AlignRight)
            column.addLayout(grid)
        for column in columns:
            column.addStretch(1)
            self._columns.addLayout(column, 1)

    def _words_of(self, line: Shortcut) -> str:
        return self._words.get(line.id, line.label.rstrip("…"))

    def _matching(self, group: str, wanted: str) -> list[Shortcut]:
        words = wanted.lower().split()
        lines = [
            line
            for line in TABLE
            if line.group == group
            and self._words_of(line)
            and keymap.shown(line.id)
            and all(
                word in f"{self._words_of(line)} {keymap.shown(line.id)} {group_label(group)}".lower() for word in words
            )
        ]
        # One action can be in the table twice, for two contexts; here it is one line.
        return list({(self._words_of(line), keymap.shown(line.id)): line for line in lines}.values())


def _first_column(heights: list[int]) -> int:
    """Return the number of groups in the first of two columns, so that the longer column is as short as it can be."""
    splits = range(1, len(heights) + 1)
    return min(splits, key=lambda n: max(sum(heights[:n]), sum(heights[n:])), default=0)
