"""What several tests of the engine need: simple cut-outs to train on, and a number of cores to compute with."""

from __future__ import annotations

import colorsys
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image


def draw_sprite(index: int, side: int = 48) -> Image.Image:
    """A disc, a square or a triangle in a colour of its own on transparent ground."""
    y, x = np.mgrid[:side, :side] / (side / 2) - 1
    shapes = (np.hypot(x, y) < 0.8, np.maximum(abs(x), abs(y)) < 0.7, (y > -0.8) & (abs(x) < (y + 0.8) / 2))
    pixels = np.zeros((side, side, 4), np.uint8)
    pixels[..., :3] = np.multiply(colorsys.hsv_to_rgb(index / 24, 0.9, 0.8), 255)
    pixels[..., 3] = shapes[index % 3] * 255
    return Image.fromarray(pixels, "RGBA")


@pytest.fixture(scope="session")
def sprites(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 cut-outs with names, of which the split leaves some for validation."""
    folder = tmp_path_factory.mktemp("sprites")
    names = {}
    for index in range(24):
        key = f"shape{index:02}"
        draw_sprite(index).save(folder / f"{key}.png")
        names[key] = f"{('disc', 'square', 'triangle')[index % 3]} number{index}"
    (folder / "names.json").write_text(json.dumps(names), encoding="utf-8")
    return folder


Cores = Callable[[int], None]


@pytest.fixture
def cores() -> Iterator[Cores]:
    """Lets torch compute with so many threads, until the test ends."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)
