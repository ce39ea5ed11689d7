"""Marking the region of a picture that is drawn anew: the tools of the cut-out editor on a finished picture or a photo."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.editor.editor_frame import EditorFrame
from app.editor.photo_placing import PhotoPlacing
from app.editor.side import EditorSide
from app.look.controls import Divider, LabelledSlider, PlainButton, PrimaryButton, label
from app.mask.document import MaskDocument
from app.mask.mask_session import MaskSession
from app.mask.pyramid import Pyramid
from app.mask.worker import MaskService
from app.shortcuts import bind, keymap
from engine import CutOut, region_problem
from engine.encoders import region_around
from engine.photo import Box, Photo


class RegionSession(MaskSession):
    """A region is whatever is marked: a box is the region itself, not a hint where something might be."""

    def draw_box(self, box: Box) -> None:
        corners = ((box.x0, box.y0), (box.x1, box.y0), (box.x1, box.y1), (box.x0, box.y1))
        self.document.fill_area(corners)


class RegionEditor(EditorFrame):
    """See the module.

    Args:
        prompt: the field that says what is drawn; not there where the photo goes on behind a placed subject, whatever it says.
        count: says beside its heading how much of it the model reads.

    Attributes:
        into_photo: what is marked is where the subject goes in a photo.
        goes_in: what is marked is where the subject goes in a picture.

    Signals:
        accepted(object, int, object): the mask, uint8 (H, W), how many scales are kept inside of it, and the ``Placement`` of
            the subject in the photo where it was placed by hand, or None.
        left: the editor is done.
    """

    accepted = Signal(object, int, object)
    left = Signal()

    def __init__(self, service: MaskService, prompt: QWidget, count: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent, region=True)
        self.setObjectName("regionEditor")
        self._service, self._prompt = service, prompt
        self.into_photo = self.goes_in = False
        self._count = 1
        self._prompt_label = label("", "label")
        self._prompt_row = QWidget()
        row = QHBoxLayout(self._prompt_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._prompt_label, 1)
        row.addWidget(count)
        self.scales = LabelledSlider("", 0, 1, 1, 0, 0)
        self.scales_words = label("", "help", "muted", wrap=True)
        self.use, self.discard = PrimaryButton("", "check"), PlainButton("")
        content = (Divider(), self._prompt_row, prompt, self.scales, self.scales_words)
        self.side = EditorSide(content, (self.use, self.discard))
        self._lay_out(self.side)
        self.placing = PhotoPlacing(self.canvas, self)
        self._connect()
        self.retranslate()

    def _connect(self) -> None:
        self._connect_frame()
        self.use.clicked.connect(self.accept)
        self.discard.clicked.connect(self.leave)
        self.placing.changed.connect(self._show)
        bind(self, "leave_editor", self.leave)
        bind(self.canvas, "use_cutout", self.accept)

    # Begin and end

    def begin(
        self,
        photo: Photo,
        scales: int,
        whole: int = 0,
        *,
        into_photo: bool = False,
        goes_in: bool = False,
        subject: CutOut | None = None,
    ) -> MaskSession:
        """Mark a region of a picture; returns what is marked.

        Args:
            scales: how many scales it has. whole: how many of them the dial keeps at first.
            into_photo: it is a photo that the subject goes into. goes_in: it is a picture that the subject goes into.
            subject: the cut-out, to be placed in it by hand; None where the model does not know placement.
        """
        blank = np.zeros(photo.rgb.shape[:2], np.uint8)
        self.into_photo, self.goes_in = into_photo, goes_in
        for widget in (self._prompt_row, self._prompt):
            widget.setVisible(subject is None)
        session = RegionSession(photo, Pyramid(photo.rgb), MaskDocument(blank), self._service, None, self)
        session.marksChanged.connect(self._show)
        session.failed.connect(self.side.show_error)
        self.scales.setRange(0, max(scales - 1, 1))
        self.scales.setValue(min(whole, scales - 1))
        self._mark(session, "brush", max(photo.width, photo.height) / 8)
        self.placing.begin(session, subject)
        self.retranslate()
        self._show()
        return session

    def set_count(self, count: int) -> None:
        """So many pictures are drawn, which the button says."""
        if count != self._count:
            self._count = count
            self.retranslate()

    @Slot()
    def accept(self) -> None:
        """Have the region drawn anew. Who does it ends the editor by ``leave``; one that cannot be used stays here, with the
        sentence that says why."""
        self.canvas.tools.finish()
        if self._session is None:
            return
        self._session.settle()
        placed, photo = self.placing.placed(), self._session.photo
        mask = self._session.document.mask.copy()
        if placed is not None:
            mask = region_around(*placed, photo.width, photo.height)
        problem = region_problem(mask)
        if problem is not None:
            self.side.show_error(problem)
            return
        self.accepted.emit(mask, round(self.scales.value()), None if placed is None else placed[1])

    @Slot()
    def leave(self) -> None:
        """Back to the picture."""
        self._release()
        self.left.emit()

    def _release(self) -> None:
        self.placing.end()
        super()._release()

    # What is shown

    @Slot()
    def _show(self) -> None:
        self.side.message.hide()
        self._show_undo()
        self._show_words()
        self._show_hints()

    def _show_hints(self) -> None:
        tools = self.canvas.tools
        self.use.set_hint(keymap.shown("use_cutout") if tools.cross_hair() is None else "")  # which takes Enter, too
        if self.placing.placed() is None or tools.cross_hair() is not None:
            super()._show_hints()
        else:
            self.hints.show_hints(tools.tool(), "placing keys" if self.placing.frame.hasFocus() else "placing")

    def _show_words(self) -> None:
        if self.goes_in:
            words = self.tr("Mark where the subject goes. Everything outside stays as it is.")
        elif not self.into_photo:
            words = self.tr("Mark what is to be drawn anew. Everything outside stays as it is.")
        elif self.placing.placed() is not None:
            words = self.tr("Drag it to its place and size, or mark where it goes. Everything outside stays as it is.")
        else:
            words = self.tr("Mark where it goes. Everything outside stays as it is.")
        self.side.words.setText(words)

    @Slot()
    def retranslate(self) -> None:
        into = self.into_photo
        self.side.title.setText(self.tr("Put the subject into this photo") if into else self.tr("Redraw a region"))
        self._show_words()
        self._prompt_label.setText(self.tr("Prompt"))
        self._prompt.setAccessibleName(self.tr("Prompt"))
        self.scales.setLabel(self.tr("Scales kept inside"))
        self.scales_words.setText(self.tr("0 draws it wholly anew; more keeps what is there in outline."))
        if self._count > 1:
            times = self.tr("Draw {0} pictures here") if into else self.tr("Redraw it {0} times")
            self.use.setText(times.format(self._count))
        else:
            self.use.setText(self.tr("Draw it here") if into else self.tr("Redraw this region"))
        self.discard.setText(self.tr("Back"))
        self.setAccessibleName(self.side.title.text())
        super().retranslate()
