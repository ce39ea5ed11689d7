"""Photos and masks of the open session on disk, by digest. Free of Qt; writing is for a background thread.

The session names them by digest only (``app/store/saved_session.py``). Whatever is damaged or gone counts as not there. Beside
a photo lie a small copy of it and its last cut-out: a large photo takes seconds to read, and these show it at once.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from app.store.json_file import dumps
from engine import CannotWrite, CutOut, Damage, EchoGenError, Sentence, read_json, write_atomically
from engine.photo import OwnColours, Photo, load_photo, mask_digest, on_white, photo_from_pixels, save_plain

log = logging.getLogger(__name__)

_DIGEST = re.compile(r"[0-9a-f]{64}")
_SMALL = 528
"""Pixels of a small copy's longer side: the panel's photo at twice its size."""
_LARGEST_CUT_OUT = 4 * 2**20
GRACE_SECONDS = 86_400.0
"""Age in seconds below which a file stays: nobody may have noted yet that it is needed."""


class AssetStore:
    """Keeps photos and masks in a folder.

    Args:
        folder: made when the first asset is written (``AppPaths.assets``).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()

    def save_photo(self, photo: Photo) -> str:
        """Write a photo unless it is there; returns its digest. Raises ``CannotWrite``."""
        planes = [photo.rgb] if photo.alpha is None else [photo.rgb, photo.alpha]
        shown = photo.rgb if photo.alpha is None else on_white(photo.rgb, photo.alpha)
        self._save(self._small(photo.digest), _smaller(shown))
        self._save(self._photo(photo.digest), np.dstack(planes) if len(planes) > 1 else photo.rgb)
        return photo.digest

    def save_own_colours(self, digest: str, own: OwnColours) -> None:
        """Write a photo, whose digest this is, in the colours of its file. Raises ``CannotWrite``."""
        save_plain(self._own(digest), own.rgb, profile=own.profile)

    def own_colours(self, digest: str) -> Path | None:
        """The file of a photo in its own colours, or None where there is none."""
        return self._own(digest) if _DIGEST.fullmatch(digest) is not None and self._own(digest).is_file() else None

    def save_cut_out(self, cut_out: CutOut) -> None:
        """Write the last cut-out of a photo. Raises ``CannotWrite``."""
        write_atomically(self._cut_out(cut_out.photo), dumps(cut_out.to_json()))

    def save_mask(self, mask: np.ndarray) -> str:
        """Write a mask uint8 (H, W) unless it is there; returns its digest. Raises ``CannotWrite``."""
        digest = mask_digest(mask)
        self._save(self._mask(digest), mask)
        return digest

    def load_photo(self, digest: str, name: str = "") -> Photo | None:
        """The photo with this digest, or None when it is not there any more."""
        if not _DIGEST.fullmatch(digest):
            return None
        try:
            self._use(self._photo(digest))
            found = load_photo(self._photo(digest))
        except EchoGenError:
            log.info("the photo %s is gone", digest[:12], exc_info=True)
            return None
        if found.digest != digest:
            log.warning("the photo %s is another one now", digest[:12])
            return None
        return photo_from_pixels(found.rgb, found.alpha, name, found.notes)

    def load_mask(self, digest: str) -> np.ndarray | None:
        """The mask with this digest, uint8 (H, W), or None when it is not there any more."""
        if not _DIGEST.fullmatch(digest):
            return None
        try:
            self._use(self._mask(digest))
            with Image.open(self._mask(digest), formats=("PNG",)) as picture:
                mask = np.array(picture.convert("L"))
        except Exception:  # a damaged file raises anything
            log.info("the mask %s is gone", digest[:12], exc_info=True)
            return None
        return mask if mask_digest(mask) == digest else None

    def load_small(self, digest: str) -> np.ndarray | None:
        """A small copy of the photo with this digest, RGB uint8 (H, W, 3) without its alpha, or None when there is none."""
        try:
            with Image.open(self._small(digest), formats=("PNG",)) as picture:
                small = np.array(picture.convert("RGB")) if max(picture.size) <= _SMALL else None
        except Exception:  # a damaged file raises anything; an earlier program wrote none
            return None
        return small

    def load_cut_out(self, photo: str, mask: str) -> CutOut | None:
        """The cut-out of a photo by a mask, both by digest, or None when the last one was another or is gone."""
        try:
            cut_out = CutOut.from_json(read_json(self._cut_out(photo), dict[str, Any], _LARGEST_CUT_OUT))
        except (OSError, Damage, EchoGenError):
            return None
        return cut_out if (cut_out.photo, cut_out.mask) == (photo, mask) else None

    def has_photo(self, digest: str) -> bool:
        """Return True if a photo with this digest lies here; it may be damaged."""
        return _DIGEST.fullmatch(digest) is not None and self._photo(digest).is_file()

    def prune(self, keep: Iterable[str], grace: float = GRACE_SECONDS) -> int:
        """Remove photos and masks whose digest is not among ``keep`` and that nobody used lately, with what lies beside them;
        returns how many went.

        Args:
            grace: seconds since a file was written or read before it can go.
        """
        wanted, latest = set(keep), time.time() - grace
        removed = 0
        for file in self.folder.glob("*.png") if self.folder.is_dir() else ():
            digest = file.name.split(".")[0]
            if not _DIGEST.fullmatch(digest) or digest in wanted or file == self._small(digest):
                continue
            try:
                with self._lock:  # it may be used again in this very moment
                    if file.stat().st_mtime < latest:
                        file.unlink()
                        for beside in (self._small(digest), self._cut_out(digest)):
                            if beside.is_file():
                                beside.unlink()
                        removed += 1
            except OSError:
                log.info("%s cannot be removed", file, exc_info=True)
        return removed

    def _use(self, file: Path) -> bool:
        """Note that a file is in use; whether it is there."""
        with self._lock:
            try:
                os.utime(file)
            except OSError:  # not there, or in a folder that can only be read
                return file.exists()
            return True

    def _own(self, digest: str) -> Path:
        return self.folder / f"{digest}.own.png"

    def _photo(self, digest: str) -> Path:
        return self.folder / f"{digest}.photo.png"

    def _small(self, digest: str) -> Path:
        return self.folder / f"{digest}.small.png"

    def _cut_out(self, photo: str) -> Path:
        return self.folder / f"{photo}.cutout.json"

    def _mask(self, digest: str) -> Path:
        return self.folder / f"{digest}.mask.png"

    def _save(self, file: Path, pixels: np.ndarray) -> None:
        if self._use(file):
            return
        if pixels.ndim == 3:
            order = cv2.COLOR_RGB2BGR if pixels.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
            pixels = cv2.cvtColor(pixels, order)
        # The fastest level: a photo of 24 megapixels is written in a second, and it is a cache, not an archive.
        good, content = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1])
        if not good:
            raise CannotWrite(Sentence("{file} cannot be packed.", file=file.name))
        write_atomically(file, content.tobytes())


def _smaller(rgb: np.ndarray) -> np.ndarray:
    scale = _SMALL / max(rgb.shape[:2])
    if scale >= 1:
        return rgb
    return cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:_SMALL, :_SMALL]
