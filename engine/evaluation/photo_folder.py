"""Photos as a measure: a folder for each subject with its photos, one of which is cut out and drawn; never trained on.

``photos_top1`` is the figure that counts: of the subjects of the folder, does the picture of a subject show that one?
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.errors import InputError
from engine.evaluation.imagenet import ImageNetJudge, leave_one_out, nearest, prototypes, to_picture
from engine.photo.framing import cut_out
from engine.photo.hints import Hint
from engine.photo.load import Photo, load_photo
from engine.photo.mask_file import read_mask
from engine.preflight.segmenter import Segmenter
from engine.request import CutOut
from engine.sentence import Sentence

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
CLASSES = "prompts_and_classes.txt"  # the benchmark's own file: subject, class
SEED = 20_240
QUICK_SCENES = ("snow", "wooden_floor", "city")

Draw = Callable[[CutOut, str, int], Tensor]
"""A cut-out, a prompt and a seed → a picture (3, H, W) in [-1, 1]."""


@dataclass(frozen=True)
class PhotoSubject:
    """One thing and its photos.

    Attributes:
        key: name of its folder, or of its only photo.
        name: what it is called in prompts.
        photos: all its photos; the first of them that has a mask is the one that is cut out, else the first.
        mask: the mask of that photo, or None to let the program find the subject.
    """

    key: str
    name: str
    photos: tuple[Path, ...]
    chosen: Path
    mask: Path | None = None

    def shot(self) -> Shot:
        """Read its chosen photo and where it is there. Raises ``InputError``."""
        photo = load_photo(self.chosen)
        if self.mask is not None:
            return Shot(photo, read_mask(self.mask, photo))
        return Shot(photo, Segmenter().find_subject(photo, Hint(name=self.name)).mask)


@dataclass(frozen=True, eq=False)
class Shot:
    """The photo of a subject that is cut out, and its mask, uint8 (H, W)."""

    photo: Photo
    mask: np.ndarray

    def cut_out(self, side: int) -> CutOut:
        """As the program does it. Raises ``MaskError``."""
        return cut_out(self.photo, self.mask, side)


@dataclass(frozen=True, eq=False)
class JudgedPhotos:
    """The subjects of a folder as the judge knows them.

    Attributes:
        shots: the photo of each that is cut out. features: what the judge sees in each one's real photos, (n_i, D).
    """

    subjects: tuple[PhotoSubject, ...]
    shots: tuple[Shot, ...]
    judge: ImageNetJudge
    features: tuple[Tensor, ...]

    def __len__(self) -> int:
        return len(self.subjects)

    @classmethod
    def load(
        cls,
        folder: Path,
        masks: Path | None = None,
        judge: ImageNetJudge | None = None,
        skipped: Callable[[str], None] = lambda words: None,
    ) -> JudgedPhotos:
        """Find the subjects and show all their photos to the judge: some ten seconds for eighty photos.

        Args:
            folder, masks: as for ``find_subjects``.
            judge: the judge where it is loaded already.
            skipped: called with a sentence for every subject that cannot be used.

        Raises:
            InputError: a folder is missing, fewer than two subjects can be used, or the judge is not installed.
        """
        found = find_subjects(folder, masks)
        judge = judge or ImageNetJudge.load()
        subjects, shots, features = [], [], []
        for subject in found:
            try:
                shot = subject.shot()
                shot.cut_out(1)
                own = judge.embed([to_picture(load_photo(path).rgb) for path in subject.photos])
            except InputError as error:
                skipped(f"{subject.key} is skipped: {error}")
                continue
            subjects.append(subject)
            shots.append(shot)
            features.append(own)
        if len(subjects) < 2:
            raise InputError(
                Sentence("The photos in {folder} show fewer than two subjects that can be used.", folder=folder),
                Sentence("Subjects are told apart: give at least two."),
            )
        return cls(tuple(subjects), tuple(shots), judge, tuple(features))

    @property
    def prototypes(self) -> Tensor:
        """The mean of each subject's real photos, unit vectors (N, D)."""
        return prototypes(self.features)

    @property
    def trust(self) -> float:
        """Share of real photos that the judge gives to the right subject, each left out of its own mean."""
        return leave_one_out(self.features)

    def judged(self, pictures: Tensor | Sequence[Tensor], subjects: Sequence[int]) -> Judged:
        """The classes that pictures of these subjects show."""
        return judged(self.judge.embed(pictures), self.prototypes, subjects)


@dataclass(frozen=True, eq=False)
class Judged:
    """The judge's answers on pictures.

    Attributes:
        found: the subject that each picture resembles most, (B,).
        right: whether that is the subject it should show, bool (B,).
        likeness: cosine to the subject it should show, (B,).
    """

    found: Tensor
    right: Tensor
    likeness: Tensor

    @property
    def top1(self) -> float:
        return float(self.right.float().mean()) if len(self.right) else 0.0

    @property
    def similarity(self) -> float:
        return float(self.likeness.mean()) if len(self.likeness) else 0.0


def judged(features: Tensor, of: Tensor, subjects: Sequence[int]) -> Judged:
    """Judge features (B, D) of pictures that should show these rows of the prototypes (N, D)."""
    wanted = torch.tensor(list(subjects), dtype=torch.long)
    found = nearest(features, of)
    return Judged(found, found == wanted, (features * of[wanted]).sum(-1))


def find_subjects(folder: Path, masks: Path | None = None) -> list[PhotoSubject]:
    """Every folder of photos in a folder is a subject, and every photo that lies in it directly.

    Args:
        masks: folder of masks as large as the photos, named SUBJECT_PHOTO.png (or as a lone photo).

    Raises:
        InputError: a folder is missing, or there are no photos.
    """
    for path, what in ((folder, "photos"), (masks, "masks")):
        if path is not None and not path.is_dir():
            raise InputError(Sentence("The folder of {what} {path} does not exist.", what=what, path=path))
    classes = _classes(folder)
    found = []
    for entry in sorted(folder.iterdir()):
        photos = sorted(entry.iterdir()) if entry.is_dir() else [entry]
        photos = [photo for photo in photos if photo.suffix.lower() in SUFFIXES]
        if not photos:
            continue
        masked = [(photo, mask) for photo in photos if (mask := _mask_of(photo, entry, masks)) is not None]
        chosen, mask = masked[0] if masked else (photos[0], None)
        name = classes.get(entry.stem) or _words(entry.stem)
        found.append(PhotoSubject(entry.stem, name, tuple(photos), chosen, mask))
    if not found:
        raise InputError(Sentence("There are no photos in {folder}.", folder=folder))
    return found


def _mask_of(photo: Path, entry: Path, masks: Path | None) -> Path | None:
    if masks is None:
        return None
    path = masks / (f"{photo.stem}.png" if photo == entry else f"{entry.name}_{photo.stem}.png")
    return path if path.is_file() else None


def _words(key: str) -> str:
    words = key.rstrip("0123456789").replace("_", " ").replace("-", " ").strip()
    return words or key


def _classes(folder: Path) -> dict[str, str]:
    """Folder → class name, where the benchmark's list lies beside the photos: its prompts name the class."""
    try:
        text = (folder / CLASSES).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    return dict(re.findall(r"^(\w+),([\w ]+)$", text, re.MULTILINE))
