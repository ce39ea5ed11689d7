"""Figures of pictures against cases worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from engine.evaluation import picture_figures as figures


def grey(values: Tensor) -> Tensor:
    """(H, W) → a grey picture (1, 3, H, W)."""
    return values.expand(1, 3, *values.shape).clone()


def square(side: int, start: int, stop: int) -> Tensor:
    mask = torch.zeros(1, 1, side, side)
    mask[..., start:stop, start:stop] = 1
    return mask


@pytest.mark.parametrize(("period", "energy"), [(4, 0.125), (16, 0.0)])
def test_waves_are_fine_or_they_are_not(period: int, energy: float):
    """A cosine of amplitude 0.5 has the mean square 0.125: all of it above an eighth of the sampling rate, or nothing."""
    # The mirror keeps a cosine that begins at its crest and ends at one.
    wave = 0.5 * torch.cos(2 * math.pi * torch.arange(97) / period)
    picture = grey(wave.expand(97, 97))
    assert float(figures.fine_energy(picture, torch.ones(1, 1, 97, 97))[0]) == pytest.approx(energy, abs=0.003)


def test_fine_detail_counts_only_within_the_mask():
    wave = 0.5 * torch.cos(math.pi / 2 * torch.arange(97))
    values = torch.zeros(97, 97)
    values[:, 60:] = wave[60:]
    where = torch.zeros(1, 1, 97, 97)
    where[..., :40] = 1
    assert float(figures.fine_energy(grey(values), where)[0]) < 0.001
    assert float(figures.fine_energy(grey(values), 1 - where)[0]) > 0.05
    assert figures.fine_energy(grey(values), torch.zeros(1, 1, 97, 97)).tolist() == [0.0]


def test_outside_and_frame():
    away = figures.outside(square(40, 10, 20), 4)
    assert float(away.sum()) == 40 * 40 - 18 * 18
    around = figures.frame(60, 60)
    assert float(around.sum()) == 60 * 60 - 40 * 40


def test_a_step_at_the_edge_has_the_gradient_of_a_step():
    """Half the height of a step lies on each of the two pixels beside it; the band has three on either side."""
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 16:] = 1
    picture = grey(mask[0, 0] * 1.0)
    assert float(figures.edge_energy(picture, mask)[0]) == pytest.approx(2 * 0.25 / 6)
    assert float(figures.edge_energy(grey(torch.full((32, 32), 0.3)), mask)[0]) == 0.0
    soft = grey(torch.linspace(-1, 1, 32).expand(32, 32))
    assert float(figures.edge_energy(soft, mask)[0]) == pytest.approx((2 / 31) ** 2, rel=1e-4)


def test_ratio_of_means():
    assert figures.ratio(torch.tensor([1.0, 3.0]), torch.tensor([4.0, 4.0])) == 0.5
    assert figures.ratio(torch.tensor([1.0]), torch.tensor([0.0])) == 0.0


def test_mean_colour_of_the_subject_alone():
    picture = torch.full((1, 3, 8, 8), -1.0)
    mask = square(8, 2, 4)
    picture[:, 0, 2:4, 2:4] = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    assert figures.mean_colour(picture, mask).tolist() == [[0.5, -1.0, -1.0]]


def test_light_that_follows_and_light_that_does_not():
    base = torch.rand(5, 1, 3, generator=torch.Generator().manual_seed(0))
    change = torch.tensor([[0.2, 0.0, -0.2], [-0.1, 0.0, 0.1], [-0.1, 0.0, 0.1]])
    true = base + change
    assert figures.light_agreement(true, true) == pytest.approx((1.0, 1.0))
    # In the right direction, by half the amount, whatever the subjects' own colours are.
    assert figures.light_agreement(0.3 + change / 2 + 0 * base, true) == pytest.approx((1.0, 0.5))
    assert figures.light_agreement(base - change, true) == pytest.approx((-1.0, -1.0))
    assert figures.light_agreement(base.expand(5, 3, 3), true) == pytest.approx((0.0, 0.0))
    half = change.clone()
    half[:, 0] = 0  # of two colours that move alike only one follows: 1/√2
    assert figures.light_agreement(base + half, true)[0] == pytest.approx(math.sqrt(0.5), abs=1e-5)


def test_a_collage_has_all_of_its_error_left():
    mask = square(8, 0, 4)
    target, canvas = torch.zeros(1, 3, 8, 8), torch.full((1, 3, 8, 8), 0.8)
    far = torch.where(mask > 0, 0.2, 1.0).expand(1, 3, 8, 8)
    assert figures.pasted_share(canvas, target, canvas, mask) == 1.0
    assert figures.pasted_share(target, target, canvas, mask) == 0.0
    assert figures.pasted_share(far, target, canvas, mask) == pytest.approx(0.25)  # what lies outside does not count
    assert figures.pasted_share(far, target, target, mask) == 0.0


def test_what_was_drawn_is_where_two_pictures_differ():
    without = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0)) * 0.1
    picture = without.clone()
    picture[:, 16:48, 16:48] = 0.9
    picture[:, 24:32, 24:32] = without[:, 24:32, 24:32]  # a hole belongs to it
    picture[0, 2:5, 2:5] = 0.9  # a stray speck does not
    found = figures.changed(picture, without)
    wanted = torch.zeros(64, 64, dtype=torch.bool)
    wanted[16:48, 16:48] = True
    assert figures.overlap(found, wanted) > 0.85
    assert not found[:10].any()
    assert not figures.changed(without, without).any()


def test_overlap_of_two_squares():
    one, other = torch.zeros(8, 8, dtype=torch.bool), torch.zeros(8, 8, dtype=torch.bool)
    assert figures.overlap(one, other) == 0.0
    one[0:4, 0:4], other[2:6, 0:4] = True, True
    assert figures.overlap(one, other) == pytest.approx(8 / 24)
