"""Errors of what the program keeps, where the next step is another than for files elsewhere."""

from __future__ import annotations

from engine import CannotWrite, Sentence


class HistoryNotWritten(CannotWrite):
    """The list of pictures cannot be written; the pictures themselves are in their folder."""

    title = Sentence("The history cannot be written")
