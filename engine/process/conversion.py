"""Turning fetched files into a bundle, in a child process: the window must not import torch, and memory comes back after."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.bundle.conversion_report import read_report
from engine.errors import BundleError, Cancelled, CannotWrite, EchoGenError, ExitCode, InputError

_PROGRESS = re.compile(r"(?P<text>[^,]+), (?P<percent>\d{1,3})%$")
_ERRORS: dict[int, type[EchoGenError]] = {
    ExitCode.BUNDLE: BundleError,
    ExitCode.BAD_INPUT: InputError,
    ExitCode.CANNOT_WRITE: CannotWrite,
}


@dataclass(frozen=True)
class Originals:
    """Published files of one model.

    Attributes:
        transformer, tokenizer: files. text, semantic, content: folders.
        origins: by part: where it is from, and its licence.
    """

    transformer: Path
    tokenizer: Path
    text: Path
    semantic: Path
    content: Path
    origins: tuple[tuple[str, str, str], ...] = ()

    def arguments(self, out: Path, name: str = "", report: Path | None = None) -> list[str]:
        """Arguments of ``python -m engine convert``."""
        words = ["convert", "--out", str(out)]
        for part in ("transformer", "tokenizer", "text", "semantic", "content"):
            words += [f"--{part}", str(getattr(self, part))]
        for part, source, licence in self.origins:
            words += ["--origin", f"{part}={source}={licence}"]
        words += ["--report", str(report)] if report is not None else []
        return [*words, "--name", name] if name else words


async def convert(
    originals: Originals,
    out: Path,
    on_progress: Callable[[float, str], None] = lambda fraction, text: None,
    name: str = "",
    report: Path | None = None,
) -> None:
    """Convert in a child process. Cancelling the task ends the child, which keeps the files it has completed for the next try.

    Args:
        on_progress: called in the event loop with 0 … 1 and words.
        report: where the child writes down what it found when the files do not fit; an old report is removed first.

    Raises:
        BundleError, InputError, CannotWrite: what the child said. DoesNotFit: what it wrote down.
    """
    if report is not None:
        with contextlib.suppress(OSError):
            report.unlink(missing_ok=True)
    loop = asyncio.get_running_loop()
    root = str(Path(__file__).resolve().parents[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))}
    child = subprocess.Popen(
        [sys.executable, "-m", "engine", *originals.arguments(out, name, report)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        env=environment,
        # Ctrl+C in a terminal is for the parent, which ends the child in its own way.
        start_new_session=os.name != "nt",
    )
    said: list[str] = []
    ended: asyncio.Future[int] = loop.create_future()

    def listen() -> None:
        assert child.stderr is not None
        for line in child.stderr:
            found = _PROGRESS.match(line.strip())
            if found:
                _call(loop, on_progress, int(found["percent"]) / 100, found["text"])
            elif line.strip():
                said.append(line.strip())
        _call(loop, _finish, ended, child.wait())

    # A thread instead of the loop's own subprocesses: Qt's event loop has none on every system.
    listener = threading.Thread(target=listen, name="conversion", daemon=True)
    listener.start()
    try:
        code = await ended
    except asyncio.CancelledError:
        child.send_signal(signal.SIGINT if os.name != "nt" else signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(child.wait, 20)
        child.kill()
        raise
    finally:
        if child.poll() is not None:
            listener.join(5)
            assert child.stderr is not None
            child.stderr.close()
    if code == ExitCode.BUNDLE and report is not None and (found := read_report(report)) is not None:
        raise found.error
    if code != ExitCode.DONE:
        raise _error(code, said)


def _call(loop: asyncio.AbstractEventLoop, function: Callable[..., None], *arguments: object) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
        loop.call_soon_threadsafe(function, *arguments)


def _finish(ended: asyncio.Future[int], code: int) -> None:
    if not ended.done():
        ended.set_result(code)


def _error(code: int, said: list[str]) -> EchoGenError:
    """The child's last sentence as an error of its kind. A child that was killed most likely ran out of memory."""
    if code == ExitCode.CANCELLED:
        return Cancelled()
    if code < 0:
        return EchoGenError(
            "The conversion was ended by the system, which happens when memory runs out.",
            "Close other programs and try again.",
        )
    text = said[-1] if said else f"The conversion ended with code {code}."
    kind = _ERRORS.get(code, EchoGenError)
    title, dot, rest = text.partition(". ")
    return kind(rest, title=title) if dot and rest and title == kind.title else kind(text)
