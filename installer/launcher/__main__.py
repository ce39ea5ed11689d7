"""Opens EchoGen, and sets it up first where that is needed: ``python -m installer.launcher [photo.jpg]``.

--set-up     set up on the terminal and end
--repair     look for files that something removed, and install their packages again
--update F   take the archive of a newer version
--remove     remove what was set up; pictures, history and settings stay, and models are asked about
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from app.language.say import say
from installer.launcher.errors import SetupFailed, Stopped
from installer.launcher.first_sign import FirstSign, say_failure
from installer.launcher.network import Network
from installer.launcher.opening import SHOWN, open_program
from installer.launcher.places import Places
from installer.launcher.removal import remove
from installer.launcher.setup import Progress, Setup
from installer.launcher.uv import find_uv
from installer.launcher.versions import Versions

ROOT = Path(__file__).resolve().parent.parent.parent


def main(arguments: list[str]) -> int:
    os.environ.pop("PYTHONPATH", None)
    installed = Places.standard(ROOT)
    command = arguments[0] if arguments else ""
    try:
        if command == "--remove":
            return remove(installed)
        os.environ.setdefault("ECHOGEN_UV", find_uv(ROOT))
        versions = Versions(installed)
        if command == "--update":
            print(say("EchoGen {0} opens at the next start.", versions.take(Path(arguments[1]))))
            return 0
        places = replace(installed, root=versions.current())
        if command in ("--set-up", "--repair"):
            return _on_terminal(places, repair=command == "--repair")
        return _open(places, versions, arguments)
    except SetupFailed as failure:
        say_failure(str(failure))
        return 1
    except (Stopped, KeyboardInterrupt):
        return 130


def _on_terminal(places: Places, *, repair: bool) -> int:
    shown: list[str] = [""]

    def tell(progress: Progress) -> None:
        share = f" {progress.done * 100 // progress.total} %" if progress.total else ""
        text = f"{progress.step}: {progress.doing}{share}"
        if text != shown[0]:
            shown[0] = text
            print(text, flush=True)

    setup = Setup(places, tell)
    if repair:
        damaged = ", ".join(setup.repair())
        print(say("Damaged: {0}", damaged or "–"), flush=True)
    setup.run()
    return 0


def _open(places: Places, versions: Versions, arguments: list[str]) -> int:
    """Set up what is missing, in a window once there can be one, and open the program."""
    setup = Setup(places)
    if not setup.is_done("program"):
        if not setup.is_done("window"):
            with FirstSign() as sign:
                Setup(places, lambda progress: sign.move(progress.done, progress.total)).run(("window",))
        window = [str(setup.python), "-P", "-m", "installer.launcher.window", *arguments]
        # It opens the program itself, and goes when the program's window is there.
        return subprocess.run(window, env={**os.environ, "PYTHONPATH": str(places.root)}).returncode
    if versions.has_opened(places.root):
        environment = {**os.environ, **Network.load().environment()}
        command = [str(setup.python), str(places.root / "main.py"), *arguments]
        if os.name == "nt":  # there, replacing a process starts another one and ends this one at once
            return subprocess.run(command, env=environment).returncode
        os.execve(command[0], command, environment)
    outcome = open_program(setup, arguments)
    if outcome == SHOWN:
        versions.note_opened(places.root)
        return 0
    if setup.repair():
        return _open(places, versions, arguments)
    if places.root != ROOT:
        say_failure(say("The new version of EchoGen does not open. The one before is used again."))
        return _open(replace(places, root=versions.go_back()), versions, arguments)
    raise SetupFailed(
        say("EchoGen does not open."), say("See the log in {0}, or set it up again with --repair.", places.folder)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
