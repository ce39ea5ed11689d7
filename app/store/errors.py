"""Errors of what the program keeps, where the next step is another than for files elsewhere."""

from __future__ import annotations

from engine import CannotWrite, EchoGenError, Sentence


class QueueNotRead(EchoGenError):
    """Pictures that waited to be drawn cannot be read; they are set aside in the file of the history.

    Args:
        count: how many.
    """

    title = Sentence("The queue is not complete")

    def __init__(self, count: int) -> None:
        super().__init__(
            Sentence("One waiting picture cannot be read.")
            if count == 1
            else Sentence("{count} waiting pictures cannot be read.", count=count),
            Sentence("Ask for what is missing again."),
        )
        self.count = count

    def __reduce__(self):
        return type(self), (self.count,)


class HistoryNotWritten(CannotWrite):
    """The list of pictures cannot be written; the pictures themselves are in their folder."""

    title = Sentence("The history cannot be written")
