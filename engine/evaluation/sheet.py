"""Contact sheets a person can judge: rows are subjects, columns are prompts, both with their words."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

GAP = 6
HEADER = 54
INK, QUIET, PAPER = (28, 28, 30), (110, 110, 116), (255, 255, 255)


def contact_sheet(
    columns: Sequence[str], rows: Sequence[tuple[str, Sequence[np.ndarray]]], side: int = 192, title: str = ""
) -> Image.Image:
    """Pictures in a grid.

    Args:
        columns: words above each column.
        rows: the words of each row and its pictures, RGB uint8 (h, w, 3), one per column.
        side: pixels of a picture on the sheet.
        title: a line above everything.
    """
    head = HEADER + (30 if title else 0)
    label = 26
    width = GAP + len(columns) * (side + GAP)
    sheet = Image.new("RGB", (width, head + len(rows) * (side + label + GAP) + GAP), PAPER)
    pen = ImageDraw.Draw(sheet)
    small, large = ImageFont.load_default(15), ImageFont.load_default(18)
    if title:
        pen.text((GAP, 8), title, INK, font=large)
    letters = max(8, int(side / 7.6))
    for index, words in enumerate(columns):
        text = "\n".join(textwrap.wrap(words, letters)[:2])
        pen.multiline_text((GAP + index * (side + GAP), head - HEADER + 8), text, INK, font=small, spacing=3)
    for row, (words, pictures) in enumerate(rows):
        top = head + row * (side + label + GAP)
        pen.text((GAP, top + 4), words, QUIET, font=small)
        for index, picture in enumerate(pictures):
            small_picture = Image.fromarray(picture).resize((side, side), Image.Resampling.LANCZOS)
            sheet.paste(small_picture, (GAP + index * (side + GAP), top + label))
    return sheet
