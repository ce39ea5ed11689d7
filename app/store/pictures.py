"""Names for finished pictures in the user's folder."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_RESERVED = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)$", re.IGNORECASE)
_LONGEST = 60


def picture_name(prompt: str, seed: int) -> str:
    """A file name (without folder) a person recognises: the start of the prompt, then the seed.

    Safe on every system: no separators, no control characters, no reserved names, at most 60 characters and as many
    as fit into 180 bytes of UTF-8.
    """
    text = unicodedata.normalize("NFC", prompt)
    text = " ".join(_FORBIDDEN.sub(" ", text).split()).strip(" .")
    if len(text) > _LONGEST:
        text = text[:_LONGEST].rsplit(" ", 1)[0]
    text = text.encode()[:180].decode(errors="ignore").strip(" .")
    if not text or _RESERVED.match(text):
        text = "picture"
    return f"{text} {seed}.png"


def free_name(folder: Path, name: str) -> Path:
    """A path in the folder that does not exist yet: "name.png", "name (2).png", …"""
    target = folder / name
    number = 2
    while target.exists():
        target = folder / f"{Path(name).stem} ({number}){Path(name).suffix}"
        number += 1
    return target
