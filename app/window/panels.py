"""Lays out the panels: side by side, what gives way in a small window, and the editor over all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QHBoxLayout,
    QMenu,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.canvas.panel import CanvasPanel
from app.history.panel import HistoryPanel
from app.look import type as type_
from app.look.controls import Divider
from app.look.layout import is_low, is_narrow, needs_rail
from app.look.tab_order import tab_within
from app.look.theme import notifier, size
from app.models.offer_room import OfferRoom
from app.prompt.edit import PromptEdit
from app.prompt.panel import PromptPanel
from app.session.state import SessionState
from app.subject.panel import SubjectPanel
from app.window.rail import LeftColumn
from app.window.top_bar import TopBar

if TYPE_CHECKING:
    from app.canvas.result import ResultCanvas
    from app.editor.editor_frame import EditorFrame
    from app.editor.viewport import Viewport
    from app.gallery.panel import GalleryPanel
    from app.session.queue import PictureQueue
    from app.session.subjects import Subjects
    from app.store.history_store import HistoryStore
    from app.window.panel_focus import Station


class Panels(QWidget):
    """Everything in the window, from the top bar to the history.

    At first there is what is seen when the window opens; ``complete`` adds the editors and the queue.

    Attributes:
        stage: the column around the canvas, over which toasts and the subject panel of a narrow window lie.

    Signals:
        historyFolded: the history was folded away or brought back.
        editorOpen(bool): one of the editors is open now, or closed.
    """

    historyFolded = Signal()
    editorOpen = Signal(bool)

    def __init__(self, state: SessionState, store: HistoryStore) -> None:
        super().__init__()
        self.top_bar = TopBar()
        self.subject = SubjectPanel(state)
        self.subject.setObjectName("subjectPanel")
        self.canvas = CanvasPanel()
        self.stage = QWidget()
        self.left = LeftColumn(state, self.subject, self.stage)
        self.prompt = PromptPanel(state)
        self.history = HistoryPanel(store)
        self._editors: tuple[EditorFrame, ...] = ()
        self._over_canvas: QWidget | None = None
        self._room: OfferRoom | None = None
        self._gallery: GalleryPanel | None = None
        self.right = QWidget()
        self._pages = QStackedWidget()
        self._history_shown = True
        self._put_together()
        self.left.historyToggled.connect(self.show_history)
        self.left.overlayRequested.connect(self._show_overlay)
        notifier.textScaled.connect(self._arrange)

    def complete(self, state: SessionState, subjects: Subjects, queue: PictureQueue) -> Iterator[None]:
        """Add what opens over the panels, and what is only there with a subject or a picture.

        Yields:
            between two parts, where the window may paint and answer.
        """
        from app.editor.cutting_editor import CuttingEditor
        from app.editor.editor import MaskEditorView
        from app.editor.region_editor import RegionEditor
        from app.waiting.panel import QueuePanel
        from app.window.banner import ErrorBanner
        from app.window.toasts import Toast

        self.prompt.complete()
        yield
        self.subject.attach(subjects)
        self.subject.found_note.verdictChanged.connect(self.left.show_verdict)
        yield
        self.canvas.complete()
        yield
        self.banner = ErrorBanner()
        self.prompt.sheet.set_banner(self.banner)
        self.toast = Toast(self.stage, self._heading_height)
        self.canvas.followed.connect(self.toast.settle)
        self._pages.currentChanged.connect(self._move_toast)
        self.editor = MaskEditorView(state, subjects)
        yield
        self.region_prompt = PromptEdit(3)
        self.region = RegionEditor(subjects.service, self.region_prompt, self.region_prompt.count)
        yield
        self.cutting = CuttingEditor(subjects.service)
        self._editors = (self.editor, self.region, self.cutting)
        for editor in self._editors:
            self._pages.addWidget(editor)
        self.queue = QueuePanel(queue, self.stage)

    def _put_together(self) -> None:
        _column(self.stage, self.canvas)
        _column(self.right, self.prompt)
        body = QHBoxLayout()
        body.setSpacing(0)
        body.addWidget(self.left)
        body.addWidget(Divider(vertical=True))
        body.addWidget(self.stage, 1)
        body.addWidget(Divider(vertical=True))
        body.addWidget(self.right)
        workspace = QWidget()
        column = _column(workspace)
        column.addLayout(body, 1)
        column.addWidget(self.history)
        self._pages.addWidget(workspace)
        _column(self, self.top_bar, Divider()).addWidget(self._pages, 1)

    def put_over_canvas(self, widget: QWidget) -> None:
        """Give a card its place above the canvas."""
        layout = self.stage.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.insertWidget(0, widget)
        self._over_canvas = widget
        tab_within(self.stage, widget.findChildren(QAbstractButton))

    def keep_room(self, height: int) -> None:
        """Keep the room of the card above the canvas, which comes later; nothing for 0."""
        if height > 0:
            self._room = OfferRoom(self.stage, height)
            layout = self.stage.layout()
            assert isinstance(layout, QVBoxLayout)
            layout.insertWidget(0, self._room)

    @Slot()
    def let_room_go(self) -> None:
        """The card is there, or does not come."""
        room, self._room = self._room, None
        card = self._over_canvas
        if room is not None and card is not None and not card.isHidden():
            room.give_to(card)
        elif room is not None:
            room.hide()
            room.deleteLater()

    def height_over_canvas(self) -> int:
        """Height of the card above the canvas, or of the room that is kept for it; 0 where there is none."""
        card = self._room or self._over_canvas
        return card.height() if card is not None and not card.isHidden() else 0

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    @Slot()
    def _arrange(self) -> None:
        """Let go what there is no room for."""
        width, height = self.width(), self.height()
        narrow, low = is_narrow(width), is_low(height)
        self.left.set_narrow(needs_rail(width))
        type_.set_width(self.right, size("panel-right-small" if narrow else "panel-right"))
        self.canvas.set_compact(narrow, low)
        self.prompt.sheet.set_low(low)
        self.history.set_compact(low)
        self.top_bar.set_narrow(narrow)

    def place_banner(self, at_subject: bool) -> None:
        """Put errors of the subject beside it, where its panel stands, and others under the prompt; scroll to them."""
        if at_subject and not self.left.is_narrow() and not self.left.isHidden():
            self.subject.show_banner(self.banner)
        else:
            self.prompt.sheet.set_banner(self.banner)
            self.prompt.sheet.area.verticalScrollBar().setValue(0)

    # The editors

    def open_editor(self, editor: EditorFrame) -> None:
        """Show one of the editors in place of the panels. It is to have begun."""
        self.left.close_panel()
        self.show_gallery(False)
        self._pages.setCurrentWidget(editor)
        editor.setFocus(Qt.FocusReason.OtherFocusReason)
        self.editorOpen.emit(True)

    def close_editor(self) -> None:
        """Show the panels again."""
        self.show_gallery(False)
        self._pages.setCurrentIndex(0)
        self.editorOpen.emit(False)
        self.prompt.focus_prompt()

    def is_marking(self) -> bool:
        """Return True while the editor of a region is open."""
        return self._pages.currentWidget() is self.region

    def is_cutting(self) -> bool:
        """Return True while the editor that cuts something out of a picture is open."""
        return self._pages.currentWidget() is self.cutting

    def is_editing(self) -> bool:
        """Return True while an editor is open: of the cut-out, of a region, or the one that cuts out of a picture."""
        return self._open_editor() is not None

    def work_in_editor(self) -> str:
        """The words for the editor that is open, or "" where none is."""
        if self.is_marking():
            return (
                self.tr("Putting the subject into a photo") if self.region.into_photo else self.tr("Marking a region")
            )
        if self.is_cutting():
            return self.tr("Cutting out of the picture")
        return self.tr("Editing the cut-out") if self.is_editing() else ""

    def _open_editor(self) -> EditorFrame | None:
        page = self._pages.currentWidget()
        return next((editor for editor in self._editors if editor is page), None)

    # The gallery

    @property
    def gallery(self) -> GalleryPanel:
        """The gallery; it is built when it is first asked for."""
        if self._gallery is None:
            from app.gallery.panel import GalleryPanel

            self._gallery = GalleryPanel(self.history.store, self.history.commands)
            self._pages.addWidget(self._gallery)
        return self._gallery

    def show_gallery(self, shown: bool) -> None:
        """The gallery over the panels, or the panels. What is done with chosen pictures is done with those in view."""
        commands, history = self.history.commands, self.history
        if shown:
            self._pages.setCurrentWidget(self.gallery)
            commands.act_on(self.gallery.model, self.gallery.view)
        elif self.is_gallery():
            self._pages.setCurrentIndex(0)
            commands.act_on(history.model, history.view)

    @Slot()
    def _move_toast(self) -> None:
        """A message lies over the pictures of the page in view: over another page nobody would see it, over a bar it would
        cover what one reaches for."""
        editor = self._open_editor()
        if editor is not None:
            self.toast.move_to(editor.canvas)
        else:
            self.toast.move_to(self.gallery.page if self.is_gallery() else self.stage)

    def _heading_height(self) -> int:
        """Height of the heading at the top of the stage: that of ideas, or of several pictures, says what can be done with them."""
        heading = self.canvas.heading()
        if heading is None or self.toast.parentWidget() is not self.stage:
            return 0
        return heading.mapTo(self.stage, QPoint(0, heading.height())).y()

    def is_gallery(self) -> bool:
        """Return True while the gallery is open."""
        return self._gallery is not None and self._pages.currentWidget() is self._gallery

    def add_history_entries(self, menu: QMenu) -> None:
        """Add to a menu what can be chosen about the pictures in view: those of the gallery while it is open, else the row."""
        shows = self.gallery if self.is_gallery() else self.history
        shows.add_view_entries(menu)

    def _undoes(self) -> SubjectPanel | EditorFrame:
        """The widget that undo and redo act on."""
        return self._open_editor() or self.subject

    @Slot()
    def _show_overlay(self) -> None:
        """The rail's overlay button: the panel slides out and shows the next view of the cut-out."""
        self.left.open_panel()
        self.subject.next_overlay()

    @Slot()
    def undo(self) -> None:
        """The last step of the cut-out; on the shelf and among the photos of a subject, what was taken off; on pictures, the
        last deletion; in the queue, what was taken out, and nothing else.

        Where the cut-out has no step, what was taken off or deleted comes back from wherever else the key is pressed.
        """
        focused = QApplication.focusWidget()
        if self.is_gallery():
            self.history.commands.undo_delete()
            return
        if focused is not None and self.queue.isAncestorOf(focused):
            if self.queue.undo():
                self.toast.is_undone(self.queue.undo)
            return
        deleted = self._open_editor() is None and self.history.commands.can_undo_delete()
        on_pictures = any(focused is not None and place.isAncestorOf(focused) for place in (self.history, self.canvas))
        if deleted and on_pictures:
            self.history.commands.undo_delete()
            return
        shelf = self.subject.shelf
        rows = (shelf, self.subject.photos)
        on_the_shelf = focused is not None and any(row.isAncestorOf(focused) for row in rows)
        nothing_else = self._open_editor() is None and not self.subject.has_undo()
        if (on_the_shelf or nothing_else) and shelf.bring_back():
            self.toast.is_undone(shelf.bring_back)
            return
        if deleted and nothing_else:
            self.history.commands.undo_delete()
            return
        self._undoes().undo()

    @Slot()
    def redo(self) -> None:
        self._undoes().redo()

    def can_undo(self) -> bool:
        """Return True if ``undo`` has something to undo."""
        deleted = self.history.commands.can_undo_delete()
        if self.is_gallery():
            return deleted
        if self._open_editor() is not None:
            return self._undoes().has_undo()
        return deleted or self.subject.has_undo() or self.subject.shelf.can_bring_back()

    def can_redo(self) -> bool:
        """Return True if ``redo`` has something to do again."""
        return self._undoes().has_redo()

    # Zoom of the large picture in view

    @Slot()
    def zoom_fit(self) -> None:
        self._large().zoom_fit()

    @Slot()
    def zoom_actual(self) -> None:
        self._large().zoom_actual()

    @Slot()
    def zoom_in(self) -> None:
        self._large().zoom_in()

    @Slot()
    def zoom_out(self) -> None:
        self._large().zoom_out()

    def _large(self) -> Viewport | ResultCanvas:
        editor = self._open_editor()
        return editor.canvas.viewport if editor is not None else self.canvas.canvas

    # History and subject, away and back

    @Slot()
    def toggle_history(self) -> None:
        self.show_history(not self._history_shown)

    @Slot(bool)
    def show_history(self, shown: bool) -> None:
        """Fold the history away, or bring it back."""
        changed = shown != self._history_shown
        self._history_shown = shown
        self.history.setVisible(shown)
        self.left.rail.history.setChecked(shown)
        if changed:
            self.historyFolded.emit()

    def is_history_shown(self) -> bool:
        return self._history_shown

    @Slot()
    def search_history(self) -> None:
        if self.is_gallery():
            self.gallery.show_search()
            return
        self.show_history(True)
        self.history.show_search()

    @Slot()
    def toggle_subject(self) -> None:
        if self.left.is_narrow():
            self.left.close_panel() if self.left.is_panel_open() else self.left.open_panel()
        else:
            self.left.setVisible(not self.left.isVisible())

    # Walking with the keyboard

    def stations(self) -> list[Station]:
        """The stops of F6: widgets whose keys act at once, not the panels around them, which have no ring and no keys."""
        from app.window.panel_focus import Station

        top_bar = Station(self.top_bar, self.top_bar.bundles)
        editor = self._open_editor()
        if editor is not None:
            return [top_bar, Station(editor, editor)]
        if self.is_gallery():
            return [top_bar, Station(self.gallery, self.gallery.view)]
        pictures = self.history.view if self.history.model.rows else self.history.star_button
        found = [
            top_bar,
            Station(self.left, self._subject_entry()),
            Station(self.prompt, self.prompt.sheet.prompt),
            Station(self.canvas, self.canvas.entry()),
        ]
        return [*found, Station(self.history, pictures)] if self.history.isVisible() else found

    def _subject_entry(self) -> QWidget:
        if self.left.is_narrow():
            return self.left.rail.cut_out
        places = (self.subject.canvas, self.subject.drop_zone.choose)
        return next((place for place in places if place.isVisibleTo(self.subject)), self.subject.name_row.edit)


def _column(widget: QWidget, *children: QWidget) -> QVBoxLayout:
    """A column without margins for a widget's children."""
    column = QVBoxLayout(widget)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    for child in children:
        column.addWidget(child)
    return column
