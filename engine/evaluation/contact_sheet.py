"""Contact sheets a person can judge: rows are subjects, columns are prompts, both with their words."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from engine.training.data import language
from engine.training.drawer import to_pixels

if TYPE_CHECKING:
    from engine.evaluation.photo_case import PhotoCase, Renders
    from engine.evaluation.photo_evaluation import JudgedPictures

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


def photo_sheets(
    case: PhotoCase, seen: JudgedPictures, renders: Renders, coded: Tensor, title: str
) -> list[tuple[str, str, Image.Image]]:
    """Sheets of an evaluation on photos as (name of its file, title, sheet).

    "photos": rows are subjects, columns the scenes that every subject was drawn in, the cut-out first. "ladder": one scene;
    cut-out, true render, true render after the bits, drawn picture.
    """
    rows = range(len(case.photos))
    at = {(cell.subject, cell.key): index for index, cell in enumerate(seen.cells)}
    keys = [key for key in dict.fromkeys(cell.key for cell in seen.cells) if all((row, key) in at for row in rows)]
    drawn, ladder = [], []
    for row, subject in enumerate(case.photos.subjects):
        cut, first = case.cut_outs[row].rgb, at[row, keys[0]]
        drawn.append((subject.key, [cut, *(to_pixels(seen.pictures[at[row, key]]) for key in keys)]))
        steps = (renders.pictures, coded, seen.pictures)
        ladder.append((subject.key, [cut, *(to_pixels(pictures[first]) for pictures in steps)]))
    scenes = [language.canonical_prompt(language.BY_KEY[key], "…") for key in keys]
    step_words = ["subject", "true render", "after the bits", "drawn"]
    return [
        ("photos", f"{title}: photos", contact_sheet(["subject", *scenes], drawn, title=title)),
        ("ladder", f"{title}: {scenes[0]}", contact_sheet(step_words, ladder, title=f"{title}: {scenes[0]}")),
    ]
