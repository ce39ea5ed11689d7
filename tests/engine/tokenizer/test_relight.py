"""The subject is brought to the broad colours that the bits alone say: so far as asked for, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.tokenizer.autoencoder import Autoencoder
from engine.tokenizer.config import TokenizerConfig
from engine.tokenizer.decoding import decode_in_strips
from engine.tokenizer.preview import Preview
from engine.tokenizer.relight import relit

CONFIG = TokenizerConfig(8, 16, (1, 2), 1, patch=2, norm_groups=8, reference_channels=(8, 8), lattice=4, relight=0.6)


def flat(*colour: float) -> Tensor:
    return torch.tensor(colour)[None, :, None, None].expand(1, 3, 64, 64).clone()


def disc() -> Tensor:
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    return ((x - 32) ** 2 + (y - 32) ** 2 < 20**2).float()[None, None]


def test_all_the_way_is_the_other_colour_and_nowhere_is_ones_own():
    own, other = flat(0.4, -0.2, 0.0), flat(-0.3, -0.2, 0.5)
    got = relit(own, other, disc(), 1.0)
    inside = disc()[0, 0] > 0
    assert torch.allclose(got[0, :, inside], other[0, :, inside], atol=1e-4)
    assert torch.equal(got[0, :, ~inside], own[0, :, ~inside]), "outside of the subject nothing changes"
    assert torch.allclose(relit(own, other, disc(), 0.0), own, atol=1e-6)


def test_what_lies_around_the_subject_has_no_say():
    own, other = flat(0.4, -0.2, 0.0), flat(-0.3, -0.2, 0.5)
    noise = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1)) * 2 - 1
    got = relit(own, disc() * other + (1 - disc()) * noise, disc(), 1.0)
    inside = disc()[0, 0] > 0
    assert (got - other)[0, :, inside].abs().max() < 0.02


def test_detail_stays_and_black_stays_black():
    detail = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(2)) * 0.8
    own = detail - 0.4
    got = relit(own, flat(-0.5, -0.5, -0.5), disc(), 0.6)
    inside = disc()[0, 0] > 0
    seen, made = own[0, :, inside].flatten(), got[0, :, inside].flatten()
    assert made.mean() < seen.mean() - 0.1 and torch.corrcoef(torch.stack([seen, made]))[0, 1] > 0.95
    own[..., 30:34, 30:34] = -1
    assert relit(own, flat(0.8, 0.8, 0.8), disc(), 1.0)[..., 30:34, 30:34].max() < -0.7


@pytest.fixture
def decoder():
    torch.manual_seed(0)
    autoencoder = Autoencoder(CONFIG).eval()
    for parameter in autoencoder.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.1)
    return autoencoder.decoder


def subject(side: int = 32) -> Tensor:
    """A thing in the lower right quarter, premultiplied RGBA."""
    canvas = torch.zeros(1, 4, side, side)
    canvas[:, :, side // 2 :, side // 2 :] = torch.tensor([0.8, 0.3, 0.1, 1.0])[:, None, None]
    return canvas


def test_a_picture_is_relit_under_its_subject_and_nowhere_else(decoder):
    codes = torch.randn(1, 8, 8, 8)
    plain = decode_in_strips(decoder, codes, subject(), relight=False)
    lit = decode_in_strips(decoder, codes, subject())
    inside = subject()[0, 3] > 0
    changed = (lit - plain).abs().amax(1)[0] > 0
    assert changed[inside].float().mean() > 0.9 and not changed[~inside].any()
    decoder.relight = 0.0
    assert torch.equal(decode_in_strips(decoder, codes, subject()), plain)
    assert torch.allclose(plain, decoder(codes, subject()).clamp(-1, 1), atol=1e-5)


def test_without_a_subject_there_is_nothing_to_relight(decoder):
    codes = torch.randn(1, 8, 8, 8)
    lit, plain = decode_in_strips(decoder, codes), decode_in_strips(decoder, codes, relight=False)
    assert torch.equal(lit, plain)


def test_in_a_window_the_subject_that_is_in_it_is_relit(decoder):
    codes = torch.randn(1, 8, 8, 8)
    for rows, columns, there in ((slice(4, 8), slice(2, 8), True), (slice(0, 4), slice(0, 8), False)):
        lit = decode_in_strips(decoder, codes, subject(), window=(rows, columns))
        plain = decode_in_strips(decoder, codes, subject(), window=(rows, columns), relight=False)
        assert lit.shape[2:] == (4 * (rows.stop - rows.start), 4 * (columns.stop - columns.start))
        changed = (lit - plain).abs().amax(1)[0] > 0
        assert bool(changed.any()) == there
        if there:
            assert not changed[:, :8].any() and changed[:, 8:].float().mean() > 0.9


def test_of_a_picture_that_was_stopped_no_preview_is_relit():
    torch.manual_seed(0)
    autoencoder = Autoencoder(CONFIG).eval()
    for parameter in autoencoder.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.1)
    preview, grids = Preview(autoencoder), [(2, 2), (4, 4), (8, 8)]
    bits = [torch.randint(2, (*grid, 8)).to(torch.uint8).numpy() for grid in grids]
    whole = preview.after_each_scale(bits, CONFIG, grids[-1], (32, 32), canvas=subject())
    stopped = preview.after_each_scale(bits[:2], CONFIG, grids[-1], (32, 32), canvas=subject())
    assert np.array_equal(stopped[1], whole[1])
    autoencoder.decoder.relight = 0.0
    plain = preview.after_each_scale(bits, CONFIG, grids[-1], (32, 32), canvas=subject())
    assert [np.array_equal(*pair) for pair in zip(whole, plain, strict=True)] == [True, True, False]


def test_an_empty_canvas_is_looked_at_once_and_is_the_same_everywhere(decoder):
    codes = torch.randn(2, 8, 4, 8)
    short, whole = decoder.canvas_features(codes, None), decoder.canvas_features(codes, torch.zeros(2, 4, 16, 32))
    assert short.pixels.shape == whole.pixels.shape
    for one, other in zip(short.maps, whole.maps, strict=True):
        assert one.shape == other.shape and torch.allclose(one, other, atol=1e-5)


def test_only_a_decoder_that_sees_the_cut_out_relights():
    with pytest.raises(ValueError, match="nothing to relight"):
        replace(CONFIG, reference_channels=())
    with pytest.raises(ValueError, match="tokens of 2"):
        replace(CONFIG, patch=1, lattice=0)
    assert "relight" not in replace(CONFIG, relight=0.0).to_json(), "bundles made before keep their identity"
