"""Child processes and the pipe to each: the one mechanism for the engine, the cut-outs and the conversion.

A child runs one function, which gets its end of the pipe first. What crosses the pipe are the frozen dataclasses of
``messages.py``. A child never outlives its parent: when the parent is gone, however it went, the pipe ends and the child
with it. Free of torch and of Qt.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from engine.device.threads import spin_briefly

CONTEXT = multiprocessing.get_context("spawn")
"""Children begin with a fresh interpreter: forking a process with threads, or with a graphics driver in it, is not safe."""

log = logging.getLogger(__name__)

_FAULT = 1
"""Exit code of a process that failed, as Python gives it."""
_PATIENCE = 5.0
"""Seconds to wait for a process to be gone once its pipe has ended, or once it was killed."""


class ChildLost(Exception):
    """The child has ended, by itself or because it was closed.

    Attributes:
        exit_code: of the process: 0 when it ended as asked, negative after a signal, 1 after a fault, None while it is not known.
    """

    def __init__(self, exit_code: int | None = None) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


class ChildProcess:
    """A child, started by the constructor, which returns at once. Any thread may send; one reads.

    Args:
        main: function of a module; the child calls it with its end of the pipe and ``arguments``.
        name: of the process, for logs and debuggers.
    """

    def __init__(self, main: Callable[..., None], *arguments: Any, name: str) -> None:
        self._sending, self._collecting = threading.Lock(), threading.Lock()
        self._connection, theirs = CONTEXT.Pipe()
        self._process = CONTEXT.Process(target=_enter, args=(theirs, main, arguments), name=name, daemon=True)
        self._listener: threading.Thread | None = None
        self._process.start()
        theirs.close()
        self.pid = self._process.pid

    @property
    def alive(self) -> bool:
        """True while the process runs."""
        return self._collect(0) is None

    def fileno(self) -> int:
        """The descriptor that an event loop waits on for messages (not on Windows)."""
        return self._connection.fileno()

    def send(self, message: Any, content: memoryview | None = None) -> None:
        """Send a message, and right behind it bytes that need no copy. Raises ``ChildLost``."""
        try:
            with self._sending:
                self._connection.send(message)
                if content is not None:
                    self._connection.send_bytes(content)
        except (OSError, ValueError) as error:
            raise ChildLost from error

    def receive(self, timeout: float | None = None) -> Any:
        """The next message; None when none comes within ``timeout`` seconds.

        Raises:
            ChildLost: after the last one; and after one that cannot be read, with which the child is ended.
        """
        try:
            return self._connection.recv() if self._connection.poll(timeout) else None
        except (EOFError, OSError) as error:
            raise ChildLost(self._collect(_PATIENCE)) from error
        except Exception as error:  # unpickling raises anything
            log.exception("a message of %s cannot be read", self._process.name)
            self._process.kill()
            self._collect(_PATIENCE)
            raise ChildLost(_FAULT) from error

    def listen(self, take: Callable[[Any], None], ended: Callable[[int | None], None]) -> None:
        """Read in a thread from now on: every message goes to ``take``, the exit code to ``ended``, both in that thread."""

        def read() -> None:
            try:
                while True:
                    take(self.receive())
            except ChildLost as lost:
                ended(lost.exit_code)

        self._listener = threading.Thread(target=read, name=f"{self._process.name} messages", daemon=True)
        self._listener.start()

    def end(self, grace: float = 0.0) -> None:
        """Wait ``grace`` seconds for the child to end as it was asked to, then end it, and give back what it held."""
        if self._collect(grace) is None:
            self._process.kill()
            self._collect(_PATIENCE)
        if self._listener is not None:
            self._listener.join(_PATIENCE)
        self._connection.close()

    def _collect(self, seconds: float) -> int | None:
        """Wait for the process, so that no dead one stays in the system's list. Its exit code, or None while it runs."""
        with self._collecting:
            self._process.join(seconds)
            return self._process.exitcode


def _enter(connection: Connection, main: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    """Entry of every child process."""
    # Ctrl+C in a terminal reaches all processes; it is for the parent, which ends its children in its own way.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError, ConnectionError):  # the parent is gone
        main(connection, *arguments)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):  # a program without a console has none
            stream.flush()
    os._exit(0)  # threads of the child may be deep in work that nobody waits for


def give_way() -> None:
    """Leave the processor to others where they need it: the window stays smooth while all cores compute, and so do other programs.

    To be called before torch is imported.
    """
    import psutil  # the window imports this module while it starts

    spin_briefly()
    with contextlib.suppress(OSError, psutil.Error):
        if sys.platform == "win32":
            psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        else:
            os.nice(5)
