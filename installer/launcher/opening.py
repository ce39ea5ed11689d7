"""Opening the program and waiting for the first sign of its window."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from installer.launcher.network import Network
from installer.launcher.setup import Setup
from installer.launcher.targets import QUIET

SHOWN, ENDED = "shown", "ended"
NOT_DONE, DOES_NOT_OPEN = 130, 3
"""Exit codes of the set-up window: closed before the end; all is installed, and the program ended before its window was there."""
VARIABLE = "ECHOGEN_WINDOW_SHOWN"
"""Names a file that the program makes when its window is on the screen (``app/application.py``)."""
SECONDS = 120.0
"""How long a window may take before it counts as shown: a slow disk is no broken version."""


def open_program(setup: Setup, arguments: Sequence[str], waiting: Callable[[], None] = lambda: None) -> str:
    """Start the program in a process of its own.

    Args:
        setup: a finished one.
        arguments: photos to open.
        waiting: called some times a second until the window is there.

    Returns:
        "shown", or "ended" where the program ended before its window was there. A window of an earlier start that took
        the photos over counts as shown.
    """
    with tempfile.TemporaryDirectory(prefix="echogen-") as folder:
        sign = Path(folder) / "shown"
        environment = {**os.environ, **Network.load().environment(), VARIABLE: str(sign)}
        with setup.places.log.open("ab") as log:
            process = subprocess.Popen(
                [str(setup.python), str(setup.places.root / "main.py"), *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=os.name != "nt",
                creationflags=QUIET,
            )
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            if sign.exists():
                return SHOWN
            code = process.poll()
            if code is not None:
                return SHOWN if code == 0 else ENDED
            waiting()
            time.sleep(0.05)
        return SHOWN
