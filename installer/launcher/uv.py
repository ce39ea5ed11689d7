"""uv, which brings Python and installs packages: finding it and running it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

from app.language.say import say
from installer.launcher.errors import SetupFailed
from installer.launcher.fetch import Control
from installer.launcher.network import Network
from installer.launcher.places import Places
from installer.launcher.targets import QUIET

_OURS = ("UV_SYSTEM_CERTS", "UV_DEFAULT_INDEX", "UV_INDEX", "UV_PYTHON_INSTALL_MIRROR", "UV_FIND_LINKS")


def find_uv(root: Path) -> str:
    """The uv that came with the program, else the one of this computer.

    Raises:
        SetupFailed: there is none.
    """
    name = "uv.exe" if os.name == "nt" else "uv"
    own = root / "installer" / "launcher" / "bin" / name
    found = str(own) if own.is_file() else os.environ.get("ECHOGEN_UV") or shutil.which("uv")
    if not found:
        raise SetupFailed(say("uv, which installs the packages, is missing."), say("Install EchoGen again."))
    return found


class Uv:
    """Runs uv with the user's network and folders; all it says goes to the log.

    Args:
        places: folders of the set-up.
        network: the user's addresses and proxy.
        control: a stop ends uv.
    """

    def __init__(self, places: Places, network: Network, control: Control) -> None:
        self._program, self._places, self._control = find_uv(places.root), places, control
        # A person's own settings of uv are for their own work, but for the network they hold here, too.
        kept = {key: value for key, value in os.environ.items() if not key.startswith("UV_") or key in _OURS}
        for name in ("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONHOME", "PYTHONPATH"):
            kept.pop(name, None)
        own = places.root / "python"  # an archive for computers without a network may bring one
        self._environment = {
            **kept,
            **network.environment(),
            "UV_CACHE_DIR": str(places.cache),
            "UV_PYTHON_INSTALL_DIR": str(own if own.is_dir() else places.folder / "python"),
            "UV_NO_PROGRESS": "1",
        }

    def run(self, *arguments: str) -> str:
        """Run uv to its end.

        Returns:
            what it printed.

        Raises:
            SetupFailed: it failed, with its own last words.
            Stopped: the user stopped it.
        """
        log_line(self._places, f"$ uv {' '.join(arguments)}")
        with self._places.log.open("ab") as log:
            process = subprocess.Popen(
                [self._program, *arguments],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                stdin=subprocess.DEVNULL,
                env=self._environment,
                cwd=self._places.folder,
                creationflags=QUIET,
            )
            output, errors = self._wait(process)
            log.write(errors)
        if process.returncode:
            raise explain_uv(errors.decode(errors="replace"))
        return output.decode(errors="replace")

    def _wait(self, process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
        watching = threading.Event()

        def watch() -> None:
            while not watching.wait(0.1):
                if self._control.stopped:
                    process.terminate()
                    return

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            output, errors = process.communicate()
        finally:
            watching.set()
            thread.join()
        self._control.check()
        return output, errors


def explain_uv(errors: str) -> SetupFailed:
    """uv's error, as a sentence and a next step."""
    small = errors.lower()
    if "no space left" in small or "os error 112" in small:
        return SetupFailed(
            say("The disk is full."), say("Make room or choose another folder; what has arrived is kept."), "disk"
        )
    if "permission denied" in small or "access is denied" in small:
        return SetupFailed(say("A file cannot be written."), say("Choose another folder, or see the log."), "disk")
    if "certificate" in small:
        return SetupFailed(
            say("A certificate on the way to the packages is not trusted."),
            say("Check this computer's clock; a network with its own certificate needs that in the system."),
            "network",
        )
    if any(word in small for word in ("error sending request", "failed to fetch", "dns error", "connect", "timed out")):
        return SetupFailed(
            say("The server of the packages cannot be reached."),
            say("Check the network and try again. What has arrived is kept."),
            "network",
        )
    lines = [line.strip(" ×╰─▶:") for line in errors.splitlines() if line.strip()]
    return SetupFailed(
        say("The packages could not be installed: {0}", lines[0] if lines else "uv"), say("See the log.")
    )


def log_line(places: Places, text: str) -> None:
    """Add a line to the log. A log that cannot be written stops nothing."""
    try:
        places.folder.mkdir(parents=True, exist_ok=True)
        with places.log.open("a", encoding="utf-8") as log:
            log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")
    except OSError:
        if sys.stderr is not None:
            sys.stderr.write(f"{text}\n")
