"""Newer versions of the program, for the window. Nobody is asked unless the user wants it: by a press, or at every start by a setting.

The work is the launcher's (``installer/launcher/updates.py``); it runs in the background, and what it tells arrives as signals. A version
that was fetched opens at the next start, and the launcher goes back to this one when it does not open.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from app.language.say import say
from app.system import background
from installer.launcher import updates
from installer.launcher.errors import SetupFailed, Stopped
from installer.launcher.fetch import Control
from installer.launcher.places import INSTALLED, Places
from installer.launcher.updates import Release
from installer.launcher.versions import Versions, version_of

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]


class Updates(QObject):
    """See the module.

    Args:
        root: the running program; tests give their own.

    Attributes:
        phase: "unknown", "looking", "newest", "there", "getting" or "ready".
        release: the newer version, where there is one.
        failed_here: it was tried on this computer and did not open.
        problem: why looking or getting failed, or "".
        done, total: bytes while it is fetched.

    Signals:
        changed: one of these is different.
        found: a newer version is there that was not known before.
    """

    changed = Signal()
    found = Signal()
    _told = Signal(int, int)

    def __init__(self, parent: QObject | None = None, root: Path = ROOT) -> None:
        super().__init__(parent)
        self._root = root
        self._control = Control()
        self.phase = "unknown"
        self.release: Release | None = None
        self.failed_here = False
        self.problem = ""
        self.done = self.total = 0
        self._told.connect(self._moved)

    @property
    def address(self) -> str:
        """The address at which newer versions are announced; "" where this copy does not know."""
        return updates.address(self._root)

    @property
    def can_take(self) -> bool:
        """True if the launcher opened this program, so that it can open another version next time."""
        return bool(os.environ.get(INSTALLED))

    @property
    def busy(self) -> bool:
        return self.phase in ("looking", "getting")

    @Slot()
    def check(self) -> None:
        """Ask which version is the newest."""
        address = self.address
        if address and not self.busy and self.phase != "ready":
            self._set("looking")
            background.run(_newest_release, address, self._root, done=self._checked, failed=self._check_failed)

    @Slot(object)
    def _checked(self, answer: tuple[Release, str, bool]) -> None:
        release, taken, bad = answer
        known, self.release, self.failed_here = self.release, release, bad
        if updates.is_newer(release, self._root):
            self._set("ready" if release.version == taken else "there")
            if self.phase == "there" and release != known and not bad:
                self.found.emit()
        else:
            self._set("newest")

    @Slot(object)
    def _check_failed(self, error: Exception) -> None:
        self._set("unknown", error)

    @Slot()
    def take(self) -> None:
        """Fetch the newer version."""
        if self.phase == "there" and self.release is not None and self.can_take:
            self._control = Control()
            self.done, self.total = 0, self.release.size
            self._set("getting")
            arguments = (self.release, self._root, self._control, self._told.emit)
            background.run(_take, *arguments, done=self._taken, failed=self._not_taken, patient=True)

    @Slot(int, int)
    def _moved(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        self.changed.emit()

    @Slot(object)
    def _taken(self, version: str) -> None:
        log.info("version %s opens at the next start", version)
        self._set("ready")

    @Slot(object)
    def _not_taken(self, error: Exception) -> None:
        self._set("there", None if isinstance(error, Stopped) else error)

    @Slot()
    def stop(self) -> None:
        """Stop fetching. What has arrived is kept, and the next try goes on there."""
        self._control.stop()

    def _set(self, phase: str, error: Exception | None = None) -> None:
        self.phase, self.problem = phase, ""
        if error is not None:
            log.warning("a newer version: %s", error)
            self.problem = (
                str(error) if isinstance(error, SetupFailed) else say("Something unexpected happened: {0}", error)
            )
        self.changed.emit()


def _newest_release(address: str, root: Path) -> tuple[Release, str, bool]:
    """The newest release, the version that opens at the next start, and whether the release failed here before."""
    release = updates.newest(address)
    places = Places.standard(root)
    versions = Versions(Places(places.installed, places.folder))
    return release, version_of(versions.current()), versions.is_bad(release.version)


def _take(release: Release, root: Path, control: Control, told) -> str:
    def tell(done: int, total: int, _left: float | None) -> None:
        told(done, total)

    return updates.take(release, Places.standard(root), control, tell)
