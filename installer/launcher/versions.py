"""Newer versions in place: the new one is tried, the one before stays, and comes back when the new one does not open."""

from __future__ import annotations

import json
import re
import shutil
import tarfile
import zlib
from pathlib import Path

from app.language.say import say
from engine.files import put_in_place
from installer.launcher.errors import SetupFailed
from installer.launcher.fetch import digest
from installer.launcher.places import Places, reachable, read_json, write


def version_of(root: Path) -> str:
    """The version of a program folder; "" where it has none."""
    try:
        text = (root / "engine" / "version.py").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
    match = re.search(r'^__version__ = "([0-9][0-9a-z.]*)"', text, re.MULTILINE)
    return match[1] if match else ""


_STAGES = ("dev", "a", "b", "rc", "", "post")
"""What the letters of a version say, in the order in which such versions come; the release itself has none."""


def order(version: str) -> tuple[tuple[int, ...], tuple[tuple[int, int], ...]]:
    """For comparing: "0.10.1" is newer than "0.9", and "0.2.0" than "0.2.0rc1"."""
    numbers = re.split("[a-z]", version, maxsplit=1)[0].rstrip(".")
    release = re.sub(r"(\.0+)+$", "", numbers)  # "0.2" is "0.2.0"
    stages = re.findall(r"([a-z]+)(\d*)", version[len(numbers) :])
    known = [(_STAGES.index(word) if word in _STAGES else 0, int(number or 0)) for word, number in stages]
    return tuple(int(part) for part in release.split(".") if part), (*known, (_STAGES.index(""), 0))


class Versions:
    """The installed version and the newer ones.

    Args:
        places: folders; ``root`` is the installed version, which is never touched.
    """

    def __init__(self, places: Places) -> None:
        self.places = places

    def current(self) -> Path:
        """The folder of the version to open."""
        folder = self._folder("current")
        # An installer may have brought a version that is newer than what was fetched.
        if version_of(folder) and order(version_of(folder)) > order(version_of(self.places.root)):
            return folder
        return self.places.root

    def before(self) -> Path:
        """The folder of the version before the current one."""
        folder = self._folder("previous")
        return folder if version_of(folder) else self.places.root

    def _folder(self, which: str) -> Path:
        name = read_json(self.places.state).get(which)
        return self.places.versions / name if isinstance(name, str) and name else self.places.root

    def is_bad(self, version: str) -> bool:
        """Return True if this version was tried and did not open."""
        return version in read_json(self.places.state).get("bad", [])

    def has_opened(self, root: Path) -> bool:
        """Return True if this version's window was ever seen."""
        return version_of(root) in read_json(self.places.state).get("opened", [])

    def note_opened(self, root: Path) -> None:
        state = read_json(self.places.state)
        opened = [*(name for name in state.get("opened", []) if name != version_of(root)), version_of(root)]
        self._save({**state, "opened": opened[-10:]})
        # The current one may wait for its packages while the one before it is open.
        self._remove_others({root.name, state.get("current", ""), state.get("previous", "")})

    def go_back(self) -> Path:
        """The new version does not open: use the one before from now on. Returns its folder."""
        state = read_json(self.places.state)
        bad = [*state.get("bad", []), state.get("current", "")]
        self._save({**state, "current": state.get("previous", ""), "previous": "", "bad": bad[-10:]})
        return self.current()

    def take(self, archive: Path, sha256: str = "") -> str:
        """Unpack a newer version beside the others and make it the current one.

        Args:
            archive: the ``.tar.gz`` of a release.
            sha256: the digest it has to have; "" trusts the file.

        Returns:
            its version.

        Raises:
            SetupFailed: it cannot be read, is no release, damaged, or not newer.
        """
        try:
            arrived = digest(archive)
        except OSError as error:
            raise SetupFailed(
                say("{0} cannot be read: {1}.", archive, error.strerror), say("The version you have stays.")
            ) from error
        if sha256 and arrived != sha256:
            raise SetupFailed(say("The new version arrived damaged."), say("Try again; the version you have stays."))
        self.places.prepare()
        unpacked = self.places.versions / ".new"
        shutil.rmtree(unpacked, ignore_errors=True)
        try:
            unpacked.mkdir(parents=True)
            with tarfile.open(archive) as tar:
                _unpack(tar, unpacked)
            (root,) = (main.parent for main in unpacked.glob("*/main.py"))
        except (OSError, tarfile.TarError, zlib.error, ValueError, EOFError) as error:
            shutil.rmtree(unpacked, ignore_errors=True)
            if isinstance(error, OSError) and error.errno:  # a damaged archive has no number
                raise SetupFailed(
                    say("{0} cannot be written: {1}.", unpacked.parent, error.strerror),
                    say("Make room on the disk and try again; the version you have stays."),
                    "disk",
                ) from error
            raise SetupFailed(
                say("{0} is no version of EchoGen.", archive.name), say("The version you have stays.")
            ) from error
        version = version_of(root)
        if order(version) <= order(version_of(self.current())):
            shutil.rmtree(unpacked, ignore_errors=True)
            raise SetupFailed(say("{0} is not newer than the version you have.", version or archive.name))
        folder = self.places.versions / version
        shutil.rmtree(folder, ignore_errors=True)
        put_in_place(root, folder)
        shutil.rmtree(unpacked, ignore_errors=True)
        state, before = read_json(self.places.state), self.current()
        previous = before.name if before != self.places.root else ""
        if previous and not self.has_opened(before):  # it was never tried: the one before it is what is known to open
            previous = state.get("previous", "")
        self._save({**state, "current": version, "previous": previous})
        return version

    def _remove_others(self, kept: set[str]) -> None:
        for folder in self.places.versions.glob("*/"):
            if folder.name not in kept:
                shutil.rmtree(reachable(folder), ignore_errors=True)

    def _save(self, state: dict[str, object]) -> None:
        write(self.places.state, json.dumps(state, indent=1) + "\n")


def _unpack(tar: tarfile.TarFile, folder: Path) -> None:
    """Unpack plain files and folders, and nothing outside of ``folder``. Raises ``TarError`` for anything else."""
    if hasattr(tarfile, "data_filter"):
        tar.extractall(folder, filter="data")
        return
    # Python 3.11.2, which Debian 12 has, does not know the filter yet.
    members = tar.getmembers()
    for member in members:
        if not (member.isreg() or member.isdir()) or member.name.startswith("/") or ".." in Path(member.name).parts:
            raise tarfile.TarError(f"{member.name} does not belong here")
        member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    tar.extractall(folder, members)
