"""Sheets of training: every picture of a stage or of the pairs is on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from engine.training.drawer import to_pixels
from engine.training.sample_sheet import save_pairs, save_sheet


def levels(count: int, side: int, first: int) -> torch.Tensor:
    """Plain pictures, each of another grey."""
    greys = (torch.arange(count) * 8 + first) / 127.5 - 1
    return greys[:, None, None, None].expand(count, 3, side, side)


def greys(path: Path) -> dict[int, int]:
    """How many pixels of every grey a file has."""
    values, counts = np.unique(np.asarray(Image.open(path))[..., 0], return_counts=True)
    return dict(zip(values.tolist(), counts.tolist(), strict=True))


def test_rows_of_any_size_are_as_large_as_the_largest(tmp_path: Path):
    save_sheet(tmp_path / "sheet.png", [levels(3, 16, 10), levels(3, 32, 100)])
    counts = greys(tmp_path / "sheet.png")
    assert all(counts[grey] == 32 * 32 for grey in (10, 18, 26, 100, 108, 116))


def test_every_pair_is_there_and_what_is_missing_of_the_last_row_is_empty(tmp_path: Path):
    save_pairs(tmp_path / "pairs.png", levels(4, 16, 10), levels(4, 32, 100), columns=3)
    counts = greys(tmp_path / "pairs.png")
    assert all(counts[grey] == 32 * 32 for grey in (10, 18, 26, 34, 100, 108, 116, 124))
    assert counts[232] == 4 * 32 * 32


def test_pixels_of_a_picture():
    assert to_pixels(torch.zeros(3, 4, 4)).tolist()[0][0] == [128, 128, 128]
