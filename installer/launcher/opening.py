"""Opening the program and waiting for the first sign of its window."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
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


def environment(setup: Setup) -> dict[str, str]:
    """Variables for the program's process: the user's network, the file for a note of damage, and on Windows a place of the C++ runtime.

    A Windows that nothing was installed on has no such runtime. torch needs it and does not bring it, and Qt brings it along. It
    comes last, so that the system's own, which may be newer, goes first.
    """
    variables = {**os.environ, **Network.load().environment(), "ECHOGEN_DAMAGED": str(setup.places.damaged)}
    if sys.platform == "win32":
        runtime = setup.environment / "Lib" / "site-packages" / "PySide6"
        variables["PATH"] = os.pathsep.join([*filter(None, [variables.get("PATH")]), str(runtime)])
    return variables


def open_program(setup: Setup, arguments: Sequence[str]) -> str:
    """Start the program in a process of its own.

    Args:
        setup: a finished one.
        arguments: photos to open.

    Returns:
        "shown", or "ended" where the program ended before its window was there. A window of an earlier start that took
        the photos over counts as shown.
    """
    with tempfile.TemporaryDirectory(prefix="echogen-") as folder:
        sign = Path(folder) / "shown"
        with setup.places.log.open("ab") as log:
            process = subprocess.Popen(
                [str(setup.python), str(setup.places.root / "main.py"), *arguments],
                env={**environment(setup), VARIABLE: str(sign)},
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
            time.sleep(0.05)
        return SHOWN
