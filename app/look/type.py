"""The one type scale: Inter, which ships with the program, in the sizes of the tokens."""

from __future__ import annotations

import logging
from functools import cache, lru_cache

from PySide6.QtGui import QFont, QFontDatabase
from PySide6.QtWidgets import QApplication, QWidget

from app.look.theme import notifier, tokens
from app.resources import resource

log = logging.getLogger(__name__)

_ROLE = "typeRole"
_WIDTH = "widthAtOne"
_FIRST_FONT = "_q_styleSheetWidgetFont"
"""Where Qt keeps the font that it brings back when a widget gets another parent under a style sheet."""
_scale = 1.0


@cache
def load_fonts() -> None:
    """Register the fonts that ship. A missing file is no failure: the system's font stands in."""
    for file in sorted(resource("fonts").glob("*.otf")):
        if QFontDatabase.addApplicationFont(str(file)) < 0:
            log.warning("the font %s cannot be used", file.name)


def text_scale() -> float:
    """The user's text size, 1.0 … 1.5."""
    return _scale


def set_text_scale(scale: float) -> None:
    """Make all text larger or smaller at once, 0.9 … 1.5."""
    global _scale
    _scale = min(1.5, max(0.9, scale))
    QApplication.setFont(font("body"))
    refresh()
    for widget in QApplication.allWidgets():
        width = widget.property(_WIDTH)
        if width:
            widget.setFixedWidth(scaled(width))
    notifier.textScaled.emit()


def refresh() -> None:
    """Give every widget its font of the scale again.

    With a style sheet in force Qt brings back the first font of a widget, and hands none on to its children.
    """
    fonts = {}
    for widget in QApplication.allWidgets():
        role = _role_of(widget)
        if role not in fonts:
            fonts[role] = font(role)
        if widget.font() != fonts[role]:
            widget.setFont(fonts[role])
            widget.updateGeometry()
        if widget.property(_FIRST_FONT) is not None:
            widget.setProperty(_FIRST_FONT, fonts[role])


def _role_of(widget: QWidget | None) -> str:
    """The role of a widget, or of what it is a part of: the field in a spin box, the viewport of a text."""
    while widget is not None:
        role = widget.property(_ROLE)
        if role:
            return role
        widget = widget.parentWidget()
    return "body"


def scaled(pixels: int) -> int:
    """A length that has to grow with the text, in device-independent pixels."""
    return round(pixels * _scale)


def set_width(widget: QWidget, pixels: int) -> None:
    """Give a widget a fixed width that follows the text size. ``pixels``: at a text size of 1.0."""
    widget.setProperty(_WIDTH, pixels)
    widget.setFixedWidth(scaled(pixels))


def font(role: str = "body", *, tabular: bool = False) -> QFont:
    """A font of the scale: "title", "heading", "button-primary", "prompt", "section", "label", "body", "help", "value",
    "micro" or "mono" (logs and details). "caption" is another word for "help".

    Args:
        tabular: digits of equal width, for counters, times and sizes; on for "value" and "micro" by itself.
    """
    return QFont(_font(role, tabular, _scale))


@lru_cache(maxsize=64)
def _font(role: str, tabular: bool, scale: float) -> QFont:
    """Fonts are asked for in every paint event; making one anew costs as much as painting with it."""
    load_fonts()
    description = tokens()["font"]
    if role == "mono":
        result = QFont(description["family-mono"])
        result.setStyleHint(QFont.StyleHint.Monospace)
        values = description["scale"]["help"]
    else:
        result = QFont(description["family"])
        values = description["scale"]["help" if role == "caption" else role]
    # Points, not pixels, would follow the system's text scaling twice on some platforms; pixels follow ours.
    result.setPixelSize(round(values["size"] * scale))
    result.setWeight(QFont.Weight(values["weight"]))
    result.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    if "tracking" in values:
        result.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, values["tracking"] * scale)
    if tabular or role in ("value", "micro"):
        result.setFeature(QFont.Tag("tnum"), 1)
    return result


def line_height(role: str) -> int:
    """The distance of two lines of text in device-independent pixels."""
    return round(tokens()["font"]["scale"][role]["line"] * _scale)


def apply(widget: QWidget, role: str) -> None:
    """Give a widget a font of the scale that follows the text size."""
    widget.setProperty(_ROLE, role)
    widget.setFont(font(role))
