"""The open session: what is in the session, saved as it changes, back after a crash.

Photos and masks are not in it; they lie in the assets folder by digest (``assets.py``) and are named here.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Any, TypeVar

from msgspec import Meta, Struct, field, structs

from app.store.json_file import dumps, put_aside
from engine import Damage, Finite, read_fields, read_json, read_value

log = logging.getLogger(__name__)

VERSION = 1
_LARGEST = 4 * 2**20
_Item = TypeVar("_Item")


class SavedFinding(Struct, frozen=True):
    """The answer of the search in a photo, without its mask.

    Attributes:
        score, sure: as in ``SubjectProposal``.
        boxes: of the candidates: left, top, right and bottom in pixels of the photo, and the score.
        corrected: the subject's mask is another one than what was found.
    """

    score: Annotated[float, Meta(ge=0, le=1)]
    sure: bool = False
    boxes: tuple[tuple[Finite, Finite, Finite, Finite, Finite], ...] = ()
    corrected: bool = False


class SavedSubject(Struct, frozen=True):
    """One photo of a subject on the shelf.

    Attributes:
        photo, mask: digests of assets; ``mask`` may be empty.
        name, title: what it is called; the photo's file name.
        cut_out: for a subject without a photo (recalled from a picture), the cut-out as base64 PNG.
        framing: how that is framed. cut_below, cut_beside: as in ``CutOut``.
        example: it came with a bundle.
        unsure: its cut-out was called unsure, and nobody has corrected it.
        found: what the search said; None where there was none, and in sessions of earlier versions.
        card: photos that stand side by side with the same number are of one subject; 0 stands alone.
        draft: name of the unfinished work on its mask; "" in sessions of earlier versions, where it is the photo's digest.
        placement: where the subject was put by hand, as ``Placement.to_json`` has it, or None. Its reader checks it.
    """

    photo: str
    mask: str = ""
    name: str = ""
    title: str = ""
    cut_out: str = ""
    framing: str = "fit"
    cut_below: bool = False
    cut_beside: str = ""
    example: bool = False
    unsure: bool = False
    found: SavedFinding | None = None
    card: int = 0
    draft: str = ""
    placement: Any = None


class SavedSession(Struct, frozen=True):
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
        """The last session, or an empty one. A file that cannot be read, even in part, is put aside."""
        try:
            data = read_json(self.path, dict[str, Any], _LARGEST)
        except FileNotFoundError:
            return SavedSession()
        except (OSError, Damage):
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
        from engine import write_atomically

        content = dumps({"version": VERSION, **structs.asdict(state)})
        if content != self._written:
            write_atomically(self.path, content)
            self._written = content


def _session(data: dict[str, Any]) -> tuple[SavedSession, bool]:
    """Read as much of a session as possible; also tells whether that is all of it."""
    subjects, words = _items(data, "subjects", SavedSubject), _items(data, "prompt_history", str)
    good, bad = read_fields(data, SavedSession)
    good["subjects"] = tuple(subject for subject in subjects if subject is not None)
    good["prompt_history"] = tuple(text for text in words if text is not None)
    # The number of the one in use counts all of them.
    if 0 <= good.get("current", -1) < len(subjects):
        good["current"] = len([subject for subject in subjects[: good["current"]] if subject is not None])
    return SavedSession(**good), not bad and None not in subjects and None not in words


def _items(data: dict[str, Any], name: str, kind: type[_Item]) -> list[_Item | None]:
    """Each item of a list by itself, with None for what cannot be read."""
    found = data.get(name, [])
    return [_item(item, kind) for item in found] if isinstance(found, list) else [None]


def _item(item: Any, kind: type[_Item]) -> _Item | None:
    try:
        return read_value(item, kind)
    except Damage:
        return None
