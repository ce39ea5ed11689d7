"""The user's settings: one value, one JSON file, taken over at once. Free of Qt."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field, structs

from app.store.json_file import dumps, put_aside
from engine import Damage, Share, read_fields, read_json

log = logging.getLogger(__name__)

VERSION = 1
OFFER_PUT_AWAY = "model offer put away"
"""Key in ``Settings.panels``: the card that offers the large model is not wanted any more."""
_LARGEST = 2**20


class Settings(Struct, frozen=True):
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
    theme: Literal["system", "light", "dark"] = "system"
    motion: Literal["system", "full", "reduced"] = "system"
    text_scale: Annotated[float, Meta(ge=0.9, le=1.5)] = 1.0
    language: str = "system"
    framing: Literal["fit", "reference"] = "fit"
    box_threshold: Share = 0.25
    text_threshold: Share = 0.25
    keys: dict[str, list[str]] = field(default_factory=dict)
    panels: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, Annotated[float, Meta(ge=0, le=sys.float_info.max)]] = field(default_factory=dict)


class SettingsStore:
    """Reads and writes the settings file. What is damaged falls back to the original value, one by one, and a copy of the file is
    kept aside then; so it is where the file is of another version, which may have more."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._written: Settings | None = None

    def load(self) -> Settings:
        try:
            data = read_json(self.path, dict[str, Any], _LARGEST)
        except FileNotFoundError:
            return Settings()
        except (OSError, Damage):
            log.warning("the settings could not be read", exc_info=True)
            put_aside(self.path)
            return Settings()
        good, bad = read_fields(data, Settings)
        if data and (bad or data.get("version") != VERSION):
            log.warning("a part of the settings could not be read: %s", ", ".join(sorted(bad)))
            put_aside(self.path)
        return Settings(**good)

    def save(self, settings: Settings) -> None:
        """Write the settings, unless they are what was written last. Raises ``CannotWrite``."""
        from engine import write_atomically

        if settings != self._written:
            write_atomically(self.path, dumps({"version": VERSION, **structs.asdict(settings)}))
            self._written = settings
