"""Below the name, where the automatic cut-out is not sure: what else may be meant, and what helps."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QEvent, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.language import amounts
from app.look.controls import PlainButton, clear, label
from app.look.pixels import to_image
from app.look.tab_order import tab_within
from app.mask.candidates import candidate_name, candidates
from app.subject.photo_pieces import Thumb

if TYPE_CHECKING:
    import numpy as np

    from engine.photo import Box, Photo, SubjectProposal

log = logging.getLogger(__name__)

Verdict = Literal["", "sure", "unsure", "nothing"]
"""Nothing to say; the cut-out is right; it may be wrong; none was found."""

_SIDE = 44
_PIXELS = 132


class FoundNote(QWidget):
    """Says nothing about a cut-out that is right, and of one that was not found only what helps.

    Attributes:
        better: offers the networks that cut out better; the panel puts it below, where its icon has room to stand in line.

    Signals:
        chosen(int): another candidate, by its number among the boxes.
        helpersRequested: get the networks that cut out better.
        verdictChanged(str): another ``Verdict``.
    """

    chosen = Signal(int)
    helpersRequested = Signal()
    verdictChanged = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._verdict: Verdict = ""
        self._shown: tuple[str, tuple[Box, ...]] = ("", ())
        self._names: list[str] = []
        self._size, self._asking, self._ask_again = 0, False, False
        self.others = label("", "help", "muted")
        self.thumbs: list[Thumb] = []
        self.better = PlainButton("", "download", self)
        self.better.hide()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._row = QHBoxLayout()
        self._row.setSpacing(8)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.others)
        column.addLayout(self._row)
        self.better.clicked.connect(self.helpersRequested)
        self.hide()

    @property
    def verdict(self) -> Verdict:
        return self._verdict

    def say(
        self,
        verdict: Verdict,
        photo: Photo | None = None,
        proposal: SubjectProposal | None = None,
        chosen: int = 0,
    ) -> None:
        """Show a verdict, and the candidates of a proposal."""
        changed, self._verdict = verdict != self._verdict, verdict
        if changed:
            self.verdictChanged.emit(verdict)
        if verdict not in ("unsure", "nothing"):
            self.hide()
            self.better.hide()
            return
        boxes = candidates(proposal) if verdict == "unsure" and photo is not None else ()
        self._names = [candidate_name(proposal, index) for index in range(len(boxes))] if proposal is not None else []
        shown = (photo.digest if photo is not None else "", boxes)
        if shown != self._shown:
            self._shown = shown
            clear(self._row)
            self.thumbs = []
            for box in boxes:
                assert photo is not None
                thumb = Thumb(_SIDE, self)
                thumb.set_picture(to_image(_crop(photo, box)))
                thumb.clicked.connect(self._clicked)
                self._row.addWidget(thumb)
                self.thumbs.append(thumb)
            self._row.addStretch(1)
            tab_within(self, self.thumbs)
        for index, thumb in enumerate(self.thumbs):
            thumb.setChecked(index == chosen)
        self.others.setVisible(bool(boxes))
        self.retranslate()

    @Slot()
    def _clicked(self) -> None:
        index = next(number for number, thumb in enumerate(self.thumbs) if thumb is self.sender())
        for number, thumb in enumerate(self.thumbs):
            thumb.setChecked(number == index)
        self.chosen.emit(index)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def retranslate(self) -> None:
        """Say it in the language of now."""
        self.others.setText(self.tr("Or is it one of these?"))
        for name, thumb in zip(self._names, self.thumbs, strict=True):
            thumb.setAccessibleName(name)
            thumb.setToolTip(name)
        self.show_offer()

    @Slot()
    def show_offer(self) -> None:
        """Offer the networks for better cut-outs where they are not here, with the size that the models name today."""
        from engine.weights import installed_helpers

        offered = self._verdict in ("unsure", "nothing") and "segmentation" not in installed_helpers()
        self.better.setVisible(offered)
        self.setVisible(self._verdict == "unsure" and bool(self._shown[1]))
        self._show_size()
        self._ask_again = offered
        self._ask()

    def _ask(self) -> None:
        """One question at a time; what changed meanwhile is asked after it."""
        if self._ask_again and not self._asking:
            from app.session.to_get import look_up
            from app.system import background

            self._asking, self._ask_again = True, False
            background.run(look_up, "cut-out", done=self._size_known, failed=self._size_unknown)

    @Slot(object)
    def _size_known(self, size: int) -> None:
        self._asking, self._size = False, size
        self._show_size()
        self._ask()

    @Slot(object)
    def _size_unknown(self, error: Exception) -> None:
        self._asking = False
        log.warning("it is not known how large the networks for better cut-outs are", exc_info=error)
        self._ask()

    def _show_size(self) -> None:
        with_size = self.tr("Better cut-outs ({0})…").format(amounts.size(self._size))
        self.better.setText(with_size if self._size else self.tr("Better cut-outs…"))


def _crop(photo: Photo, box: Box) -> np.ndarray:
    """The square around a box, small, uint8 (s, s, 3)."""
    import cv2

    x0, y0, x1, y1 = box.pixels(photo.height, photo.width)
    side = min(max(x1 - x0, y1 - y0), photo.height, photo.width)
    left = min(max((x0 + x1 - side) // 2, 0), photo.width - side)
    top = min(max((y0 + y1 - side) // 2, 0), photo.height - side)
    part = photo.rgb[top : top + side, left : left + side]
    return cv2.resize(part, (_PIXELS, _PIXELS), interpolation=cv2.INTER_AREA)
