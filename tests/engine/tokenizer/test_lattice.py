"""What repeats every few pixels goes out of a picture, and nothing else does."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.tokenizer.autoencoder import Autoencoder
from engine.tokenizer.config import TokenizerConfig
from engine.tokenizer.lattice import evened, without_lattice

LEVEL = 1 / 255


def shapes(side: int = 96) -> Tensor:
    """A slope with a disc on it, (1, 3, side, side), 0..1."""
    y, x = torch.meshgrid(torch.linspace(0, 1, side), torch.linspace(0, 1, side), indexing="ij")
    disc = ((x - 0.5) ** 2 + (y - 0.45) ** 2 < 0.05).float()
    return torch.stack([0.2 + 0.5 * x, 0.3 + 0.4 * y, 0.5 - 0.2 * x * y])[None] * (1 - disc) + 0.8 * disc


def mesh(side: int, period: int, strength: float) -> Tensor:
    cell = torch.randn(1, 3, period, period, generator=torch.Generator().manual_seed(3))
    cell = cell - cell.mean((2, 3), keepdim=True)
    return strength * (cell / cell.std()).tile(side // period, side // period)


@pytest.mark.parametrize("period", [2, 4, 8])
def test_a_mesh_goes_and_the_picture_stays(period):
    picture = shapes()
    got = without_lattice(picture + mesh(96, period, 2 * LEVEL), period)
    left = got - without_lattice(picture, period)
    assert left.std() < 0.35 * LEVEL, "a sixth of it may be left, at edges"
    assert (without_lattice(picture, period) - picture).abs().max() < 2 * LEVEL, "an edge is no mesh"


def test_a_mesh_that_is_only_in_one_half_goes_there():
    half = torch.zeros(96)
    half[:48] = 1
    got = without_lattice(shapes() + mesh(96, 4, 2 * LEVEL) * half, 4) - without_lattice(shapes(), 4)
    assert got[..., 4:28].std() < 0.3 * LEVEL and got[..., 80:].abs().max() < 0.5 * LEVEL


def test_a_slope_is_left_alone_but_for_rounding():
    slope = torch.linspace(0, 1, 64).expand(1, 3, 64, 64)
    inner = (without_lattice(slope, 4) - slope)[..., 24:40]
    assert inner.abs().max() < 0.01 * LEVEL


def test_the_strength_follows_the_span_and_the_type_stays():
    picture = shapes() + mesh(96, 4, 2 * LEVEL)
    wide = without_lattice(picture * 2 - 1, 4, span=2.0)
    assert torch.allclose((wide + 1) / 2, without_lattice(picture, 4), atol=1e-6)
    assert without_lattice(picture.bfloat16(), 4).dtype == torch.bfloat16
    assert without_lattice(picture, 0) is picture


@pytest.mark.parametrize("period", [2, 4, 8])
def test_evened_takes_the_mesh_at_edges_too_and_grain_and_keeps_shapes_in_place(period):
    picture = shapes()
    left = evened(picture + mesh(96, period, 2 * LEVEL), period) - evened(picture, period)
    assert left[..., 24:-24, 24:-24].abs().max() < 0.01 * LEVEL
    grain = torch.randn(1, 3, 96, 96, generator=torch.Generator().manual_seed(4)) * 4 * LEVEL
    assert (evened(picture + grain, period) - evened(picture, period)).std() < 4 * LEVEL * 0.6 * (2 / period) ** 0.5
    for axis in (2, 3):
        assert torch.allclose(evened(picture.flip(axis), period), evened(picture, period).flip(axis), atol=1e-5), (
            "not moved"
        )


def test_evened_leaves_slopes_and_even_ground_alone_and_lifts_what_is_coarser():
    slope = torch.linspace(0, 1, 64).expand(1, 3, 64, 64)
    assert torch.allclose(evened(slope, 4)[..., 12:-12], slope[..., 12:-12], atol=1e-5)
    wave = torch.cos(torch.arange(96) * 2 * torch.pi / 24).expand(1, 3, 96, 96)
    assert 0.95 < float(evened(wave, 4)[..., 24:72].abs().max()) < 1.15
    assert evened(slope, 0) is slope and evened(slope.bfloat16(), 4).dtype == torch.bfloat16
    assert torch.allclose(evened(slope.mT, 3)[..., 12:-12, :], slope.mT[..., 12:-12, :], atol=1e-5), "odd cells"


def test_only_the_scene_is_evened_and_not_the_subject():
    torch.manual_seed(1)
    config = TokenizerConfig(8, 16, (1, 2), 1, patch=2, norm_groups=8, reference_channels=(8, 8), lattice=4)
    autoencoder = Autoencoder(config).eval()
    codes, canvas = torch.randn(1, 8, 12, 12), torch.rand(1, 4, 48, 48)
    canvas[:, 3] = 0
    canvas[:, 3:, 16:32, 16:32] = 1
    canvas[:, :3] *= canvas[:, 3:]
    with torch.inference_mode():
        with_mesh = autoencoder.decode(codes, canvas)
        autoencoder.decoder.lattice = autoencoder.decoder.reference.lattice = 0
        plain = autoencoder.decode(codes, canvas)
    change = (with_mesh - plain).abs().amax(1)[0]
    assert change[:8].mean() > 5 * change[18:30, 18:30].mean() > 0


@pytest.mark.parametrize("reference", [(), (8, 8)])
def test_a_decoder_with_a_lattice_takes_it_out_in_both_ways_to_run_it(reference):
    torch.manual_seed(1)
    config = TokenizerConfig(8, 16, (1, 2), 1, patch=2, norm_groups=8, reference_channels=reference, lattice=4)
    autoencoder = Autoencoder(config).eval()
    decoder = autoencoder.decoder
    codes, canvas = torch.randn(1, 8, 12, 12), torch.rand(1, 4, 48, 48)
    canvas[:, :3] *= canvas[:, 3:]
    with torch.inference_mode():
        plain = decoder(codes, canvas).clamp(-1, 1)
    assert torch.allclose(plain, autoencoder.decode(codes, canvas), atol=1e-5)


@pytest.mark.parametrize("lattice", [3, 64, -2])
def test_a_lattice_that_does_not_divide_a_token_is_refused(lattice):
    with pytest.raises(ValueError, match="lattice"):
        TokenizerConfig(8, 16, (1, 2), 1, lattice=lattice)


def test_a_tokenizer_without_a_lattice_is_described_as_before():
    assert "lattice" not in TokenizerConfig(8).to_json()
    assert TokenizerConfig(8, lattice=4).to_json()["lattice"] == 4
