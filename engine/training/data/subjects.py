"""Folders of cut-out pictures with names: what the mini model's training puts into scenes."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from engine.errors import InputError
from engine.sentence import Sentence
from engine.validation import Damage, read_json

log = logging.getLogger(__name__)

_MAX_NAMES = 2**24
SUFFIXES = (".webp", ".png")
VALIDATION_SHARE = 8  # one of so many subjects is never trained on
KIND_SHARES = {"photo": 0.5, "solid": 0.36, "flat": 0.14}
"""How often each kind is drawn where there are several: photographs most, flat pictures least."""


@dataclass(frozen=True)
class SubjectPictures:
    """Cut-out pictures of one size.

    Attributes:
        pictures: RGBA uint8 (N, 4, size, size), straight alpha, the subject filling the square.
        names: what each shows, in words.
        keys: file names without suffix.
        skipped: file names that could not be used, each with the reason.
        first: so many of them come from the first folder.
    """

    pictures: Tensor
    names: tuple[str, ...]
    keys: tuple[str, ...]
    skipped: tuple[str, ...] = ()
    first: int | None = None

    def __len__(self) -> int:
        return len(self.names)

    @property
    def shares(self) -> Tensor:
        """The probability that each is drawn, (N,), sum 1: by ``KIND_SHARES``, evenly within a kind."""
        kinds = [_kind(key) for key in self.keys]
        present = {kind: kinds.count(kind) for kind in KIND_SHARES if kind in kinds}
        whole = sum(KIND_SHARES[kind] for kind in present)
        return torch.tensor([KIND_SHARES[kind] / whole / present[kind] for kind in kinds])

    @property
    def photographed(self) -> Tensor:
        """1.0 for photographs, else 0.0, (N,)."""
        return torch.tensor([float(_kind(key) == "photo") for key in self.keys])

    @property
    def name_groups(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The names of the first folder and those of the others, for a vocabulary that grows at its end only."""
        first = len(self.names) if self.first is None else self.first
        return self.names[:first], self.names[first:]

    @classmethod
    def from_folders(cls, folders: Path | Sequence[Path], size: int = 160, split: str = "all") -> SubjectPictures:
        """Read one folder or several, in this order; see ``from_folder``."""
        if isinstance(folders, Path):
            return cls.from_folder(folders, size, split)
        parts = [cls.from_folder(folder, size, split) for folder in folders]
        if not parts:
            raise InputError(
                Sentence("There is no folder of subjects."), Sentence("Name a folder of cut-out pictures.")
            )
        return cls(
            torch.cat([part.pictures for part in parts]),
            tuple(name for part in parts for name in part.names),
            tuple(key for part in parts for key in part.keys),
            tuple(words for part in parts for words in part.skipped),
            len(parts[0]),
        )

    @classmethod
    def from_folder(cls, folder: Path, size: int = 160, split: str = "all") -> SubjectPictures:
        """Read a folder of RGBA pictures; names come from ``names.json`` or the file names.

        Args:
            folder: holds the pictures.
            size: side in pixels they are brought to.
            split: "train", "validation" (about an eighth, chosen by a hash of the thing's code point or file name, so
                that it never changes when pictures are added, and a thing drawn in two styles falls on one side) or "all".

        Raises:
            InputError: the folder is missing or holds nothing usable.
        """
        if not folder.is_dir():
            raise InputError(
                Sentence("There is no folder of subjects {folder}.", folder=folder),
                Sentence("Name a folder of cut-out pictures."),
            )
        names = _read_names(folder)
        pictures, labels, keys, skipped = [], [], [], []
        paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
        for path in paths:
            if split != "all" and (_is_validation(path.stem) != (split == "validation")):
                continue
            try:
                pictures.append(_read_picture(path, size))
            except (OSError, ValueError, Image.DecompressionBombError) as error:
                skipped.append(f"{path.name}: {error}")
                log.warning("%s is skipped: %s", path.name, error)
                continue
            labels.append(names.get(path.stem, path.stem.replace("_", " ").replace("-", " ")))
            keys.append(path.stem)
        if paths and not pictures and not skipped:
            raise InputError(
                Sentence("No cut-out in {folder} is for {use}.", folder=folder, use=_USES[split]),
                Sentence("Add more of them: about one in eight is kept for validation, the others are trained on."),
            )
        if not pictures:
            raise InputError(
                Sentence(
                    "The folder {folder} holds no usable cut-out ({count} files were skipped).",
                    folder=folder,
                    count=len(skipped),
                ),
                Sentence("PNG and WebP pictures with transparency work."),
            )
        return cls(torch.from_numpy(np.stack(pictures)), tuple(labels), tuple(keys), tuple(skipped))

    def to(self, device: torch.device | str) -> SubjectPictures:
        return dataclasses.replace(self, pictures=self.pictures.to(device))

    def select(self, indices: Sequence[int]) -> SubjectPictures:
        """Some of the subjects, in this order."""
        chosen = list(indices)
        return SubjectPictures(
            self.pictures[chosen], tuple(self.names[i] for i in chosen), tuple(self.keys[i] for i in chosen)
        )


def _kind(key: str) -> str:
    kind, _, rest = key.partition("_")
    return kind if rest and kind in KIND_SHARES else "flat"


_USES = {"train": "training", "validation": "validation"}


def _is_validation(key: str) -> bool:
    # "solid_1f41f" shows what "1f41f" shows.
    return hashlib.sha256(key.removeprefix("solid_").encode()).digest()[0] % VALIDATION_SHARE == 0


def _read_names(folder: Path) -> dict[str, str]:
    try:
        return read_json(folder / "names.json", dict[str, str], _MAX_NAMES)
    except FileNotFoundError:
        return {}
    except Damage as damage:
        raise InputError(
            Sentence("names.json in {folder} is damaged: {error}.", folder=folder, error=damage.why)
        ) from damage


def _read_picture(path: Path, size: int) -> np.ndarray:
    with Image.open(path) as file:
        if "A" not in file.getbands() and "transparency" not in file.info:
            raise ValueError("it has no transparency")
        picture = file.convert("RGBA")
    box = picture.getchannel("A").point(lambda a: 255 if a > 16 else 0).getbbox()
    if box is None:
        raise ValueError("it is empty")
    picture = picture.crop(box)
    side = max(picture.size)
    square = Image.new("RGBA", (side, side))
    square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    # Resampling premultiplied colours keeps the transparent pixels' colour out of the edge.
    small = square.convert("RGBa").resize((size, size), Image.Resampling.LANCZOS).convert("RGBA")
    return np.asarray(small).transpose(2, 0, 1).copy()
