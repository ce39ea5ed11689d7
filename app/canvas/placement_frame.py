"""The cut-out where it will stand, with a frame to drag, size, turn and mirror it. Lies over the canvas."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal, Slot
from PySide6.QtGui import (
    QContextMenuEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
    QPolygonF,
    QRadialGradient,
    QWheelEvent,
)
from PySide6.QtWidgets import QMenu, QWidget

from app.canvas.placement import Grip, Point, Stage, Standing, outline_of
from app.look import focus
from app.look.theme import notifier, on_photo, radius, theme
from app.shortcuts import BoundAction, bind
from engine import CutOut, Placement

_STEP, _LONG_STEP = 0.01, 0.05
"""Of the picture's shorter side, for an arrow key."""
_SIZE_STEP = 1.04
_TURN_STEP = 2.0
_OVER, _OVER_MOVED = 0.55, 0.9
"""How solid the cut-out is over a picture: where the picture has it, and at another place."""
_HANDLE = 5.0
_ARROWS = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}

if TYPE_CHECKING:
    import numpy as np


class PlacementFrame(QWidget):
    """As large as the canvas it lies on; what misses the cut-out is for the canvas below.

    While it is disabled, the cut-out stands there without a frame.

    Signals:
        moved(object): the user gave this ``Placement``.
        automaticWanted: the user wants the place chosen by the seed again.
    """

    moved = Signal(object)
    automaticWanted = Signal()

    def __init__(self, canvas: QWidget) -> None:
        super().__init__(canvas)
        self.setObjectName("placementFrame")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.DefaultContextMenu)
        focus.attach(self, -1)
        self._subject: CutOut | None = None
        self._image = QImage()
        self._outline: np.ndarray | None = None
        self._stage = Stage(0, 0, 1, 1)
        self._placement = Placement(0.5, 0.5, 0.5)
        self._automatic = True
        self._before: Placement | None = None
        self._over = False
        self._grip: Grip = ""
        self._pressed: Point = (0.0, 0.0)
        self._start: Standing | None = None
        self._now: Standing | None = None
        self._actions: list[BoundAction] = [
            bind(self, "place_mirror", self.mirror),
            bind(self, "place_larger", self.larger),
            bind(self, "place_smaller", self.smaller),
            bind(self, "place_turn_left", self.turn_left),
            bind(self, "place_turn_right", self.turn_right),
            bind(self, "place_upright", self.upright),
            bind(self, "place_ground", self.to_ground),
            bind(self, "place_automatic", self.automaticWanted.emit),
        ]
        notifier.changed.connect(self.update)

    # What it shows

    def set_subject(self, subject: CutOut) -> None:
        """The cut-out that stands there."""
        import numpy as np

        from engine.photo import without_white

        if subject is self._subject:
            return
        self._subject, self._outline = subject, outline_of(subject.alpha)
        pixels = np.ascontiguousarray((without_white(subject) * 255 + 0.5).astype(np.uint8))
        side = len(pixels)
        view = QImage(pixels.data, side, side, 4 * side, QImage.Format.Format_RGBA8888_Premultiplied)
        self._image = view.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
        self._let_go()
        self._describe()
        self.update()

    def set_stage(self, picture: QRectF, ground: float, *, over: bool) -> None:
        """Take another place of the picture. ``ground``: a share of its height. ``over``: a picture is there, not an empty stage."""
        stage = Stage(picture.x(), picture.y(), picture.width(), picture.height(), ground)
        if (stage, over) != (self._stage, self._over):
            self._stage, self._over = stage, over
            self._let_go()
            self.update()

    def set_placement(self, placement: Placement, *, automatic: bool, before: Placement | None = None) -> None:
        """Put the cut-out somewhere. ``before``: where it stands in the picture under it."""
        if (placement, automatic, before) != (self._placement, self._automatic, self._before):
            self._placement, self._automatic, self._before = placement, automatic, before
            self._let_go()
            self._describe()
            self.update()

    def placement(self) -> Placement:
        """Return the placement on the screen, also while it is dragged."""
        return self.standing().placement

    def standing(self) -> Standing:
        """The same in pixels of this widget."""
        return self._now or Standing(self._placement, self._shape(), self._stage)

    def _shape(self) -> np.ndarray:
        """The outline of the cut-out; without one, the corners of its square."""
        import numpy as np

        return outline_of(np.zeros((1, 1), np.uint8)) if self._outline is None else self._outline

    def is_dragged(self) -> bool:
        return self._start is not None

    def cancel_drag(self) -> None:
        """Back to where the drag began."""
        self._let_go()
        self.update()

    def _describe(self) -> None:
        place = self._placement
        parts = [self.tr("automatic") if self._automatic else self.tr("placed by hand")]
        foot = Standing(place, self._shape(), Stage(0.0, 0.0, 100.0, 100.0)).foot
        parts.append(self.tr("{0} percent from the left, stands at {1} percent").format(round(foot[0]), round(foot[1])))
        parts.append(self.tr("size {0} percent").format(round(100 * place.size)))
        if place.turn:
            parts.append(self.tr("turned by {0} degrees").format(round(place.turn)))
        if place.mirrored:
            parts.append(self.tr("mirrored"))
        self.setAccessibleName(self.tr("Place of the subject"))
        self.setAccessibleDescription(", ".join(parts))

    # What a key or a menu does

    @Slot()
    def mirror(self) -> None:
        self._give(self.standing().mirrored())

    @Slot()
    def larger(self) -> None:
        self._give(self.standing().sized(_SIZE_STEP))

    @Slot()
    def smaller(self) -> None:
        self._give(self.standing().sized(1 / _SIZE_STEP))

    @Slot()
    def turn_left(self) -> None:
        self._turn(-_TURN_STEP)

    @Slot()
    def turn_right(self) -> None:
        self._turn(_TURN_STEP)

    @Slot()
    def upright(self) -> None:
        self._give(self.standing().turned(0.0))

    @Slot()
    def to_ground(self) -> None:
        """Stand it on the ground, where it is."""
        standing = self.standing()
        self._give(standing.moved(0.0, self._stage.ground_y - standing.foot[1]))

    def _turn(self, degrees: float) -> None:
        before = self._placement.turn
        turn = before + degrees
        # A step over upright ends there.
        self._give(self.standing().turned(0.0 if before * turn < 0 else turn))

    def _give(self, standing: Standing) -> None:
        if self.isEnabled() and standing.placement != self._placement:
            self.set_placement(standing.placement, automatic=False, before=self._before)
            self.moved.emit(standing.placement)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = _ARROWS.get(Qt.Key(event.key()))
        if step is None or not self.isEnabled() or self.is_dragged():
            super().keyPressEvent(event)
            return
        long = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        pixels = (_LONG_STEP if long else _STEP) * self._stage.unit
        self._give(self.standing().stepped(step[0] * pixels, step[1] * pixels))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        point = event.pos()
        if not by_key and not self._grip_at(QPointF(point)):
            event.ignore()
            return
        if by_key:
            x, y = self.standing().middle
            point = QPointF(x, y).toPoint()
        self.menu().popup(self.mapToGlobal(point))

    def menu(self) -> QMenu:
        """Everything that a key does, for those who look for it."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for action in self._actions:
            if action.entry.id == "place_automatic":
                menu.addSeparator()
            menu.addAction(action)
        return menu

    # The mouse

    def _grip_at(self, point: QPointF) -> Grip:
        return self.standing().grip_at((point.x(), point.y()), (self.width(), self.height()))

    def is_over(self, point: QPointF) -> bool:
        """Return True if a press at a point, in pixels of the frame, takes the subject."""
        return bool(self._grip_at(point)) and not self._pans()

    def _pans(self) -> bool:
        """The canvas below is about to be moved with the space bar held."""
        return bool(getattr(self.parentWidget(), "pans", lambda: False)())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        grip = self._grip_at(event.position())
        if event.button() != Qt.MouseButton.LeftButton or not grip or self._pans():
            event.ignore()
            return
        self._grip, self._pressed = grip, (event.position().x(), event.position().y())
        self._start = self._now = self.standing()
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position().x(), event.position().y()
        if self._start is None:
            self._point(self._grip_at(event.position()))
            # Over the subject nothing below is pointed at; a stroke that began beside it goes on below.
            event.setAccepted(self.is_over(event.position()) and not event.buttons())
            return
        free = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        steps = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        dx, dy = at[0] - self._pressed[0], at[1] - self._pressed[1]
        if self._grip == "body":
            if steps:  # along one axis
                dx, dy = (dx, 0.0) if abs(dx) >= abs(dy) else (0.0, dy)
            self._now = self._start.moved(dx, dy, snap=not free)
        elif self._grip == "turn":
            before = self._start.placement.turn
            self._now = self._start.turned_towards(self._pressed, at, before, snap=not free, steps=steps)
        else:
            corner = int(self._grip[-1])
            x, y = self._start.corners[corner]
            self._now = self._start.pulled(corner, (x + dx, y + dy))
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._start is None or event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        now = self.standing()
        self._let_go()
        self._give(now)
        self._point(self._grip_at(event.position()))
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        # Otherwise the canvas below would zoom; the second click of two begins a drag like the first.
        self.mousePressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() or not self.isEnabled() or not self._grip_at(event.position()):
            event.ignore()
            return
        self._give(self.standing().sized(_SIZE_STEP ** (event.angleDelta().y() / 120)))
        event.accept()

    def _point(self, grip: Grip) -> None:
        """The cursor says what can be done here."""
        if not grip or not self.isEnabled():
            self.unsetCursor()
        elif grip == "body":
            self.setCursor(Qt.CursorShape.SizeAllCursor)
        elif grip == "turn":
            self.setCursor(Qt.CursorShape.PointingHandCursor)
        else:
            corners = self.standing().corners
            (x, y), (u, v) = corners[int(grip[-1])], corners[(int(grip[-1]) + 2) % 4]
            falling = (x - u) * (y - v) > 0
            self.setCursor(Qt.CursorShape.SizeFDiagCursor if falling else Qt.CursorShape.SizeBDiagCursor)

    def _let_go(self) -> None:
        self._grip, self._start, self._now = "", None, None

    def hideEvent(self, event) -> None:
        self._let_go()
        super().hideEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.EnabledChange:
            self._let_go()
            self.unsetCursor()
            self.update()
        elif event.type() == QEvent.Type.LanguageChange:
            self._describe()
        super().changeEvent(event)

    # Painting

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        standing = self.standing()
        self._paint_subject(painter, standing)
        if self.isEnabled():
            if self.is_dragged():
                self._paint_guides(painter, standing)
            self._paint_frame(painter, standing)

    def _paint_subject(self, painter: QPainter, standing: Standing) -> None:
        """As it will stand: what lies beyond the picture's edge is not seen."""
        stage, place = self._stage, standing.placement
        painter.save()
        painter.setClipRect(QRectF(stage.x, stage.y, stage.width, stage.height))
        if self._over:
            painter.setOpacity(_OVER if place == self._before else _OVER_MOVED)
        else:
            _paint_contact(painter, standing)
        painter.translate(*standing.centre)
        painter.rotate(place.turn)
        if place.mirrored:
            painter.scale(-1.0, 1.0)
        side = standing.side
        painter.drawImage(QRectF(-side / 2, -side / 2, side, side), self._image)
        painter.restore()

    def _paint_guides(self, painter: QPainter, standing: Standing) -> None:
        """Paint the line it snapped to."""
        if self._grip != "body":
            return
        stage = self._stage
        pen = QPen(theme().color("accent"), 1.5)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        if standing.on_ground:
            painter.drawLine(QPointF(stage.x, stage.ground_y), QPointF(stage.x + stage.width, stage.ground_y))
        if standing.in_middle:
            painter.drawLine(QPointF(stage.middle_x, stage.y), QPointF(stage.middle_x, stage.y + stage.height))

    def _paint_frame(self, painter: QPainter, standing: Standing) -> None:
        """A double line, as around the kept part of a photo: it is seen on every ground."""
        corners = [QPointF(*corner) for corner in standing.corners]
        start, handle = standing.turn_handle((self.width(), self.height()))
        outer, inner = on_photo("mask-edge-outer"), on_photo("mask-edge-inner")
        if focus.is_visible(self):
            outer = theme().color("focus")
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for pen in (QPen(outer, 3.5), QPen(inner, 1.5)):
            pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
            painter.setPen(pen)
            painter.drawPolygon(QPolygonF(corners))
            painter.drawLine(QPointF(*start), QPointF(*handle))
        painter.setBrush(inner)
        painter.setPen(QPen(outer, 1.5))
        painter.drawEllipse(QPointF(*handle), _HANDLE + 1, _HANDLE + 1)
        for corner in corners:
            painter.save()
            painter.translate(corner)
            painter.rotate(standing.placement.turn)
            painter.drawRoundedRect(
                QRectF(-_HANDLE, -_HANDLE, 2 * _HANDLE, 2 * _HANDLE), radius("tag") / 2, radius("tag") / 2
            )
            painter.restore()


def _paint_contact(painter: QPainter, standing: Standing) -> None:
    """A soft shadow where it stands; fainter the higher it hovers."""
    left, _, right, bottom = standing.extent
    away = abs(bottom - standing.stage.ground_y) / standing.stage.unit
    strength = 0.34 * math.exp(-18 * away)
    if strength < 0.02:
        return
    half, flat = (right - left) * 0.55, max(4.0, (right - left) * 0.05)
    shade = on_photo("mask-edge-outer")
    gradient = QRadialGradient(QPointF(0, 0), half)
    for at, share in ((0.0, 1.0), (0.6, 0.55), (1.0, 0.0)):
        shade.setAlphaF(strength * share)
        gradient.setColorAt(at, shade)
    painter.save()
    painter.translate((left + right) / 2, standing.stage.ground_y)
    painter.scale(1.0, flat / half)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(gradient)
    painter.drawEllipse(QPointF(0, 0), half, half)
    painter.restore()
