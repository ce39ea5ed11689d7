"""The sheets on which a stage shows what it has learnt, and which a person can judge."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from torch import Tensor

from engine.photo.sheet import draw_rows
from engine.training.drawer import to_pixels
from engine.training.team import speaks


def save_sheet(path: Path, rows: Sequence[Tensor]) -> None:
    """Rows of pictures (n, 3, S, S) in [-1, 1] as one PNG. Of several processes only the first one writes."""
    if speaks():
        side = max(row.shape[-1] for row in rows)
        pictures = [[to_pixels(picture.float().cpu()) for picture in row] for row in rows]
        Image.fromarray(draw_rows(pictures, side=side)).save(path)


def save_pairs(path: Path, references: Tensor, targets: Tensor, columns: int = 5) -> None:
    """References and targets (n, 3, S, S) in [-1, 1], of sizes of their own, side by side as one PNG."""
    pictures = [to_pixels(picture.float().cpu()) for pair in zip(references, targets, strict=True) for picture in pair]
    rows = [pictures[at : at + 2 * columns] for at in range(0, len(pictures), 2 * columns)]
    missing = [None] * (2 * columns - len(rows[-1]))
    Image.fromarray(draw_rows([*rows[:-1], [*rows[-1], *missing]], side=targets.shape[-1])).save(path)
