"""What children of the tests run."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from engine.errors import CannotWrite, DoesNotFit
from engine.process.messages import Converted, Converting, Failed, Shutdown


def echo(connection):
    """Sends back what comes, with the bytes behind it; a signal's number ends it by that signal."""
    while True:
        match connection.recv():
            case signal.Signals() as number:
                os.kill(os.getpid(), number)
            case int() as code:
                os._exit(code)
            case "bytes follow":
                connection.send(connection.recv_bytes())
            case "end":
                return
            case "a broken function":
                raise ZeroDivisionError("by design")
            case message:
                connection.send(message)


def deaf(connection):
    """Never listens, and so is never told to end."""
    connection.send("started")
    time.sleep(60)


def conversion(connection, originals, out: Path, name):
    """A conversion that goes as its name says."""
    connection.send(Converting(0.25, "Converting, in halves"))
    match name:
        case "done":
            out.mkdir()
            connection.send(Converted())
        case "full":
            connection.send(Failed(None, CannotWrite("The disk is full.", "Make room.", title="No room")))
        case "unknown":
            connection.send(Failed(None, DoesNotFit("It does not fit.", found=("block.1.weight", "block.2.weight"))))
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "crash":
            os._exit(3)
        case "slow":
            assert connection.recv() == Shutdown()
            out.mkdir()  # the file it was at is completed
