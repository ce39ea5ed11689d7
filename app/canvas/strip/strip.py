"""The strip of scales under the canvas: how the picture forms, and from where to redraw it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRect, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QPainter
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QSizePolicy, QVBoxLayout, QWidget

from app.canvas.strip.scales import ScaleStripModel, scale_sentence
from app.canvas.strip.tiles import END, START, Tiles
from app.language.sentences import translated
from app.look import type as type_
from app.look.controls import ElidedLabel, OutlinedButton, label
from app.look.theme import notifier, size, theme
from app.shortcuts import bind, keymap, tooltip
from engine import TimeLeft

if TYPE_CHECKING:
    import numpy as np

    from engine import ScaleBits

_STEPS = 1000
_TICK = 100


class ScaleStrip(QWidget):
    """Tiles with a line of words above: progress while drawing, what is kept when done.

    Signals:
        pointed(object): the picture of the scale under the pointer, RGB uint8 (H, W, 3), or None.
        regionRequested: a region of the picture is to be drawn anew.
        redrawRequested(int): draw again with this many scales kept.
        handleMoved(int): the handle stands behind so many scales.
        previewsWanted(object): ``ScaleBits`` of a picture whose scales' pictures are not all known; answer with
            ``set_preview``.
    """

    pointed = Signal(object)
    redrawRequested = Signal(int)
    regionRequested = Signal()
    handleMoved = Signal(int)
    previewsWanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("scaleStrip")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.model = ScaleStripModel()
        self._time: TimeLeft | None = None
        self._started = 0.0
        self._narrow = False
        self.title = label("", "section")
        self.words = ElidedLabel("", "help", "muted")
        self.left = label("", "value")
        self.redraw_button = OutlinedButton("", "repeat", self)
        self.region_button = OutlinedButton("", "lasso", self)
        self.bar = QProgressBar(self)
        self.bar.setObjectName("progressBar")
        self.bar.setRange(0, _STEPS)
        self.bar.setTextVisible(False)
        keep = self.bar.sizePolicy()
        keep.setRetainSizeWhenHidden(True)  # the strip is as high while drawing as before
        self.bar.setSizePolicy(keep)
        self.tiles = Tiles(self.model, self)
        header = QHBoxLayout()
        header.setContentsMargins(START, 0, END, 0)
        header.setSpacing(8)
        header.addStrut(size("control"))  # the tiles stay where they are when the buttons go
        header.addWidget(self.title)
        header.addWidget(self.words, 1)
        header.addWidget(self.left)
        header.addWidget(self.region_button)
        header.addWidget(self.redraw_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(20 - START, 8, 20 - END, 8)
        column.setSpacing(0)
        column.addLayout(header)
        progress = QHBoxLayout()
        progress.setContentsMargins(START, 0, END, 0)
        progress.addWidget(self.bar)
        column.addLayout(progress)
        column.addSpacing(4)
        column.addWidget(self.tiles)
        self._column = column
        self.setFocusProxy(self.tiles)
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK)
        self._timer.timeout.connect(self._tick)
        self.tiles.pointed.connect(self._pointed)
        self.tiles.handleMoved.connect(self._handle_moved)
        self.redraw_button.clicked.connect(self.redraw)
        self.region_button.clicked.connect(self.regionRequested)
        bind(self, "scale_left", self._less)
        bind(self, "scale_right", self._more)
        bind(self, "scale_first", self._first)
        bind(self, "scale_last", self._last)
        keymap.changed.connect(self._refresh)
        notifier.changed.connect(self.update)
        self._refresh()

    # What happens to the picture

    def clear(self, grids: tuple[tuple[int, int], ...] = ()) -> None:
        """No picture: the empty tiles of the open bundle's first size."""
        self._stop_clock()
        self.model.clear(grids)
        self._refresh()

    def begin(
        self,
        grids: tuple[tuple[int, int], ...],
        costs: tuple[float, ...] = (),
        first_scale: int = 0,
        measured: bool = True,
    ) -> None:
        """A picture begins (``Started``). ``measured``: earlier pictures say what each scale costs."""
        self.model.begin(tuple(grids), first_scale)
        self._time = TimeLeft(costs or tuple(1.0 for _ in grids), first_scale, measured)
        self._started = time.monotonic()
        self._timer.start()
        self._refresh()

    def drawn(self, scale: int, image: np.ndarray, seconds: float | None = None, remembered: int = 0) -> None:
        """A scale is done (``ScalePreview``). ``seconds`` after the start, as the engine measured them; so many of the first scales
        were ``remembered``."""
        self.model.drawn(scale, image)
        if self._time is not None and self.model.drawing:
            now = time.monotonic() - self._started
            if seconds is not None and abs(now - seconds) > 0.02:
                # The engine's clock decides: the message may have waited.
                self._started, now = time.monotonic() - seconds, seconds
            self._time.drawn(scale, now, remembered)
        self._refresh()

    def finish(self, image: np.ndarray, bits: ScaleBits | None, images: Sequence[np.ndarray | None] = ()) -> None:
        """The picture is done (``Finished``).

        Args:
            image: the picture.
            images: the picture after each scale, where it is known: previews may have been left out while the window
                was busy. What is still missing is asked for.
        """
        self._stop_clock()
        for scale, preview in enumerate(images):
            if preview is not None:
                self.model.drawn(scale, preview)
        if self.model.count:
            self.model.drawn(self.model.count - 1, image)
        self._finished(bits)

    def show_picture(
        self, grids: tuple[tuple[int, int], ...], bits: ScaleBits | None, image: np.ndarray | None = None
    ) -> None:
        """A finished picture from the history: its scales' pictures are asked for. Without ``image`` it was stopped."""
        self._stop_clock()
        self.model.clear(tuple(grids))
        if image is not None and self.model.count:
            self.model.drawn(self.model.count - 1, image)
        self._finished(bits, whole=image is not None)

    def _finished(self, bits: ScaleBits | None, *, whole: bool = True) -> None:
        self.model.finish(bits is not None and len(bits) == self.model.count, whole)
        self._refresh()
        if self.model.missing and bits is not None:
            self.previewsWanted.emit(bits)

    def set_preview(self, scale: int, image: np.ndarray) -> None:
        """The picture of a scale that was asked for."""
        self.model.drawn(scale, image)
        self.tiles.refresh()

    def stop(self, images: Sequence[np.ndarray | None] = ()) -> None:
        """The drawing was stopped or failed. ``images``: the picture after each scale, also where no preview was shown."""
        if self.model.drawing:
            self._stop_clock()
            self.model.stop()
        for scale, preview in enumerate(images):
            if preview is not None:
                self.model.drawn(scale, preview)
        self._refresh()

    @Slot()
    def redraw(self) -> None:
        """Ask for a redraw from the handle on, when it was moved."""
        if self.model.can_redraw:
            self.redrawRequested.emit(self.model.keep)

    def set_compact(self, narrow: bool, low: bool = False) -> None:
        """Small tiles in narrow or low windows; in narrow ones the buttons move into the bar of actions, and lose their words."""
        self.tiles.set_side(size("tile-small") if narrow or low else size("tile"))
        if narrow != self._narrow:
            self._narrow = narrow
            self._refresh()

    def tile_rect(self, scale: int) -> QRect:
        """Return the rectangle of a tile, in the strip's coordinates."""
        return self.tiles.tile_rect(scale).toRect().translated(self.tiles.pos())

    def handle_rect(self) -> QRect:
        """Return the rectangle of the handle, in the strip's coordinates."""
        return self.tiles.handle_rect().toRect().translated(self.tiles.pos())

    # Inside

    def _stop_clock(self) -> None:
        self._timer.stop()
        self._time = None

    @Slot()
    def _tick(self) -> None:
        if self._time is None:
            return
        now = time.monotonic() - self._started
        self.bar.setValue(round(_STEPS * self._time.fraction(now)))
        left = self._time.words(now)
        self.left.setText(translated(left) if left is not None else "")

    @Slot()
    def _refresh(self) -> None:
        model = self.model
        drawing = model.drawing
        if drawing:
            self.title.setText(self.tr("Scale {0} of {1}").format(model.now + 1, model.count))
            self.words.setText(scale_sentence(model.now, model.count))
            self._tick()
        else:
            self.title.setText(self.tr("Scales"))
            self.words.setText(model.sentence())
            self.left.setText("")
            self.bar.setValue(0)
        self.left.setVisible(drawing)
        self.bar.setVisible(drawing)
        self.redraw_button.setVisible(not drawing and model.can_keep and not self._narrow)
        self.region_button.setVisible(model.done and not self._narrow)
        self.region_button.setText(self.tr("Redraw a region"))
        self.region_button.setToolTip(tooltip("redraw_region"))
        self.redraw_button.setEnabled(model.can_redraw)
        self.redraw_button.setText(self.tr("Redraw from here"))
        why = self.tr("Move the handle between the scales first")
        self.redraw_button.setToolTip(tooltip("redraw") if model.can_redraw else why)
        self.tiles.refresh()
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        header = max(size("control"), QFontMetricsF(type_.font("section")).height() + 8)
        return QSize(super().sizeHint().width(), round(8 + header + 8 + self.tiles.sizeHint().height() + 8))

    def minimumSizeHint(self) -> QSize:
        return QSize(super().minimumSizeHint().width(), self.sizeHint().height())

    @Slot(int)
    def _pointed(self, scale: int) -> None:
        self.pointed.emit(self.model.image(scale) if scale >= 0 else None)

    @Slot(int)
    def _handle_moved(self, keep: int) -> None:
        self._refresh()
        self.handleMoved.emit(keep)

    @Slot()
    def _less(self) -> None:
        self.tiles.move_handle(self.model.keep - 1)

    @Slot()
    def _more(self) -> None:
        self.tiles.move_handle(self.model.keep + 1)

    @Slot()
    def _first(self) -> None:
        self.tiles.move_handle(1)

    @Slot()
    def _last(self) -> None:
        self.tiles.move_handle(self.model.count)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        moves = {
            Qt.Key.Key_Left: self._less,
            Qt.Key.Key_Right: self._more,
            Qt.Key.Key_Home: self._first,
            Qt.Key.Key_End: self._last,
        }
        move = moves.get(Qt.Key(event.key()))
        if move is not None and not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            move()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.redraw()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._refresh()
        super().changeEvent(event)

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme().color("surface"))
        painter.fillRect(QRect(0, 0, self.width(), 1), theme().color("border"))
