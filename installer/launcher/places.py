"""The folders of the launcher. All of it belongs to the user; nothing needs an administrator."""

from __future__ import annotations

import json
import ntpath
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.language.say import say
from engine.files import put_in_place
from installer.launcher.errors import SetupFailed

APP_NAME = "echogen-desktop"  # as in app/store/paths.py, which needs a package
INSTALLED = "ECHOGEN_INSTALLED"
"""Names the program as it was installed; the launcher sets it for the set-up window and the program, which may be a newer version."""
MARKER = ".made-by-echogen-launcher"


def data_folder() -> Path:
    """The program's data folder by the rules of the system: history, session, models, and the set-up itself."""
    return _standard("XDG_DATA_HOME", ".local/share", "LOCALAPPDATA")


def config_folder() -> Path:
    return _standard("XDG_CONFIG_HOME", ".config", "LOCALAPPDATA")


def _standard(variable: str, below_home: str, windows: str) -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get(windows) or Path.home() / "AppData" / "Local") / APP_NAME
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / APP_NAME
    return Path(os.environ.get(variable) or Path.home() / below_home) / APP_NAME


@dataclass(frozen=True)
class Places:
    """Folders of one set-up.

    Attributes:
        root: the program (``main.py``, ``app``, ``engine`` …): as it was installed, or a newer version below ``versions``.
        folder: everything that the launcher fetches and makes. It can be thrown away at any time.
    """

    root: Path
    folder: Path

    @classmethod
    def standard(cls, root: Path) -> Places:
        """The user's choice (see ``folders.choose_folder``), else ``program`` in the data folder."""
        chosen = _first_line(config_folder() / "program-folder")
        return cls(root, Path(chosen) if chosen else data_folder() / "program")

    @property
    def installed(self) -> Path:
        """The program as an installer brought it; the same as ``root`` where no launcher says another one."""
        return Path(os.environ.get(INSTALLED) or self.root)

    @property
    def is_newer(self) -> bool:
        """True if this is a version that was fetched, so that there is one before it."""
        return self.root != self.installed

    @property
    def log(self) -> Path:
        return self.folder / "setup.log"

    @property
    def damaged(self) -> Path:
        """A note that a package could not be loaded: "window" or "engine" (``main.py``, ``engine/process/damage.py``)."""
        return self.folder / "damaged"

    @property
    def wheels(self) -> Path:
        """Files that arrived and are not installed yet."""
        return self.folder / "wheels"

    @property
    def cache(self) -> Path:
        """The folder uv unpacks into. Beside the environment, so that files are linked and not copied."""
        return self.folder / "cache"

    @property
    def state(self) -> Path:
        return self.folder / "state.json"

    @property
    def versions(self) -> Path:
        """Newer versions of the program than the installed one, each in a folder of its name."""
        return self.folder / "versions"

    def environment(self, digest: str) -> Path:
        """The Python environment for one list of packages."""
        return self.folder / "environments" / digest

    def prepare(self) -> None:
        """Make the folder and prove that files can be written there.

        Raises:
            SetupFailed: with the folder and the reason.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / MARKER).touch()
            with tempfile.TemporaryFile(dir=self.folder) as probe:
                probe.write(b"x")
        except OSError as error:
            raise SetupFailed(
                say("Files cannot be written to {0}: {1}.", self.folder, error.strerror or error),
                say("Choose another folder."),
                "disk",
            ) from error


def environment_python(environment: Path) -> Path:
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def reachable(path: Path) -> Path:
    """The same place where Windows finds it: it knows paths of more than 260 characters by their long form only, and packages have some."""
    return Path(long_form(str(path))) if os.name == "nt" else path


def long_form(path: str) -> str:
    """An absolute path of Windows in its long form."""
    if path.startswith("\\\\?\\"):
        return path
    path = ntpath.normpath(path)
    return "\\\\?\\UNC" + path[1:] if path.startswith("\\\\") else "\\\\?\\" + path


def write(file: Path, text: str) -> None:
    """Write a file whole or not at all."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}.part")
    with temporary.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    put_in_place(temporary, file)


def read_json(file: Path) -> dict[str, Any]:
    """The object in a file; empty where there is none or it is damaged."""
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _first_line(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").partition("\n")[0].strip()
    except (OSError, ValueError):
        return ""
