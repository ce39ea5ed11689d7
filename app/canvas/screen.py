"""One picture alone on the screen: nothing around it, its words for a moment, zoom and pan."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QCloseEvent, QColor, QContextMenuEvent, QImage, QMouseEvent, QPainter, QWheelEvent
from PySide6.QtWidgets import QWidget

from app.look import icons
from app.look import type as type_
from app.look.pixels import ScaledPicture
from app.look.theme import notifier, on_photo, radius
from app.look.zoom import STEP, Point, Zoom, zoom_of
from app.shortcuts import bind

_WORDS_MS = 2500
_SURROUND = QColor(14, 15, 17)
"""The same in both themes: a dark room, in which colours are judged by the picture alone."""


class PictureScreen(QWidget):
    """A window of its own over the whole screen.

    Signals:
        stepped(int): towards older (1) or newer (-1) pictures. jumped(int): to the newest (0) or the oldest (-1).
        starWanted, deleteWanted, undoWanted, copyWanted: as they say.
        left: it is closed.
    """

    stepped = Signal(int)
    jumped = Signal(int)
    starWanted = Signal()
    deleteWanted = Signal()
    undoWanted = Signal()
    copyWanted = Signal()
    left = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setObjectName("pictureScreen")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setWindowTitle(self.tr("Picture, full screen"))
        self.setAccessibleName(self.windowTitle())
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self._layer: ScaledPicture | None = None
        self._zoomed: Zoom | None = None
        self._words, self._place, self._message, self._starred = "", "", "", False
        self._pan: QPointF | None = None
        self._timer = QTimer(self, singleShot=True)
        self._timer.setInterval(_WORDS_MS)
        self._timer.timeout.connect(self._put_words_away)
        self._shown_words = False
        for action, run in (
            ("screen_newer", lambda: self.stepped.emit(-1)),
            ("screen_older", lambda: self.stepped.emit(1)),
            ("screen_newest", lambda: self.jumped.emit(0)),
            ("screen_oldest", lambda: self.jumped.emit(-1)),
            ("screen_star", self.starWanted.emit),
            ("screen_delete", self.deleteWanted.emit),
            ("screen_undo", self.undoWanted.emit),
            ("screen_copy", self.copyWanted.emit),
            ("screen_actual", self.zoom_actual),
            ("screen_fit", self.zoom_fit),
            ("screen_in", lambda: self.zoom_by(1)),
            ("screen_out", lambda: self.zoom_by(-1)),
            ("screen_leave", self.close),
        ):
            bind(self, action, run)
        notifier.changed.connect(self.update)

    # What it shows

    def show_picture(self, image: QImage, words: str, place: str, *, starred: bool) -> None:
        """Another picture, fitted to the screen.

        Args:
            image: null where the picture cannot be read.
            words: its prompt. place: "3 / 50", or "".
        """
        self._layer = ScaledPicture(image) if not image.isNull() else None
        self._words, self._place, self._starred = words, place, starred
        self._message = "" if self._layer is not None else self.tr("The picture's file is not where it was.")
        self.setAccessibleDescription(", ".join(part for part in (words, place) if part))
        self.zoom_fit()
        self.tell("")

    def set_star(self, starred: bool) -> None:
        self._starred = starred
        self.tell("")

    def tell(self, message: str) -> None:
        """Show the words for a moment, with a message in their place unless it is empty."""
        if message or self._layer is not None:
            self._message = message
        self._shown_words = True
        self._timer.start()
        self.update()

    @Slot()
    def _put_words_away(self) -> None:
        self._shown_words = False
        if self._layer is not None:
            self._message = ""
        self.setCursor(Qt.CursorShape.BlankCursor)
        self.update()

    # Zoom

    def zoom_fit(self) -> None:
        """As large as the screen: a small picture, too."""
        self._zoomed = None
        self.update()

    def zoom_actual(self) -> None:
        """100 %: one picture pixel is one device-independent pixel."""
        zoom = self._zoom()
        self._zoom_around(zoom.ratio / zoom.scale)

    def zoom_by(self, steps: float) -> None:
        """Zoom in (positive) or out around the middle."""
        self._zoom_around(STEP**steps)

    def place_words(self) -> str:
        """Return the place of the picture among the others, and its zoom unless it fills the screen: "150 % · 3 / 50"."""
        zoom = self._zoom()
        percent = f"{round(100 * zoom.scale / zoom.ratio)}\u00a0%" if self._zoomed is not None else ""
        return " · ".join(part for part in (percent, self._place) if part)

    def picture_rect(self) -> QRectF:
        """Return the rectangle of the picture, in device-independent pixels."""
        return QRectF(*self._zoom().rect())

    def _zoom(self) -> Zoom:
        size, ratio = (self.width(), self.height()), self.devicePixelRatioF()
        if self._zoomed is not None:
            return self._zoomed.resized(size, ratio)
        image = self._layer.image if self._layer is not None else None
        picture = (image.width(), image.height()) if image is not None else (1, 1)
        return Zoom(picture, size, ratio, covers=True).fitted()

    def _zoom_around(self, factor: float, at: Point | None = None) -> None:
        if self._layer is not None:
            self._zoomed = self._zoom().zoomed(factor, at)
            self.tell(self._message)

    # Events

    def event(self, event: QEvent) -> bool:
        if (zoom := zoom_of(event)) is not None:
            self._zoom_around(*zoom)
            event.accept()
            return True
        return super().event(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        self.left.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The wheel goes to the picture beside this one, with Ctrl it zooms: as on the canvas and in the history."""
        steps = event.angleDelta().y()
        if steps:
            self.stepped.emit(-1 if steps > 0 else 1)
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._pan = event.position()
        elif event.button() == Qt.MouseButton.BackButton:
            self.stepped.emit(-1)
        elif event.button() == Qt.MouseButton.ForwardButton:
            self.stepped.emit(1)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.setCursor(Qt.CursorShape.ArrowCursor)
        if self._pan is not None:
            step = event.position() - self._pan
            self._pan = event.position()
            self._zoomed = self._zoom().panned(step.x(), step.y()) if self._zoomed is not None else None
        self.tell(self._message)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pan = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.close()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        event.accept()

    # Painting

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), _SURROUND)
        if self._layer is not None:
            self._layer.paint(painter, self.picture_rect(), 0)
        if self._shown_words or self._layer is None:
            self._paint_words(painter)

    def _paint_words(self, painter: QPainter) -> None:
        """A dark label at the lower edge: the star, what it shows, and its place in the row."""
        font = type_.font("body")
        painter.setFont(font)
        metrics = painter.fontMetrics()
        available = max(80, round(self.width() * 0.7))
        words = self._message or metrics.elidedText(self._words, Qt.TextElideMode.ElideRight, available - 200)
        place = "" if self._message else self.place_words()
        star = 22 if self._starred and not self._message else 0
        gap = 16 if place and words else 0
        width = metrics.horizontalAdvance(words) + metrics.horizontalAdvance(place) + gap + star + 32
        height = metrics.height() + 16
        box = QRectF((self.width() - width) / 2, self.height() - height - 24, width, height)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(on_photo("chip"))
        painter.drawRoundedRect(box, radius("control"), radius("control"))
        inner = box.adjusted(16, 0, -16, 0)
        if star:
            sign = QRectF(inner.x(), inner.center().y() - 8, 16, 16)
            icons.paint_icon(painter, "star", sign, on_photo("chip-star"), filled=True)
            inner.setLeft(inner.x() + star)
        painter.setPen(on_photo("chip-text"))
        painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, words)
        painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, place)
