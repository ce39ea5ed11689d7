"""The history at the bottom: every picture, newest first."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, QTimer, Slot
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QMenu,
    QSizePolicy,
    QSpacerItem,
    QVBoxLayout,
    QWidget,
)

from app.history.commands import PictureCommands
from app.history.model import HistoryModel, Running, square
from app.history.picture_list import HistoryView
from app.history.scroll_arrows import ScrollArrows
from app.look import type as type_
from app.look.controls import IconButton, SearchField, label
from app.look.layout import retranslates
from app.look.pixels import paint_dashed, to_image
from app.look.theme import notifier, radius, size, space, theme
from app.look.thumbnails import choose_rows
from app.shortcuts import bind, keymap

if TYPE_CHECKING:
    import numpy as np

    from app.store.history_store import HistoryStore, Picture
    from engine import GenerationRequest

_SIDE, _STAR = 106, 34


class HistoryPanel(QWidget):
    """Shows and finds pictures. What is done with them, and told of it, is its ``commands``'."""

    def __init__(self, store: HistoryStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._focus_waits = False
        self.setObjectName("historyPanel")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.store = store
        self.model = HistoryModel(store)
        self.view = HistoryView(self.model, self)
        self.commands = PictureCommands(store, self.model, self.view, self)
        self._compact = False
        self._shown: int | None = None
        self._chosen: list[int] = []
        self._build()
        self._connect()
        self.retranslate()
        self.reload()

    def _build(self) -> None:
        self.title = label("", "section")
        self.star_button = IconButton("star", "", parent=self, checkable=True)
        self.search_button = IconButton("search", "", parent=self, checkable=True)
        self.folder_button = IconButton("folder-open", "", parent=self)
        for button in (self.star_button, self.search_button, self.folder_button):
            button.set_icon_name(button.icon_name(), color=None)
        self.field = SearchField()
        self.field.setObjectName("historySearch")
        self.field.cross.triggered.connect(self._close_search)
        self.field.hide()
        self.gallery_button = IconButton("layout-grid", "", parent=self, side=36)
        self.arrows = ScrollArrows(self.view, self)
        self.side = QWidget(self)
        side = QVBoxLayout(self.side)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(4)
        buttons = QHBoxLayout()
        buttons.setSpacing(0)
        buttons.setContentsMargins(0, 0, 0, 0)
        buttons.addSpacing(-6)
        for button in (self.star_button, self.search_button, self.folder_button):
            buttons.addWidget(button)
        buttons.addStretch(1)
        side.addWidget(self.title)
        side.addLayout(buttons)
        side.addStretch(1)
        type_.set_width(self.side, _SIDE)
        self._field_gap = QWidget(self)
        self._field_gap.setFixedWidth(space(6))
        self._field_gap.hide()
        self._row = QHBoxLayout(self)
        self._row.setSpacing(0)
        self._row.addWidget(self.side)
        self._beside = beside = QVBoxLayout()  # the field stands beside the icons, whatever is above them
        beside.setSpacing(4)
        beside.addItem(QSpacerItem(0, 0))
        self._above = label("", "section")
        self._above.hide()
        beside.addWidget(self._above)
        beside.addWidget(self.field)
        beside.addStretch(1)
        self._row.addLayout(beside)
        self._row.addWidget(self._field_gap)
        self._row.addWidget(self.view, 1)
        self._row.addSpacing(space(2))
        self._row.addWidget(self.gallery_button)
        keep = self.view.sizePolicy()
        keep.setRetainSizeWhenHidden(True)
        self.view.setSizePolicy(keep)
        self._search_timer = QTimer(self, singleShot=True)
        self._search_timer.setInterval(150)
        self._more = QTimer(self, singleShot=True)
        self._more.setInterval(0)
        self._more.timeout.connect(self._load_more)
        self._set_margins()

    def _connect(self) -> None:
        view, commands = self.view, self.commands
        # A list that is read anew forgets what is chosen, whoever asked for it.
        self.model.modelAboutToBeReset.connect(self._note_chosen)
        self.model.modelReset.connect(self._choose_again)
        view.opened.connect(commands.open)
        view.menuWanted.connect(self._menu)
        view.givenBack.connect(self._ring)
        view.moved.connect(self.arrows.place)
        view.moved.connect(self._more.start)
        self.star_button.toggled.connect(self._filter)
        self.search_button.toggled.connect(self._show_search)
        self.folder_button.clicked.connect(commands.open_folder)
        self.folder_button.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.folder_button.customContextMenuRequested.connect(self._folder_menu)
        self.field.textChanged.connect(self._search_timer.start)
        self.field.installEventFilter(self)
        self._search_timer.timeout.connect(self._filter)
        commands.changed.connect(self.reload)
        bind(view, "star", commands.toggle_star)
        bind(view, "recall_all", commands.recall_all)
        bind(view, "recall_prompt", commands.recall_prompt)
        bind(view, "recall_seed", commands.recall_seed)
        bind(view, "history_compare", commands.compare)
        bind(view, "reveal", commands.reveal)
        bind(view, "view_history", commands.view_large)
        bind(view, "delete", commands.delete)
        keymap.changed.connect(self.retranslate)
        notifier.changed.connect(self.update)

    # What the window asks for

    def start(self) -> None:
        """Once, when the window is visible: finish what the last session deleted, and adopt pictures the index lacks."""
        self.commands.start()

    @Slot()
    def reload(self) -> None:
        """Show what the store has now; the selection and the place stay where they are."""
        self._keeping_place(self.model.reload)
        self.commands.check_files()

    def add(self, picture: Picture) -> None:
        """A picture that was just kept. The row moves only when it shows its beginning; several that are chosen stay so."""
        self._keeping_place(partial(self.model.add, picture))
        if picture.id == self._shown and self.model.running is None and len(self.view.chosen()) < 2:
            self.view.choose(picture.id, scroll=self.view.horizontalScrollBar().value() == 0)

    def set_shown(self, picture: int | None) -> None:
        """Another picture is on the canvas, or none: the ring goes to it, unless a picture forms, which has it, or the user
        has chosen several, to do something with them."""
        if picture == self._shown:
            return
        chosen = self.view.chosen_ids()
        before, self._shown = self._shown, picture
        if chosen == [before] and picture is None:
            self.view.clearSelection()
        elif picture is not None and picture not in chosen and len(chosen) < 2 and self.model.running is None:
            self.view.choose(picture)

    def release_ring(self) -> None:
        """Choose without showing: the ring stays where it was."""
        self.view.clearSelection()
        self._ring()

    def _ring(self) -> None:
        """Put the ring around the picture on the canvas while nothing is chosen."""
        if self._shown is not None and self.model.running is None and not self.view.chosen():
            self.view.choose(self._shown, scroll=False)

    def set_running(
        self, request: GenerationRequest | None, progress: str = "", pixels: np.ndarray | None = None
    ) -> None:
        """Show the picture that is drawn at the head of its group; None takes it away. ``progress``: "9 / 13"."""
        if request is None:
            self._keeping_place(partial(self.model.set_running, None))
            return
        if self.model.running is None and len(self.view.chosen()) < 2:
            # One ring in the row: the picture that forms takes the canvas, and the ring, of the one before it.
            self.view.clearSelection()
        image = square(to_image(pixels)) if pixels is not None else None
        running = Running(request, progress, image)
        if self.model.running is not None and self.model.running.request is request:
            self.model.set_running(running)
        else:
            self._keeping_place(partial(self.model.set_running, running))

    def show_picture(self, picture: int | None) -> bool:
        """Open a picture by its id, the newest one for None or for one that is not there. False for an empty history."""
        found = next(iter(self.store.read([picture])), None) if picture is not None else None
        if found is None:
            found = next(iter(self.model.pictures()), None)
        if found is not None:
            self.view.choose(found.id)
            self._ring()  # a picture that a filter hides gets it as soon as it is read
            self.commands.open(found)
        return found is not None

    def set_star(self, picture: int, starred: bool) -> None:
        """Starred elsewhere, for example on the canvas."""
        self.store.star([picture], starred)
        self.reload()

    def set_compact(self, compact: bool) -> None:
        """Windows lower than 760: no titles, small thumbnails, 64 high."""
        if compact != self._compact:
            self._compact = compact
            self._show_side()
            self._above.setVisible(not compact and not self.field.isHidden())
            self.view.set_compact(compact)
            self._set_margins()
            self.updateGeometry()
            self.arrows.place()

    @Slot(bool)
    def set_most_alike(self, on: bool) -> None:
        """The most alike pictures first, or the newest; the row begins at its beginning."""
        self.model.set_most_alike(on)
        self.view.horizontalScrollBar().setValue(0)
        self._show_empty()
        self.arrows.place()

    @Slot()
    def show_search(self) -> None:
        """Open the search field and go there."""
        self.search_button.setChecked(True)
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def leave_search(self) -> bool:
        """Put the search away while the focus is here. Returns whether there was one."""
        focused = QApplication.focusWidget()
        here = focused is not None and self.isAncestorOf(focused)
        if not here or not self.search_button.isChecked():
            return False
        self.search_button.setChecked(False)
        return True

    @Slot()
    def _close_search(self) -> None:
        self.search_button.setChecked(False)

    # Inside

    def _keeping_place(self, change) -> None:
        bar = self.view.horizontalScrollBar()
        place, before = bar.value(), len(self.model.rows)
        change()
        if place:
            # New pictures come in on the left: what is looked at stays under the eye.
            self.view.doItemsLayout()
            grown = len(self.model.rows) - before
            bar.setValue(place + max(0, grown) * (self.view.delegate.side + 6))
        self._show_empty()
        self.arrows.place()

    @Slot()
    def _note_chosen(self) -> None:
        self._chosen = self.view.chosen_ids()

    @Slot()
    def _choose_again(self) -> None:
        wanted = set(self._chosen)
        rows = [row for row, one in enumerate(self.model.rows) if one.picture is not None and one.picture.id in wanted]
        first = self.model.row_of(self._chosen[0]) if self._chosen else -1
        if first >= 0:
            model = self.view.selectionModel()
            model.setCurrentIndex(self.model.index(first), model.SelectionFlag.NoUpdate)
        choose_rows(self.view, rows)
        self._ring()

    @Slot()
    def _load_more(self) -> None:
        """The end of the row is near: older pictures join it, and what is looked at stays where it is."""
        bar = self.view.horizontalScrollBar()
        if self.model.has_more() and bar.maximum() and bar.value() > bar.maximum() - 2 * self.view.width():
            place = bar.value()
            self.model.load_more()
            self.view.doItemsLayout()
            bar.setValue(place)

    def _show_empty(self) -> None:
        """Without pictures there is nothing to go through: a focus on them waits on the star, and comes back with them."""
        shown, there = bool(self.model.rows), Qt.FocusReason.OtherFocusReason
        if not shown and self.view.hasFocus():
            self._focus_waits = True
            self.star_button.setFocus(there)
        self.view.setVisible(shown)
        if shown and self._focus_waits:
            self._focus_waits = False
            if self.star_button.hasFocus():
                self.view.setFocus(there)
        self.update()

    def _show_side(self) -> None:
        """In a low window nothing of it but the star, and that only while it is on: a filter is seen, and can be left."""
        compact = self._compact
        for widget in (self.title, self.search_button, self.folder_button):
            widget.setVisible(not compact)
        type_.set_width(self.side, _STAR if compact else _SIDE)
        self._row.setAlignment(self.side, Qt.AlignmentFlag.AlignVCenter if compact else Qt.AlignmentFlag(0))
        self.side.setVisible(not compact or self.star_button.isChecked())

    @Slot()
    def _filter(self) -> None:
        self.star_button.set_icon_name("star", filled=self.star_button.isChecked())
        self._show_side()
        search = self.field.text() if self.search_button.isChecked() else ""
        self._keeping_place(partial(self.model.set_filter, search, self.star_button.isChecked()))
        self._show_empty()
        self.arrows.place()
        self.commands.check_files()

    @Slot(bool)
    def _show_search(self, shown: bool) -> None:
        self.field.setVisible(shown)
        self._above.setVisible(shown and not self._compact)
        self._field_gap.setVisible(shown)
        if shown:
            self.field.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.field.clear()
            self._filter()
            self.view.setFocus(Qt.FocusReason.OtherFocusReason)
        self.arrows.place()

    def eventFilter(self, watched, event) -> bool:
        if watched is self.field and event.type() == QEvent.Type.ShortcutOverride:
            assert isinstance(event, QKeyEvent)
            if event.key() == Qt.Key.Key_Escape:  # it leaves the search before it stops a drawing
                event.accept()
                return True
        if watched is self.field and event.type() == QEvent.Type.KeyPress:
            assert isinstance(event, QKeyEvent)
            if event.key() == Qt.Key.Key_Escape:
                self.search_button.setChecked(False)
                return True
            if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._search_timer.stop()
                self._filter()
                if self.model.rows:
                    self.view.setFocus(Qt.FocusReason.OtherFocusReason)
                    self.view.setCurrentIndex(self.model.index(0))
                return True
        return super().eventFilter(watched, event)

    @Slot(QPoint)
    def _menu(self, position: QPoint) -> None:
        menu = self.context_menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.aboutToHide.connect(self._menu_closes)
        menu.popup(position)

    @Slot()
    def _menu_closes(self) -> None:
        QTimer.singleShot(0, self.view, self.view.give_back)  # the menu acts after it has hidden itself

    def context_menu(self) -> QMenu:
        """The menu for the chosen pictures."""
        from app.history.menu import add_picture_entries

        menu = QMenu(self)
        add_picture_entries(menu, self.commands)
        self.add_view_entries(menu)
        return menu

    def add_view_entries(self, menu: QMenu) -> None:
        """Add what the row shows to a menu."""
        from app.history.menu import add_view_entries

        alike = self.model.most_alike
        add_view_entries(menu, self.star_button, self.show_search, self.set_most_alike, alike, self.commands)

    @Slot(QPoint)
    def _folder_menu(self, position: QPoint) -> None:
        from app.history.menu import add_folder_entries

        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        add_folder_entries(menu, self.commands)
        menu.popup(self.folder_button.mapToGlobal(position))

    def contextMenuEvent(self, event) -> None:
        menu = self.context_menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def _set_margins(self) -> None:
        self._beside.setStretch(0, 1 if self._compact else 0)  # in a low history the field stands in the middle
        if self._compact:
            self._row.setContentsMargins(12, 4, 12, 4)
        else:
            self._row.setContentsMargins(16, 12, 16, 4)

    def sizeHint(self) -> QSize:
        extra = max(0, type_.line_height("help") - 16)
        return QSize(600, (size("history-small") if self._compact else size("history") + extra))

    def minimumSizeHint(self) -> QSize:
        return QSize(240, self.sizeHint().height())

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        QTimer.singleShot(0, self.arrows.place)

    @Slot()
    def retranslate(self) -> None:
        self.title.setText(self.tr("History"))
        self.star_button.describe(self.tr("Starred only"))
        self.search_button.describe(self.tr("Search the history"), keymap.shown("search"))
        self.folder_button.describe(self.tr("Open the pictures folder"))
        self.field.cross.setToolTip(self.tr("Leave the search (Esc)"))
        self.field.setPlaceholderText(self.tr("Search prompts"))
        self.field.setAccessibleName(self.tr("Search the history"))
        self.gallery_button.describe(self.tr("Gallery of all pictures"), keymap.shown("gallery"))
        self.arrows.retranslate()
        self.view.setAccessibleName(self.tr("History"))
        self.view.setToolTip("")
        self.update()

    def changeEvent(self, event: QEvent) -> None:
        if retranslates(event):
            self.retranslate()
        super().changeEvent(event)

    def empty_words(self) -> str:
        """The words of an empty row."""
        if self.search_button.isChecked() and self.field.text().strip():
            return self.tr("Nothing found for “{0}”.").format(self.field.text().strip())
        if self.star_button.isChecked():
            return self.tr("Press {0} on a picture to star it.").format(keymap.shown("star") or ".")
        return self.tr("Every picture you make is kept here and in your Pictures folder.")

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme().color("surface"))
        painter.fillRect(QRect(0, 0, self.width(), 1), theme().color("border"))
        if self.model.rows:
            return
        side = self.view.delegate.side
        x = float(self._row.contentsMargins().left() + (0 if self.side.isHidden() else self.side.width()))
        if self.field.isVisibleTo(self):
            x += self.field.width() + space(6)
        y = self.height() - side - 8.0 if not self._compact else (self.height() - side) / 2
        if not self.field.text() and not self.star_button.isChecked():
            for number in range(6):
                painter.setOpacity(1.0 - number * 0.15)
                paint_dashed(painter, QRectF(x, y, side, side), radius("tile"), "outline", 1.0)
                x += side + 8
        painter.setOpacity(1.0)
        painter.setFont(type_.font("body"))
        painter.setPen(theme().color("text-muted"))
        area = QRectF(x + 12, y, self.width() - x - 28, side)
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap, self.empty_words())
