"""A package that cannot be loaded: what is said, and a note for the launcher, which looks for what is missing at the next start."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from engine.errors import EchoGenError
from engine.sentence import Sentence

NOTE = "ECHOGEN_DAMAGED"
"""Names the file of the note; the launcher sets it for the program that it installed, and ``main.py`` writes it, too."""


def cannot_load(error: Exception) -> EchoGenError:
    """The error of an engine whose packages cannot be loaded, as where something removed a file of theirs."""
    reason = Sentence("A part of the engine cannot be loaded: {error}.", error=str(error).rstrip("."))
    note = os.environ.get(NOTE)
    if not note:
        return EchoGenError(reason, Sentence("Set EchoGen up again: python3 installer/bootstrap.py repair."))
    with contextlib.suppress(OSError):
        Path(note).write_text("engine\n", encoding="utf-8")
    return EchoGenError(reason, Sentence("Close EchoGen and open it again: what is missing is fetched then."))
