"""The page of the gallery: filters at the top, the grid, and at the bottom what can be done with the pictures that are chosen."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from PySide6.QtCore import QEvent, QPoint, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from app.gallery.model import GalleryModel
from app.gallery.view import SIZES, GalleryView
from app.history.commands import PictureCommands
from app.history.groups import spoken_time
from app.history.menu import add_picture_entries, add_view_entries
from app.history.orders import orders
from app.language.say import say
from app.look import focus
from app.look.controls import Button, ComboBox, Divider, IconButton, SearchField, Segmented, label
from app.look.layout import retranslates
from app.look.thumbnails import choose_rows
from app.shortcuts import bind, keymap, tooltip
from app.store.history_store import HistoryStore
from app.store.picture_filter import Facets, PictureFilter
from app.system import background

_SEARCH_MS = 120


class GalleryPanel(QWidget):
    """See the module. What is done with pictures is the history's (``PictureCommands``).

    Signals:
        opened(object): show this ``Picture`` on the canvas. left: back to the canvas.
        sizeChosen(str): a size of thumbnails was chosen: to be remembered.
    """

    opened = Signal(object)
    left = Signal()
    sizeChosen = Signal(str)

    def __init__(self, store: HistoryStore, commands: PictureCommands, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("galleryPanel")
        self.setProperty("surface", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._store, self._commands = store, commands
        self.model = GalleryModel(store)
        self.view = GalleryView(self.model, store, self)
        self._facets = Facets()
        self._changed = self._focus_back = False
        self._build()
        self._connect()
        self.retranslate()

    def _build(self) -> None:
        self.back = Button("", "chevron-left", "plain", self)
        self.field = SearchField()
        self.field.setObjectName("gallerySearch")
        self.field.cross.setVisible(False)
        self.star = IconButton("star", "", parent=self, checkable=True)
        self.subjects, self.bundles, self.days, self.order = ComboBox(), ComboBox(), ComboBox(), ComboBox()
        self.sizes = Segmented([(name, name) for name in SIZES], parent=self)
        self.sizes.setValue("medium")
        self.count = label("", "help", "muted")
        self.empty = label("", "body", "muted", wrap=True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.hide()
        top = QHBoxLayout()
        top.setContentsMargins(8, 8, 16, 8)
        top.setSpacing(8)
        for widget in (self.back, self.field, self.star):
            top.addWidget(widget)
        self._filters = QWidget()
        filters = QHBoxLayout(self._filters)
        filters.setContentsMargins(0, 0, 0, 0)
        filters.setSpacing(8)
        for box in (self.subjects, self.bundles, self.days, self.order):
            filters.addWidget(box)
        filters.addStretch(1)
        self._place = top.count()
        top.addWidget(self._filters)
        top.addStretch(1)
        self._top = top
        self._second = QHBoxLayout()  # for the filters of a narrow window: cut words choose nothing
        self._second.setContentsMargins(0, 0, 0, 0)
        top.addWidget(self.count)
        top.addWidget(self.sizes)
        self.chosen_words = label("", "label")
        self.save_button = Button("", "download", "plain", self)
        self.star_button = Button("", "star", "plain", self)
        self.compare_button = Button("", "columns-2", "plain", self)
        self.delete_button = Button("", "trash-2", "plain", self)
        self.none_button = Button("", "x", "plain", self)
        self._bar = QWidget(self)
        bar = QHBoxLayout(self._bar)
        bar.setContentsMargins(16, 6, 16, 6)
        bar.setSpacing(4)
        bar.addWidget(self.chosen_words)
        bar.addSpacing(12)
        for button in (self.save_button, self.star_button, self.compare_button, self.delete_button):
            bar.addWidget(button)
        bar.addStretch(1)
        bar.addWidget(self.none_button)
        self._bar.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addLayout(self._second)
        column.addWidget(Divider())
        self.page = QWidget()  # messages lie over it, also where no picture is left
        body = QHBoxLayout(self.page)
        body.setContentsMargins(11, 6, 4, 0)
        body.addWidget(self.view, 1)
        body.addWidget(self.empty, 1)
        column.addWidget(self.page, 1)
        column.addWidget(self._bar)
        self._search = QTimer(self, singleShot=True)
        self._search.setInterval(_SEARCH_MS)

    def _connect(self) -> None:
        view, commands = self.view, self._commands
        self.back.clicked.connect(self.left)
        self.field.textChanged.connect(self._searched)
        self.field.cross.triggered.connect(self.field.clear)
        self._search.timeout.connect(self.apply)
        self.star.toggled.connect(self.apply)
        for box in (self.subjects, self.bundles, self.days):
            box.activated.connect(self.apply)
        self.order.activated.connect(self._order_chosen)
        self.sizes.valueChanged.connect(self._size_chosen)
        view.opened.connect(self.opened)
        view.menuWanted.connect(self._menu)
        view.chosenChanged.connect(self._show_chosen)
        view.moved.connect(self._show_count)
        view.settled.connect(commands.check_files)
        self.save_button.clicked.connect(self._save)
        self.star_button.clicked.connect(commands.toggle_star)
        self.compare_button.clicked.connect(commands.compare)
        self.delete_button.clicked.connect(commands.delete)
        self.none_button.clicked.connect(view.clearSelection)
        commands.changed.connect(self.reload)
        for action, run in (
            ("star", commands.toggle_star),
            ("recall_all", commands.recall_all),
            ("recall_prompt", commands.recall_prompt),
            ("recall_seed", commands.recall_seed),
            ("history_compare", commands.compare),
            ("reveal", commands.reveal),
            ("view_history", commands.view_large),
            ("delete", commands.delete),
        ):
            bind(view, action, run)
        keymap.changed.connect(self.retranslate)

    # Opening

    def begin(self, picture: int | None) -> None:
        """It comes into view: with what the history has now, and this picture chosen."""
        self.reload()
        if picture is not None and not self.view.chosen_rows():
            self.view.choose(picture)
        self.view.setFocus(Qt.FocusReason.ShortcutFocusReason)

    @Slot()
    def reload(self) -> None:
        """The history is another one: read it again, with the same pictures chosen."""
        if not self.isVisible():
            self._changed = True
            return
        current = self.model.id_at(self.view.currentIndex().row())
        chosen = {self.model.id_at(row) for row in self.view.chosen_rows()}
        self.model.reload()
        background.run(self._store.facets, done=self._facets_known)
        rows = [self.model.row_of(picture) for picture in chosen if picture is not None]
        if not self.view.chosen_rows():
            selection = self.view.selectionModel()
            choose_rows(self.view, (row for row in rows if row >= 0))
            if current is not None and self.model.row_of(current) >= 0:
                selection.setCurrentIndex(
                    self.model.index(self.model.row_of(current)), selection.SelectionFlag.NoUpdate
                )
        self._show_chosen()

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """Put the filters beside the search, or below it where there is no room for their words."""
        inside = self._second.indexOf(self._filters) < 0
        needed = self._top.sizeHint().width() + 24  # the words of the count change while one scrolls
        if not inside:
            needed += self._filters.sizeHint().width() + self._top.spacing()
        fits = needed <= self.width()
        if fits != inside:
            if fits:
                self._second.removeWidget(self._filters)
                self._top.insertWidget(self._place, self._filters)
            else:
                self._top.removeWidget(self._filters)
                self._second.addWidget(self._filters)
            self._second.setContentsMargins(*((0, 0, 0, 0) if fits else (16, 0, 16, 8)))

    def showEvent(self, event) -> None:
        super().showEvent(event)
        if self._changed:
            self._changed = False
            QTimer.singleShot(0, self, self.reload)

    def set_size(self, name: str) -> None:
        """The size of the thumbnails: one of ``SIZES``."""
        if name in SIZES:
            self.sizes.setValue(name)
            self.view.set_size(name)

    # Filters

    @Slot()
    def apply(self) -> None:
        """Show what the filters let through."""
        self.star.set_icon_name("star", filled=self.star.isChecked())
        self.model.set_filter(
            PictureFilter(
                self.field.text(),
                self.star.isChecked(),
                self.subjects.currentData(),
                self.bundles.currentData(),
                self.days.currentData() or "",
            )
        )
        self.view.scrollToTop()
        self._show_chosen()

    @Slot(bool)
    def set_most_alike(self, on: bool) -> None:
        """The most alike pictures first, or the newest."""
        self.order.setCurrentIndex(self.order.findData(on))
        self._order_chosen()

    @Slot()
    def _order_chosen(self) -> None:
        self.model.set_most_alike(bool(self.order.currentData()))
        self.view.scrollToTop()
        self._show_chosen()

    @Slot(str)
    def _searched(self, words: str) -> None:
        self.field.cross.setVisible(bool(words))
        self._search.start()

    @Slot()
    def show_search(self) -> None:
        """Go to the search field."""
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()

    def leave_search(self) -> bool:
        """Take every filter away. Returns whether there was one."""
        if self.model.filter == PictureFilter():
            return False
        self.field.clear()
        self.star.setChecked(False)
        for box in (self.subjects, self.bundles, self.days):
            box.setCurrentIndex(0)
        self._search.stop()
        self.apply()
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)
        return True

    @Slot(object)
    def _facets_known(self, facets: Facets) -> None:
        if facets != self._facets:
            self._facets = facets
            self._fill()

    def _fill(self) -> None:
        facets = self._facets
        unnamed = self.tr("no name")
        subjects = [(f"{name or unnamed} ({count})", name) for name, count in facets.subjects]
        unknown = self.tr("unknown")
        bundles = [(f"{name.partition('@')[0] or unknown} ({count})", name) for name, count in facets.bundles]
        days = [(f"{_spoken_day(day)} ({count})", day) for day, count in facets.days]
        for box, first, entries in (
            (self.subjects, self.tr("All subjects"), subjects),
            (self.bundles, self.tr("All models"), bundles),
            (self.days, self.tr("Any day"), days),
        ):
            before = box.currentData()
            box.clear()
            box.addItem(first, None)
            for text, value in entries:
                box.addItem(text, value)
            box.setCurrentIndex(max(0, box.findData(before)) if before is not None else 0)
        self._arrange()

    # What is chosen

    @Slot()
    def _show_chosen(self) -> None:
        count = len(self.view.chosen_rows())
        self._bar.setVisible(count > 0)
        one = count == 1
        self.chosen_words.setText(self.tr("1 chosen") if one else self.tr("{0} chosen").format(count))
        self.compare_button.setVisible(count in (1, 2))
        shown = self.model.rowCount() > 0
        if not shown and self.view.hasFocus():
            # Hidden, it would hand the focus to what comes next in the window, the choice of the model.
            self.back.setFocus(Qt.FocusReason.OtherFocusReason)
            self._focus_back = True
        self.view.setVisible(shown)
        if shown and self._focus_back:
            self._focus_back = False
            if self.back.hasFocus():
                self.view.setFocus(Qt.FocusReason.OtherFocusReason)
        self.empty.setVisible(not shown)
        self.empty.setText(
            self.tr("No picture is like that. Esc shows all.")
            if self.model.filter != PictureFilter()
            else self.tr("Every picture you make is kept here and in your Pictures folder.")
        )
        self._show_count()

    @Slot()
    def _show_count(self) -> None:
        """Say how many pictures there are, and of which day the ones in view are."""
        count = self.model.rowCount()
        words = self.tr("1 picture") if count == 1 else self.tr("{0} pictures").format(f"{count:,}")
        first = self.model.picture_at(self.view.in_view()[0]) if count else None
        if first is not None:
            words = f"{_spoken_day(datetime.fromtimestamp(first.created).date().isoformat())} · {words}"
        self.count.setText(words)

    @Slot()
    def _save(self) -> None:
        self._commands.save_chosen()

    @Slot(str)
    def _size_chosen(self, name: str) -> None:
        self.view.set_size(name)
        self.sizeChosen.emit(name)

    @Slot(QPoint)
    def _menu(self, position: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        add_picture_entries(menu, self._commands)
        menu.addAction(self.tr("Choose all"), self.view.selectAll)
        menu.addSeparator()
        self.add_view_entries(menu)
        menu.popup(position)

    def add_view_entries(self, menu: QMenu) -> None:
        """Add what the gallery shows to a menu."""
        alike = self.model.most_alike
        add_view_entries(menu, self.star, self.show_search, self.set_most_alike, alike, self._commands)

    # Keys and words

    def event(self, event: QEvent) -> bool:
        """Esc is the gallery's while it is open: it leaves the filters, then the gallery."""
        return focus.takes_escape(event) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            if not self.leave_search():
                self.left.emit()
        elif event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.field.hasFocus():
            self._search.stop()
            self.apply()
            if self.model.rowCount():
                self.view.setFocus(Qt.FocusReason.OtherFocusReason)
                self.view.setCurrentIndex(self.model.index(0))
        else:
            super().keyPressEvent(event)

    @Slot()
    def retranslate(self) -> None:
        self.back.setText(self.tr("Back"))
        self.back.setToolTip(tooltip("gallery", self.tr("Back to the canvas")))
        self.field.setPlaceholderText(self.tr("Search prompts"))
        self.field.setAccessibleName(self.tr("Search the history"))
        self.star.describe(self.tr("Starred only"))
        for box, name in (
            (self.subjects, self.tr("Subject")),
            (self.bundles, self.tr("Model")),
            (self.days, self.tr("Day")),
            (self.order, self.tr("Order")),
        ):
            box.setAccessibleName(name)
        self.sizes.setLabels([self.tr("Small"), self.tr("Medium"), self.tr("Large")])
        self.view.setAccessibleName(self.tr("Gallery"))
        self.field.cross.setToolTip(self.tr("Clear the search"))
        self.save_button.setText(self.tr("Save…"))
        self.star_button.setText(self.tr("Star"))
        self.compare_button.setText(self.tr("Compare"))
        self.delete_button.setText(self.tr("Move to the trash"))
        self.delete_button.setToolTip(tooltip("delete"))
        self.none_button.setText(self.tr("Choose none"))
        order = max(0, self.order.currentIndex())
        self.order.clear()
        for words, alike in orders():
            self.order.addItem(words, alike)
        self.order.setCurrentIndex(order)
        self._fill()
        self._show_chosen()

    def changeEvent(self, event: QEvent) -> None:
        if retranslates(event):
            self.retranslate()
        super().changeEvent(event)


def _spoken_day(day: str) -> str:
    """ "2026-11-29" → "Today", "Yesterday", "Mon", "3 Nov", "3 Nov 2024" as the history says it."""
    then = date.fromisoformat(day)
    if then == date.today():
        return say("Today")
    noon = datetime.combine(then, datetime.min.time()) + timedelta(hours=12)
    words = spoken_time(noon.timestamp(), datetime.now().timestamp())
    return words[:1].upper() + words[1:]
