"""The settings' page of keys: every action with its key, conflicts said in words."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, QKeyCombination, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QKeySequenceEdit, QLineEdit, QVBoxLayout, QWidget

from app.language import sentences
from app.look import type as type_
from app.look.controls import IconButton, OutlinedButton, PlainButton, label
from app.shortcuts import GROUPS, TABLE, Shortcut, as_written, group_label, keymap, sequence
from app.system.deferred import DeferredSteps

_SEEN = 2
"""Groups that fill the page as it is seen at first."""


class KeysPage(QWidget):
    """See the module.

    Attributes:
        rows: one for every action that has a key, by the action's id; complete when ``building`` is done.

    Signals:
        changed: keys of the table were changed; they are in ``keymap``.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, KeyRow] = {}
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 16, 4)
        column.setSpacing(4)
        column.setSizeConstraint(QVBoxLayout.SizeConstraint.SetMinimumSize)  # it grows with its rows at once
        groups = [group for group in GROUPS if _lines(group)]
        for group in groups[:_SEEN]:
            self._add(group, self._rows_of(group))
        # The others are below what is seen at first, and all at once they keep the dialog waiting. They are laid out in one
        # go: the rows that are there would move with each group.
        self._built: dict[str, list[KeyRow]] = {}
        self.building = DeferredSteps(
            (*(partial(self._build, group) for group in groups[_SEEN:]), self._add_built), self
        )

    def _build(self, group: str) -> None:
        self._built[group] = self._rows_of(group)

    def _rows_of(self, group: str) -> list[KeyRow]:
        rows = [KeyRow(line) for line in _lines(group)]
        for row in rows:
            row.show_conflict()
            row.changed.connect(self._key_changed)
            row.taken.connect(self._show_keys)
            self.rows[row.line.id] = row
        return rows

    def _add(self, group: str, rows: list[KeyRow]) -> None:
        self._column.addWidget(label(group_label(group), "section"))
        for row in rows:
            self._column.addWidget(row)
            row.edit.ensurePolished()  # as high as it will be, before the others make place for it
        self._column.addSpacing(12)

    def _add_built(self) -> None:
        for group, rows in self._built.items():
            self._add(group, rows)
        self._built = {}
        reset = OutlinedButton(self.tr("Reset all"), "rotate-ccw")
        reset.clicked.connect(self._reset)
        self._column.addWidget(reset, 0, Qt.AlignmentFlag.AlignLeft)

    @Slot()
    def _key_changed(self) -> None:
        self._show_conflicts()
        self.changed.emit()

    @Slot()
    def _reset(self) -> None:
        keymap.reset()
        self._show_keys()
        self._key_changed()

    @Slot()
    def _show_keys(self) -> None:
        for row in self.rows.values():
            row.refresh()

    def _show_conflicts(self) -> None:
        for row in self.rows.values():
            row.show_conflict()


def _lines(group: str) -> list[Shortcut]:
    """The actions of a group that a key can be given to."""
    return [line for line in TABLE if line.group == group and not line.gesture]


class KeyEdit(QKeySequenceEdit):
    """Qt's field for a key, in the words of this program: "Ctrl+Enter", and what to do while it waits for a key.

    Esc is no key to give: it leaves, as everywhere.

    Signals:
        givenUp: Esc was pressed after another key; the one of before is wanted again.
    """

    givenUp = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._before = self.keySequence()
        self.setMaximumSequenceLength(1)
        line = self.findChild(QLineEdit)
        assert line is not None  # the only part of Qt's field
        self._line: QLineEdit = line
        self._line.installEventFilter(self)
        self._line.textChanged.connect(self._write)
        self.keySequenceChanged.connect(self._invite)
        self._invite()

    def setKeySequence(self, keys: QKeySequence | QKeyCombination | QKeySequence.StandardKey | str | int) -> None:
        super().setKeySequence(keys)
        self._before = self.keySequence()
        self._invite()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() != Qt.Key.Key_Escape or event.modifiers():
            super().keyPressEvent(event)
        elif self.keySequence() != self._before:
            self.givenUp.emit()
        else:
            event.ignore()  # it closes the dialog

    def text(self) -> str:
        """The text of the field."""
        return self._line.text() or self._line.placeholderText()

    @Slot(str)
    def _write(self, text: str) -> None:
        if not self.keySequence().isEmpty() and (written := as_written(self.keySequence())) != text:
            self._line.setText(written)

    @Slot()
    def _invite(self) -> None:
        self._line.setPlaceholderText(self.tr("Press a key") if self._line.hasFocus() else self.tr("none"))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            QTimer.singleShot(0, self, self._invite)  # after Qt's own words
        return super().eventFilter(watched, event)


class KeyRow(QWidget):
    """One action with its keys. A conflict is said in words."""

    changed = Signal()
    taken = Signal()

    def __init__(self, line: Shortcut) -> None:
        super().__init__()
        self.line = line
        self.edit = KeyEdit()
        self.edit.setAccessibleName(line.label)
        type_.set_width(self.edit, 150)
        type_.apply(self.edit, "body")
        self.reset_button = IconButton("rotate-ccw", self.tr("Original key"), side=28)
        self.further = label("", "help", "muted")
        self.conflict = label("", "help", "danger", wrap=True)
        self.take_button = PlainButton("")
        self._wanted: tuple[str, ...] | None = None
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(label(line.label.rstrip("…"), "body", wrap=True))
        words.addWidget(self.further)
        row.addLayout(words, 1)
        row.addWidget(self.edit)
        row.addWidget(self.reset_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(row)
        line_below = QHBoxLayout()
        line_below.setContentsMargins(0, 0, 0, 0)
        line_below.addWidget(self.conflict, 1)
        line_below.addWidget(self.take_button)
        column.addLayout(line_below)
        self.take_button.clicked.connect(self._take)
        self.refresh()
        self.edit.editingFinished.connect(self._edited)
        self.edit.givenUp.connect(self._give_up)
        self.reset_button.clicked.connect(self._reset)

    def refresh(self) -> None:
        keys, self._wanted = keymap.keys(self.line.id), None
        self.edit.blockSignals(True)
        self.edit.setKeySequence(sequence(keys[0]) if keys else QKeySequence())
        self.edit.blockSignals(False)
        first, *others = [as_written(sequence(key)) for key in keys] or [""]
        further = [key for key in dict.fromkeys(others) if key != first]
        self.further.setText(self.tr("also {0}").format(sentences.listed(further)) if further else "")
        self.further.setVisible(bool(further))

    def show_conflict(self) -> None:
        others = keymap.conflicts(self.line.id, self._wanted)
        names = sentences.listed(f"“{other.label.rstrip('…')}”" for other in others)
        self.take_button.setText(self.tr("Take it from {0}").format(names))
        self.take_button.setVisible(bool(others))
        self.conflict.setText(self.tr("Also used by {0}").format(names) if others else "")
        self.conflict.setVisible(bool(others))
        self.reset_button.setEnabled(self._wanted is not None or keymap.keys(self.line.id) != self.line.keys)

    @Slot()
    def _edited(self) -> None:
        key = self.edit.keySequence().toString(QKeySequence.SequenceFormat.PortableText)
        before = keymap.keys(self.line.id)
        if key != (before[0] if before else ""):
            # The further keys of the table stay: Esc still stops when Shift+X became something else.
            wanted = (key, *before[1:]) if key else ()
            self._wanted = wanted if keymap.conflicts(self.line.id, wanted) else None
            if self._wanted is None:
                keymap.set_keys(self.line.id, wanted)
            # Two actions on one key would block each other: nothing is set until the user takes it from the other one.
            self.changed.emit()

    @Slot()
    def _give_up(self) -> None:
        self.refresh()
        self.changed.emit()

    @Slot()
    def _take(self) -> None:
        self._keep_focus()
        keymap.take(self.line.id, self._wanted if self._wanted is not None else keymap.keys(self.line.id))
        self._wanted = None
        self.taken.emit()
        self.changed.emit()

    @Slot()
    def _reset(self) -> None:
        self._keep_focus()
        keymap.set_keys(self.line.id, self.line.keys)
        self.refresh()
        self.changed.emit()

    def _keep_focus(self) -> None:
        """The button that was pressed goes or is switched off: without this the next key would be given to the row below."""
        self.edit.setFocus(Qt.FocusReason.OtherFocusReason)
