"""Opens EchoGen, and sets it up first where that is needed: ``python -m installer.launcher [photo.jpg]``.

--set-up     set up on the terminal and end
--repair     look for files that something removed, and install their packages again
--update F   take the archive of a newer version
--remove     remove what was set up; pictures, history and settings stay, and models are asked about (--with-models: they go, too;
             --all: pictures alone stay)
"""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from dataclasses import replace
from pathlib import Path

from app.language.say import say
from installer.launcher.errors import SetupFailed, Stopped
from installer.launcher.first_sign import FirstSign, ask_folder, say_failure
from installer.launcher.folders import choose_folder, remove_left
from installer.launcher.opening import NOT_DONE, SHOWN, environment, open_program
from installer.launcher.places import INSTALLED, Places
from installer.launcher.removal import remove
from installer.launcher.setup import PARTS, Progress, Setup
from installer.launcher.targets import QUIET
from installer.launcher.uv import find_uv, log_line
from installer.launcher.versions import Versions

ROOT = Path(__file__).resolve().parent.parent.parent


def main(arguments: list[str]) -> int:
    os.environ.pop("PYTHONPATH", None)
    os.environ[INSTALLED] = str(ROOT)
    installed = Places.standard(ROOT)
    command = arguments[0] if arguments else ""
    try:
        if command == "--remove":
            models = True if "--with-models" in arguments else None
            return remove(installed, models=models, everything="--all" in arguments)
        os.environ.setdefault("ECHOGEN_UV", find_uv(ROOT))
        versions = Versions(installed)
        if command == "--update":
            if len(arguments) < 2:
                raise SetupFailed(say("--update needs the archive of a newer version."))
            print(say("EchoGen {0} opens at the next start.", versions.take(Path(arguments[1]))))
            return 0
        places = replace(installed, root=versions.current())
        if command in ("--set-up", "--repair"):
            return _on_terminal(places, repair=command == "--repair")
        return _open(places, versions, arguments)
    except SetupFailed as failure:
        return _failed(failure, arguments)
    except (Stopped, KeyboardInterrupt):
        return 130
    except Exception as error:  # whatever it is: a double-click that ends without a word would say less
        log_line(installed, traceback.format_exc())
        happened, advice = say("Something unexpected happened: {0}", error), say("See the log.")
        say_failure(f"{happened} {advice} {installed.log}")
        return 1


def _failed(failure: SetupFailed, arguments: list[str]) -> int:
    """Say why the set-up cannot even begin; where another folder helps and one is chosen, begin there. Returns the exit code."""
    from_desktop = not arguments or not arguments[0].startswith("--")
    folder = ask_folder(str(failure)) if failure.kind == "disk" and from_desktop else None
    if folder:
        try:
            choose_folder(Path(folder))
        except SetupFailed as refused:
            return _failed(refused, arguments)
        return main(arguments)
    if folder is None:  # else it was said with the question
        say_failure(str(failure))
    return 1


def _on_terminal(places: Places, *, repair: bool) -> int:
    shown: list[str] = [""]

    def tell(progress: Progress) -> None:
        share = f" {progress.done * 100 // progress.total} %" if progress.total else ""
        text = f"{progress.step}: {progress.doing}{share}"
        if text != shown[0]:
            shown[0] = text
            print(text, flush=True)

    setup = Setup(places, tell)
    if setup.unused_card:
        print(setup.unused_card, flush=True)
    if repair:
        damaged = ", ".join(setup.repair())
        print(say("Damaged: {0}", damaged or "–"), flush=True)
    setup.run()
    return 0


def _open(places: Places, versions: Versions, arguments: list[str], *, repaired: bool = False) -> int:
    """Open the program, and set it up first where something is missing.

    A newer version that does not open is left for good; one whose packages cannot be fetched now is tried again at the next start.
    What something removes again and again is repaired once.
    """
    try:
        setup = Setup(places)
        code = None if setup.is_done(*PARTS) else _set_up(setup, arguments)
    except (SetupFailed, Stopped):
        if not places.is_newer:
            raise
        code = NOT_DONE
    if code is not None:
        if code == 0 or not places.is_newer:
            return code
        # Any other code is a set-up window that broke, which a newer version brings along, too.
        return (_open_before if code == NOT_DONE else _go_back)(places, versions, arguments)
    not_loaded = setup.take_note_of_damage()
    if not_loaded and not repaired and setup.repair():
        return _open(places, versions, arguments, repaired=True)
    if versions.has_opened(places.root) and not_loaded != "window":
        remove_left(places.folder)
        return _replace_by_program(setup, arguments)
    if not_loaded != "window" and open_program(setup, arguments) == SHOWN:
        versions.note_opened(places.root)
        return 0
    if not repaired and setup.repair():
        return _open(places, versions, arguments, repaired=True)
    if places.is_newer:
        return _go_back(places, versions, arguments)
    raise SetupFailed(
        say("EchoGen does not open."), say("See the log in {0}, or set it up again with --repair.", places.folder)
    )


def _set_up(setup: Setup, arguments: list[str]) -> int:
    """Set up in a window, which opens the program itself and goes when the program's window is there. Returns its exit code."""
    places = setup.places
    window = [str(setup.python), "-P", "-m", "installer.launcher.window", *arguments]
    with FirstSign() as sign:
        if not setup.is_done("window"):
            Setup(places, lambda progress: sign.move(progress.done, progress.total)).run(("window",))
        variables = {**os.environ, "PYTHONPATH": str(places.root), **sign.lend()}
        return subprocess.run(window, env=variables, creationflags=QUIET).returncode


def _replace_by_program(setup: Setup, arguments: list[str]) -> int:
    command = [str(setup.python), str(setup.places.root / "main.py"), *arguments]
    if os.name != "nt":
        os.execve(command[0], command, environment(setup))
    # There, replacing a process starts another one and ends this one at once.
    return subprocess.run(command, env=environment(setup), creationflags=QUIET).returncode


def _go_back(places: Places, versions: Versions, arguments: list[str]) -> int:
    """The newer version does not open: the one before is the one in use again."""
    before = versions.go_back()
    say_failure(say("The new version of EchoGen does not open. The one before is used again."))
    return _open(replace(places, root=before), versions, arguments)


def _open_before(places: Places, versions: Versions, arguments: list[str]) -> int:
    """The newer version cannot be set up now: open the one before this once."""
    before = versions.before()
    root = before if before != places.root else places.installed
    return _open(replace(places, root=root), versions, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
