"""The engine in a process of its own: commands, messages, and the client the window holds. ``engine/child.py`` is the other side.

Importing and running the model libraries holds Python's interpreter lock for hundreds of milliseconds at a time; in a thread
of the window that is a frozen window. In a child process it costs the window nothing, a crash of a graphics driver takes
only the child along, and all memory comes back when the child ends.

Commands and messages are frozen dataclasses. The client side imports neither torch nor Qt; the window wraps it in a QObject
on a QThread. One command is worked on at a time, in the order given; ``cancel`` acts at once, between two blocks.
"""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Protocol

import numpy as np

from engine.errors import DeviceLost, EchoGenError
from engine.events import Event
from engine.request import CutOut, GenerationRequest, ScaleBits

ENGINE = "engine.engine:Engine"


# Commands: window -> child


@dataclass(frozen=True)
class Open:
    """Open a bundle (a name or a folder); the engine opened before is closed first."""

    bundle: str
    device: str = "auto"
    memory: str = "auto"


@dataclass(frozen=True)
class Prepare:
    """Encode subject and prompt ahead of time, so that Generate starts at once. Given up when another command comes."""

    prompt: str
    negative_prompt: str = ""
    subject: CutOut | None = None


@dataclass(frozen=True)
class Generate:
    """Draw one picture. ``until_scale`` stops after that many scales (for quick ideas); None draws all."""

    job: int
    request: GenerationRequest
    until_scale: int | None = None


@dataclass(frozen=True)
class PaintScales:
    """Paint what an earlier picture looked like after each scale.

    Done between the other commands: it delays none of them and gives way to all of them, and then is begun again. Of
    several, only the last one is answered.

    Attributes:
        number: comes back with the answer.
        bits: bit labels of its scales.
        request: what it was drawn from.
    """

    number: int
    bits: ScaleBits
    request: GenerationRequest


@dataclass(frozen=True)
class Shutdown:
    """End the child."""


Command = Open | Prepare | Generate | PaintScales | Shutdown


# Messages: child -> window


@dataclass(frozen=True)
class Loading:
    """Opening goes on: ``fraction`` 0 … 1 and what is being loaded, in words."""

    fraction: float
    text: str


@dataclass(frozen=True)
class EngineInfo:
    """What was opened.

    Attributes:
        bundle: identity of the bundle, "name@digest".
        folder: where the bundle lies.
        device: the device in words, for example "CPU, 2 cores" or "NVIDIA GeForce RTX 4090, 24 GB".
        plan: the memory plan in words, for example "Balanced: needs 11.6 GB, you have 16 GB."
        notes: further sentences for the user.
    """

    bundle: str
    folder: str
    device: str
    plan: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Opened:
    info: EngineInfo


@dataclass(frozen=True)
class Replanned:
    """Memory ran out, and the engine goes on with a smaller plan."""

    info: EngineInfo


@dataclass(frozen=True)
class Prepared:
    """Subject and prompt are encoded. ``notes``: for example what a prompt limit cut off."""

    command: Prepare
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class JobEvent:
    """One event of a running generation."""

    job: int
    event: Event


@dataclass(frozen=True, eq=False)
class ScalesPainted:
    """The answer to ``PaintScales``: RGB uint8 (H, W, 3) for every scale; none when another bundle drew the picture."""

    number: int
    images: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True, eq=False)
class Failed:
    """A command failed. ``job`` is None when it was not a generation; ``details`` is the traceback for the log."""

    job: int | None
    error: EchoGenError
    details: str = ""


@dataclass(frozen=True)
class Ended:
    """The child is gone; ``exit_code`` is None when it ended as asked."""

    exit_code: int | None = None


Message = Loading | Opened | Replanned | Prepared | JobEvent | ScalesPainted | Failed | Ended


class Cancel(Protocol):
    """What a generation looks at between two blocks; ``threading.Event`` is one."""

    def is_set(self) -> bool: ...


class EngineLike(Protocol):
    """What the child needs of an engine."""

    info: EngineInfo

    def prepare(
        self, subject: CutOut | None, prompt: str, negative_prompt: str = "", *, cancel: Cancel | None = None
    ) -> tuple[str, ...]: ...

    def generate(
        self, request: GenerationRequest, *, cancel: Cancel | None = None, until_scale: int | None = None
    ) -> Iterator[Event]: ...

    def previews(
        self, bits: ScaleBits, request: GenerationRequest, *, cancel: Cancel | None = None
    ) -> tuple[np.ndarray, ...]: ...

    def close(self) -> None: ...


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
        from engine.child import child_main  # it knows this module

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
