"""The terminal, for all commands: help with defaults and an example, one line of progress, names as they are."""

from __future__ import annotations

import argparse
import codecs
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from engine.text import shortened

PROGRAM = "python -m engine"


class Help(argparse.RawDescriptionHelpFormatter):
    """Help that says the default of every option that has one, and keeps the lines of an example."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        text = action.help or ""
        # By identity: 0 is equal to False, and is a default to be said.
        says_nothing = (
            action.default is False or action.default in (None, "", argparse.SUPPRESS) or action.default == []
        )
        if says_nothing or "%(default)" in text or not (action.option_strings or action.nargs in ("?", "*")):
            return text
        return f"{text} (default: %(default)s)"


def whole(least: int, most: int = 1_000_000) -> Callable[[str], int]:
    """The type of an argument: a whole number from ``least`` to ``most``."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"“{shortened(text, 30)}” is no whole number from {least} to {most}")
        return value

    return read


def above_zero(most: float) -> Callable[[str], float]:
    """The type of an argument: a number of more than 0 and at most ``most``."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = 0.0
        if not 0 < value <= most:
            raise argparse.ArgumentTypeError(f"“{shortened(text, 30)}” is no number above 0 and up to {most:g}")
        return value

    return read


minutes = above_zero(100_000)
"""The type of an argument that says how many minutes something may take."""

threads = whole(1, 1024)
"""The type of ``--threads``."""


def example_line(words: str) -> str:
    """The end of a command's help: one line that can be copied."""
    return f"Example:\n  {PROGRAM} {words}"


class ProgressLine:
    """One line on stderr that rewrites itself on a terminal. In a file or a pipe it stays silent: nobody watches there.

    Args:
        stream: where it goes; None for ``sys.stderr`` as it is at the time.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._shown = False

    @property
    def watched(self) -> bool:
        """True if the line goes to a terminal, where somebody can see it."""
        return _is_terminal(self._stream or sys.stderr)

    def show(self, text: str) -> None:
        """Put this in the place of what the line says."""
        stream = self._stream or sys.stderr
        if not self.watched:
            return
        width = max(10, shutil.get_terminal_size().columns - 1)
        line = text if len(text) <= width else text[: width - 1] + "…"
        stream.write(f"\r{line}\x1b[K")
        stream.flush()
        self._shown = True

    def clear(self) -> None:
        """Take the line away; what is printed next begins where it was."""
        if self._shown:
            stream = self._stream or sys.stderr
            stream.write("\r\x1b[K")
            stream.flush()
            self._shown = False

    def note(self, text: str) -> None:
        """A line that stays, above the one that rewrites itself; it is written to files, too."""
        self.clear()
        print(text, file=self._stream or sys.stderr, flush=True)


progress = ProgressLine()
"""The one of this process: what opens a model and what draws take turns on it."""


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # it is closed
        return False


def open_streams() -> None:
    """Put the empty device in the place of streams that were closed before the start, as services and ``<&-`` do: Python
    has None there."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - open as long as the process


def let_names_through() -> None:
    """Have stdout write any file name: bytes of a name in another encoding as they are, other letters that the terminal
    does not have as escapes. A picture that is written must not end in a traceback about its name."""
    codecs.register_error("echogen", _write_name)
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="echogen")


def _write_name(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    piece: Any = error.object[error.start : error.end]
    if all("\udc80" <= letter <= "\udcff" for letter in piece):
        return bytes(ord(letter) - 0xDC00 for letter in piece), error.end
    return codecs.backslashreplace_errors(error)
