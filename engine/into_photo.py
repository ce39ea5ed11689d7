"""The way of a drawn picture back into the photo that it was drawn for: at full resolution, in the photo's own colours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.encoders.placed import subject_alpha
from engine.photo.own_colours import put_back_own, read_own_colours
from engine.photo.picture_file import save_picture
from engine.photo.place import put_back
from engine.region import Region

if TYPE_CHECKING:
    from engine.bundle.manifest import BundleManifest
    from engine.events import Finished


@dataclass(frozen=True, eq=False)
class PhotoAtHand:
    """A photo, or a picture, that a region is of.

    Attributes:
        rgb: uint8 (H, W, 3), at full resolution.
        digest: as its ``Photo`` has it, or "" where nobody counted it.
        file: where it lies, for its own colours; None where it is in no file.
    """

    rgb: np.ndarray
    digest: str = ""
    file: Path | None = None

    def holds(self, region: Region) -> bool:
        """Return True if this is what the region is of."""
        if region.window is not None:
            return bool(self.digest) and self.digest == region.window.photo
        return self.rgb.shape == region.picture.shape and np.array_equal(self.rgb, region.picture)


def into_its_photo(event: Finished, photo: PhotoAtHand, manifest: BundleManifest) -> Finished:
    """A picture drawn into a region, laid into the photo that the region is of.

    Args:
        photo: what the request's region is of.
        manifest: of the model that drew it.

    Returns:
        ``image`` as large as the photo; ``own`` where the photo's file has colours of its own. Outside of the region every pixel
        is the photo's.

    Raises:
        RegionError: the photo is of another size than the region says.
    """
    region = event.request.region
    assert region is not None
    feather = manifest.tokenizer.feather
    alpha = subject_alpha(event.request, manifest.place(event.request), region.size)
    own = None if photo.file is None else read_own_colours(photo.file, photo.rgb)
    return replace(
        event,
        image=put_back(photo.rgb, event.image, region, feather, alpha),
        own=None if own is None else put_back_own(own, event.image, region, feather, alpha),
    )


def save_finished(file: Path, event: Finished) -> None:
    """Write a finished picture with what drew it, in its own colours, see ``save_picture``. Raises ``CannotWrite``."""
    image, profile = (event.image, None) if event.own is None else (event.own.rgb, event.own.profile)
    save_picture(file, image, event.request, event.bits, likeness=event.likeness, profile=profile)
