"""Text from outside: file names, command lines and files may hold what is no Unicode, or far too much of it."""

from __future__ import annotations

import re
from pathlib import Path

_LONE = re.compile("[\ud800-\udfff]")
_SHORT = 80


def is_text(value: str) -> bool:
    """Return True if every character can be written as UTF-8. Half of a surrogate pair cannot; a name in another
    encoding holds such halves after Python has read it."""
    return _LONE.search(value) is None


def shown(value: str) -> str:
    """The text with "�" for everything that is no Unicode; the same object when there is nothing to replace."""
    return value if is_text(value) else _LONE.sub("\ufffd", value)


def shown_name(path: Path | str) -> str:
    """The name of a file for messages and titles; the whole path when it has no name ("/")."""
    path = Path(path)
    return shown(path.name or str(path))


def shortened(value: object, most: int = _SHORT) -> str:
    """A foreign value for a message: one line of at most ``most`` characters."""
    text = value if isinstance(value, str) else str(value)
    text = " ".join(shown(text[: 2 * most]).split())
    return text if len(text) <= most else text[: most - 1] + "…"
