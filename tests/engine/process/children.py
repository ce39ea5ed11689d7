"""What children of the tests run."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np

from engine.errors import CannotWrite, DoesNotFit
from engine.process import cutout_child, enlarging_child
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
            case "no message follows":
                connection.send_bytes(b"no message")
            case "end":
                return
            case "a broken function":
                raise ZeroDivisionError("by design")
            case message:
                connection.send(message)


def mute(connection):
    """Has no streams, as a program of Windows without a console, and a thread that nobody waits for."""
    sys.stdout = sys.stderr = None
    threading.Thread(target=time.sleep, args=(60,)).start()


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


class BoxParts:
    """A segmenter that takes the box for the thing: nothing has to be loaded for it."""

    roles = ("segmentation",)

    def use(self, role, work, notes):
        return work(self)

    def unload(self, *roles):
        pass

    def embed(self, photo):
        pass

    def cut(self, photo, box=None, clicks=(), start=None):
        y, x = (np.mgrid[:64, :64] + 0.5) / 64
        inside = (x * photo.width > box.x0) & (x * photo.width < box.x1)
        inside &= (y * photo.height > box.y0) & (y * photo.height < box.y1)
        return np.where(inside, 8.0, -8.0).astype(np.float32), 0.9


def cutouts(connection, setup):
    """The child for cut-outs, without networks."""
    cutout_child.serve(connection, BoxParts())


def enlarging(connection, work):
    """The real child with something simple in the network's place, which goes as its folder is called."""
    from engine import enlarging as face

    def by_network(folder, device, on_progress):
        def enlarge(rgb, factor):
            on_progress(0.5)
            match folder.name:
                case "slow":
                    time.sleep(60)
                case "killed":
                    os.kill(os.getpid(), signal.SIGKILL)
                case "crash":
                    os._exit(3)
                case "broken":
                    raise ZeroDivisionError("by design")
            return rgb.repeat(factor, 0).repeat(factor, 1)

        return enlarge

    face.METHOD, face.by_network = "doubling", by_network
    enlarging_child.enlarging_main(connection, work)
