"""Saving a picture larger by a network: what runs in the child. ``enlarging.py`` is the other side."""

from __future__ import annotations

import contextlib
import os
import threading
from multiprocessing.connection import Connection

import numpy as np

from engine.process.failures import failures_told
from engine.process.messages import Enlarged, EnlargeFile, EnlargingGoesOn
from engine.process.spawn import give_way
from engine.sentence import Sentence


def enlarging_main(connection: Connection, work: EnlargeFile) -> None:
    """Run the child process: enlarge one picture, until ``Shutdown`` comes or the parent is gone."""
    give_way()
    writing = threading.Lock()
    threading.Thread(target=_watch, args=(connection, writing), name="commands", daemon=True).start()
    with failures_told(connection.send, lambda error: Sentence("Enlarging failed: {error}.", error=error)):
        from engine.enlarging import METHOD, by_network
        from engine.photo import save_larger

        enlarge = by_network(work.folder, work.device, lambda share: connection.send(EnlargingGoesOn(share)))

        def way(rgb: np.ndarray, factor: int) -> np.ndarray:
            large = enlarge(rgb, factor)
            writing.acquire()  # what follows is the file: it is written to its end
            return large

        width, height = save_larger(work.source, work.target, work.factor, way=way, method=METHOD)
        connection.send(Enlarged(width, height, METHOD))


def _watch(connection: Connection, writing: threading.Lock) -> None:
    """Wait for ``Shutdown`` or the end of the pipe, then end the process at once: in the middle of a tile, never within
    a file."""
    with contextlib.suppress(EOFError, OSError):
        connection.recv()
    with writing:
        os._exit(0)
