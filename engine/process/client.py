"""The engine in a process of its own: the client that the window holds. ``child.py`` is the other side.

Importing and running the model libraries holds Python's interpreter lock for hundreds of milliseconds at a time; in a thread
of the window that is a frozen window. In a child process it costs the window nothing, a crash of a graphics driver takes
only the child along, and all memory comes back when the child ends.

Commands and messages: ``messages.py``. The client side imports neither torch nor Qt; the window wraps it in a QObject
on a QThread. One command is worked on at a time, in the order given; ``cancel`` acts at once, between two blocks.
"""

from __future__ import annotations

import contextlib
import multiprocessing
from multiprocessing.connection import Connection
from typing import Any

from engine.errors import DeviceLost
from engine.process.messages import Command, Ended, Message, Shutdown

ENGINE = "engine.engine:Engine"


class EngineProcess:
    """The client: owns the child process. All methods may be called from one thread; ``cancel`` from any.

    Args:
        engine: "module:attribute" of the class whose ``open`` makes the engine; tests give their own.
        threads: threads the child computes with; None leaves that to torch.
    """

    def __init__(self, engine: str = ENGINE, threads: int | None = None) -> None:
        self.engine = engine
        self.threads = threads
        self._context = multiprocessing.get_context("spawn")
        self._process: Any = None
        self._connection: Connection | None = None
        # Jobs up to this number are cancelled. A plain number instead of an event, so that a late cancel can never hit
        # the job after the one it was meant for.
        self._cancelled = self._context.Value("q", 0, lock=False)

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.is_alive()

    def fileno(self) -> int:
        """What an event loop can wait on for messages (not on Windows); -1 while there is no child."""
        return -1 if self._connection is None else self._connection.fileno()

    def start(self) -> None:
        """Start the child; returns at once."""
        from engine.process.child import child_main  # it knows this module

        ours, theirs = self._context.Pipe()
        self._process = self._context.Process(
            target=child_main,
            args=(theirs, self._cancelled, self.engine, self.threads),
            name="EchoGen engine",
            daemon=True,
        )
        self._process.start()
        theirs.close()
        self._connection = ours

    def send(self, command: Command) -> None:
        """Queue a command. Raises ``DeviceLost`` when the child is gone."""
        if self._connection is None:
            raise DeviceLost("The engine is not running.", "Try again to start it.")
        try:
            self._connection.send(command)
        except OSError as error:
            raise DeviceLost("The engine ended without a word.", "Try again to start it anew.") from error

    def receive(self, timeout: float) -> Message | None:
        """The next message, or None when none came within ``timeout`` seconds. ``Ended`` when the child is gone."""
        if self._connection is None:
            return Ended()
        try:
            if not self._connection.poll(timeout):
                return None
            return self._connection.recv()
        except (EOFError, OSError):
            self._connection.close()
            self._connection = None
            if self._process is not None:
                self._process.join(5)
            code = self._process.exitcode if self._process is not None else None
            return Ended(code or None)

    def cancel(self, job: int) -> None:
        """Stop this job and all before it, between two blocks."""
        self._cancelled.value = max(self._cancelled.value, job)

    def close(self, timeout: float = 3.0) -> None:
        """Ask the child to end, wait at most ``timeout`` seconds, then end it."""
        self._cancelled.value = 2**62
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.send(Shutdown())
        if self._process is not None:
            self._process.join(timeout)
            if self._process.is_alive():
                self._process.kill()
                self._process.join(5)
            self._process.close()
            self._process = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None
