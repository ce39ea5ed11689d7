"""The conversion of fetched files into a bundle: what runs in the child. ``conversion.py`` is the other side."""

from __future__ import annotations

import os
import threading
from multiprocessing.connection import Connection
from pathlib import Path

from engine.process.failures import failures_told
from engine.process.messages import Converted, Converting, Originals
from engine.process.spawn import give_way
from engine.sentence import Sentence


def conversion_main(connection: Connection, originals: Originals, out: Path, name: str) -> None:
    """Run the child process: one conversion, until ``Shutdown`` comes or the parent is gone."""
    give_way()
    cancel = threading.Event()
    threading.Thread(target=_watch, args=(connection, cancel), name="commands", daemon=True).start()
    progress = _Progress(connection)
    with failures_told(connection.send, lambda error: Sentence("The conversion failed: {error}.", error=error)):
        from engine.bundle.converter import PublishedParts, convert_bundle
        from engine.bundle.records import Origin

        origins = {part: Origin(source, licence) for part, source, licence in originals.origins}
        parts = PublishedParts(
            originals.transformer,
            originals.tokenizer,
            originals.text,
            originals.semantic,
            originals.content,
            origins,
        )
        convert_bundle(parts, out, name=name, on_progress=progress, cancel=cancel)
        connection.send(Converted())


def _watch(connection: Connection, cancel: threading.Event) -> None:
    """The only thing that is ever said to this child is ``Shutdown``."""
    try:
        connection.recv()
    except (EOFError, OSError):
        os._exit(0)  # nobody is left to work for; the files that are complete are kept for the next try
    cancel.set()


class _Progress:
    """Sends a message when the words or the whole percents change."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._last: tuple[int, str] | None = None

    def __call__(self, fraction: float, text: str) -> None:
        shown = round(100 * fraction), text
        if shown != self._last:
            self._last = shown
            self._connection.send(Converting(fraction, text))
