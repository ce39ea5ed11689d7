"""Paints the canvas beside the picture itself: its empty and its failed state."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QFontMetricsF, QPainter, QPainterPath, QPen

from app.look import icons
from app.look import type as type_
from app.look.pixels import ScaledPicture, paint_dashed, paint_shadow
from app.look.theme import on_photo, radius, theme

_EXAMPLE_SIDES = (84.0, 112.0, 148.0)


def paint_words(
    painter: QPainter, box: QRectF, words: tuple[str, str], examples: Sequence[ScaledPicture] = (), icon: str = ""
) -> None:
    """The empty canvas: a dashed box with a title and a sentence, under an icon or pictures from coarse to fine."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    fill = theme().color("surface")
    fill.setAlphaF(0.45)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(fill)
    painter.drawRoundedRect(box, radius("picture"), radius("picture"))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    paint_dashed(painter, box, radius("picture"))
    title, text = words
    title_font = type_.font("title" if examples else "heading")
    text_font = type_.font("prompt" if examples else "body")
    area = box.adjusted(32, 16, -32, -16)
    flags = int(Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap)
    title_rect = QFontMetricsF(title_font).boundingRect(QRectF(0, 0, area.width(), 1000), flags, title)
    text_rect = QFontMetricsF(text_font).boundingRect(QRectF(0, 0, min(area.width(), 410), 1000), flags, text)
    top_height = 28.0 if icon else 0.0
    shown: list[tuple[ScaledPicture, float]] = []
    if examples:
        left = area.height() - title_rect.height() - text_rect.height() - 56
        factor = min(1.0, (area.width() - 44) / sum(_EXAMPLE_SIDES), max(0.0, left) / _EXAMPLE_SIDES[-1])
        if factor > 0.3:
            sides = _EXAMPLE_SIDES[-len(examples) :]
            shown = [(layer, side * factor) for layer, side in zip(examples, sides, strict=True)]
            top_height = shown[-1][1]
    gap = 36.0 if shown else 14.0 if icon else 0.0
    height = top_height + gap + title_rect.height() + 6 + text_rect.height()
    y = box.center().y() - height / 2
    if icon:
        icons.paint_icon(painter, icon, QRectF(box.center().x() - 14, y, 28, 28), "text-muted")
    if shown:
        _paint_examples(painter, shown, box.center().x(), y + top_height)
    y += top_height + gap
    painter.setFont(title_font)
    painter.setPen(theme().color("text"))
    painter.drawText(QRectF(area.x(), y, area.width(), title_rect.height() + 2), flags, title)
    y += title_rect.height() + 6
    painter.setFont(text_font)
    painter.setPen(theme().color("text-muted"))
    width = min(area.width(), 410)
    painter.drawText(QRectF(box.center().x() - width / 2, y, width, text_rect.height() + 2), flags, text)
    painter.restore()


def paint_stage(
    painter: QPainter, rect: QRectF, ground: float, words: tuple[str, str], examples: Sequence[ScaledPicture] = ()
) -> None:
    """The picture before it is drawn: a calm backdrop with a line for the ground, and words at the top.

    Args:
        ground: where the line is, as a share of the height.
        examples: pictures from coarse to fine, shown beside the words where there is room.
    """
    from PySide6.QtGui import QLinearGradient

    color, corner = theme().color, radius("picture")
    paint_shadow(painter, rect, "picture")
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    wall = QLinearGradient(rect.topLeft(), rect.bottomLeft())
    line = rect.y() + ground * rect.height()
    wall.setColorAt(0.0, color("surface-raised"))
    share = min(ground, 1.0)  # what its photo cuts off stands a little below the picture
    wall.setColorAt(max(0.0, share - 1e-4), color("surface-pressed"))
    wall.setColorAt(share, color("surface-hover"))
    wall.setColorAt(1.0, color("surface"))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QBrush(wall))
    painter.drawRoundedRect(rect, corner, corner)
    painter.setPen(QPen(color("outline"), 1))
    if ground < 1:
        painter.drawLine(QPointF(rect.x() + 1, line), QPointF(rect.right() - 1, line))
    painter.setPen(QPen(color("border"), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), corner, corner)
    if words[0]:
        _paint_stage_words(painter, rect.adjusted(20, 16, -20, -16), words, examples)
    painter.restore()


def _paint_stage_words(
    painter: QPainter, area: QRectF, words: tuple[str, str], examples: Sequence[ScaledPicture]
) -> None:
    """Title and sentence at the top; a small picture from coarse to fine at their right."""
    sides = (36.0, 48.0, 64.0)[-len(examples) :] if examples else ()
    taken = sum(sides) + 8.0 * len(sides)
    shown = bool(sides) and area.width() - taken > 220
    box = area.adjusted(0, 0, -taken - 8, 0) if shown else area
    flags = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap)
    y = box.y()
    # The usual place of a cut-out begins a quarter down, and the handle that turns it stands above it.
    end = y + max(30.0, area.height() * 0.26 - 44)
    for text, role, ink in ((words[0], "heading", "text"), (words[1], "body", "text-muted")):
        font = type_.font(role)
        height = QFontMetricsF(font).boundingRect(QRectF(0, 0, box.width(), 1000), flags, text).height()
        if y + height > end:
            break  # the cut-out needs the room
        painter.setFont(font)
        painter.setPen(theme().color(ink))
        painter.drawText(QRectF(box.x(), y, box.width(), height + 2), flags, text)
        y += height + 4
    if shown:
        x = area.right() - taken + 8.0
        for layer, side in zip(examples, sides, strict=True):
            layer.paint(painter, QRectF(x, area.y() + sides[-1] - side, side, side), radius("tag"))
            x += side + 8.0


def _paint_examples(
    painter: QPainter, shown: Sequence[tuple[ScaledPicture, float]], middle: float, bottom: float
) -> None:
    gap = 22.0
    x = middle - (sum(side for _, side in shown) + gap * (len(shown) - 1)) / 2
    for layer, side in shown:
        rect = QRectF(x, bottom - side, side, side)
        paint_shadow(painter, rect, "float")
        layer.paint(painter, rect, radius("picture"))
        x += side + gap


def paint_chip(painter: QPainter, rect: QRectF, text: str, *, right: bool, top: bool = True) -> None:
    """A dark label that lies on the picture, in one of its corners."""
    font = type_.font("micro")
    metrics = QFontMetricsF(font)
    visible = QRectF(painter.viewport()).intersected(rect)
    width, height = metrics.horizontalAdvance(text) + 16, metrics.height() + 6
    x = visible.right() - width - 10 if right else visible.x() + 10
    y = visible.y() + 10 if top else visible.bottom() - height - 10
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(on_photo("chip"))
    chip = QRectF(x, y, width, height)
    painter.drawRoundedRect(chip, radius("tag"), radius("tag"))
    painter.setFont(font)
    painter.setPen(on_photo("chip-text"))
    painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()


def paint_compare(
    painter: QPainter, rect: QRectF, cut_out: ScaledPicture, split: float, names: tuple[str, str]
) -> None:
    """The cut-out on white over the right part of the picture, and the divider."""
    x = rect.x() + rect.width() * split
    corner = radius("picture")
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setClipRect(QRectF(x, rect.y() - 1, rect.right() - x + 1, rect.height() + 2))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(Qt.GlobalColor.white)
    painter.drawRoundedRect(rect, corner, corner)
    side = min(rect.width(), rect.height())
    middle = rect.center()
    cut_out.paint(painter, QRectF(middle.x() - side / 2, middle.y() - side / 2, side, side), corner)
    painter.restore()
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    path = QPainterPath(QPointF(x, rect.y()))
    path.lineTo(x, rect.bottom())
    painter.strokePath(path, QPen(on_photo("mask-edge-outer"), 4))
    painter.strokePath(path, QPen(on_photo("mask-edge-inner"), 2))
    visible = QRectF(painter.viewport()).intersected(rect)
    knob = QRectF(x - 14, visible.center().y() - 14, 28, 28)
    painter.setPen(QPen(on_photo("mask-edge-outer"), 1))
    painter.setBrush(on_photo("mask-edge-inner"))
    painter.drawEllipse(knob)
    dark = on_photo("point-include").darker(400)
    for name, shift in (("chevron-left", -6.0), ("chevron-right", 6.0)):
        icons.paint_icon(painter, name, QRectF(knob.center().x() + shift - 7, knob.center().y() - 7, 14, 14), dark)
    painter.restore()
    if split > 0.12:
        paint_chip(painter, rect, names[0], right=False)
    if split < 0.88:
        paint_chip(painter, rect, names[1], right=True)
