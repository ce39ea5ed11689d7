"""Setting up, step by step. Every step can be cut off at any byte; the next start goes on there.

1. an environment with its Python, 2. the packages of the set-up window, 3. all other packages. The files of a step are fetched
first and installed then, without the network.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from app.language.say import say
from installer.launcher.errors import SetupFailed
from installer.launcher.fetch import Control, Fetcher, RemoteFile, free_bytes, read_plan
from installer.launcher.locks import PYTHON, Lock, read_lock, requirements
from installer.launcher.network import Network
from installer.launcher.places import Places, environment_python, reachable, read_json, write
from installer.launcher.targets import MAKERS, QUIET, check_system, choose_lock, find_backend
from installer.launcher.uv import Uv, log_line

UNPACKED = 4.5
"""Bytes installed for a byte fetched: 4.3 measured with torch for the processor, rounded up."""
PARTS = ("window", "program")


@dataclass(frozen=True)
class Progress:
    """The progress of a step.

    Attributes:
        step: "python", "window" or "program".
        doing: "prepare", "fetch", "install" or "done".
        done, total: bytes; 0 where they are not known.
        seconds_left: of the fetching; None where it is not known.
    """

    step: str
    doing: str
    done: int = 0
    total: int = 0
    seconds_left: float | None = None


class Setup:
    """The set-up of one program folder.

    Args:
        places: folders.
        tell: called with every ``Progress``, on the thread that works.
        control: pause and stop.
    """

    def __init__(
        self, places: Places, tell: Callable[[Progress], None] = lambda _: None, control: Control | None = None
    ) -> None:
        self.places, self.control = places, control or Control()
        self._tell = tell
        self.lock: Lock = read_lock(self._choose_lock(places.root))
        self.environment = places.environment(self.lock.digest)

    def _choose_lock(self, root: Path) -> Path:
        """The list for this machine; an archive for computers without a network holds the files of one list only."""
        with contextlib.suppress(OSError, ValueError):
            return (
                root / "installer" / "locks" / f"{(root / 'wheels' / 'list').read_text(encoding='utf-8').strip()}.txt"
            )
        return choose_lock(root / "installer" / "locks", self._backend())

    def _backend(self) -> str:
        """The kind of card, looked up once: asking the driver takes seconds, and every start would."""
        kept = self.places.folder / "backend"
        try:
            return os.environ.get("ECHOGEN_BACKEND") or kept.read_text(encoding="utf-8").strip() or find_backend()
        except (OSError, ValueError):
            return find_backend()

    def _note_backend(self) -> None:
        """Keep the kind of card, and have a card that is not drawn with in the log, once."""
        kept = self.places.folder / "backend"
        new = f"{self._backend()}\n"
        if not kept.is_file() or kept.read_bytes() != new.encode():
            write(kept, new)
            if self.unused_card:
                log_line(self.places, self.unused_card)

    @property
    def python(self) -> Path:
        return environment_python(self.environment)

    @property
    def unused_card(self) -> str:
        """A sentence where the list has nothing for this computer's card, which will not be drawn with; else ""."""
        backend = self._backend()
        for_nvidia = any(package.name.startswith("nvidia-") for package in self.lock.packages)  # whatever its name says
        if backend not in MAKERS or self.lock.name.endswith(f"-{backend}") or (backend == "cuda" and for_nvidia):
            return ""
        return say(
            "This EchoGen has no packages for graphics cards by {0}: it draws with the processor.", MAKERS[backend]
        )

    def is_done(self, *parts: str) -> bool:
        """Return True if parts ("window", "program") are installed, and the Python under them still works."""
        notes = read_json(self._notes)
        if not self.python.exists() or any(notes.get(part) != "done" for part in parts):
            return False
        return Path(sys.executable) == self.python or runs(self.python)

    def run(self, parts: Sequence[str] = PARTS) -> None:
        """Do what is not done yet.

        Raises:
            SetupFailed: with a sentence and a next step.
            Stopped: the user stopped it; the next run goes on.
        """
        if self.is_done(*parts):
            return
        check_system()
        self.places.prepare()
        with only_one(self.places):
            self._note_backend()
            uv = Uv(self.places, Network.load(), self.control)
            self._make_environment(uv)
            for part in parts:
                if not self.is_done(part):
                    self._install(uv, part)
            if self.is_done(*PARTS):
                self._clear()

    def take_note_of_damage(self) -> str:
        """Return what could not be loaded at the last start, "window" or "engine", and forget it; "" where nothing is known."""
        try:
            what = self.places.damaged.read_text(encoding="utf-8").strip()
            self.places.damaged.unlink()
        except (OSError, ValueError):
            return ""
        return what

    def repair(self) -> list[str]:
        """Notice files that something removed, and take note that their packages have to be installed again.

        Returns:
            the names of damaged packages.
        """
        damaged = sorted(set(damaged_packages(self.environment)))
        if damaged:
            for part in PARTS:
                if {package.name for package in self.lock.part(part)} & set(damaged):
                    self._note(part, "installing")
        return damaged

    def _make_environment(self, uv: Uv) -> None:
        self._tell(Progress("python", "prepare"))
        # Where the Python below it moved or went (an app in another folder), its packages are whole: nothing is fetched again.
        for way in ("--allow-existing", "--clear"):
            if runs(self.python):
                break
            self.environment.parent.mkdir(parents=True, exist_ok=True)
            try:
                uv.run("venv", "--no-project", "--no-config", way, "--python", PYTHON, str(self.environment))
            except SetupFailed as failure:
                # What lies there is in the way; without a network there would be no Python in the new one, either.
                if way == "--clear" or failure.kind == "network":
                    raise
        # The start script goes straight to it from now on.
        write(self.places.folder / "python-path", f"{self.python}\n")
        self._tell(Progress("python", "done"))

    def _install(self, uv: Uv, part: str) -> None:
        self._tell(Progress(part, "prepare"))
        wanted = _write_wanted(self.places, self.lock, part)
        folder = self.places.root / "wheels"  # an archive for computers without a network has them
        if not folder.is_dir():
            folder = self.places.wheels

            def tell(done: int, total: int, left: float | None) -> None:
                self._tell(Progress(part, "fetch", done, total, left))

            fetch_packages(uv, self.places, self.lock, part, folder, str(self.python), self.control, tell)
        self._tell(Progress(part, "install"))
        # An installation that was cut off leaves packages that look whole: they are installed again.
        again = ["--reinstall"] if read_json(self._notes).get(part) == "installing" else []
        self._note(part, "installing")
        uv.run(
            *("pip", "install", "--no-config", "--python", str(self.python), "--offline", "--no-index", "--no-deps"),
            *("--find-links", str(folder), "--require-hashes", *again, "-r", str(wanted)),
        )
        self._note(part, "done")
        log_line(self.places, f"installed: {part}")
        self._tell(Progress(part, "done"))

    def _clear(self) -> None:
        """Delete what the set-up needed on the way, and environments of lists that no version here has any more."""
        shutil.rmtree(self.places.wheels, ignore_errors=True)
        shutil.rmtree(self.places.cache, ignore_errors=True)
        kept = {self.environment.name}
        for root in (*self.places.versions.glob("*/"), self.places.root, self.places.installed):
            with contextlib.suppress(SetupFailed):
                kept.add(read_lock(self._choose_lock(root)).digest)
        for folder in self.environment.parent.iterdir():
            if folder.name not in kept:
                shutil.rmtree(reachable(folder), ignore_errors=True)

    @property
    def _notes(self) -> Path:
        return self.environment / "echogen-setup.json"

    def _note(self, part: str, state: str) -> None:
        write(self._notes, json.dumps({**read_json(self._notes), part: state}) + "\n")


def fetch_packages(
    uv: Uv,
    places: Places,
    lock: Lock,
    part: str,
    into: Path,
    python: str,
    control: Control | None = None,
    tell: Callable[[int, int, float | None], None] = lambda *_: None,
) -> None:
    """Fetch all files of a part of a list.

    Args:
        into: folder for them.
        python: the one they are for.
        tell: called with (bytes here, bytes in all, seconds left or None).

    Raises:
        SetupFailed: with a sentence and a next step.
        Stopped: the user stopped it.
    """
    files = _plan(uv, places, lock, part, python)
    _check_space(places, files, into)
    Fetcher(into, Network.load(), control or Control(), tell).fetch(files)


def _write_wanted(places: Places, lock: Lock, part: str) -> Path:
    wanted = places.folder / f"{part}.txt"
    write(wanted, requirements(lock.part(part)))
    return wanted


def _plan(uv: Uv, places: Places, lock: Lock, part: str, python: str) -> list[RemoteFile]:
    """Ask the index where the files are. The answer is kept: going on after a cut needs no second one."""
    packages = lock.part(part)
    kept = places.folder / f"{lock.digest}-{part}.pylock.toml"
    if kept.exists():
        with contextlib.suppress(SetupFailed, ValueError, KeyError, OSError):
            return read_plan(kept.read_text(encoding="utf-8"), packages)
    torch = Network.load().torch
    builds = ["--find-links", torch] if torch else []
    if lock.backend and not torch and part == "program":
        builds = ["--torch-backend", lock.backend]
    text = uv.run(
        *("pip", "compile", "--no-deps", "--no-header", "--quiet", "--only-binary", ":all:", *builds),
        *("--python", python, "--format", "pylock.toml", str(_write_wanted(places, lock, part))),
    )
    files = read_plan(text, packages)
    write(kept, text)
    return files


def _check_space(places: Places, files: Sequence[RemoteFile], into: Path) -> None:
    here = sum(min(file.size, _size(into / file.name)) for file in files)
    needed = int(sum(file.size for file in files) * (1 + UNPACKED)) - here
    free = free_bytes(places.folder)
    if free < needed:
        raise SetupFailed(
            say("{0} GB are needed for the set-up, and {1} GB are free.", _gigabytes(needed), _gigabytes(free)),
            say("Make room or choose a folder on another disk."),
            "disk",
        )


def runs(python: Path) -> bool:
    """Return True if a Python is there and works."""
    if not python.exists():
        return False
    try:
        return (
            subprocess.run([python, "-I", "-c", ""], capture_output=True, timeout=60, creationflags=QUIET).returncode
            == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


def damaged_packages(environment: Path) -> Iterator[str]:
    """Names of packages of which a file is missing or has another size than it was installed with.

    What Python compiles does not count: some packages bring it along, and Python writes it anew.
    """
    for record in reachable(environment).glob("**/site-packages/*.dist-info/RECORD"):
        name = record.parent.name.partition("-")[0].lower().replace("_", "-").replace(".", "-")
        try:
            with record.open(newline="", encoding="utf-8") as stream:
                rows = [row for row in csv.reader(stream) if len(row) == 3 and row[2] and not row[0].endswith(".pyc")]
            if any(_size(record.parent.parent / path) != int(size) for path, _, size in rows):
                yield name
        except (OSError, ValueError):
            yield name


@contextlib.contextmanager
def only_one(places: Places) -> Iterator[None]:
    """Hold the set-up for this process; the system lets go of it however the process ends.

    Raises:
        SetupFailed: another process sets up in this folder.
    """
    with (places.folder / "setup.lock").open("a+b") as stream:
        if not _lock(stream):
            raise SetupFailed(
                say("EchoGen is being set up by another window already."), say("Wait until that one is done.")
            )
        yield


def _lock(stream: IO[bytes]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return -1 if not file.name.endswith(".whl") else 0


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f}"
