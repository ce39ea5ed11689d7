"""The bar under a finished picture: vary, compare, save, copy, star, drag out."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QApplication, QHBoxLayout, QMenu, QSizePolicy, QWidget

from app.look.controls import Button, Divider, label
from app.look.theme import notifier, radius, theme, tokens
from app.shortcuts import add_entry, keymap, tooltip

_MARGIN = 6
BAR_HEIGHT = 44
BAR_GAP = 12


class DragHandle(Button):
    """Drag from here to put the picture into another program. A click says so instead of doing nothing."""

    dragged = Signal()

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(text, "grip-vertical", "plain", parent)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self._from: QPoint | None = None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._from = event.position().toPoint()
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._from is not None and self.isEnabled():
            way = (event.position().toPoint() - self._from).manhattanLength()
            if way >= QApplication.startDragDistance():
                self._from = None
                self.setDown(False)
                self.dragged.emit()
                return
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._from is None:  # it was a drag, not a click
            self.setDown(False)
            return
        self._from = None
        super().mouseReleaseEvent(event)


class FloatingBar(QWidget):
    """A raised bar that lies on the canvas; what it holds goes into ``row``."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        self.row.setSpacing(2)
        notifier.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        return QSize(hint.width(), max(BAR_HEIGHT, hint.height()))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.LayoutRequest):
            # It comes under a pointer that rests, and then finds its place: nobody tells the button that was there first.
            QTimer.singleShot(0, self, self._look_for_pointer)
        return super().event(event)

    @Slot()
    def _look_for_pointer(self) -> None:
        for button in self.findChildren(Button):
            button.look_for_pointer()

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme().color("border"), tokens()["stroke"]["hairline"]))
        painter.setBrush(theme().color("surface-raised"))
        painter.drawRoundedRect(self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5), radius("card"), radius("card"))


class ActionBar(FloatingBar):
    """The actions on the picture that is shown.

    Signals:
        vary, finish, place, redraw, region, cutOut, save, savePlain, copy, dragOut: as they say; ``savePlain`` is saving
            without metadata.
        saveLarger(int): save it so many times as large.
        compareToggled(bool), starToggled(bool).
        hintWanted(str): a sentence for a toast.
    """

    vary = Signal()
    finish = Signal()
    place = Signal()
    redraw = Signal()
    region = Signal()
    cutOut = Signal()
    compareToggled = Signal(bool)
    save = Signal()
    savePlain = Signal()
    saveLarger = Signal(int)
    copy = Signal()
    starToggled = Signal(bool)
    dragOut = Signal()
    hintWanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("actionBar")
        self._compact = self._tight = self._bare = False
        self._fitted: tuple[object, ...] = ()
        self.vary_button = Button("", "shuffle", "outlined", self)
        self.finish_button = Button("", "play", "outlined", self)
        self.place_button = Button("", "move", "plain", self)
        self.redraw_button = Button("", "repeat", "plain", self)
        self.region_button = Button("", "lasso", "plain", self)
        self.cut_button = Button("", "scissors", "plain", self)
        self.compare_button = Button("", "columns-2", "plain", self)
        self.compare_button.setCheckable(True)
        self.save_button = Button("", "download", "plain", self)
        self.save_ways = Button("", "chevron-down", "plain", self)
        self.copy_button = Button("", "copy", "plain", self)
        self.star_button = Button("", "star", "plain", self)  # not checkable: the star itself shows the state
        self._is_starred = False
        self.likeness = label("", "help", "muted")
        self.likeness.hide()
        self._likeness: float | None = None
        self.drag_handle = DragHandle("", self)
        for widget in (
            self.vary_button,
            self.finish_button,
            self.place_button,
            self.redraw_button,
            self.region_button,
            self.cut_button,
            self.compare_button,
            self._divider(),
            self.save_button,
            self.save_ways,
            self.copy_button,
            self.star_button,
            self.likeness,
            self._divider(),
            self.drag_handle,
        ):
            self.row.addWidget(widget)
        self.vary_button.clicked.connect(self.vary)
        self.finish_button.clicked.connect(self.finish)
        self.place_button.clicked.connect(self.place)
        self.redraw_button.clicked.connect(self.redraw)
        self.region_button.clicked.connect(self.region)
        self.cut_button.clicked.connect(self.cutOut)
        self.compare_button.toggled.connect(self.compareToggled)
        self.save_button.clicked.connect(self.save)
        self.copy_button.clicked.connect(self.copy)
        self.star_button.clicked.connect(self.toggle_star)
        self.drag_handle.dragged.connect(self.dragOut)
        self.drag_handle.clicked.connect(self._explain)
        self.save_button.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.save_button.customContextMenuRequested.connect(self._show_save_menu)
        self.save_ways.clicked.connect(self._show_save_ways)
        keymap.changed.connect(self._name)
        self.finish_button.setVisible(False)
        self.place_button.setVisible(False)
        self.redraw_button.setVisible(False)
        self.region_button.setVisible(False)
        self._name()

    def _divider(self) -> QWidget:
        holder = QWidget(self)
        holder.setFixedSize(9, 18)
        line = Divider(holder, vertical=True)
        line.setGeometry(4, 0, 1, 18)
        return holder

    # State

    def set_compact(self, compact: bool) -> None:
        """Narrow windows: icons with tooltips; only Vary and Drag out keep words, and Redraw joins them."""
        if compact != self._compact:
            self._compact = compact
            self.redraw_button.setVisible(compact)
            self.region_button.setVisible(compact)
            self._name()

    def set_width(self, width: int) -> None:
        """So many pixels are there: where words do not fit, icons with tooltips stand in, as in narrow windows."""
        fitted = (width, self._compact, self._likeness is None, self.place_button.isHidden(), self.tr("Vary"))
        if fitted == self._fitted:
            return
        self._fitted, self._tight, self._bare = fitted, False, False
        self._write()
        if not self._compact and self.sizeHint().width() > width:
            self._tight = True
            self._write()
        # A number without its word says nothing: it goes where the word does not fit.
        self.likeness.setVisible(self._likeness is not None)
        if self.sizeHint().width() > width:
            self.likeness.hide()
        if self.sizeHint().width() > width:  # large text in a small window: an icon says more than "V…"
            self._bare = True
            self._write()
            self.likeness.hide()

    def starred(self) -> bool:
        return self._is_starred

    def set_star(self, starred: bool) -> None:
        """Show the star of another picture; tells nobody."""
        self._is_starred = starred
        self._paint_star()

    @Slot()
    def toggle_star(self) -> None:
        """As if the star was clicked."""
        if self.star_button.isEnabled():
            self.set_star(not self._is_starred)
            self.starToggled.emit(self._is_starred)

    def set_likeness(self, likeness: float | None) -> None:
        """Show how alike the subject of the picture is to its cut-out, 0 … 1; None where nobody measured it."""
        self._likeness = likeness
        self._fitted = ()
        self._say_likeness()
        self.adjustSize()

    def _say_likeness(self) -> None:
        known = self._likeness is not None
        words = self.tr("{0}\u00a0% alike").format(round(100 * (self._likeness or 0.0)))
        self.likeness.setText(words if known else "")
        self.likeness.setToolTip(self.tr("How alike the subject is to your cut-out, in the eyes of the model"))
        self.likeness.setVisible(known)

    def set_compare(self, on: bool, possible: bool) -> None:
        """Follow the canvas; tells nobody."""
        self.compare_button.blockSignals(True)
        self.compare_button.setChecked(on)
        self.compare_button.blockSignals(False)
        self.compare_button.setEnabled(possible)
        why = "" if possible else self.tr("There is no cut-out to compare with")
        self.compare_button.setToolTip(why or tooltip("compare"))

    def set_redraw(self, possible: bool, sentence: str = "") -> None:
        self.redraw_button.setEnabled(possible)
        words = sentence or self.tr("Redraw from here")
        why = self.tr("Move the handle between the scales first")
        self.redraw_button.setToolTip(tooltip("redraw", words) if possible else why)

    def enable_edits(self, *, region: bool, cut_out: bool) -> None:
        """Switch off what cannot be done with the picture now, as while another one is drawn."""
        self.region_button.setEnabled(region)
        self.cut_button.setEnabled(cut_out)

    def set_saved(self, saved: bool, *, unfinished: bool = False) -> None:
        """Show what a picture in the history can have done to it, such as a star. ``unfinished``: it was stopped, and can be finished."""
        self.vary_button.setVisible(not unfinished)
        self.finish_button.setVisible(unfinished)
        self.star_button.setEnabled(saved)
        why = self.tr("Only finished pictures are kept in the history")
        why = why if unfinished else self.tr("The picture is not saved yet")
        self.star_button.setToolTip(tooltip("star_canvas") if saved else why)

    def set_place(self, possible: bool) -> None:
        """Show the button for placement; models without it do not have one."""
        self.place_button.setVisible(possible)

    def set_vary(self, possible: bool, why: str = "") -> None:
        self.vary_button.setEnabled(possible)
        self.vary_button.setToolTip(tooltip("vary") if possible else why)

    # Inside

    @Slot()
    def _name(self) -> None:
        self._write()
        for button, _, action, _ in self._texts():
            if action:
                button.setToolTip(tooltip(action))
        self.drag_handle.setToolTip(self.tr("Drag the picture into another program"))
        self.finish_button.setToolTip(self.tr("Draw this picture to its end"))
        self.save_ways.setToolTip(self.tr("More ways to save: larger, without metadata"))

    def _texts(self) -> tuple[tuple[Button, str, str, bool], ...]:
        """Each button, its words, its action, and whether the words are written on it."""
        wide = not (self._compact or self._tight)
        return (
            (self.vary_button, self.tr("Vary"), "vary", not self._bare),
            (self.finish_button, self.tr("Finish it"), "", True),
            (self.place_button, self.tr("Place"), "place", wide),
            (self.redraw_button, self.tr("Redraw from here"), "redraw", False),
            (self.region_button, self.tr("Redraw a region"), "redraw_region", False),
            (self.cut_button, self.tr("Cut out of the picture"), "cut_out", False),
            (self.compare_button, self.tr("Compare"), "compare", wide),
            (self.save_button, self.tr("Save as…"), "save", wide),
            (self.save_ways, self.tr("More ways to save"), "", False),
            (self.copy_button, self.tr("Copy"), "copy", wide),
            (self.star_button, self.tr("Star"), "star_canvas", False),
            (self.drag_handle, self.tr("Drag out"), "", not self._bare),
        )

    def _write(self) -> None:
        """The words on the buttons, as far as there is room; tooltips stay what they are."""
        for button, text, _, wordy in self._texts():
            button.setText(text if wordy else "")
            button.setAccessibleName(text.rstrip("…"))
            button.updateGeometry()
        self.save_ways.setFixedWidth(self.save_ways.sizeHint().height() * 2 // 3)  # narrow: it belongs to Save as
        self._paint_star()
        self._say_likeness()
        self.adjustSize()

    def _paint_star(self) -> None:
        starred = self._is_starred
        self.star_button.set_icon_name("star", filled=starred, color="star" if starred else None)
        self.star_button.setAccessibleName(self.tr("Starred") if starred else self.tr("Star"))

    @Slot()
    def _explain(self) -> None:
        self.hintWanted.emit(self.tr("Drag from here into another program, or press Copy"))

    def save_menu(self) -> QMenu:
        """All ways of saving; behind the arrow beside Save as, and behind a right click on that."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        add_entry(menu, "save", self.save.emit)
        add_entry(menu, "save_plain", self.savePlain.emit)
        for factor in (2, 4):
            add_entry(menu, f"save_{factor}x", partial(self.saveLarger.emit, factor))
        return menu

    @Slot(QPoint)
    def _show_save_menu(self, position: QPoint) -> None:
        self.save_menu().popup(self.save_button.mapToGlobal(position))

    @Slot()
    def _show_save_ways(self) -> None:
        menu = self.save_menu()
        # The bar lies at the lower edge of the canvas: above it there is room, and the picture's strip stays in view.
        at = self.save_ways.mapToGlobal(QPoint(0, 0))
        menu.popup(at - QPoint(0, menu.sizeHint().height()))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._name()
        super().changeEvent(event)
