"""Turning fetched files into a bundle, in a child process: the window must not import torch, and memory comes back after.

``conversion_child.py`` is the other side.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.bundle.conversion_report import write_report
from engine.errors import CannotWrite, DoesNotFit, EchoGenError
from engine.process.conversion_child import conversion_main
from engine.process.messages import Converted, Converting, Failed, Originals, Shutdown
from engine.process.spawn import ChildLost, ChildProcess
from engine.sentence import Sentence

log = logging.getLogger(__name__)

_GRACE = 20.0
"""Seconds a child that was cancelled has to complete the file it is writing."""


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
        report: where to write down what was found when the files do not fit; an old report is removed first.

    Raises:
        BundleError, InputError, CannotWrite: what the child said. DoesNotFit: the files are whole, but not known.
    """
    if report is not None:
        with contextlib.suppress(OSError):
            report.unlink(missing_ok=True)
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def take(message: Converting | Converted | Failed) -> None:
        match message:
            case Converting():
                on_progress(message.fraction, message.text)
            case Converted() if not done.done():
                done.set_result(None)
            case Failed() if not done.done():
                log.info("the conversion failed:\n%s", message.details)
                done.set_exception(message.error)

    def ended(exit_code: int | None) -> None:
        if not done.done():
            done.set_exception(_sudden_end(exit_code))

    child = ChildProcess(conversion_main, originals, out, name, name="EchoGen conversion")
    child.listen(lambda message: _call(loop, take, message), lambda code: _call(loop, ended, code))
    try:
        await done
    except asyncio.CancelledError:
        with contextlib.suppress(ChildLost):
            child.send(Shutdown())
        raise
    except DoesNotFit as error:
        if report is not None:
            with contextlib.suppress(CannotWrite):  # that the files do not fit is what the user has to know
                write_report(report, error)
        raise
    finally:
        await asyncio.to_thread(child.end, _GRACE)


def _call(loop: asyncio.AbstractEventLoop, function: Callable[[Any], None], argument: Any) -> None:
    """From the thread that listens, in the loop."""
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(function, argument)


def _sudden_end(exit_code: int | None) -> EchoGenError:
    """A child that was killed most likely ran out of memory."""
    if exit_code is not None and exit_code < 0:
        return EchoGenError(
            Sentence("The conversion was ended by the system, which happens when memory runs out."),
            Sentence("Close other programs and try again."),
        )
    return EchoGenError(
        Sentence("The conversion ended with code {exit_code}.", exit_code=exit_code),
        Sentence("Try again; what is complete is kept."),
    )
