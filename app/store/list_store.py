"""The list of prompts that was drawn last, on the disk: what it asked for, and the words above and beside its pictures.

Which pictures there are of it stands in the session, and changes with each of them; this file is written once a list.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from app.store.json_file import dumps
from engine import Damage, EchoGenError, GenerationRequest, ListedRequest, read_json, write_atomically

log = logging.getLogger(__name__)

_LARGEST = 256 * 2**20
_Place = Annotated[int, Meta(ge=0)]


@dataclass(frozen=True)
class _Entry:
    """A picture: its request without the subject's photos, their places among the cut-outs, and its words."""

    request: dict[str, Any]
    subject: _Place
    row: str
    column: str
    views: tuple[_Place, ...] = ()


@dataclass(frozen=True)
class _List:
    """The file. A subject's cut-outs are the same for most requests, and stand in it once."""

    key: str
    subjects: list[dict[str, Any] | None]
    entries: list[_Entry]


class ListStore:
    """Reads and writes the file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def save(self, key: str, listed: Sequence[ListedRequest]) -> None:
        """Keep a list under a key of its own. Raises ``CannotWrite``."""
        subjects: dict[str, int] = {}
        entries = []
        for one in listed:
            data = one.request.to_json()
            photos = [data.pop("subject"), *data.pop("views", ())]
            first, *further = [subjects.setdefault(json.dumps(photo), len(subjects)) for photo in photos]
            entries.append(_Entry(data, first, one.row, one.column, tuple(further)))
        kept = _List(key, [json.loads(subject) for subject in subjects], entries)
        write_atomically(self.path, dumps(asdict(kept)))

    def load(self, key: str) -> tuple[ListedRequest, ...]:
        """The list of a key; an empty one when the file has another, or cannot be read."""
        try:
            kept = read_json(self.path, _List, _LARGEST)
            if kept.key != key:
                return ()
            return tuple(
                ListedRequest(_request(entry, kept.subjects), entry.row, entry.column) for entry in kept.entries
            )
        except (OSError, Damage, EchoGenError, IndexError):
            log.warning("the last list of prompts could not be read", exc_info=True)
            return ()


def _request(entry: _Entry, subjects: list[dict[str, Any] | None]) -> GenerationRequest:
    data = {**entry.request, "subject": subjects[entry.subject]}
    if entry.views:
        data["views"] = [subjects[place] for place in entry.views]
    return GenerationRequest.from_json(data)
