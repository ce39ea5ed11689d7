"""The tokens of the look, and the theme in force.

``theme()`` is the current theme; ``notifier.changed`` tells when it is another one. Widgets that paint themselves ask for
colours while painting and connect ``notifier.changed`` to ``update``; everything else is styled by ``stylesheet.py``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QColor, QGuiApplication, QPalette

from app.resources import resource

CHOICES = ("system", "light", "dark")


@cache
def tokens() -> dict[str, Any]:
    """The whole of ``resources/tokens.json``."""
    return json.loads(resource("tokens.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Theme:
    """The colours of one theme.

    Attributes:
        name: "light" or "dark".
        colors: token name → colour as written in the tokens.
    """

    name: str
    colors: dict[str, str] = field(repr=False)

    @property
    def dark(self) -> bool:
        return self.name == "dark"

    def color(self, name: str) -> QColor:
        """The colour of a token ("accent", "text-muted", …). Raises ``KeyError`` for an unknown name."""
        return QColor(parse_color(self.colors[name]))

    def shadow(self, name: str) -> tuple[int, int, QColor]:
        """A shadow ("picture", "float", "dialog") as offset downwards, blur radius and colour."""
        values = tokens()["shadow"][name]
        return values["y"], values["blur"], QColor(parse_color(values[self.name]))


@cache
def parse_color(text: str) -> QColor:
    """ "#RRGGBB" or "rgba(r, g, b, a)" with a from 0 to 1."""
    match = re.fullmatch(r"rgba\((\d+), (\d+), (\d+), ([\d.]+)\)", text)
    if match:
        color = QColor(int(match[1]), int(match[2]), int(match[3]))
        color.setAlphaF(float(match[4]))
        return color
    color = QColor(text)
    if not color.isValid():
        raise ValueError(f"no colour: {text!r}")
    return color


def on_photo(name: str) -> Any:
    """A token of what lies on the photo, the same in both themes: a ``QColor``, or a number for an opacity."""
    value = tokens()["color"]["on-photo"][name]
    return QColor(parse_color(value)) if isinstance(value, str) else value


def size(name: str) -> int:
    """A size in device-independent pixels ("control", "field", "top-bar", …)."""
    return tokens()["size"][name]


def space(step: int | str) -> int:
    """A distance: step 1 … 10 of the scale, or a name ("panel-padding", "row-gap", "label-gap", "section-gap")."""
    return tokens()["space"][str(step)]


def radius(name: str) -> int:
    """A corner radius ("control", "card", "picture", "tile", …)."""
    return tokens()["radius"][name]


def duration(name: str) -> int:
    """Milliseconds of a movement ("hover", "cross-fade", "panel", …); 0 while motion is reduced.

    How long something stays ("toast", "tooltip-delay", "preview-min-gap") is no movement and is never shortened.
    """
    still = name in ("toast", "tooltip-delay", "preview-min-gap")
    return 0 if notifier.reduced_motion and not still else tokens()["duration"][name]


def mix(a: QColor, b: QColor, share: float) -> QColor:
    """Between two colours: 0 is the first, 1 the second."""
    return QColor.fromRgbF(
        a.redF() + (b.redF() - a.redF()) * share,
        a.greenF() + (b.greenF() - a.greenF()) * share,
        a.blueF() + (b.blueF() - a.blueF()) * share,
        a.alphaF() + (b.alphaF() - a.alphaF()) * share,
    )


class Notifier(QObject):
    """Tells when the theme or the text size changed.

    Signals:
        changed: another theme.
        textScaled: all text is larger or smaller than before.
    """

    changed = Signal()
    textScaled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.choice = "system"
        self.motion = "system"
        self._theme = Theme("light", tokens()["color"]["light"])
        self._watching = False

    @property
    def reduced_motion(self) -> bool:
        if self.motion != "system":
            return self.motion == "reduced"
        application = QGuiApplication.instance()
        if not isinstance(application, QGuiApplication):
            return False
        # Two names on purpose: in one expression the first wrapper dies early and takes the second along.
        hints = application.styleHints()
        accessibility = getattr(hints, "accessibility", lambda: None)()
        preference = getattr(accessibility, "motionPreference", None)  # Qt 6.11 and newer know the system's setting
        return preference is not None and preference().name == "ReducedMotion"

    def theme(self) -> Theme:
        return self._theme

    def set_choice(self, choice: str) -> None:
        """ "system", "light" or "dark"; anything else is taken as "system"."""
        self.choice = choice if choice in CHOICES else "system"
        hints = QGuiApplication.styleHints()
        if not self._watching:
            hints.colorSchemeChanged.connect(self._system_changed)
            self._watching = True
        self._system_changed()

    def set_motion(self, motion: str) -> None:
        """ "system", "full" or "reduced"."""
        self.motion = motion if motion in ("system", "full", "reduced") else "system"

    @Slot()
    def _system_changed(self) -> None:
        name = self.choice
        if name == "system":
            name = "dark" if QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark else "light"
        if name != self._theme.name:
            self._theme = Theme(name, tokens()["color"][name])
        self.changed.emit()


notifier = Notifier()


def theme() -> Theme:
    """The theme in force."""
    return notifier.theme()


def palette() -> QPalette:
    """The palette for what no style sheet reaches: native dialogs, text selections, links."""
    current = theme()
    result = QPalette()
    roles = QPalette.ColorRole
    for role, name in (
        (roles.Window, "surface"),
        (roles.WindowText, "text"),
        (roles.Base, "surface-sunken"),
        (roles.AlternateBase, "surface"),
        (roles.Text, "text"),
        (roles.PlaceholderText, "text-placeholder"),
        (roles.Button, "surface-raised"),
        (roles.ButtonText, "text"),
        (roles.Highlight, "accent-soft"),
        (roles.HighlightedText, "accent-soft-text"),
        (roles.ToolTipBase, "surface-raised"),
        (roles.ToolTipText, "text"),
        (roles.Link, "accent"),
        (roles.LinkVisited, "accent"),
        (roles.Light, "surface-hover"),
        (roles.Mid, "border"),
        (roles.Dark, "outline"),
        (roles.Shadow, "canvas"),
        (roles.Accent, "accent"),
    ):
        result.setColor(role, current.color(name))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, role, current.color("text-disabled"))
    return result
