"""The region of the panel over a restart: its picture and its mask lie with the photos of the session, named by digest.

A region holds a whole picture, too much for a file that is written after every change.
"""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from app.store.assets import AssetStore
from app.system import background
from engine import EchoGenError, PhotoWindow, Region
from engine.photo import photo_from_pixels

log = logging.getLogger(__name__)


class KeptRegion(QObject):
    """Keeps one region on the disk.

    Signals:
        kept: the region that was asked for last is on the disk now.
        failed(object): one could not be written, and why; ``ask_again`` has it tried anew.
    """

    kept = Signal()
    failed = Signal(object)

    def __init__(self, assets: AssetStore, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._assets = assets
        self._asked: Region | None = None
        self._described: tuple[Region, dict[str, Any]] | None = None

    def keep(self, region: Region | None) -> None:
        """Write it in the background, unless that is done or under way."""
        if region is not self._asked:
            self._asked = region
            if region is not None:
                background.run(_save, self._assets, region, done=self._saved, failed=self._not_saved)

    def ask_again(self) -> None:
        """Write at the next ``keep`` what is not on the disk."""
        if self._asked is not None and self.described(self._asked) is None:
            self._asked = None

    def keep_now(self, region: Region | None) -> None:
        """Write it at once: the program ends. Raises ``CannotWrite``."""
        if region is not None and self.described(region) is None:
            self._asked = region
            self._saved(_save(self._assets, region))

    def described(self, region: Region) -> dict[str, Any] | None:
        """A region as the session has it, or None while its files are not complete."""
        return self._described[1] if self._described is not None and self._described[0] is region else None

    @Slot(object)
    def _saved(self, described: tuple[Region, dict[str, Any]]) -> None:
        if described[0] is self._asked:  # not an earlier one that took longer to write
            self._described = described
            self.kept.emit()

    @Slot(object)
    def _not_saved(self, error: Exception) -> None:
        self.failed.emit(error)


def region_assets(described: object) -> tuple[str, ...]:
    """The files that a region of the session needs; none for anything else."""
    found = (described.get("picture"), described.get("mask")) if isinstance(described, dict) else ()
    return tuple(digest for digest in found if isinstance(digest, str))


def read_region(assets: AssetStore, described: Any) -> Region | None:
    """The region that the session describes, or None where it is damaged or its files are gone."""
    files = region_assets(described)
    if len(files) != 2:
        return None
    picture, mask = assets.load_photo(files[0]), assets.load_mask(files[1])
    if picture is None or mask is None:
        return None
    try:
        window, dpi = described.get("window"), described.get("dpi")
        return Region(
            mask,
            picture.rgb,
            described.get("whole", 0),
            None if window is None else PhotoWindow(**window),
            described.get("behind", False),
            None if dpi is None else (dpi[0], dpi[1]),
        )
    except (EchoGenError, TypeError, ValueError, LookupError):
        log.warning("the region of the last session could not be read", exc_info=True)
        return None


def _save(assets: AssetStore, region: Region) -> tuple[Region, dict[str, Any]]:
    return region, {
        "picture": assets.save_photo(photo_from_pixels(region.picture)),
        "mask": assets.save_mask(region.mask),
        "whole": region.whole,
        "window": asdict(region.window) if region.window is not None else None,
        "behind": region.behind,
        "dpi": region.dpi,
    }
