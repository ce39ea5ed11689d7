"""Small pictures of the window's main states, and how far one may be from another.

They were looked at by a person when they were taken. A difference means: look again, and if the window is meant to look so,
``python -m tests.pixels --renew``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtGui import QImage

from tests.pixels.walk import Walk

FOLDER = Path(__file__).resolve().parent / "snapshots"
STATES = ("start", "editor", "drawing-9", "redraw", "compare", "error", "settings-appearance", "small")
THEMES = ("light", "dark")
WIDTH = 480
MOST_BYTES = 40_000  # of a snapshot: there are many, and each renewal stays in the history
COLORS = 192

MEAN = 3.0
"""Levels (of 255) two pictures may differ on average: the letters of another machine, the last digit of a time."""
CHANGED, LEVEL = 0.02, 32
"""The share of pixels that may differ by more than so many levels."""
PLACE, SIDE = 14.0, 24
"""Levels that a square of so many pixels a side may differ on average: a control that is gone is seen wherever it was."""


@dataclass(frozen=True)
class Difference:
    """How far two pictures are apart.

    Attributes:
        mean: mean absolute difference of all channels, in levels of 255.
        changed: share of the pixels of which a channel differs by more than ``LEVEL``.
        place: mean absolute difference of the square that differs most.
    """

    mean: float
    changed: float
    place: float

    @property
    def small(self) -> bool:
        return self.mean <= MEAN and self.changed <= CHANGED and self.place <= PLACE

    def __str__(self) -> str:
        return (
            f"{self.mean:.1f} levels on average, {100 * self.changed:.1f} % of the pixels changed, "
            f"{self.place:.1f} levels where it differs most"
        )


def difference(one: Image.Image, other: Image.Image) -> Difference:
    """Compare two pictures of the same size. Raises ``ValueError`` when the sizes differ."""
    if one.size != other.size:
        raise ValueError(f"{one.size} is not {other.size}")
    apart = np.abs(np.asarray(one.convert("RGB"), np.int16) - np.asarray(other.convert("RGB"), np.int16))
    rows, columns = (side - side % SIDE for side in apart.shape[:2])
    squares = apart[:rows, :columns].reshape(rows // SIDE, SIDE, columns // SIDE, SIDE * 3)
    return Difference(
        float(apart.mean()), float((apart.max(-1) > LEVEL).mean()), float(squares.mean(axis=(1, 3)).max())
    )


def file_of(name: str, theme: str) -> Path:
    return FOLDER / f"{name}-{theme}.png"


def small(image: QImage) -> Image.Image:
    """The picture 480 pixels wide: sharp enough to see what is where, too small to see how a letter was drawn."""
    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    size = (rgb.width(), rgb.height())
    picture = Image.frombytes("RGB", size, bytes(rgb.constBits()), "raw", "RGB", rgb.bytesPerLine())
    return picture.resize((WIDTH, round(WIDTH * size[1] / size[0])), Image.Resampling.BOX)


def take_all() -> dict[tuple[str, str], Image.Image]:
    """The window as it looks now, in every state and theme of the snapshots."""
    taken: dict[tuple[str, str], Image.Image] = {}

    def take(name: str, theme: str, image: QImage) -> None:
        taken[name, theme] = small(image)

    walk = Walk(take, THEMES, only=STATES)
    try:
        walk.run()
    finally:
        walk.end()
    return taken


def renew() -> None:
    """Write the snapshots anew."""
    FOLDER.mkdir(exist_ok=True)
    for (name, theme), picture in take_all().items():
        file = file_of(name, theme)
        # A photo in an editor takes the most bytes, and misses a few colours the least.
        for colors in (COLORS, COLORS * 3 // 4, COLORS // 2):
            palette = picture.quantize(colors, Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE)
            palette.save(file, optimize=True)
            if file.stat().st_size < MOST_BYTES:
                break
