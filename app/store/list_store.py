"""The list of prompts that was drawn last, on the disk: what it asked for, and the words above and beside its pictures.

Which pictures there are of it stands in the session, and changes with each of them; this file is written once a list.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.store.json_file import dumps
from engine import EchoGenError, GenerationRequest, ListedRequest, read_json, write_atomically

log = logging.getLogger(__name__)

_LARGEST = 256 * 2**20


class ListStore:
    """Reads and writes the file. The subject is the same for most requests, and stands in it once."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def save(self, key: str, listed: Sequence[ListedRequest]) -> None:
        """Keep a list under a key of its own. Raises ``CannotWrite``."""
        subjects: list[str] = []
        entries = []
        for one in listed:
            data = one.request.to_json()
            subject = json.dumps(data.pop("subject"))
            if subject not in subjects:
                subjects.append(subject)
            entries.append({"request": data, "subject": subjects.index(subject), "row": one.row, "column": one.column})
        content = {"key": key, "subjects": [json.loads(subject) for subject in subjects], "entries": entries}
        write_atomically(self.path, dumps(content))

    def load(self, key: str) -> tuple[ListedRequest, ...]:
        """The list of a key; an empty one when the file has another, or cannot be read."""
        try:
            data = read_json(self.path, dict[str, Any], _LARGEST)
            if data.get("key") != key:
                return ()
            return tuple(_entry(entry, data["subjects"]) for entry in data["entries"])
        except FileNotFoundError:
            return ()
        except (OSError, EchoGenError, LookupError, TypeError, ValueError, ArithmeticError):
            log.warning("the last list of prompts could not be read", exc_info=True)
            return ()


def _entry(entry: dict[str, Any], subjects: list[Any]) -> ListedRequest:
    request = GenerationRequest.from_json({**entry["request"], "subject": subjects[entry["subject"]]})
    return ListedRequest(request, str(entry["row"]), str(entry["column"]))
