"""The user's settings: one frozen dataclass, one JSON file, taken over at once. Free of Qt."""

from __future__ import annotations

import logging
import math
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from app.store.json_file import NotUsable, dumps, is_number, put_aside, read_object
from engine import write_atomically

log = logging.getLogger(__name__)

VERSION = 1
OFFER_PUT_AWAY = "model offer put away"
"""Key in ``Settings.panels``: the card that offers the large model is not wanted any more."""
_LARGEST = 2**20


@dataclass(frozen=True)
class Settings:
    """Everything that can be set.

    Attributes:
        bundle: name or folder of the bundle; "" takes the one that ships.
        device: "auto", "cpu", "cuda", "cuda:1", "mps" …
        memory: "auto" or a memory plan ("resident", "balanced", "low" …).
        pictures: folder of finished pictures; "" takes the system's own.
        previews: show the picture while it forms.
        notices: messages of the system when a picture is done or failed while the window is not in front.
        updates: look for a newer version at every start.
        theme: "system", "light" or "dark".
        motion: "system", "full" or "reduced".
        text_scale: size of all text, 0.9 … 1.5.
        language: "system", "en" or "zh_CN".
        framing: "fit" or "reference".
        box_threshold, text_threshold: of the finder of subjects, 0 … 1.
        keys: own keys by action.
        panels: what is folded, hidden or open, by name; remembered by the window.
        seconds: measured seconds of a picture by bundle and device, for the first estimate after a start.
    """

    bundle: str = ""
    device: str = "auto"
    memory: str = "auto"
    pictures: str = ""
    previews: bool = True
    notices: bool = True
    updates: bool = False
    theme: str = "system"
    motion: str = "system"
    text_scale: float = 1.0
    language: str = "system"
    framing: str = "fit"
    box_threshold: float = 0.25
    text_threshold: float = 0.25
    keys: dict[str, list[str]] = field(default_factory=dict)
    panels: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


class SettingsStore:
    """Reads and writes the settings file. What is damaged or unknown falls back to the original value, one by one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._written: Settings | None = None

    def load(self) -> Settings:
        try:
            data = read_object(self.path, _LARGEST)
        except NotUsable:
            log.warning("the settings could not be read", exc_info=True)
            put_aside(self.path)
            return Settings()
        original = Settings()
        good: dict[str, Any] = {}
        for entry in fields(Settings):
            value, standard = data.get(entry.name), getattr(original, entry.name)
            if isinstance(standard, float) and isinstance(value, int) and not isinstance(value, bool):
                value = float(value) if abs(value) < 2**53 else math.inf
            if type(value) is type(standard) and _is_possible(entry.name, value):
                good[entry.name] = value
        return Settings(**good)

    def save(self, settings: Settings) -> None:
        """Write the settings, unless they are what was written last. Raises ``CannotWrite``."""
        if settings != self._written:
            write_atomically(self.path, dumps({"version": VERSION, **asdict(settings)}))
            self._written = settings


_CHOICES = {
    "theme": ("system", "light", "dark"),
    "motion": ("system", "full", "reduced"),
    "framing": ("fit", "reference"),
}
_RANGES = {"text_scale": (0.9, 1.5), "box_threshold": (0.0, 1.0), "text_threshold": (0.0, 1.0)}


def _is_possible(name: str, value: Any) -> bool:
    """Whether the program could have written this value; its type is right."""
    if name in _CHOICES:
        return value in _CHOICES[name]
    if name in _RANGES:
        low, high = _RANGES[name]
        return is_number(value) and low <= value <= high
    if name == "seconds":
        return all(is_number(seconds) and seconds >= 0 for seconds in value.values())
    if name == "keys":
        return all(isinstance(own, list) and all(isinstance(key, str) for key in own) for own in value.values())
    return True
