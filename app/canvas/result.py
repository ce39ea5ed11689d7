"""The canvas: the forming picture, the finished one, and comparing it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QImage, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.canvas import painting
from app.canvas.comparing import Comparison, layer_of
from app.canvas.empty_stage import EmptyStage
from app.canvas.fading import FadingPicture
from app.canvas.picture_mouse import PictureMouse
from app.language.sentences import in_a_row
from app.look import focus
from app.look.pixels import ScaledPicture, paint_focus_ring, paint_shadow, to_image
from app.look.theme import duration, notifier, radius, theme
from app.look.zoom import STEP, Point, Zoom, zoom_of

if TYPE_CHECKING:
    import numpy as np

_SMALL = 512
"""A picture smaller than this many pixels is shown up to twice as large: details are hard to see otherwise."""


class ResultCanvas(QWidget):
    """Shows one picture, centred, above 100 % only when zoomed or small (``_SMALL``).

    Signals:
        placed: the picture lies elsewhere or became visible or invisible (the bar of actions follows it).
        dragOutRequested: the picture was dragged with the left button.
        menuWanted(QPoint): global position of a menu for the picture. fullScreenWanted: it was double-clicked.
    """

    placed = Signal()
    dragOutRequested = Signal()
    menuWanted = Signal(QPoint)
    fullScreenWanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("resultCanvas")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        focus.attach(self, -1)
        self._state = "empty"
        self._prompt = ""
        self._doing = ""
        self._empty = EmptyStage()
        self._picture = FadingPicture(self)
        self._peek: ScaledPicture | None = None
        self._compared = Comparison()
        self._size = (256, 256)
        self._zoomed: Zoom | None = None
        self._pending = (256, 256)
        self._bottom = 0
        self._bar = QRect()
        self._mouse = PictureMouse(self, self._compared, self._picture_rect_or_none, self.is_zoomed)
        self._mouse.panned.connect(self._pan)
        self._mouse.dividerMoved.connect(self._split_to)
        self._mouse.draggedOut.connect(self.dragOutRequested)
        self._picture.changed.connect(self.update)
        notifier.changed.connect(self.update)
        self._describe()

    # What it shows

    @property
    def state(self) -> str:
        """ "empty", "error", "forming", "stopped" or "result"."""
        return self._state

    def has_picture(self) -> bool:
        return self._picture.layer is not None

    def image(self) -> QImage:
        """The picture that is shown, without comparing and peeking; null when there is none."""
        return self._picture.layer.image if self._picture.layer is not None else QImage()

    def show_empty(self, title: str, text: str, pictures: Sequence[QImage] = ()) -> None:
        """No picture yet: words, and up to three pictures from coarse to fine."""
        self._state = "empty"
        self._empty.set_words(title, text, pictures)
        self._drop_picture()

    def set_stage(self, size: tuple[int, int] | None, ground: float = 0.0, *, words: bool = True) -> None:
        """An empty picture, on which the cut-out can be placed before there is one.

        Args:
            size: width and height of the picture to come; None takes the stage away.
            ground: where the ground is, as a share of its height.
            words: what the empty canvas says is said on it.
        """
        stage = ground if size is not None else None
        if size is not None and not self.has_picture():
            self._set_size(size)
        if (stage, words) != (self._empty.ground, self._empty.words_on_stage):
            self._empty.ground, self._empty.words_on_stage = stage, words
            self.update()

    def pans(self) -> bool:
        """Return True while the space bar is held to move the picture."""
        return self._mouse.space and self.has_picture()

    def show_error(self) -> None:
        """A drawing failed, and there is no picture before it that could be shown."""
        self._state = "error"
        self._empty.set_words(self.tr("No picture yet"), self.tr("Your photo, cut-out and prompt are safe."))
        self._drop_picture()

    def begin(self, size: tuple[int, int], prompt: str) -> None:
        """A picture of this size will form; what was shown stays until its first preview."""
        self._state, self._prompt, self._doing = "forming", prompt, ""
        self._peek = None
        self.set_compare(False)
        if not self.has_picture():
            self._set_size(size)
        self._pending = size
        self._describe()
        self.placed.emit()
        self.update()

    def show_preview(self, pixels: np.ndarray, scale: int, count: int) -> None:
        """The picture so far, RGB uint8 (H, W, 3). ``scale`` is 0-based."""
        self._doing = self.tr("drawing scale {0} of {1}").format(scale + 1, count)
        self._set_size(self._pending)
        self._show(to_image(pixels), fade=True)

    def show_result(self, pixels: np.ndarray | QImage, prompt: str, *, fade: bool = False) -> None:
        """A finished picture. ``fade``: the last scale of a picture that formed here."""
        image = pixels if isinstance(pixels, QImage) else to_image(pixels)
        self._state, self._prompt, self._doing = "result", prompt, ""
        self._pending = (image.width(), image.height())
        self._set_size(self._pending)
        self._show(image, fade=fade)

    def stop(self, pixels: np.ndarray) -> None:
        """The drawing was stopped: the picture so far, RGB uint8 (H, W, 3), stays."""
        self._state, self._doing = "stopped", ""
        self._set_size(self._pending)
        self._show(to_image(pixels), fade=False)

    def peek(self, image: QImage | np.ndarray | None) -> None:
        """Show the picture of a scale while it is pointed at; None goes back."""
        if image is None:
            self._peek = None
        else:
            self._peek = ScaledPicture(image if isinstance(image, QImage) else to_image(image))
        self.update()

    def set_cut_out(self, image: QImage | None) -> None:
        """The subject on white, for comparing."""
        self._compared.cut_out = layer_of(image)
        self.update()

    def set_previous(self, image: QImage | None) -> None:
        """The previous picture of the group, shown while C is held."""
        self._compared.previous = layer_of(image)
        self.update()

    def can_compare(self) -> bool:
        return self.has_picture() and self._compared.right is not None and self._state != "forming"

    def compare_with(self, image: QImage) -> None:
        """Compare with another picture instead of the cut-out, until comparing ends."""
        self.set_compare(False)
        self._compared.other = layer_of(image)
        self.set_compare(True)

    def comparing(self) -> bool:
        return self._compared.on

    def set_compare(self, on: bool) -> None:
        if self._compared.turn(on and self.can_compare()):
            self.unsetCursor()
            self._describe()
            self.update()

    def hold_previous(self, on: bool) -> None:
        """Show the previous picture of the group as long as this is on."""
        if self._compared.hold(on):
            self.update()

    def split(self) -> float:
        """Return the position of the divider, 0 … 1 of the picture's width."""
        return self._compared.split

    def set_split(self, split: float) -> None:
        self._compared.set_split(split)
        self.update()

    # Zoom

    def set_bottom_space(self, pixels: int) -> None:
        """Leave space below the picture for the bar of actions."""
        if pixels != self._bottom:
            self._bottom = pixels
            self._moved()

    def set_bar_rect(self, rect: QRect) -> None:
        """Take the place of the bar of actions, whose shadow is painted here."""
        if rect != self._bar:
            self._bar = rect
            self.update()

    def is_zoomed(self) -> bool:
        """Return True if the picture is shown otherwise than fitted."""
        return self._zoomed is not None

    def zoom_fit(self) -> None:
        self._zoomed = None
        self._moved()

    def zoom_actual(self) -> None:
        """100 %: one picture pixel is one device-independent pixel."""
        if self.has_picture():
            self._zoom_around(1 / self.scale())

    @Slot()
    def zoom_in(self) -> None:
        self.zoom_by(1)

    @Slot()
    def zoom_out(self) -> None:
        self.zoom_by(-1)

    def zoom_by(self, steps: float) -> None:
        """Zoom in (positive) or out around the middle."""
        if self.has_picture():
            self._zoom_around(STEP**steps)

    def scale(self) -> float:
        """Device-independent pixels per picture pixel."""
        zoom = self._zoom()
        return zoom.scale / zoom.ratio

    def picture_rect(self) -> QRectF:
        """Return the rectangle of the picture, in widget coordinates; larger than the widget when zoomed in."""
        return QRectF(*self._zoom().rect())

    def sizeHint(self) -> QSize:
        return QSize(560, 560)

    def minimumSizeHint(self) -> QSize:
        return QSize(240, 200)

    # Inside

    def _zoom(self) -> Zoom:
        """Return the zoom for now: zoomed, a picture may take the whole canvas, else what the bar of actions and a
        margin leave."""
        if self._zoomed is not None:
            return self._zoomed.resized((self.width(), self.height()), self.devicePixelRatioF())
        margin = 16 if self._bottom else 24
        size = max(32, self.width() - 2 * margin), max(32, self.height() - 2 * margin - self._bottom)
        most = min(2.0, max(1.0, _SMALL / max(self._size)))
        ratio = self.devicePixelRatioF()
        return Zoom(self._size, size, ratio, origin=(margin, margin), covers=True).fitted(most=most * ratio)

    def _zoom_around(self, factor: float, at: Point | None = None) -> None:
        """Zoom around a point of the canvas, the middle of the picture's place by default."""
        before = self._zoom()
        at = at or before.middle
        whole = before.resized((self.width(), self.height()), before.ratio)
        self._zoomed = whole.zoomed(factor).with_point(before.to_picture(*at), at)
        self._moved()

    def _set_size(self, size: tuple[int, int]) -> None:
        if size != self._size:
            self._size = size
            self._zoomed = None

    def _show(self, image: QImage, fade: bool) -> None:
        self._picture.show(image, duration("cross-fade") if fade and self.isVisible() else 0)
        self._describe()
        self._moved()

    def _drop_picture(self) -> None:
        self._picture.drop()
        self._peek = None
        self._prompt = self._doing = ""
        self._compared.end()
        self._zoomed = None
        self._describe()
        self._moved()

    def _moved(self) -> None:
        self.placed.emit()
        self.update()

    def _describe(self) -> None:
        """The canvas says of itself: prompt, size, state."""
        self.setAccessibleName(self.tr("Picture"))
        if not self.has_picture() and self._state != "forming":
            self.setAccessibleDescription(in_a_row(self._empty.words))
            return
        width, height = self._size
        states = {
            "forming": self._doing or self.tr("drawing"),
            "stopped": self.tr("stopped before the end"),
            "result": self.tr("compared with the cut-out") if self._compared.on else self.tr("finished"),
        }
        size = self.tr("{0} by {1} pixels").format(width, height)
        parts = [self._prompt, size, states.get(self._state, "")]
        self.setAccessibleDescription(", ".join(part for part in parts if part))

    # Events

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._describe()
        super().changeEvent(event)

    def resizeEvent(self, event) -> None:
        self._moved()
        super().resizeEvent(event)

    def event(self, event: QEvent) -> bool:
        if (zoom := zoom_of(event)) is not None and self.has_picture():
            self._zoom_around(*zoom)
            event.accept()
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._mouse.press(event)
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._mouse.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._mouse.release()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self.has_picture() and not self._compared.on and event.button() == Qt.MouseButton.LeftButton:
            self._mouse.release()
            self.fullScreenWanted.emit()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if not self.has_picture():
            event.ignore()
            return
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        middle = self.picture_rect().intersected(QRectF(self.rect())).center().toPoint()
        self.menuWanted.emit(self.mapToGlobal(middle) if by_key else event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self._mouse.set_space(True)
        elif key == Qt.Key.Key_C and not event.modifiers():
            if not event.isAutoRepeat():
                self.hold_previous(True)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal) and self.has_picture():
            self.zoom_in()
        elif key == Qt.Key.Key_Minus and self.has_picture():
            self.zoom_out()
        elif self._compared.on and key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.set_split(self._compared.split + (-0.02 if key == Qt.Key.Key_Left else 0.02))
        elif self.is_zoomed() and key in _ARROWS:
            dx, dy = _ARROWS[Qt.Key(key)]
            self._pan(QPointF(-40 * dx, -40 * dy))
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.isAutoRepeat():
            return
        if event.key() == Qt.Key.Key_Space:
            self._mouse.set_space(False)
        elif event.key() == Qt.Key.Key_C:
            self.hold_previous(False)
        else:
            super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        # The release of a key goes to the widget that has the focus by then.
        self.hold_previous(False)
        self._mouse.set_space(False)
        super().focusOutEvent(event)

    @Slot(QPointF)
    def _pan(self, step: QPointF) -> None:
        if self.is_zoomed():
            self._zoomed = self._zoom().panned(step.x(), step.y())
            self._moved()

    def _picture_rect_or_none(self) -> QRectF | None:
        return self.picture_rect() if self.has_picture() else None

    @Slot(QPointF)
    def _split_to(self, position: QPointF) -> None:
        self._compared.split_to(position, self.picture_rect())
        self.update()

    # Painting

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme().color("canvas"))
        if not self.has_picture():
            zoom = self._zoom()
            place = QRectF(*zoom.origin, *zoom.size)
            self._empty.paint(painter, QRectF(*zoom.rect()), place, self._state)
        else:
            self._paint_picture(painter)
        if not self._bar.isEmpty():
            paint_shadow(painter, QRectF(self._bar), "float")
        if focus.is_visible(self):
            paint_focus_ring(painter, QRectF(self.rect()).adjusted(3, 3, -3, -3))

    def zoom_words(self) -> str:
        """The zoom as it is written on a picture that is not fitted: "150 %"; 100 % is what its key shows."""
        return f"{round(100 * self.scale())}\u00a0%" if self.is_zoomed() else ""

    def _paint_picture(self, painter: QPainter) -> None:
        self._paint_layers(painter)
        if words := self.zoom_words():
            below = 32 if self._compared.on else 0  # the names of what is compared stand in the corners
            area = self.picture_rect().intersected(QRectF(self.rect())).adjusted(0, below, 0, 0)
            painting.paint_chip(painter, area, words, right=True)

    def _paint_layers(self, painter: QPainter) -> None:
        rect = self.picture_rect()
        corner = radius("picture")
        if rect.width() <= self.width() and rect.height() <= self.height():
            paint_shadow(painter, rect, "picture")
        held = self._compared.held
        special = held or self._peek
        if special is not None:
            special.paint(painter, rect, corner)
            if held is not None:
                painting.paint_chip(painter, rect, self.tr("Previous picture"), right=False)
            return
        self._picture.paint(painter, rect, corner)
        right = self._compared.right
        if self._compared.on and right is not None:
            older = self._compared.other is not None
            words = (self.tr("Newer"), self.tr("Older")) if older else (self.tr("Result"), self.tr("Cut-out"))
            painting.paint_compare(painter, rect, right, self._compared.split, words)


_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
