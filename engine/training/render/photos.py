"""A folder of photographs as material: crops for soft backgrounds, patterns for surfaces. It may be missing."""

from __future__ import annotations

import logging
import random
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from engine.errors import InputError
from engine.sentence import Sentence

log = logging.getLogger(__name__)

_LONGEST = 512
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


class Photographs:
    """Photographs, each uint8 (3, H, W)."""

    def __init__(self, pictures: list[Tensor]) -> None:
        self.pictures = pictures

    def __bool__(self) -> bool:
        return bool(self.pictures)

    @classmethod
    def from_folder(cls, folder: Path | None, device: torch.device | str = "cpu") -> Photographs:
        """Read a folder; ``None`` gives an empty collection. What cannot be read is skipped.

        Raises:
            InputError: the folder does not exist.
        """
        if folder is None:
            return cls([])
        if not folder.is_dir():
            raise InputError(
                Sentence("The folder of textures {folder} does not exist.", folder=folder),
                Sentence("Name a folder of photographs."),
            )
        pictures = []
        for path in sorted(p for p in folder.iterdir() if p.suffix.lower() in _SUFFIXES):
            try:
                with Image.open(path) as file:
                    picture = file.convert("RGB")
                picture.thumbnail((_LONGEST, _LONGEST), Image.Resampling.LANCZOS)
            except (OSError, ValueError, Image.DecompressionBombError) as error:
                log.warning("%s is skipped: %s", path.name, error)
                continue
            pictures.append(torch.from_numpy(np.asarray(picture).transpose(2, 0, 1).copy()).to(device))
        return cls(pictures)

    def crop(self, dice: random.Random, size: int, low: float = 0.35, high: float = 1.0) -> Tensor:
        """A square somewhere in one of the photos, perhaps mirrored, (1, 3, size, size) in 0 … 1.

        Args:
            low, high: its side as a share of the photo's shorter one.
        """
        picture = dice.choice(self.pictures)
        height, width = picture.shape[1:]
        side = max(8, round(min(height, width) * dice.uniform(low, high)))
        top, left = dice.randint(0, height - side), dice.randint(0, width - side)
        part = picture[None, :, top : top + side, left : left + side].float() / 255
        if dice.random() < 0.5:
            part = part.flip(-1)
        return F.interpolate(part, (size, size), mode="bilinear", antialias=side > size)

    def pattern(self, dice: random.Random, size: int) -> Tensor:
        """The fine structure of a crop, mean 0 and deviation 1, (1, 1, size, size)."""
        grey = self.crop(dice, size, 0.3, 0.7).mean(1, keepdim=True)
        low = F.interpolate(F.adaptive_avg_pool2d(grey, 28), (size, size), mode="bicubic")
        fine = grey - low
        return (fine / fine.std().clamp_min(0.02)).clamp(-1.8, 1.8)
