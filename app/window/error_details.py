"""A traceback in a few lines that fit under an error: what was raised, where, and where all of it is written down."""

from __future__ import annotations

import re
from datetime import datetime

from app.logs import LOG_FILE

_RAISED = re.compile(r"^([A-Za-z_][\w.]*)(?:: (.*))?$")
_FRAME = re.compile(r'^\s+File "(?P<file>[^"]+)", line (?P<line>\d+), in (?P<name>.+)$')
_LONGEST = 120


def in_short(traceback: str, when: datetime, said: str = "") -> str:
    """The chain of errors, the newest first, each with the place it comes from, and the log's name and time.

    Args:
        traceback: as ``traceback.format_exc`` gives it; anything else is taken as it is.
        when: the moment the error was logged.
        said: a message that need not be repeated.
    """
    chain: list[list[str]] = []
    place = ""
    for line in traceback.strip().splitlines():
        if frame := _FRAME.match(line):
            name = re.split(r"[/\\]", frame["file"])[-1]
            place = f"  {name}, line {frame['line']}, in {frame['name']}"
        elif place and (raised := _RAISED.match(line)):
            kind, text = raised[1].rpartition(".")[2], raised[2] or ""
            words = f"{kind}: {text}" if text and text != said else kind
            chain.append([words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…", place])
            place = ""
    lines = [line for error in reversed(chain) for line in error] or [traceback.strip()]
    return "\n".join([*lines, f"{LOG_FILE}, {when:%H:%M:%S}"])
