"""The open session: what is in the session, saved as it changes, back after a crash.

Photos and masks are not in it; they lie in the assets folder by digest (``assets.py``) and are named here.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

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
        example: it came with a bundle.
    """

    photo: str
    mask: str = ""
    name: str = ""
    title: str = ""
    cut_out: str = ""
    example: bool = False


@dataclass(frozen=True)
class SavedSession:
    """What comes back after a restart.

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
    """Reads and writes the session file. Writing is atomic; a damaged file is an empty session, not an error."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._written = b""

    def load(self) -> SavedSession:
        try:
            if self.path.stat().st_size > _LARGEST:
                raise ValueError("too large")
            data = json.loads(self.path.read_bytes())
            if data.get("version") != VERSION:
                raise ValueError(f"version {data.get('version')!r}")
            return _state(data)
        except FileNotFoundError:
            return SavedSession()
        except (OSError, ValueError, TypeError, AttributeError, RecursionError):
            log.warning("the last session could not be read", exc_info=True)
            return SavedSession()

    def save(self, state: SavedSession) -> None:
        """Write the session, unless it is what was written last. Raises ``CannotWrite``."""
        content = json.dumps({"version": VERSION, **asdict(state)}, ensure_ascii=False, indent=1).encode()
        if content != self._written:
            write_atomically(self.path, content)
            self._written = content


def _state(data: dict[str, Any]) -> SavedSession:
    values = {f.name: data[f.name] for f in fields(SavedSession) if f.name in data}
    subjects = tuple(
        SavedSubject(
            **{f.name: str(item.get(f.name, "")) for f in fields(SavedSubject) if f.name != "example"},
            example=item.get("example") is True,
        )
        for item in values.get("subjects", ())
    )
    history = tuple(str(text) for text in values.get("prompt_history", ()))
    state = SavedSession(**{**values, "subjects": subjects, "prompt_history": history})
    if not (
        isinstance(state.prompt, str)
        and isinstance(state.negative_prompt, str)
        and isinstance(state.controls, dict)
        and isinstance(state.current, int)
        and isinstance(state.window, str)
    ):
        raise ValueError("wrong types")
    return state
