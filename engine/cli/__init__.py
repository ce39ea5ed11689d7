"""The command line: one module per command, each with ``add_arguments(parser)`` and ``run(args) -> int``.

Results go to stdout, progress and errors to stderr; ``--json`` prints one JSON object a line. Exit codes are those of
``engine.errors.ExitCode``. Modules are imported only when their command is used, so that ``--help`` is instant.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys

from engine.cli.terminal import PROGRAM, Help, example_line, let_names_through, open_streams, progress
from engine.device.threads import spin_briefly
from engine.errors import Cancelled, EchoGenError, ExitCode, os_reason
from engine.files import is_full
from engine.text import shortened
from engine.version import __version__

COMMANDS = {
    "generate": ("engine.cli.generate", "draw your subject in a scene"),
    "example": ("engine.cli.example", "draw the example the bundle brings along"),
    "batch": ("engine.cli.batch", "draw many pictures, on this machine or on many"),
    "enlarge": ("engine.cli.enlarge", "make a picture two or four times as large"),
    "segment": ("engine.cli.segment", "cut a subject out of a photo"),
    "models": ("engine.cli.models", "list, get, import, verify, rehearse or remove models"),
    "convert": ("engine.cli.convert", "turn published files into a bundle"),
    "make-bundle": ("engine.cli.make_bundle", "write a bundle with random weights, for tests"),
    "bench": ("engine.cli.bench", "measure speed and memory"),
    "train": ("engine.cli.train", "train the mini model"),
    "evaluate": ("engine.cli.evaluate", "measure how good a bundle's pictures are"),
    "doctor": ("engine.cli.doctor", "say what this machine has and what will be used"),
}


def make_parser(chosen: str | None = None) -> argparse.ArgumentParser:
    """The parser of all commands.

    Args:
        chosen: the command whose options are wanted; the modules of the others are not imported.
    """
    codes = ", ".join(f"{int(code)} {words}" for code, words in _CODES.items())
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="EchoGen without the window.",
        epilog=f"Exit codes: {codes}.\n\n{example_line('generate --help')}",
        formatter_class=Help,
    )
    parser.add_argument("--version", action="version", version=f"EchoGen {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (module, text) in COMMANDS.items():
        about = text[0].upper() + text[1:] + "."
        command = commands.add_parser(name, help=text, description=about, formatter_class=Help)
        if name == chosen:
            found = importlib.import_module(module)
            command.epilog = example_line(found.EXAMPLE)
            found.add_arguments(command)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    open_streams()
    let_names_through()
    spin_briefly()
    try:
        # argparse leaves with 2 on wrong arguments, as the exit codes want
        parser = make_parser(next((word for word in arguments if not word.startswith("-")), None))
        options = parser.parse_args(arguments)
        logging.basicConfig(level=_log_level(), format="%(name)s: %(message)s")
        return int(importlib.import_module(COMMANDS[options.command][0]).run(options) or ExitCode.DONE)
    except Cancelled as error:
        progress.note(str(error))
        return int(error.exit_code)
    except EchoGenError as error:
        logging.getLogger(__name__).debug("failed", exc_info=True)
        progress.note(f"{error.title}. {error}" if error.title else str(error))
        return int(error.exit_code)
    except KeyboardInterrupt:
        progress.note("Stopped.")
        return int(ExitCode.CANCELLED)
    except BrokenPipeError:
        # The reader of our output went away (for example `… | head`): not our fault, nothing to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.DONE)
    except OSError as error:
        # A name that is too long, a folder that may not be entered: wherever it is met, it is a sentence.
        logging.getLogger(__name__).debug("failed", exc_info=True)
        where = f"{shortened(error.filename, 300)}: " if error.filename is not None else ""
        if is_full(error):
            progress.note(f"The disk is full. {where}{os_reason(error)}. Make room, or name another folder.")
            return int(ExitCode.CANNOT_WRITE)
        progress.note(f"A file or folder cannot be used. {where}{os_reason(error)}.")
        return int(ExitCode.BAD_INPUT)
    finally:
        progress.clear()


_CODES = {
    ExitCode.DONE: "done",
    ExitCode.OUR_FAULT: "our fault",
    ExitCode.BAD_INPUT: "input that cannot be used",
    ExitCode.BUNDLE: "no such model, or a damaged one",
    ExitCode.MEMORY: "not enough memory",
    ExitCode.NETWORK: "network",
    ExitCode.CANNOT_WRITE: "cannot write",
    ExitCode.CANCELLED: "stopped",
}


def _log_level() -> str:
    """The level that ECHOGEN_LOG names; warnings only when it names none."""
    wanted = os.environ.get("ECHOGEN_LOG", "WARNING").upper()
    return wanted if wanted in logging.getLevelNamesMapping() else "WARNING"
