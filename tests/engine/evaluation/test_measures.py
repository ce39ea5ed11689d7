"""The figures themselves: known values, and uncertainty that does not vanish with few pictures."""

from __future__ import annotations

import math

import pytest
import torch

from engine.evaluation.measures import margin, share
from engine.training.picture_quality import psnr, ssim


def test_psnr_of_a_known_error():
    wanted = torch.zeros(2, 3, 16, 16)
    assert psnr(wanted + 0.2, wanted) == pytest.approx(20.0, abs=1e-4)  # 0.1 of the range: 20 dB
    assert psnr(wanted, wanted) == pytest.approx(100.0)


def test_ssim_is_one_for_the_same_and_falls_with_blur_and_noise():
    torch.manual_seed(0)
    picture = torch.rand(2, 3, 40, 40) * 2 - 1
    smooth = torch.nn.functional.avg_pool2d(picture, 5, 1, 2)
    assert ssim(picture, picture) == pytest.approx(1.0, abs=1e-5)
    assert ssim(smooth, picture) < 0.7
    assert ssim(-picture, picture) < 0
    slight = (picture + 0.05 * torch.randn_like(picture)).clamp(-1, 1)
    assert 0.9 < ssim(slight, picture) < 1


def test_ssim_of_two_flat_pictures_follows_the_formula():
    one, two = torch.zeros(1, 3, 20, 20), torch.full((1, 3, 20, 20), 0.5)  # luma 0.5 and 0.75
    expected = (2 * 0.5 * 0.75 + 1e-4) / (0.5**2 + 0.75**2 + 1e-4)
    assert ssim(one, two) == pytest.approx(expected, abs=1e-4)


def test_shares_and_their_margins():
    assert share([True, False, True, True]) == 0.75
    assert share([]) == 0.0
    assert margin(0.5, 10_000) == pytest.approx(1.96 * math.sqrt(0.25 / 10_000), rel=1e-3)
    assert margin(1.0, 10) > 0.1
    assert margin(0.5, 0) == 1.0
