"""The engine in a process of its own: the client that the window holds. ``child.py`` is the other side.

Importing and running the model libraries holds Python's interpreter lock for hundreds of milliseconds at a time; in a thread
of the window that is a frozen window. In a child process it costs the window nothing, a crash of a graphics driver takes
only the child along, and all memory comes back when the child ends.

Commands and messages: ``messages.py``. The client side imports neither torch nor Qt; the window wraps it in a QObject
on a QThread. One command is worked on at a time, in the order given; ``cancel`` acts at once, between two blocks.
"""

from __future__ import annotations

import contextlib

from engine.errors import DeviceLost
from engine.process.child import child_main
from engine.process.messages import Command, Ended, Message, Shutdown
from engine.process.spawn import CONTEXT, ChildLost, ChildProcess
from engine.sentence import Sentence

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
        self._child: ChildProcess | None = None
        # Jobs up to this number are cancelled. A plain number instead of an event, so that a late cancel can never hit
        # the job after the one it was meant for.
        self._cancelled = CONTEXT.Value("q", 0, lock=False)

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.alive

    @property
    def pid(self) -> int | None:
        """The child's process, or None while there is none."""
        return None if self._child is None else self._child.pid

    def fileno(self) -> int:
        """The descriptor that an event loop waits on for messages (not on Windows); -1 while there is no child."""
        return -1 if self._child is None else self._child.fileno()

    def start(self) -> None:
        """Start the child; returns at once."""
        self._child = ChildProcess(child_main, self._cancelled, self.engine, self.threads, name="EchoGen engine")

    def send(self, command: Command) -> None:
        """Queue a command. Raises ``DeviceLost`` when the child is gone."""
        if self._child is None:
            raise DeviceLost(Sentence("The engine is not running."), Sentence("Try again to start it."))
        try:
            self._child.send(command)
        except ChildLost as error:
            raise DeviceLost(
                Sentence("The engine ended without a word."), Sentence("Try again to start it anew.")
            ) from error

    def receive(self, timeout: float) -> Message | None:
        """The next message, or None when none came within ``timeout`` seconds. ``Ended`` when the child is gone."""
        if self._child is None:
            return Ended()
        try:
            return self._child.receive(timeout)
        except ChildLost as lost:
            child, self._child = self._child, None
            child.end()
            return Ended(lost.exit_code or None)

    def cancel(self, job: int) -> None:
        """Stop this job and all before it, between two blocks."""
        self._cancelled.value = max(self._cancelled.value, job)

    def close(self, timeout: float = 3.0) -> None:
        """Ask the child to end, wait at most ``timeout`` seconds, then end it."""
        self._cancelled.value = 2**62
        child, self._child = self._child, None
        if child is not None:
            with contextlib.suppress(ChildLost):
                child.send(Shutdown())
            child.end(timeout)
