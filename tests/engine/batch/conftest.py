"""A list of requests on the tiny bundle, as a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.request import CutOut, GenerationRequest
from engine.requests_file import write_requests


def disc(colour: int) -> CutOut:
    y, x = np.mgrid[:56, :56]
    inside = np.hypot(x - 28, y - 28) < 20
    pixels = np.full((56, 56, 4), 255, np.uint8)
    pixels[..., colour][inside] = 30
    pixels[..., 3] = inside * 255
    return CutOut(pixels)


@pytest.fixture(scope="session")
def wanted() -> list[GenerationRequest]:
    """Two subjects in two prompts with two seeds, in no good order."""
    return [
        GenerationRequest(prompt, disc(colour), seed=seed)
        for seed in (0, 1)
        for prompt in ("a ball on a beach", "a ball in the snow")
        for colour in (0, 2)
    ]


@pytest.fixture
def listed(wanted, tmp_path) -> Path:
    path = tmp_path / "requests.jsonl"
    write_requests(path, wanted)
    return path
