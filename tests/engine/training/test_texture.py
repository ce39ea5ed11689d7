"""Strength of detail: a texture keeps it wherever its grains lie, a blur loses it."""

from __future__ import annotations

import torch

from engine.training.render.paint import blur
from engine.training.texture import broad_where, texture_distance


def noise(seed: int) -> torch.Tensor:
    return 0.5 * torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(seed))


def test_another_texture_of_the_same_strength_is_near_and_a_blur_is_far():
    wanted = noise(1)
    assert texture_distance(wanted, wanted) == 0
    assert texture_distance(noise(2), wanted) < 0.1 * texture_distance(blur(wanted, 3), wanted)


def test_a_blur_is_pulled_towards_the_texture():
    wanted, made = noise(1), blur(noise(2), 2).requires_grad_()
    before = texture_distance(made, wanted)
    optimiser = torch.optim.Adam([made], lr=0.02)
    for _ in range(30):
        optimiser.zero_grad()
        texture_distance(made, wanted).backward()
        optimiser.step()
    assert texture_distance(made, wanted) < 0.3 * before


def test_detail_goes_only_where_the_mask_says_so():
    pictures, where = noise(1), torch.zeros(2, 1, 64, 64)
    where[..., 32:] = 1
    broad = broad_where(pictures, where, 2)
    assert torch.equal(broad[..., :32], pictures[..., :32])
    assert broad[..., 32:].std() < 0.5 * pictures[..., 32:].std()
