"""Files of requests: JSON lines, one ``GenerationRequest`` a line. The window's lists and the command line share them.

Empty lines are skipped. A line that cannot be read is told by its number and never ends the reading of the others.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.errors import InputError, RequestError, os_reason
from engine.files import write_atomically
from engine.request import MAX_JSON_BYTES, GenerationRequest
from engine.sentence import Sentence

_BEGINNING = 4096
"""Bytes of a file that say whether it is text: JSON has no zero in them."""


@dataclass(frozen=True)
class BrokenLine:
    """A line that holds no request.

    Attributes:
        number: of the line, from 1.
        reason: one sentence.
    """

    number: int
    reason: Sentence

    @property
    def sentence(self) -> Sentence:
        return Sentence("Line {number} is skipped: {reason}", number=self.number, reason=self.reason)

    def __str__(self) -> str:
        return self.sentence


def read_requests(path: Path) -> Iterator[GenerationRequest | BrokenLine]:
    """Every line of a file in turn; one line is in memory at a time.

    Raises:
        InputError: the file is not there, cannot be opened, or is no text at all: a photo has a thousand lines.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise InputError(
            Sentence("The list of requests {path} cannot be read: {reason}.", path=path, reason=os_reason(error)),
            Sentence("Name a file of JSON lines."),
        ) from error
    with file:
        if b"\0" in file.read(_BEGINNING):
            raise InputError(
                Sentence("{path} is no list of requests.", path=path.name),
                Sentence("Name a file of JSON lines in UTF-8."),
            )
        file.seek(0)
        number = 0
        # A line without an end, as in a file that is none of ours, must not fill the memory.
        while line := file.readline(MAX_JSON_BYTES + 1):
            number += 1
            whole = line.endswith(b"\n") or len(line) <= MAX_JSON_BYTES
            while not line.endswith(b"\n") and (rest := file.readline(MAX_JSON_BYTES)):
                line = line[:1] + rest[-1:]
            if not whole:
                yield BrokenLine(number, Sentence("This request is too large to be read."))
            elif line.strip():
                yield _read_line(number, line)


def _read_line(number: int, line: bytes) -> GenerationRequest | BrokenLine:
    try:
        return GenerationRequest.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return BrokenLine(number, Sentence("It is not UTF-8 text."))
    except RequestError as error:
        return BrokenLine(number, error.sentence)


def write_requests(path: Path, requests: Iterable[GenerationRequest]) -> int:
    """Write a list, whole or not at all. Returns how many. Raises ``CannotWrite``."""
    lines = [json.dumps(request.to_json(), ensure_ascii=False, separators=(",", ":")) for request in requests]
    write_atomically(path, "".join(f"{line}\n" for line in lines).encode())
    return len(lines)
