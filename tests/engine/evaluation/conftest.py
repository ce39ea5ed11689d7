"""What tests of the evaluation share: real photos where there are any, and a judge that is quick."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from engine.evaluation.imagenet import ImageNetJudge

PHOTOS_VARIABLE = "ECHOGEN_PHOTOS"


@pytest.fixture(scope="session")
def real_photos() -> Path:
    """The folder of DreamBooth photos: that of ECHOGEN_PHOTOS, or the one beside the clone."""
    folder = Path(os.environ.get(PHOTOS_VARIABLE) or Path(__file__).parents[4] / "shared" / "data" / "photos")
    if not folder.is_dir():
        pytest.skip(f"there are no photos here; name their folder with {PHOTOS_VARIABLE}")
    return folder


class Pooled:
    """Sees coarse colours: in place of a network that takes long."""

    def extract_features(self, pictures: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(pictures, 5).flatten(1)[..., None, None]


@pytest.fixture
def quick_judge() -> ImageNetJudge:
    return ImageNetJudge(Pooled())


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Four subjects of two photos each: a disc of one colour on grey, with masks in a folder beside."""
    folder, masks = tmp_path / "photos", tmp_path / "masks"
    masks.mkdir()
    y, x = np.mgrid[:80, :96]
    for index, (key, colour) in enumerate(
        {"red_ball": (200, 30, 30), "blue_ball": (30, 30, 200), "dog": (230, 200, 40), "dog2": (40, 170, 60)}.items()
    ):
        (folder / key).mkdir(parents=True)
        for number in range(2):
            disc = np.hypot(y - 40, x - 48) < 26 + 3 * number
            pixels = np.where(disc[..., None], colour, 128 + 4 * index).astype(np.uint8)
            Image.fromarray(pixels).save(folder / key / f"{number:02}.png")
            if number == 1:
                Image.fromarray((disc * 255).astype(np.uint8)).save(masks / f"{key}_{number:02}.png")
    (folder / "prompts_and_classes.txt").write_text("Classes\n\nsubject_name,class\nred_ball,toy\ndog,dog\n", "utf-8")
    return folder


def pictures_of(colours: list[tuple[float, float, float]]) -> Tensor:
    """Plain pictures (B, 3, 64, 64)."""
    return torch.tensor(colours).view(-1, 3, 1, 1).expand(-1, 3, 64, 64).clone()
