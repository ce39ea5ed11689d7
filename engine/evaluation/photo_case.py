"""The cases of an evaluation on photos: the photos' cut-outs, the pictures to draw, and true renders of the same."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from engine.evaluation.photo_folder import QUICK_SCENES, SEED, JudgedPhotos
from engine.placement import Placement
from engine.request import CutOut
from engine.training.config import TrainingConfig
from engine.training.data import language
from engine.training.data.subjects import SubjectPictures
from engine.training.render.renderer import Renderer

SHEET_SCENES = ("snow", "beach", "wooden_floor", "city", "sunflowers")
FURTHER = 2  # scenes of each subject beside those of the sheet, dealt out so that every place is asked for
LOOKS = ("red", "purple", "wet", "shiny")
LIGHTS = ("sunset", "snow", "jungle", "white_rug")
"""Scenes of different light: low and warm, from all sides, green, as in a studio."""

SPRITE_SIDE = 320


@dataclass(frozen=True)
class PhotoCell:
    """One picture to draw: subject (row of the photos), scene (key in the language), prompt and seed."""

    subject: int
    key: str
    prompt: str
    seed: int

    @property
    def scene(self) -> int:
        """Index into ``language.PROMPTS``."""
        return language.PROMPTS.index(language.BY_KEY[self.key])


@dataclass(frozen=True, eq=False)
class Renders:
    """True pictures of cells.

    Attributes:
        pictures: (B, 3, S, S) in [-1, 1].
        masks: where the subject is, (B, 1, S, S), 0 … 1. visible: where nothing hides it.
        canvas: the subject as it was photographed, at its place, premultiplied RGBA (B, 4, S, S) in 0 … 1.
        empty: the same places without the subject, as ``pictures``.
    """

    pictures: Tensor
    masks: Tensor
    visible: Tensor
    canvas: Tensor
    empty: Tensor


@dataclass(frozen=True, eq=False)
class PhotoCase:
    """Photos, their cut-outs as the bundle gets them, and a renderer of the same subjects."""

    photos: JudgedPhotos
    cut_outs: tuple[CutOut, ...]
    renderer: Renderer
    layouts: int = 0

    @classmethod
    def make(
        cls,
        photos: JudgedPhotos,
        side: int,
        size: int,
        textures: Path | None = None,
        taught: TrainingConfig | None = None,
    ) -> PhotoCase:
        """
        Args:
            side: of the cut-outs the bundle gets. size: side of its pictures.
            textures: folder of photographs as material for the true renders' backgrounds, as in training.
            taught: the training of a bundle that was taught layouts by name: a true render of a picture is then one with the
                layout that its seed asks for. Without it chance chooses the backgrounds.
        """
        cut_outs = tuple(shot.cut_out(side) for shot in photos.shots)
        pictures = np.stack([sprite(shot.cut_out(SPRITE_SIDE)) for shot in photos.shots])
        names = tuple(subject.name for subject in photos.subjects)
        keys = tuple(subject.key for subject in photos.subjects)
        subjects = SubjectPictures(torch.from_numpy(pictures), names, keys)
        renderer = Renderer(
            subjects,
            size,
            seed=SEED if taught is None else taught.seed,  # by which layouts are painted
            variety=2,
            recolour=False,
            textures=textures,
            layouts=None if taught is None else taught.layouts,
        )
        return cls(photos, cut_outs, renderer, taught.layout_count if taught is not None else 0)

    def cells(self, keys: Sequence[str], seed: int = SEED) -> list[PhotoCell]:
        """Every subject in each of some scenes, row by row."""
        return [
            self._cell(row, key, seed + index)
            for index, (row, key) in enumerate((row, key) for row in range(len(self.photos)) for key in keys)
        ]

    def dealt(self, count: int, without: Sequence[str], seed: int) -> list[PhotoCell]:
        """So many scenes of each subject, such that all places but some are asked for alike."""
        keys = [scene.key for scene in language.PLACES if scene.key not in without]
        step = next(step for step in (7, 11, 13, 1) if math.gcd(step, len(keys)) == 1)
        total = len(self.photos) * count
        return [self._cell(index // count, keys[index * step % len(keys)], seed + index) for index in range(total)]

    def asked(self, quick: bool = False) -> list[PhotoCell]:
        """The pictures that figures are taken of: those of the sheet, and some of every other place."""
        if quick:
            return self.cells(QUICK_SCENES)
        sheet = self.cells(SHEET_SCENES)
        return sheet + self.dealt(FURTHER, SHEET_SCENES, SEED + len(sheet))

    def _cell(self, row: int, key: str, seed: int) -> PhotoCell:
        prompt = language.canonical_prompt(language.BY_KEY[key], self.photos.subjects[row].name)
        return PhotoCell(row, key, prompt, seed)

    def render(self, cells: Sequence[PhotoCell], places: Sequence[Placement] = ()) -> Renders:
        """True renders of the cells, colours and materials on a plain backdrop. Others with every call.

        Args:
            places: where each subject stands; by default the renderer chooses.
        """
        batches = []
        where = torch.tensor([[p.x, p.y, p.size, p.turn, p.mirrored] for p in places])
        for start in range(0, len(cells), 20):
            some = cells[start : start + 20]
            batches.append(
                self.renderer.batch(
                    len(some),
                    scene=[cell.scene for cell in some],
                    subjects=torch.tensor([cell.subject for cell in some]),
                    plain_looks=True,
                    placement=where[start : start + 20] if len(where) else None,
                    layouts=[cell.seed % self.layouts for cell in some] if self.layouts else None,
                )
            )
        return Renders(
            torch.cat([batch.target for batch in batches]),
            torch.cat([batch.subject_mask for batch in batches]),
            torch.cat([batch.mask for batch in batches]),
            torch.cat([batch.canvas for batch in batches]),
            torch.cat([batch.empty for batch in batches]),
        )


def sprite(cut: CutOut) -> np.ndarray:
    """A cut-out as the renderer takes subjects: straight RGBA uint8 (4, S, S), filling the square."""
    alpha = cut.alpha.astype(np.float32)[..., None] / 255
    premultiplied = (cut.rgb.astype(np.float32) / 255 - (1 - alpha)).clip(0, 1)
    rows, columns = (np.flatnonzero((cut.alpha > 16).any(axis)) for axis in (1, 0))
    inner = np.dstack([premultiplied, alpha])[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = inner.shape[:2]
    side = max(height, width)
    square = np.zeros((side, side, 4), np.float32)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = inner
    square = cv2.resize(square, (SPRITE_SIDE, SPRITE_SIDE), interpolation=cv2.INTER_LINEAR)
    straight = np.dstack([square[..., :3] / np.maximum(square[..., 3:], 1e-3), square[..., 3]])
    return (straight.clip(0, 1) * 255).round().astype(np.uint8).transpose(2, 0, 1)
