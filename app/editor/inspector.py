"""The column beside the cut-out being edited: its preview, warnings, edge, clicks and candidates."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.editor.cutout_view import CutOutView
from app.editor.inspector_parts import EdgeField, Legend, Message, line
from app.language import sentences
from app.look import type as type_
from app.look.controls import Disclosure, Divider, PlainButton, PrimaryButton, Segmented, label
from app.look.layout import ScrollArea
from app.look.theme import size, space, tokens
from app.mask.candidates import MOST, candidate_name, candidates
from app.mask.mask_session import MaskSession
from app.mask.strokes import MAX_FEATHER, MAX_GROW, Edge
from app.shortcuts import keymap
from engine import EchoGenError, Sentence
from engine.photo import Photo, SubjectProposal, cut_out, mask_problem

_PREVIEW = 200
_PREVIEW_SIDE = 1024
"""The preview is made from the pyramid's level of at most this size: always fast."""


class Inspector(QWidget):
    """The right side of the editor.

    Signals:
        useRequested, discardRequested: the two buttons at the bottom.
        importRequested, exportRequested: masks as files. transparentRequested: the cut-out as a transparent picture.
        escaped: Esc was pressed in a field: back to the canvas.
        summarized(float, int): share of the photo and number of parts, after every change.
    """

    useRequested = Signal()
    discardRequested = Signal()
    importRequested = Signal()
    exportRequested = Signal()
    transparentRequested = Signal()
    escaped = Signal()
    summarized = Signal(float, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("maskInspector")
        type_.set_width(self, size("panel-right"))
        self.session: MaskSession | None = None
        self._reference_size = 256
        self._framing = "fit"
        self._accepted_parts = 1
        self._error: EchoGenError | None = None
        self._note: Sentence = Sentence.row()
        self._refresh = QTimer(self, singleShot=True)
        self._refresh.setInterval(tokens()["duration"]["preview-min-gap"])
        self._refresh.timeout.connect(self.refresh)
        self._build()
        self._connect()
        self.retranslate()

    def _build(self) -> None:
        self.title, self.size_label = label("", "section"), label("", "help", "muted")
        self.preview = CutOutView(_PREVIEW)
        self.message = Message()
        self.edge_title, self.clicks_title = label("", "section"), label("", "section")
        self.grow_label, self.feather_label = label("", "body"), label("", "body")
        self.grow = EdgeField(-MAX_GROW, MAX_GROW, suffix="\u00a0px")
        self.feather = EdgeField(0, MAX_FEATHER, suffix="\u00a0px")
        for field in (self.grow, self.feather):
            field.setKeyboardTracking(True)
            type_.set_width(field, 92)
            field.escaped.connect(self.escaped)
        self.clear_clicks = PlainButton("")
        self.belong, self.not_belong = Legend(True), Legend(False)
        self.no_clicks = label("", "help", "muted")
        self.found_title = label("", "section")
        # One for each number of candidates, made here, so that Tab reaches them where they are seen.
        self._rows = {count: Segmented([(index, "") for index in range(count)]) for count in range(2, MOST + 1)}
        self.found = self._rows[2]
        self.fill_holes, self.reset = PlainButton("", "circle-check"), PlainButton("", "rotate-ccw")
        self.open_mask, self.save_mask = PlainButton("", "folder-open"), PlainButton("", "download")
        self.save_cut_out = PlainButton("", "download")
        more = QWidget()
        more_column = QVBoxLayout(more)
        more_column.setContentsMargins(0, 0, 0, 0)
        more_column.setSpacing(2)
        for button in (self.fill_holes, self.reset, self.open_mask, self.save_mask, self.save_cut_out):
            more_column.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
        self.more = Disclosure("", more)
        self.use, self.discard = PrimaryButton("", "check"), PlainButton("")

        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(16, 16, 16, 12)
        column.setSpacing(space("row-gap"))
        column.addLayout(line(self.title, self.size_label))
        column.addWidget(self.preview, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self.message)
        column.addWidget(Divider())
        column.addWidget(self.edge_title)
        column.addLayout(line(self.grow_label, self.grow))
        column.addLayout(line(self.feather_label, self.feather))
        column.addWidget(Divider())
        column.addLayout(line(self.clicks_title, self.clear_clicks))
        legends = QHBoxLayout()
        legends.setSpacing(24)
        legends.addWidget(self.no_clicks)
        legends.addWidget(self.belong)
        legends.addWidget(self.not_belong)
        legends.addStretch(1)
        column.addLayout(legends)
        self._found_line = Divider()
        column.addWidget(self._found_line)
        column.addWidget(self.found_title)
        for row in self._rows.values():
            column.addWidget(row)
        column.addWidget(Divider())
        column.addWidget(self.more)
        column.addStretch(1)
        scroll = ScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        content.setProperty("scrolled", "true")
        scroll.setWidget(content)
        bottom = QVBoxLayout()
        bottom.setContentsMargins(16, 8, 16, 12)
        bottom.setSpacing(8)
        bottom.addWidget(self.use)
        bottom.addWidget(self.discard)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(scroll, 1)
        outer.addLayout(bottom)
        self.message.hide()

    def _connect(self) -> None:
        self.message.largest.clicked.connect(self._keep_largest)
        self.message.both.clicked.connect(self._keep_both)
        self.grow.valueChanged.connect(self._edge_typed)
        self.feather.valueChanged.connect(self._edge_typed)
        self.clear_clicks.clicked.connect(self._clear_clicks)
        for row in self._rows.values():
            row.valueChanged.connect(self._candidate_chosen)
        self.fill_holes.clicked.connect(self._fill_holes)
        self.reset.clicked.connect(self._reset)
        self.open_mask.clicked.connect(self.importRequested)
        self.save_mask.clicked.connect(self.exportRequested)
        self.save_cut_out.clicked.connect(self.transparentRequested)
        self.use.clicked.connect(self.useRequested)
        self.discard.clicked.connect(self.discardRequested)

    # What is shown

    def set_session(self, session: MaskSession | None, reference_size: int = 256, framing: str = "fit") -> None:
        """Show another mask; the size and framing are those of the model's own view."""
        if self.session is not None:
            self.session.pixelsChanged.disconnect(self._changed)
            self.session.marksChanged.disconnect(self._changed)
            self.session.proposed.disconnect(self._proposed)
            self.session.noted.disconnect(self.show_note)
            self.session.failed.disconnect(self.show_error)
        self.session, self._reference_size, self._framing = session, reference_size, framing
        self._accepted_parts, self._error, self._note = 1, None, Sentence.row()
        if session is not None:
            session.pixelsChanged.connect(self._changed)
            session.marksChanged.connect(self._changed)
            session.proposed.connect(self._proposed)
            session.noted.connect(self.show_note)
            session.failed.connect(self.show_error)
            self._show_candidates()
            self.refresh()

    @Slot(object)
    def show_error(self, error: EchoGenError) -> None:
        """Said here, where the eyes are, until the mask changes."""
        self._error = error
        self._show_message(0)

    @Slot(object)
    def show_note(self, text: Sentence) -> None:
        """Something to know about the last answer, until the mask changes."""
        self._note = text
        self._show_message(0)

    @Slot()
    def refresh(self) -> None:
        """Everything anew, from small copies: a few milliseconds whatever the photo's size."""
        session = self.session
        if session is None:
            return
        self.size_label.setText(f"{self._reference_size} × {self._reference_size}")
        self.preview.set_pixels(self._model_view(session))
        found = session.document.marks
        for field, value in ((self.grow, found.edge.grow), (self.feather, found.edge.feather)):
            if field.value() != value:
                field.blockSignals(True)
                field.setValue(value)
                field.blockSignals(False)
        included = sum(click.include for click in found.clicks)
        excluded = len(found.clicks) - included
        belong = self.tr("1 added") if included == 1 else self.tr("{0} added").format(included)
        not_belong = self.tr("1 excluded") if excluded == 1 else self.tr("{0} excluded").format(excluded)
        self.belong.text.setText(belong)
        self.belong.setVisible(bool(found.clicks))
        self.no_clicks.setText(self.tr("one box") if found.box is not None else self.tr("none yet"))
        self.no_clicks.setVisible(not found.clicks)
        self.not_belong.text.setText(not_belong)
        self.not_belong.setVisible(excluded > 0)
        self.clear_clicks.setEnabled(bool(found.clicks or found.box))
        self._show_candidate(session)
        count = session.part_count()
        self._show_message(count)
        self.use.setEnabled(self._problem(session) is None)
        self.summarized.emit(session.share(), count)

    def _model_view(self, session: MaskSession) -> np.ndarray | None:
        mask = session.mask_pyramid.at_most(_PREVIEW_SIDE)
        pixels = session.photo_pyramid.at_most(_PREVIEW_SIDE)
        side = min(self._reference_size, round(_PREVIEW * self.devicePixelRatioF()))
        try:
            return cut_out(Photo(pixels, None, ""), mask, side, self._framing).rgb
        except EchoGenError:
            return None

    def _problem(self, session: MaskSession) -> EchoGenError | None:
        return mask_problem(session.mask_pyramid.at_most(_PREVIEW_SIDE))

    def _show_message(self, count: int) -> None:
        session = self.session
        problem = self._problem(session) if session is not None else None
        if self._error is not None:
            self.message.say(sentences.of_error(self._error), wrong=True)
        elif problem is not None:
            self.message.say(sentences.of_error(problem), wrong=True)
        elif self._note:
            self.message.say(sentences.translated(self._note), wrong=False)
        elif count > 1 and count != self._accepted_parts:
            text = (
                self.tr("The cut-out has two parts.") if count == 2 else self.tr("The cut-out has %n parts.", "", count)
            )
            self.message.say(text, wrong=False, choices=True)
            self.message.both.setText(self.tr("Keep both") if count == 2 else self.tr("Keep all"))
        else:
            self.message.hide()

    def _show_candidates(self) -> None:
        session = self.session
        proposal = session.proposal if session is not None else None
        labels = [candidate_name(proposal, index) for index in range(len(candidates(proposal)))] if proposal else []
        while len(labels) > 1:
            self._rows[len(labels)].setLabels(labels)
            if self._rows[len(labels)].sizeHint().width() <= self.width() - 32:
                break
            labels.pop()  # best first: what finds no room is the least likely
        for count, row in self._rows.items():
            row.setVisible(count == len(labels))
        several = len(labels) > 1
        for widget in (self._found_line, self.found_title):
            widget.setVisible(several)
        if several and session is not None:
            self.found = self._rows[len(labels)]
            group = self.tr("Found in the photo")
            for index, text in enumerate(labels):
                self.found.button(index).setAccessibleName(f"{group}, {text}")
            self._show_candidate(session)

    def _show_candidate(self, session: MaskSession) -> None:
        """Mark the candidate that the mask belongs to: none after a box, the one before after undo."""
        self.found.blockSignals(True)
        self.found.setValue(session.candidate if session.candidate in self.found.values() else None)
        self.found.blockSignals(False)

    # What changes

    @Slot()
    @Slot(object)
    def _changed(self, rect: object = None) -> None:
        self._error, self._note = None, Sentence.row()
        if not self._refresh.isActive():
            self._refresh.start()

    @Slot(object)
    def _proposed(self, proposal: SubjectProposal) -> None:
        self._show_candidates()
        self.show_note(Sentence.row(*proposal.notes))

    @Slot()
    def _edge_typed(self) -> None:
        if self.session is not None:
            self.session.set_edge(Edge(self.grow.value(), self.feather.value()))

    @Slot()
    def _keep_largest(self) -> None:
        if self.session is not None:
            self.session.keep_largest()

    @Slot()
    def _keep_both(self) -> None:
        if self.session is not None:
            self._accepted_parts = self.session.part_count()
            self.message.hide()

    @Slot()
    def _clear_clicks(self) -> None:
        if self.session is not None:
            self.session.clear_clicks()

    @Slot()
    def _fill_holes(self) -> None:
        if self.session is not None:
            self.session.fill_holes()

    @Slot()
    def _reset(self) -> None:
        if self.session is not None:
            self.session.reset()

    @Slot(object)
    def _candidate_chosen(self, index: int) -> None:
        if self.session is not None:
            self.session.choose_candidate(index)

    def show_use_key(self, free: bool) -> None:
        """The key on the button that uses the cut-out, unless it is not ``free``: the cross-hair has it."""
        self.use.set_hint(keymap.shown("use_cutout") if free else "")

    def retranslate(self) -> None:
        self.title.setText(self.tr("What the model sees"))
        self.preview.setAccessibleName(self.tr("What the model sees"))
        self.message.largest.setText(self.tr("Keep the largest"))
        self.message.both.setText(self.tr("Keep both"))
        self.edge_title.setText(self.tr("Edge"))
        self.grow_label.setText(self.tr("Grow or shrink"))
        self.feather_label.setText(self.tr("Feather"))
        self.grow.setAccessibleName(self.tr("Grow or shrink"))
        self.feather.setAccessibleName(self.tr("Feather"))
        self.clicks_title.setText(self.tr("Clicks"))
        self.clear_clicks.setText(self.tr("Clear"))
        self.found_title.setText(self.tr("Found in the photo"))
        self.more.set_title(self.tr("More"))
        self.fill_holes.setText(self.tr("Fill the holes"))
        self.reset.setText(self.tr("Start over"))
        self.reset.setToolTip(self.tr("Back to the cut-out that was found"))
        self.open_mask.setText(self.tr("Open a mask…"))
        self.save_mask.setText(self.tr("Save the mask…"))
        self.save_cut_out.setText(self.tr("Save on transparency…"))
        self.use.setText(self.tr("Use this cut-out"))
        self.use.setToolTip(self.tr("{0} uses it and draws").format(keymap.shown("generate")))
        self.show_use_key(True)
        self.discard.setText(self.tr("Discard changes"))
        self._show_candidates()  # those without a name are numbered in words
        self.refresh()  # what is said about the mask
