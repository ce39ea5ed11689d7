"""The open session: what is in the session, saved as it changes, back after a crash.

Photos and masks are not in it; they lie in the assets folder by digest (``assets.py``) and are named here.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from app.store.json_file import NotUsable, dumps, put_aside, read_object
from engine import write_atomically

log = logging.getLogger(__name__)

VERSION = 1
_LARGEST = 4 * 2**20


@dataclass(frozen=True)
class SavedSubject:
    """One subject on the shelf.

    Attributes:
        photo, mask: digests of assets; ``mask`` may be empty.
        name, title: what it is called; the photo's file name.
        cut_out: for a subject without a photo (recalled from a picture), the cut-out as base64 PNG.
        framing: how that is framed.
        example: it came with a bundle.
        unsure: its cut-out was called unsure, and nobody has corrected it.
    """

    photo: str
    mask: str = ""
    name: str = ""
    title: str = ""
    cut_out: str = ""
    framing: str = "fit"
    example: bool = False
    unsure: bool = False


@dataclass(frozen=True)
class SavedSession:
    """The values that come back after a restart.

    Attributes:
        subjects: the shelf, in order.
        current: index of the subject in use, or -1.
        prompt, negative_prompt: as typed.
        controls: values of the panel by name: strengths, size, seed, lock, count, which sections are open.
        prompt_history: newest last.
        window: geometry as the window wrote it, base64.
    """

    subjects: tuple[SavedSubject, ...] = ()
    current: int = -1
    prompt: str = ""
    negative_prompt: str = ""
    controls: dict[str, Any] = field(default_factory=dict)
    prompt_history: tuple[str, ...] = ()
    window: str = ""


class SessionStore:
    """Reads and writes the session file. Writing is atomic; what is damaged is let go, field by field, and a copy of the file
    is kept aside then."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._written = b""

    def load(self) -> SavedSession:
        try:
            data = read_object(self.path, _LARGEST)
        except NotUsable:
            log.warning("the last session could not be read", exc_info=True)
            put_aside(self.path)
            return SavedSession()
        session, whole = _session(data)
        if data and not (whole and data.get("version") == VERSION):
            log.warning("a part of the last session could not be read")
            put_aside(self.path)
        return session

    def save(self, state: SavedSession) -> None:
        """Write the session, unless it is what was written last. Raises ``CannotWrite``."""
        content = dumps({"version": VERSION, **asdict(state)})
        if content != self._written:
            write_atomically(self.path, content)
            self._written = content


_KINDS: dict[str, type] = {"current": int, "prompt": str, "negative_prompt": str, "controls": dict, "window": str}


def _session(data: dict[str, Any]) -> tuple[SavedSession, bool]:
    """Read as much of a session as possible; also tells whether that is all of it."""
    good = {name: data[name] for name, kind in _KINDS.items() if type(data.get(name)) is kind}
    whole = all(name in good or name not in data for name in _KINDS)
    subjects, history = data.get("subjects", []), data.get("prompt_history", [])
    read = [_subject(item) for item in subjects] if isinstance(subjects, list) else [None]
    words = [text for text in history if isinstance(text, str)] if isinstance(history, list) else []
    whole = whole and None not in read and len(words) == (len(history) if isinstance(history, list) else -1)
    # The number of the one in use counts all of them.
    if "current" in good and 0 <= good["current"] < len(read):
        good["current"] = len([subject for subject in read[: good["current"]] if subject is not None])
    found = tuple(subject for subject in read if subject is not None)
    return SavedSession(**good, subjects=found, prompt_history=tuple(words)), whole


def _subject(item: Any) -> SavedSubject | None:
    if not isinstance(item, dict):
        return None
    texts = {name: item.get(name, "") for name in ("photo", "mask", "name", "title", "cut_out")}
    if not all(isinstance(text, str) for text in texts.values()):
        return None
    framing = "reference" if item.get("framing") == "reference" else "fit"
    example, unsure = item.get("example") is True, item.get("unsure") is True
    return SavedSubject(**texts, framing=framing, example=example, unsure=unsure)
