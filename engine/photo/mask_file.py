"""Masks as files: any grey or transparent picture in, an 8-bit grey PNG out."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from engine.errors import MaskError, PhotoError
from engine.photo.load import Photo, load_photo
from engine.photo.picture_file import save_plain
from engine.sentence import Sentence


def read_mask(source: Path | bytes, photo: Photo, title: Sentence = MaskError.title) -> np.ndarray:
    """The mask in a picture file: its transparency if it has any, else its brightness (white belongs to the subject).

    Args:
        source: the file, or its bytes.
        title: of the error for a mask of another size: what it is the mask of.

    Returns:
        uint8 (H, W), as large as the photo.

    Raises:
        MaskError: the file is no picture, or has another size than the photo.
    """
    try:
        picture = load_photo(source)
    except PhotoError as error:
        raise MaskError(error.fact, error.step, title=error.title) from error
    mask = picture.alpha if picture.alpha is not None else cv2.cvtColor(picture.rgb, cv2.COLOR_RGB2GRAY)
    if mask.shape != (photo.height, photo.width):
        raise MaskError(
            Sentence(
                "The mask {path} is {width} × {height} pixels and the photo {photo_width} × {photo_height}.",
                path=source.name if isinstance(source, Path) else "of this row",
                width=picture.width,
                height=picture.height,
                photo_width=photo.width,
                photo_height=photo.height,
            ),
            Sentence("Use a mask that was made for this photo."),
            title=title,
        )
    return mask


def write_mask(path: Path, mask: np.ndarray) -> None:
    """Write a mask uint8 (H, W) as a grey PNG; raises ``CannotWrite``."""
    save_plain(path, mask)
