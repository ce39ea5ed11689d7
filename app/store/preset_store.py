"""The user's presets on the disk: one file, the order in it is the order of their keys."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.store.json_file import put_aside
from engine import Damage, EchoGenError, Preset, read_json, write_atomically

log = logging.getLogger(__name__)

MOST = 99
_LARGEST = 2**20


class PresetStore:
    """Reads and writes the file. A preset that cannot be read is left out, and the file is kept as "….bad" then."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> list[Preset]:
        """The presets in their order. A file that cannot be read is put aside, and a preset that cannot is left out."""
        try:
            data = read_json(self.path, list[Any], _LARGEST)
        except FileNotFoundError:
            return []
        except (OSError, Damage):
            log.warning("the presets could not be read", exc_info=True)
            put_aside(self.path)
            return []
        found = []
        for entry in data[:MOST]:
            try:
                found.append(Preset.from_json(entry))
            except EchoGenError:
                log.warning("a preset could not be read", exc_info=True)
        if len(found) < len(data):
            put_aside(self.path)
        return found

    def save(self, presets: Sequence[Preset]) -> None:
        """Raises ``CannotWrite``."""
        content = json.dumps([preset.to_json() for preset in presets], ensure_ascii=False, indent=1)
        write_atomically(self.path, content.encode())
