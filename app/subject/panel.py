"""The left panel: the photo with its mask, what it shows, what the model sees of it; examples and the shelf."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLayout, QVBoxLayout, QWidget

from app.language import sentences
from app.look.controls import (
    ElidedLabel,
    PlainButton,
    at_line_start,
    label,
)
from app.look.glyphs import Glyph
from app.look.panel_scroll import PanelScroll
from app.look.pixels import to_image
from app.look.theme import radius, size
from app.session.state import SessionState
from app.session.subject_shelf import Subject
from app.shortcuts import bind, keymap, tooltip
from app.subject.coming_photo import ComingPhoto, ExpectedPhoto, height_of
from app.subject.photo_pieces import DropZone
from app.subject.thumb_rows import ExampleGallery, ExamplePhoto, Shelf

if TYPE_CHECKING:
    from app.mask.mask_session import MaskSession
    from app.session.subjects import Subjects
    from app.subject.found_note import Verdict

_ABOVE = 2
"""In the column the title and the place of the banner come before what there is of a subject."""


class SubjectPanel(QWidget):
    """See the module.

    Signals:
        editRequested: open the cut-out editor.
        chooseRequested: choose a photo from disk.
        helpersRequested: get the networks that cut out better.
        transparentRequested: save the cut-out as a transparent picture.
        failed: an ``EchoGenError`` for the banner.
    """

    editRequested = Signal()
    chooseRequested = Signal()
    helpersRequested = Signal()
    transparentRequested = Signal()
    failed = Signal(object)

    def __init__(self, state: SessionState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("subjectPanel")
        self.setProperty("surface", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._state = state
        self._subjects: Subjects | None = None
        self._session: MaskSession | None = None
        self._named = 0
        self._waited = False
        self._handed: object = None  # the answer for which the box tool was put in hand
        self._build()
        self._connect()
        self.retranslate()
        self.refresh()

    def attach(self, subjects: Subjects) -> None:
        """Take what reads photos and finds subjects. Without it there is none, and the panel shows how to get one."""
        self._subjects = subjects
        self._build_subject()
        self.retranslate()
        subjects.sessionChanged.connect(self._session_changed)
        subjects.reading.changed.connect(self.refresh)
        subjects.failed.connect(self.failed)
        self.name_row.edit.returnPressed.connect(subjects.find_again)
        self._session_changed()
        self.refresh()

    def sizeHint(self) -> QSize:
        return QSize(size("panel-left"), 600)

    # What others ask for

    def open_example(self, path: Path | str, name: str = "", seed: int | None = None, prompt: str = "") -> None:
        """An example with the prompt and the seed that suit it."""
        changes: dict = {}
        if seed is not None:
            changes["seed"] = seed
        if prompt:
            changes["prompt"] = prompt
        if changes:
            self._state.update_values(**changes)
        if self._subjects is not None:
            self._subjects.reading.begin()
            self._subjects.reading.open_file(Path(path), name, example=True)

    def examples(self) -> tuple[ExamplePhoto, ...]:
        """The examples that the open bundle brings."""
        return self.gallery.examples

    @Slot()
    def undo(self) -> None:
        if self._session is not None:
            self.canvas.tools.finish()
            self._session.undo()

    @Slot()
    def redo(self) -> None:
        if self._session is not None:
            self.canvas.tools.finish()
            self._session.redo()

    @Slot()
    def next_overlay(self) -> None:
        """Tint, outline, what the model sees, and again."""
        from app.editor.overlay import OVERLAYS

        self.canvas.set_overlay(OVERLAYS[(OVERLAYS.index(self.canvas.overlay()) + 1) % len(OVERLAYS)])

    def show_banner(self, banner: QWidget) -> None:
        """An error about the subject, over the photo; it is scrolled to."""
        self._banner.addWidget(banner)
        self._scroll.to_top()

    def expect(self, coming: ExpectedPhoto | None) -> None:
        """Keep the room of a photo that is on its way."""
        self.coming.expect(coming)
        self.refresh()

    @Slot()
    def expect_no_more(self) -> None:
        """The start is over: what is not on its way now does not come."""
        if not self._is_loading():
            self.expect(None)

    def described(self) -> ExpectedPhoto | None:
        """The photo in the panel for the next start; None where there is none."""
        subject = self._state.subject
        if subject is None or self._subjects is None or self.canvas.isHidden():
            return self.coming.expected
        return ExpectedPhoto(self.canvas.height(), not subject.example)

    # Building

    def _build(self) -> None:
        self.title = label("", "section")
        self.replace = PlainButton("", "image-plus")
        self.replace.hide()
        self.drop_zone, self.gallery, self.coming = DropZone(), ExampleGallery(self._state), ComingPhoto()
        self.privacy = QWidget()
        private = QHBoxLayout(self.privacy)
        private.setContentsMargins(0, 0, 0, 0)
        private.setSpacing(6)
        self.privacy_label = ElidedLabel("", "help", "muted")
        private.addWidget(Glyph("lock", side=14))
        private.addWidget(self.privacy_label, 1)
        self._lay_out()

    def _build_subject(self) -> None:
        """Build the widgets of a subject. They stay hidden until there is one."""
        # Not at the head of the file: the window is seen before these are needed.
        from app.editor.mask_canvas import MaskCanvas
        from app.editor.tool_keys import BRUSH_KEYS, ToolKeys
        from app.subject.cut_out_card import CutOutCard
        from app.subject.draft_line import DraftLine
        from app.subject.found_line import FoundLine
        from app.subject.found_note import FoundNote
        from app.subject.name_row import NameRow
        from app.subject.photo_pieces import PhotoChip
        from app.subject.photo_row import PhotoRow
        from app.subject.tool_row import ToolRow

        self.canvas = canvas = MaskCanvas(wheel=False, padding=0, corner=radius("control"), frame="surface", small=True)
        self.canvas.setObjectName("subjectCanvas")
        self.chip = PhotoChip(self.canvas)
        self.chip.move(8, 8)
        self.tool_row = ToolRow(self.canvas.tools)
        self.found_line, self.found_note = FoundLine(), FoundNote()
        self.name_row = NameRow()
        self.card, self.draft, self.shelf = CutOutCard(), DraftLine(), Shelf(self._state)
        self.photos = PhotoRow(self._state)
        self.note = label("", "help", "muted", wrap=True)
        self.photo_note = label("", "help", "muted", wrap=True)
        self.photo_note.setObjectName("photoNote")
        for place, part in enumerate(
            (
                canvas,
                self.tool_row,
                self.draft,
                self.photos,
                self.found_line,
                self.name_row,
                self.found_note,  # this and the next two come with the cut-out: nothing that is pressed before moves then
                at_line_start(self.found_note.better),
                self.photo_note,
                self.card,
                at_line_start(self.photos.add),
                self.note,
                self.shelf,
            )
        ):
            if isinstance(part, QLayout):
                self._column.insertLayout(_ABOVE + place, part)
            elif isinstance(part, QWidget):
                self._column.insertWidget(_ABOVE + place, part)
        canvas.menuWanted.connect(self._open_menu)
        self.found_note.chosen.connect(self._candidate_chosen)
        self.found_note.helpersRequested.connect(self.helpersRequested)
        self.tool_row.undo.clicked.connect(self.undo)
        self.tool_row.overlay.clicked.connect(self.next_overlay)
        self.tool_row.expand.clicked.connect(self.editRequested)
        self.card.edit.clicked.connect(self.editRequested)
        self.name_row.edit.textEdited.connect(self._name_typed)
        self.name_row.nouns.picked.connect(self._noun_picked)
        for row in (self.shelf, self.photos):
            row.focusLeft.connect(self._take_focus)
        self.photos.editRequested.connect(self.editRequested)
        self.shelf.choosing.connect(self._hold_shelf)
        ToolKeys(canvas, canvas.tools, (*self.tool_row.tools, *BRUSH_KEYS))
        bind(canvas, "overlay", self.next_overlay)
        bind(canvas, "invert", self.invert)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addStrut(size("control"))  # nothing moves when the button comes
        head.addWidget(self.replace)
        content = QWidget()
        self._column = column = QVBoxLayout(content)
        column.setSpacing(12)
        column.addLayout(head)
        self._banner = QVBoxLayout()
        column.addLayout(self._banner)
        column.addWidget(self.coming)
        column.addWidget(self.drop_zone)
        column.addWidget(self.gallery)
        column.addStretch(1)
        column.addWidget(self.privacy)
        self._scroll = PanelScroll(content)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._scroll)

    def _connect(self) -> None:
        state = self._state
        state.engineChanged.connect(self.refresh)
        state.photoChanged.connect(self.refresh)
        state.maskChanged.connect(self.refresh)
        self.replace.clicked.connect(self.chooseRequested)
        self.drop_zone.chooseRequested.connect(self.chooseRequested)
        self.gallery.chosen.connect(self._example_chosen)
        keymap.changed.connect(self.retranslate)

    # What is shown

    @Slot()
    def refresh(self, _loading: bool = False) -> None:
        """Show the current subject, or how to get one."""
        subject = self._state.subject
        photo = subject is not None and (subject.photo is not None or subject.preview is not None)
        if photo or (self._waited and not self._is_loading()):
            self.coming.expect(None)
        self._waited = self._is_loading()
        begin = subject.example if subject is not None else not self.coming.own
        own = subject is not None and not subject.example
        if self._subjects is not None:
            self._show_preview(subject)
            self.canvas.setVisible(photo)
            self.tool_row.setVisible(photo and own)
            self.tool_row.setEnabled(subject is not None and subject.photo is not None)
            self.found_line.setVisible(own)
            self.name_row.setVisible(own)
            self.card.setVisible(own)
            self.name_row.nouns.setVisible(subject is not None and not subject.name.strip())
            self._show_subject(subject)
        self.replace.setVisible(own)
        self.drop_zone.setVisible(begin)
        self.gallery.setVisible(bool(self.gallery.examples))  # with an own photo too: the way back to them
        self.privacy.setVisible(begin)
        title = self.tr("Opening the photo…") if self._is_loading() else self.tr("Drop your own photo here")
        self.drop_zone.title.setText(title)
        another = subject is not None and subject.example
        self.gallery.title.setText(self.tr("Or try another example") if another else self.tr("Or try an example"))

    def _is_loading(self) -> bool:
        return self._subjects is not None and self._subjects.reading.active

    def _show_preview(self, subject: Subject | None) -> None:
        """A small copy of a photo of the last session, while the photo is read."""
        preview = subject.preview if subject is not None and subject.photo is None else None
        self.canvas.set_preview(to_image(preview) if preview is not None else None)
        if preview is not None:
            self._fit_canvas(preview.shape[1], preview.shape[0])

    def _fit_canvas(self, width: int, height: int) -> None:
        self.canvas.setFixedHeight(height_of(width, height))

    def _show_subject(self, subject: Subject | None) -> None:
        if subject is None:
            self.chip.show_words("")
            self.note.hide()
            self.photo_note.hide()
            return
        if subject.coming:
            self.chip.show_words(self.tr("Opening the photo…"), busy=True)
        elif subject.finding:
            self.chip.show_words(self.tr("Finding the subject…"), busy=True)
        else:
            self.chip.show_words(self.tr("Example") if subject.example else "")
        another = subject.key != self._named
        if another:
            self._named = subject.key
            # A photo is looked at from its beginning; who walks along the shelf stays there, unless the photo is new.
            if subject.finding or not self.shelf.has_focus():
                self._scroll.to_top()
        self.name_row.show_name(subject.name, another=another)
        proposal = subject.proposal
        self._show_found(subject)
        self.card.show_subject(subject)
        lacks = subject.notes if not subject.example and not subject.finding else ()
        self.photo_note.setText(sentences.joined(lacks))
        self.photo_note.setVisible(bool(lacks))
        notes = (*(subject.photo.notes if subject.photo is not None else ()), *(proposal.notes if proposal else ()))
        self.note.setText(sentences.joined(notes))
        self.note.setVisible(bool(notes))

    def _show_found(self, subject: Subject) -> None:
        """Say how sure the automatic cut-out is, until the user has corrected it."""
        proposal = subject.proposal if not subject.finding else None
        score = proposal.score if proposal is not None else 0.0 if subject.finding else subject.score
        verdict = self._verdict(subject)
        self.found_line.show_found(verdict, score)
        chosen = self._session.chosen if self._session is not None else 0
        self.found_note.say(verdict, subject.photo, proposal, chosen)
        if verdict in ("unsure", "nothing") and self._handed != (subject.key, proposal):
            self._handed = (subject.key, proposal)
            self.canvas.tools.set_tool("box")
        elif verdict in ("", "sure") and self._handed is not None:
            self._handed = None
            if self.canvas.tools.tool() == "box":
                self.canvas.tools.set_tool("select")

    def _verdict(self, subject: Subject) -> Verdict:
        """A note on the cut-out; "" when it was corrected, or while there is none."""
        session = self._session
        if subject.coming:
            return _kept_verdict(subject)  # the note keeps its room until the photo is there
        if subject.finding or subject.example or session is None or session.corrected:
            return ""
        if subject.proposal is None:
            return "nothing" if subject.problem else _kept_verdict(subject)
        return "sure" if subject.proposal.sure else "unsure"

    @Slot(int)
    def _candidate_chosen(self, index: int) -> None:
        if self._session is not None:
            self._session.choose_candidate(index)

    @Slot()
    def _session_changed(self) -> None:
        if self._session is not None:
            self._session.marksChanged.disconnect(self._marks_changed)
        self._session = session = self._subjects.session if self._subjects is not None else None
        self.canvas.set_session(session)
        if session is not None:
            session.marksChanged.connect(self._marks_changed)
            width, height = session.photo.width, session.photo.height
            self._fit_canvas(width, height)
            self.canvas.tools.set_brush_size(max(width, height) * 0.05)
            self._marks_changed()

    @Slot()
    def _marks_changed(self) -> None:
        session = self._session
        if session is not None:
            if self._state.subject is not None:
                self._show_found(self._state.subject)
            self.canvas.set_summary(session.share(), session.part_count())
            self.tool_row.show_undo(session.undo_label)

    # What is done

    @Slot(QPoint)
    def _open_menu(self, position: QPoint) -> None:
        from app.subject.photo_menu import photo_menu

        acts: dict[str, Callable[[], object]] = {"edit_cutout": self.editRequested.emit, "overlay": self.next_overlay}
        if not self.tool_row.isHidden():  # an example's cut-out is not changed
            acts |= {"invert": self.invert, "undo": self.undo}
        subject = self._state.subject
        if subject is not None and (subject.mask is not None or subject.cut_out is not None):
            acts["export_cutout"] = self.transparentRequested.emit
        if self._state.may_add_photo:
            acts["add_photo"] = self.photos.addRequested.emit
        menu = photo_menu(self, acts | {"open": self.chooseRequested.emit}, self.tool_row.undo.isEnabled())
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(position)

    @Slot()
    def invert(self) -> None:
        """Subject and background exchange places."""
        if self._session is not None:
            self._session.invert()

    @Slot(str)
    def _name_typed(self, text: str) -> None:
        subject = self._state.subject
        if subject is not None:
            self._state.update_subject(subject.key, name=text.strip())

    @Slot(str)
    def _noun_picked(self, noun: str) -> None:
        subject = self._state.subject
        if subject is not None:
            # First the caret: the chips go with a name, and a focus that has to leave them would go to the next button.
            self.name_row.edit.setFocus(Qt.FocusReason.OtherFocusReason)
            self.name_row.edit.setText(noun)
            self._state.update_subject(subject.key, name=noun)
            if self._subjects is not None:
                self._subjects.find_again()

    @Slot()
    def ask_for_name(self) -> None:
        """Put the caret where the name is typed, and bring the field and the suggested names into view."""
        self.name_row.edit.setFocus(Qt.FocusReason.OtherFocusReason)
        self.name_row.edit.selectAll()
        QTimer.singleShot(0, self, self._scroll_to_name)  # a panel that just slid in has its sizes then

    @Slot()
    def _scroll_to_name(self) -> None:
        for widget in (self.name_row.nouns, self.name_row.edit):
            if widget.isVisible():
                self._scroll.ensureWidgetVisible(widget, 0, 16)

    @Slot()
    def _hold_shelf(self) -> None:
        self._scroll.hold(self.shelf)

    @Slot()
    def _take_focus(self) -> None:
        """The shelf is gone with the focus: it stays in this panel, where Ctrl+Z brings back what was taken off."""
        self.canvas.setFocus(Qt.FocusReason.OtherFocusReason)

    def has_undo(self) -> bool:
        """Return True if a step of the current cut-out can be undone."""
        return self._session is not None and bool(self._session.undo_label)

    def has_redo(self) -> bool:
        """Return True if a step of the current cut-out can be done again."""
        return self._session is not None and bool(self._session.redo_label)

    @Slot(object)
    def _example_chosen(self, example: ExamplePhoto) -> None:
        self.open_example(example.path, example.name, example.seed, example.prompt)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
            self.refresh()
        super().changeEvent(event)

    @Slot()
    def retranslate(self) -> None:
        self.setAccessibleName(self.tr("Subject"))
        self.title.setText(self.tr("Subject"))
        self.replace.setText(self.tr("Replace…"))
        self.replace.setToolTip(tooltip("open"))
        self.drop_zone.help.setText(self.tr("pet, shoe, toy, mug – one per photo"))
        self.drop_zone.choose.setText(self.tr("Choose a photo…"))
        if self._subjects is not None:
            self.canvas.describe(self.accessibleName())
            self.shelf.title.setText(self.tr("On the shelf"))
        self.privacy_label.setText(self.tr("Photos and pictures stay on this computer."))


def _kept_verdict(subject: Subject) -> Verdict:
    """Return what an earlier session said of the cut-out."""
    if subject.unsure:
        return "unsure"
    return "sure" if subject.score > 0 and not subject.corrected else ""
