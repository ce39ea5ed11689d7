"""The judge of the decoder's stage: it learns to tell a blur from a texture, and pulls a blur towards one."""

from __future__ import annotations

import copy

import torch
from torch.nn import functional as F

from engine.training.adversary import BEGIN, Adversary, balanced


def features(pictures: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Pictures, and two depths of a plain stand-in for a network: the picture, and half of it."""
    return pictures, [pictures, F.avg_pool2d(pictures, 2)]


def textures(n: int, seed: int) -> torch.Tensor:
    return torch.randn(n, 3, 16, 16, generator=torch.Generator().manual_seed(seed))


def blurred(pictures: torch.Tensor) -> torch.Tensor:
    return F.avg_pool2d(pictures, 5, 1, 2)


def test_it_learns_to_tell_them_apart_and_a_sharp_picture_fools_it_more():
    torch.manual_seed(1)
    judge = Adversary((3, 3), 2e-2)
    losses = [judge.learn(features(blurred(textures(4, i))), features(textures(4, i + 500))) for i in range(40)]
    assert losses[0] > 1.9 and losses[-1] < 1.6
    unseen = textures(8, 9999)
    with torch.no_grad():
        assert judge.fooled(*features(unseen)) < judge.fooled(*features(blurred(unseen))) - 0.2


def test_a_weaker_grain_is_told_from_a_strong_one():
    torch.manual_seed(1)
    judge = Adversary((3, 3), 5e-3)
    for i in range(40):
        judge.learn(features(0.5 * textures(4, i)), features(textures(4, i + 500)))
    unseen = textures(8, 9999)
    with torch.no_grad():
        assert judge.fooled(*features(unseen)) < judge.fooled(*features(0.5 * unseen)) - 0.2


def test_a_judge_of_another_build_is_passed_over():
    judge, other = Adversary((3, 3), 1e-3), Adversary((3, 5), 1e-3)
    before = copy.deepcopy(judge.state()["heads"])
    judge.load_state(other.state())
    assert all(torch.equal(value, before[name]) for name, value in judge.state_dict().items())


def test_its_word_gains_weight_slowly_and_its_state_goes_on():
    torch.manual_seed(1)
    judge = Adversary((3, 3), 1e-3)
    assert judge.weight == 0
    for i in range(BEGIN // 2):
        judge.learn(features(blurred(textures(2, i))), features(textures(2, i + 500)))
    assert judge.weight == 0.5
    other = Adversary((3, 3), 1e-3)
    other.load_state(copy.deepcopy(judge.state()))
    pairs = features(blurred(textures(2, 77))), features(textures(2, 78))
    assert other.learn(*pairs) == judge.learn(*pairs) and other.weight == judge.weight


def test_the_share_fixes_the_length_of_its_gradient():
    made = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(3)).requires_grad_()
    faithful, fooled = (made - 1).abs().mean(), 1000 * made.square().sum()
    (toward,) = torch.autograd.grad(faithful, made, retain_graph=True)
    (both,) = torch.autograd.grad(balanced(made, faithful, fooled, 0.25), made)
    assert torch.isclose((both - toward).norm(), 0.25 * toward.norm(), rtol=1e-4)
    (alone,) = torch.autograd.grad(balanced(made, (made - 1).abs().mean(), made.square().sum(), 0.0), made)
    assert torch.allclose(alone, toward)
