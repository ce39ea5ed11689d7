"""Marking the region of a picture that is drawn anew: the tools of the cut-out editor on a finished picture or a photo."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.editor.bars import HintBar, OptionBar, ToolRail
from app.editor.inspector_parts import Message
from app.editor.mask_canvas import MaskCanvas
from app.editor.tool_keys import BRUSH_KEYS, HARDNESS_KEYS, ToolKeys
from app.editor.tools import TOOLS
from app.language import sentences
from app.look import type as type_
from app.look.controls import Divider, LabelledSlider, PlainButton, PrimaryButton, label
from app.look.theme import size, space
from app.mask.document import MaskDocument
from app.mask.mask_session import MaskSession
from app.mask.pyramid import Pyramid
from app.mask.worker import MaskService
from app.shortcuts import bind
from engine import EchoGenError, region_problem
from engine.photo import Box, Photo


class RegionSession(MaskSession):
    """A region is whatever is marked: a box is the region itself, not a hint where something might be."""

    def draw_box(self, box: Box) -> None:
        corners = ((box.x0, box.y0), (box.x1, box.y0), (box.x1, box.y1), (box.x0, box.y1))
        self.document.fill_area(corners)


class RegionEditor(QWidget):
    """See the module.

    Signals:
        accepted(object, int): the mask, uint8 (H, W), and how many scales are kept inside of it.
        left: nothing is drawn.
        helpRequested: the question mark.
    """

    accepted = Signal(object, int)
    left = Signal()
    helpRequested = Signal()

    def __init__(self, service: MaskService, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("regionEditor")
        self.setProperty("surface", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._service = service
        self._session: RegionSession | None = None
        self._into_photo = False
        self.rail, self.options, self.hints = ToolRail(), OptionBar(), HintBar()
        self.canvas = MaskCanvas(padding=24, frame="canvas")
        self.title, self.words = label("", "section"), label("", "help", "muted", wrap=True)
        self.scales = LabelledSlider("", 0, 1, 1, 0, 0)
        self.scales_words = label("", "help", "muted", wrap=True)
        self.message = Message()
        self.use, self.discard = PrimaryButton("", "check"), PlainButton("")
        self.side = QWidget()
        self._build()
        self._connect()
        self.retranslate()

    def _build(self) -> None:
        type_.set_width(self.side, size("panel-right"))
        column = QVBoxLayout(self.side)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(space("row-gap"))
        for widget in (self.title, self.words, Divider(), self.scales, self.scales_words, self.message):
            column.addWidget(widget)
        column.addStretch(1)
        column.addWidget(self.use)
        column.addWidget(self.discard)
        middle = QVBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.options)
        middle.addWidget(Divider())
        middle.addWidget(self.canvas, 1)
        middle.addWidget(Divider())
        middle.addWidget(self.hints)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.rail)
        row.addWidget(Divider(vertical=True))
        row.addLayout(middle, 1)
        row.addWidget(Divider(vertical=True))
        row.addWidget(self.side)
        self.message.hide()

    def _connect(self) -> None:
        self.rail.toolChosen.connect(self.canvas.set_tool)
        self.rail.triggered.connect(self._act)
        self.options.sizeChanged.connect(self.canvas.set_brush_size)
        self.options.hardnessChanged.connect(self.canvas.set_hardness)
        self.options.overlayChanged.connect(self.canvas.set_overlay)
        self.canvas.toolChanged.connect(self._show_tool)
        self.canvas.viewChanged.connect(self._show_zoom)
        self.canvas.crossChanged.connect(self._show_tool)
        self.use.clicked.connect(self.accept)
        self.discard.clicked.connect(self.leave)
        ToolKeys(self, self.canvas, (*TOOLS, *BRUSH_KEYS, *HARDNESS_KEYS))
        bind(self, "invert", self.invert)
        bind(self, "leave_editor", self.leave)
        bind(self.canvas, "use_cutout", self.accept)

    # Begin and end

    def begin(self, photo: Photo, scales: int, whole: int = 0, *, into_photo: bool = False) -> None:
        """Mark a region of a picture.

        Args:
            scales: how many scales it has. whole: how many of them the dial keeps at first.
            into_photo: it is a photo that the subject goes into.
        """
        blank = np.zeros(photo.rgb.shape[:2], np.uint8)
        self._into_photo = into_photo
        self._session = RegionSession(photo, Pyramid(photo.rgb), MaskDocument(blank), self._service, None, self)
        self._session.marksChanged.connect(self._show)
        self._session.failed.connect(self._failed)
        self.canvas.set_session(self._session)
        self.canvas.set_tool("brush")
        self.canvas.set_brush_size(max(photo.width, photo.height) / 8)
        self.scales.setRange(0, max(scales - 1, 1))
        self.scales.setValue(min(whole, scales - 1))
        self.retranslate()
        self._show()
        self.canvas.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def accept(self) -> None:
        """Draw the region anew. One that cannot be used stays here, with the sentence that says why."""
        self.canvas.finish()
        if self._session is None:
            return
        self._session.settle()
        mask = self._session.document.mask.copy()
        problem = region_problem(mask)
        if problem is not None:
            self._failed(problem)
            return
        whole = round(self.scales.value())
        self._end()
        self.accepted.emit(mask, whole)

    @Slot()
    def leave(self) -> None:
        """Back without drawing."""
        self._end()
        self.left.emit()

    def _end(self) -> None:
        session, self._session = self._session, None
        self.canvas.set_session(None)
        if session is not None:
            session.release()
            session.deleteLater()

    # Edit

    @Slot()
    def undo(self) -> None:
        if self._session is not None:
            self.canvas.finish()
            self._session.undo()

    @Slot()
    def redo(self) -> None:
        if self._session is not None:
            self.canvas.finish()
            self._session.redo()

    @Slot()
    def invert(self) -> None:
        if self._session is not None:
            self.canvas.finish()
            self._session.invert()

    @Slot(str)
    def _act(self, name: str) -> None:
        {
            "invert": self.invert,
            "undo": self.undo,
            "redo": self.redo,
            "zoom_in": self.canvas.zoom_in,
            "fit": self.canvas.zoom_fit,
            "help": self.helpRequested.emit,
        }[name]()

    # What is shown

    @Slot()
    def _show(self) -> None:
        session = self._session
        self.message.hide()
        self.rail.show_undo(
            session.undo_label if session is not None else "", session.redo_label if session is not None else ""
        )
        self._show_tool()
        self._show_zoom()

    @Slot()
    def _show_tool(self) -> None:
        canvas = self.canvas
        self.rail.show_tool(canvas.tool())
        self.options.show_tool(canvas.tool(), canvas.brush_size(), canvas.hardness())
        self.hints.show_tool(canvas.tool(), canvas.cross_hair() is not None)

    @Slot()
    def _show_zoom(self) -> None:
        self.hints.show_zoom(self.canvas.view().percent)

    @Slot(object)
    def _failed(self, error: EchoGenError) -> None:
        self.message.say(sentences.joined((error.fact, error.step)), wrong=True)

    def focusInEvent(self, event) -> None:
        self.canvas.setFocus(event.reason())

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    @Slot()
    def retranslate(self) -> None:
        into = self._into_photo
        self.title.setText(self.tr("Put the subject into this photo") if into else self.tr("Redraw a region"))
        self.words.setText(
            self.tr("Mark where it goes. Everything outside stays as it is.")
            if into
            else self.tr("Mark what is to be drawn anew. Everything outside stays as it is.")
        )
        self.scales.setLabel(self.tr("Scales kept inside"))
        self.scales_words.setText(self.tr("0 draws it wholly anew; more keeps what is there in outline."))
        self.use.setText(self.tr("Draw it here") if into else self.tr("Redraw this region"))
        self.discard.setText(self.tr("Back"))
        self.setAccessibleName(self.title.text())
        for part in (self.rail, self.options):
            part.retranslate()
        self.hints.forget()
        self._show_tool()
