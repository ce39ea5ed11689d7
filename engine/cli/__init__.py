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

from engine.errors import Cancelled, EchoGenError, ExitCode
from engine.version import __version__

COMMANDS = {
    "generate": ("engine.cli.generate", "draw your subject in a scene"),
    "example": ("engine.cli.example", "draw the example the bundle brings along"),
    "batch": ("engine.cli.batch", "draw many pictures, on this machine or on many"),
    "segment": ("engine.cli.segment", "cut a subject out of a photo"),
    "models": ("engine.cli.models", "list, get, import, verify or remove models"),
    "convert": ("engine.cli.convert", "turn published files into a bundle"),
    "make-bundle": ("engine.cli.make_bundle", "write a bundle with random weights, for tests"),
    "bench": ("engine.cli.bench", "measure speed and memory"),
    "train": ("engine.cli.train", "train the mini model"),
    "evaluate": ("engine.cli.evaluate", "measure how good a bundle's pictures are"),
    "doctor": ("engine.cli.doctor", "say what this machine has and what will be used"),
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(prog="python -m engine", description="EchoGen without the window.")
    parser.add_argument("--version", action="version", version=f"EchoGen {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    chosen = next((word for word in arguments if not word.startswith("-")), None)
    for name, (module, text) in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        if name == chosen:
            importlib.import_module(module).add_arguments(command)
    options = parser.parse_args(arguments)  # argparse leaves with 2 on wrong arguments, as the exit codes want
    logging.basicConfig(level=os.environ.get("ECHOGEN_LOG", "WARNING").upper(), format="%(name)s: %(message)s")
    try:
        return int(importlib.import_module(COMMANDS[options.command][0]).run(options) or ExitCode.DONE)
    except Cancelled as error:
        print(error, file=sys.stderr)
        return int(error.exit_code)
    except EchoGenError as error:
        logging.getLogger(__name__).debug("failed", exc_info=True)
        print(f"{error.title}. {error}" if error.title else str(error), file=sys.stderr)
        return int(error.exit_code)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return int(ExitCode.CANCELLED)
    except BrokenPipeError:
        # The reader of our output went away (for example `… | head`): not our fault, nothing to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.DONE)
