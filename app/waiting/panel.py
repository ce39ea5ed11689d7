"""The queue over the canvas: every picture that was asked for and is not drawn, to look at, sort, take out and try again."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QMenu, QVBoxLayout, QWidget

from app.look import focus
from app.look import type as type_
from app.look.controls import Card, Divider, IconButton, PlainButton, label
from app.look.layout import retranslates
from app.session.queue import PictureQueue
from app.session.waiting_line import QueueEntry
from app.shortcuts import add_entry, bind, keymap, shortcut
from app.waiting.model import QueueModel
from app.waiting.rows import QueueView

_WIDTH, _HEIGHT, _EDGE = 340, 400, 12


class QueuePanel(Card):
    """A card at the lower right corner of its host; work goes on beside it.

    Signals:
        closed: put away by its cross or Esc.
        takenOut(int): so many pictures were taken out; ``undo`` brings them back.
    """

    closed = Signal()
    takenOut = Signal(int)

    def __init__(self, queue: PictureQueue, host: QWidget) -> None:
        super().__init__(host)
        self.setObjectName("queuePanel")
        self._queue, self._host = queue, host
        self.model = QueueModel(queue)
        self.view = QueueView(self.model, self)
        self.title = label("", "section")
        self.close_button = IconButton("x", "", "Esc", self, side=28)
        self.empty = label("", "body", "muted", wrap=True)
        self.pause_button = PlainButton("", "pause")
        self.resume_button = PlainButton("", "play")
        self.retry_button = PlainButton("", "repeat")
        self._build()
        self.close_button.clicked.connect(self.put_away)
        self.pause_button.clicked.connect(queue.pause)
        self.resume_button.clicked.connect(queue.resume)
        self.retry_button.clicked.connect(self.retry_failed)
        self.view.menuWanted.connect(self._menu)
        self.view.doubleClicked.connect(self._draw_chosen)
        self.model.layoutChanged.connect(self._follow)
        bind(self.view, "queue_up", self.move_up)
        bind(self.view, "queue_down", self.move_down)
        bind(self.view, "queue_first", self.move_first)
        bind(self.view, "queue_take_out", self.take_out)
        bind(self.view, "queue_draw", self._draw_chosen)
        keymap.changed.connect(self.retranslate)
        host.installEventFilter(self)
        self.retranslate()
        self.hide()

    def _build(self) -> None:
        top = QHBoxLayout()
        top.setContentsMargins(16, 8, 8, 0)
        top.addWidget(self.title, 1)
        top.addWidget(self.close_button)
        buttons = QHBoxLayout()
        buttons.setContentsMargins(4, 4, 4, 4)
        for button in (self.pause_button, self.resume_button, self.retry_button):
            buttons.addWidget(button)
        buttons.addStretch(1)
        self.empty.setContentsMargins(16, 0, 16, 16)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self._line = Divider(self)
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(4)
        column.addLayout(top)
        column.addWidget(self.view, 1)
        column.addWidget(self.empty, 1)
        column.addWidget(self._line)
        column.addLayout(buttons)

    # Open and away

    @Slot()
    def toggle(self) -> None:
        """Open it with the focus on its list, or put it away."""
        if self.isVisible():
            self.put_away()
        else:
            self._follow()
            self.show()
            self._place()
            self.raise_()
            if self.model.entries and not self.view.currentIndex().isValid():
                self.view.choose(self.model.entries[0].number)
            place = self.view if self.model.entries else self.close_button
            place.setFocus(Qt.FocusReason.ShortcutFocusReason)

    @Slot()
    def put_away(self) -> None:
        self.hide()
        self.closed.emit()

    def _place(self) -> None:
        width = min(type_.scaled(_WIDTH), self._host.width() - 2 * _EDGE)
        self._column.activate()  # what was hidden a moment ago counts no more
        filled = type_.scaled(_HEIGHT) if self.model.entries else self._column.totalHeightForWidth(width)
        height = min(filled, self._host.height() - 2 * _EDGE)
        corner = QPoint(self._host.width() - width - _EDGE, self._host.height() - height - _EDGE)
        self.setGeometry(QRect(corner.x(), corner.y(), width, height))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._host and event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return False

    def event(self, event: QEvent) -> bool:
        """Esc is taken before the window's Stop gets it: who looks at the queue wants to leave it."""
        return focus.takes_escape(event) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.put_away()
        else:
            super().keyPressEvent(event)

    # What is done with the entries

    def chosen(self) -> list[QueueEntry]:
        """The chosen entries, in their order."""
        numbers = set(self.view.chosen())
        return [entry for entry in self.model.entries if entry.number in numbers]

    @Slot()
    def move_up(self) -> None:
        """The chosen pictures one place earlier."""
        self._move(-1)

    @Slot()
    def move_down(self) -> None:
        """The chosen pictures one place later."""
        self._move(1)

    @Slot()
    def move_first(self) -> None:
        """The chosen pictures are drawn next."""
        first = next((entry for entry in self.model.entries if entry.phase != "drawing"), None)
        if first is not None:
            for entry in reversed(self.chosen()):
                line = [one for one in self.model.entries if _line(one) == _line(entry)]
                self._queue.move(entry.number, line[0].number)

    def _move(self, step: int) -> None:
        chosen = self.chosen() if step < 0 else self.chosen()[::-1]
        for entry in chosen:
            line = [one for one in self.model.entries if _line(one) == _line(entry)]
            place = [one.number for one in line].index(entry.number)
            if entry.phase == "drawing" or not 0 <= place + step < len(line):
                return  # what is chosen stays together at the end of the line
            after = place + step + (1 if step > 0 else 0)
            self._queue.move(entry.number, line[after].number if after < len(line) else None)
        if chosen:
            self.view.scrollTo(self.view.currentIndex())

    @Slot()
    def take_out(self) -> None:
        """Forget the chosen pictures; the one that is drawn is stopped."""
        chosen = self.chosen()
        if not chosen:
            return
        rows = [self.model.row_of(entry.number) for entry in chosen]
        beside = next((one for one in self.model.entries[max(rows) + 1 :] if one not in chosen), None)
        if beside is None:
            beside = next((one for one in reversed(self.model.entries[: min(rows)]) if one not in chosen), None)
        self._queue.take_out([entry.number for entry in chosen])
        if beside is not None:
            self.view.choose(beside.number)
        left = [entry for entry in chosen if entry.phase != "drawing"]
        if left:
            self.takenOut.emit(len(left))

    def undo(self) -> bool:
        """Bring back what was taken out last; returns False when there is nothing to bring back."""
        there = {entry.number for entry in self.model.entries}  # the keys are meant for what comes back
        undone = self._queue.bring_back()
        back = [entry.number for entry in self.model.entries if entry.number not in there]
        if back:
            self.view.choose(back[0])
        return undone

    @Slot()
    def retry_failed(self) -> None:
        """Draw again what an error ended."""
        self._queue.draw_held([entry.number for entry in self.model.entries if entry.phase == "failed"])

    @Slot()
    def _draw_chosen(self) -> None:
        """Draw what is chosen and held, or failed."""
        self._queue.draw_held([entry.number for entry in self.chosen() if entry.phase in ("held", "failed")])

    @Slot()
    def _copy_prompt(self) -> None:
        chosen = self.chosen()
        if chosen:
            QGuiApplication.clipboard().setText(chosen[0].request.prompt)

    @Slot(QPoint)
    def _menu(self, position: QPoint) -> None:
        menu = self.context_menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(position)

    def context_menu(self) -> QMenu:
        """The actions on the chosen pictures, and on all."""
        menu, chosen = QMenu(self), self.chosen()
        phases = {entry.phase for entry in chosen}
        movable = bool(chosen) and "drawing" not in phases
        add_entry(menu, "queue_first", self.move_first, enabled=movable)
        add_entry(menu, "queue_up", self.move_up, enabled=movable)
        add_entry(menu, "queue_down", self.move_down, enabled=movable)
        menu.addSeparator()
        held = bool(phases & {"held", "failed"})
        words = self.tr("Try again") if phases == {"failed"} else ""
        add_entry(menu, "queue_draw", self._draw_chosen, enabled=held, text=words)
        menu.addAction(shortcut("copy_prompt").label, self._copy_prompt).setEnabled(len(chosen) == 1)
        menu.addSeparator()
        words = self.tr("Stop this picture") if phases == {"drawing"} else ""
        add_entry(menu, "queue_take_out", self.take_out, enabled=bool(chosen), text=words)
        return menu

    # What it shows

    @Slot()
    def _follow(self) -> None:
        phases = [entry.phase for entry in self.model.entries]
        failed = phases.count("failed")
        focused = self._has_focus()
        self.view.setVisible(bool(phases))
        self.empty.setVisible(not phases)
        self.pause_button.setVisible("waiting" in phases)
        self.resume_button.setVisible("held" in phases)
        self.retry_button.setVisible(bool(failed))
        self._line.setVisible(any(phase != "drawing" for phase in phases))
        count = len(phases)
        self.title.setText(self.tr("Queue") if not count else self.tr("Queue, {0}").format(count))
        # Where what had it is put away: Esc goes on closing the queue, and stops nothing.
        if focused and not self._has_focus():
            (self.view if phases else self.close_button).setFocus(Qt.FocusReason.OtherFocusReason)
        if self.isVisible():
            self._place()

    def _has_focus(self) -> bool:
        focused = QApplication.focusWidget()
        return focused is not None and self.isAncestorOf(focused)

    @Slot()
    def retranslate(self) -> None:
        self.setAccessibleName(self.tr("Queue"))
        self.view.setAccessibleName(self.tr("Queue"))
        self.close_button.describe(self.tr("Close"), "Esc")
        self.empty.setText(
            self.tr("Nothing waits. A press of Generate while a picture is drawn puts the next one here.")
        )
        self.pause_button.setText(self.tr("Pause"))
        self.pause_button.setToolTip(self.tr("Finish this picture and keep the others for later"))
        self.resume_button.setText(self.tr("Go on"))
        self.resume_button.setToolTip(self.tr("Draw what is paused"))
        self.retry_button.setText(self.tr("Try again"))
        self.retry_button.setToolTip(self.tr("Draw again what failed"))
        self._follow()

    def changeEvent(self, event: QEvent) -> None:
        if retranslates(event):
            self.retranslate()
        super().changeEvent(event)


def _line(entry: QueueEntry) -> bool:
    """The part of the queue it is in, what waits or what is held: pictures change places within one of the two."""
    return entry.phase in ("held", "failed")
