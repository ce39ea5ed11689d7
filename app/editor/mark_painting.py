"""Marks on the photo: points, boxes, the lasso, the brush's ring. Each has a white and a dark edge, so that it shows on any
photo, and a shape that says what it means without its colour."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen, QPolygonF

from app.look import icons
from app.look.theme import on_photo, tokens

POINT_RADIUS = 11.0
POINT_RADIUS_SMALL = 8.0
RING_MIN = 6.0
"""A ring with a smaller diameter on the screen becomes a cross-hair."""

_GLYPH = 5.0


def _pens(dashes: Sequence[float] = ()) -> tuple[QPen, QPen]:
    """The dark line below and the white one on it; only the white one is dashed."""
    stroke = tokens()["stroke"]
    outer = QPen(on_photo("mask-edge-outer"), stroke["mask-edge-outer"])
    inner = QPen(on_photo("mask-edge-inner"), stroke["mask-edge-inner"])
    for pen in (outer, inner):
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    if dashes:
        inner.setDashPattern(list(dashes))
    return outer, inner


def _double(painter: QPainter, path: QPainterPath, dashes: Sequence[float] = ()) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in _pens(dashes):
        painter.strokePath(path, pen)


def paint_point(painter: QPainter, at: QPointF, include: bool, radius: float = POINT_RADIUS) -> None:
    """A click: belongs is round with a plus, does not belong is square with a minus."""
    box = QRectF(at.x() - radius, at.y() - radius, 2 * radius, 2 * radius)
    corner = radius if include else radius * 0.36
    painter.setPen(QPen(on_photo("mask-edge-outer"), 1))
    painter.setBrush(on_photo("mask-edge-inner"))
    painter.drawRoundedRect(box.adjusted(-1, -1, 1, 1), corner + 1, corner + 1)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(on_photo("point-include" if include else "point-exclude"))
    painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), corner - 1, corner - 1)
    painter.setPen(QPen(on_photo("point-glyph"), max(1.75, radius * 0.2), c=Qt.PenCapStyle.RoundCap))
    arm = radius * 0.5
    painter.drawLine(QPointF(at.x() - arm, at.y()), QPointF(at.x() + arm, at.y()))
    if include:
        painter.drawLine(QPointF(at.x(), at.y() - arm), QPointF(at.x(), at.y() + arm))


def paint_spinner(painter: QPainter, at: QPointF, angle: float, still: bool, radius: float = POINT_RADIUS) -> None:
    """An answer is on its way: around the point, or an ellipsis beside it when motion is reduced."""
    if still:
        painter.setPen(Qt.PenStyle.NoPen)
        for dot in range(3):
            spot = QPointF(at.x() + (dot - 1) * 6, at.y() + radius + 8)
            painter.setBrush(on_photo("mask-edge-outer"))
            painter.drawEllipse(spot, 3, 3)
            painter.setBrush(on_photo("mask-edge-inner"))
            painter.drawEllipse(spot, 2, 2)
        return
    side = 2 * radius + 16
    painter.setPen(QPen(on_photo("mask-edge-outer"), 4))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawEllipse(at, radius + 5, radius + 5)
    icons.paint_icon(
        painter,
        "loader-circle",
        QRectF(at.x() - side / 2, at.y() - side / 2, side, side),
        on_photo("mask-edge-inner"),
        angle=angle,
    )


def paint_ring(painter: QPainter, at: QPointF, radius: float, include: bool) -> None:
    """The brush: solid with a plus; the eraser: dashed with a minus; a cross-hair when it is too small to see."""
    if 2 * radius < RING_MIN:
        paint_cross_hair(painter, at, 4)
        radius = 5
    else:
        path = QPainterPath()
        path.addEllipse(at, radius, radius)
        _double(painter, path, () if include else (3.2, 2.4))
    # Beside the ring at its upper right, never on what is painted.
    away = max(radius * 0.7071 + 8, 9)
    spot = QPointF(at.x() + away, at.y() - away)
    glyph = QPainterPath(QPointF(spot.x() - _GLYPH, spot.y()))
    glyph.lineTo(spot.x() + _GLYPH, spot.y())
    if include:
        glyph.moveTo(spot.x(), spot.y() - _GLYPH)
        glyph.lineTo(spot.x(), spot.y() + _GLYPH)
    _double(painter, glyph)


def ring_reach(radius: float) -> float:
    """Return the radius, in pixels, within which a ring of this radius and its sign are painted."""
    return radius + 2 * _GLYPH + 14


def paint_cross_hair(painter: QPainter, at: QPointF, arm: float = 8, gap: float = 3) -> None:
    """Four lines of length ``arm``, so far from the middle that what is there can be seen."""
    path = QPainterPath()
    for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        path.moveTo(at.x() + gap * dx, at.y() + gap * dy)
        path.lineTo(at.x() + (gap + arm) * dx, at.y() + (gap + arm) * dy)
    _double(painter, path)


def paint_box(painter: QPainter, box: QRectF) -> None:
    """A box around the subject, or one that is being drawn."""
    path = QPainterPath()
    path.addRect(box.normalized())
    _double(painter, path, (3.2, 2.4))


def paint_lasso(painter: QPainter, points: Sequence[QPointF]) -> None:
    path = QPainterPath()
    path.addPolygon(QPolygonF(list(points)))
    _double(painter, path, (3.2, 2.4))
