"""Many pictures as one: a table with words above its columns and beside its rows, or pictures with their words below."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_GAP, _MARGIN = 12, 24
_INK, _EMPTY, _PAPER = (28, 28, 30), (232, 232, 236), (255, 255, 255)
_WIDEST_ROW = 6
_MOST_COLUMNS = 8


@dataclass(frozen=True)
class Table:
    """An arrangement of pictures in rows and columns.

    Attributes:
        rows, columns: words beside and above; both empty where every picture has words of its own.
        captions: the words below each picture; empty in a table with rows and columns.
        places: (row, column) of each picture. shape: how many rows and columns there are.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    captions: tuple[str, ...]
    places: tuple[tuple[int, int], ...]
    shape: tuple[int, int]


def arrange(labels: Sequence[tuple[str, str]]) -> Table:
    """A table of rows and columns where (row, column) of all pictures make one without a gap, else rows of pictures."""
    rows, columns = (list(dict.fromkeys(label[axis] for label in labels)) for axis in (0, 1))
    full = len(set(labels)) == len(labels) == len(rows) * len(columns)
    if full and len(columns) > 1 and (len(rows) > 1 or len(columns) <= _WIDEST_ROW):
        places = tuple((rows.index(row), columns.index(column)) for row, column in labels)
        return Table(tuple(rows), tuple(columns), (), places, (len(rows), len(columns)))
    across = max(1, min(_MOST_COLUMNS, math.ceil(math.sqrt(len(labels)))))
    # What tells a picture from its neighbours comes first: the end is cut where it has no room.
    captions = tuple(f"{column} · {row}" if column else row for row, column in labels)
    places = tuple(divmod(index, across) for index in range(len(labels)))
    return Table((), (), captions, places, (math.ceil(len(labels) / across), min(across, max(len(labels), 1))))


def draw_sheet(
    pictures: Sequence[np.ndarray | None], labels: Sequence[tuple[str, str]], side: int = 256, title: str = ""
) -> np.ndarray:
    """One picture of many with (row, column) as words of each; see ``arrange`` and ``draw_table``."""
    return draw_table(pictures, arrange(labels), side, title)


def draw_rows(
    rows: Sequence[Sequence[np.ndarray | None]],
    names: Sequence[str] = (),
    columns: Sequence[str] = (),
    side: int = 192,
    title: str = "",
) -> np.ndarray:
    """One picture of rows of pictures, all of them as long as the first.

    Args:
        names: words beside each row, or none. columns: words above each column, or none.
        side, title: see ``draw_table``.
    """
    width = len(rows[0])
    places = tuple((row, column) for row in range(len(rows)) for column in range(width))
    table = Table(tuple(names), tuple(columns), (), places, (len(rows), width))
    return draw_table([picture for row in rows for picture in row], table, side, title)


def draw_table(pictures: Sequence[np.ndarray | None], table: Table, side: int, title: str = "") -> np.ndarray:
    """One picture of many at their places in a table.

    Args:
        pictures: RGB uint8 (h, w, 3) of any sizes, at least one of them; None leaves a place empty.
        side: the longer side of a picture on the sheet, in pixels.
        title: a line above everything.

    Returns:
        RGB uint8 (H, W, 3).
    """
    first = next(picture for picture in pictures if picture is not None)
    scale = side / max(first.shape[:2])
    width, height = (max(1, round(length * scale)) for length in first.shape[1::-1])
    text = max(13, side // 16)
    beside = round(0.6 * side) + _GAP if table.rows else 0
    above = _height(table.columns, width, text)
    below = _height(table.captions, width, text)
    top = _MARGIN + (2 * text if title else 0) + above
    size = (
        2 * _MARGIN + beside + table.shape[1] * (width + _GAP) - _GAP,
        top + _MARGIN + table.shape[0] * (height + below + _GAP) - _GAP,
    )
    sheet = Image.new("RGB", size, _PAPER)
    pen = ImageDraw.Draw(sheet)
    if title:
        pen.text((_MARGIN, _MARGIN - 4), _wrapped(title, size[0] - 2 * _MARGIN, text, 1), _INK, font=_font(text))

    def corner(row: int, column: int) -> tuple[int, int]:
        return _MARGIN + beside + column * (width + _GAP), top + row * (height + below + _GAP)

    for index, words in enumerate(table.columns):
        pen.text((corner(0, index)[0], top - above), _wrapped(words, width, text), _INK, font=_font(text), spacing=4)
    for index, words in enumerate(table.rows):
        lines = max(1, height // (text + 6))
        shown = _wrapped(words, beside - _GAP, text, lines)
        pen.text((_MARGIN, corner(index, 0)[1]), shown, _INK, font=_font(text), spacing=4)
    for index, (picture, place) in enumerate(zip(pictures, table.places, strict=True)):
        left, upper = corner(*place)
        if picture is None:
            pen.rectangle((left, upper, left + width - 1, upper + height - 1), _EMPTY)
        else:
            fit = min(width / picture.shape[1], height / picture.shape[0])
            extent = tuple(max(1, round(length * fit)) for length in picture.shape[1::-1])
            small = Image.fromarray(np.ascontiguousarray(picture)).resize(extent, Image.Resampling.LANCZOS)
            sheet.paste(small, (left + (width - extent[0]) // 2, upper + (height - extent[1]) // 2))
        if table.captions:
            words = _wrapped(table.captions[index], width, text)
            pen.text((left, upper + height + 4), words, _INK, font=_font(text), spacing=4)
    return np.asarray(sheet)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _height(words: Sequence[str], width: int, text: int) -> int:
    """Pixels that the tallest of some words needs, with its distance from the picture."""
    if not any(words):
        return 0
    return (text + 6) * max(_wrapped(one, width, text).count("\n") + 1 for one in words) + 6


def _wrapped(words: str, width: int, text: int, most: int = 3) -> str:
    """Words in at most ``most`` lines of so many pixels; an ellipsis stands for the rest."""
    font, lines = _font(text), [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    cut = len(lines) > most
    lines = lines[:most]
    for index, line in enumerate(lines):
        ends = cut and index == most - 1
        shown = f"{line}…" if ends else line
        while font.getlength(shown) > width and len(line) > 1:
            line = line[:-1].rstrip()
            shown = f"{line}…"
        lines[index] = shown
    return "\n".join(lines)
