"""Previews by the linear map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.errors import BundleError
from engine.tokenizer.autoencoder import Autoencoder
from engine.tokenizer.config import TokenizerConfig
from engine.tokenizer.preview import FILE, Preview, PreviewMap, fit_preview_map, painted_picture, preview_size
from engine.tokenizer.quantizer import MultiScaleQuantizer, add_scale

GRIDS = [(1, 1), (2, 2), (4, 4), (6, 6)]
CONFIG = TokenizerConfig(bits=6, base_channels=8, multipliers=(1, 2), blocks_per_level=1, patch=2, norm_groups=4)


@pytest.fixture(scope="module")
def autoencoder() -> Autoencoder:
    torch.manual_seed(3)
    return Autoencoder(CONFIG).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def fitted(autoencoder: Autoencoder) -> PreviewMap:
    return fit_preview_map(autoencoder, CONFIG, GRIDS, count=2)


def sums(autoencoder: Autoencoder, seed: int) -> list[torch.Tensor]:
    """The sums after every scale of a picture that no map was fitted to."""
    picture = painted_picture((24, 24), torch.Generator().manual_seed(seed))
    labels = MultiScaleQuantizer(CONFIG)(autoencoder.encode(picture[None]), GRIDS).labels
    total, all_sums = torch.zeros(1, CONFIG.bits, 6, 6), []
    for scale, bits in enumerate(labels):
        total = add_scale(total, bits, CONFIG, scale)
        all_sums.append(total)
    return all_sums


def test_the_map_finds_what_a_decoder_paints(autoencoder: Autoencoder, monkeypatch: pytest.MonkeyPatch):
    """Of a decoder that is a linear map itself, the fit is that map, for every scale and for other pictures."""
    mixing = torch.randn(3, CONFIG.bits, generator=torch.Generator().manual_seed(1)) / 6
    offset = torch.tensor([0.3, -0.2, 0.1]).view(1, 3, 1, 1)

    def decode(codes: torch.Tensor) -> torch.Tensor:
        colours = torch.einsum("cd,bdhw->bchw", mixing, codes) + offset
        return torch.nn.functional.interpolate(colours, scale_factor=CONFIG.stride, mode="nearest")

    monkeypatch.setattr(autoencoder, "decode", decode)
    found = fit_preview_map(autoencoder, CONFIG, GRIDS, count=12)
    for seed in (1000, 1001):
        for scale, summed in enumerate(sums(autoencoder, seed)):
            painted = decode(summed)[0, :, :: CONFIG.stride, :: CONFIG.stride].permute(1, 2, 0)
            assert (found.colours(summed, scale) - painted).abs().max() < 0.05


def test_a_preview_is_a_small_picture_of_the_right_proportions(autoencoder: Autoencoder, fitted: PreviewMap):
    summed = sums(autoencoder, 5)[2]
    before = summed.clone()
    preview = Preview(autoencoder, fitted)
    image = preview(summed, 2)
    assert image.shape == (24, 24, 3)
    assert image.dtype == np.uint8
    assert preview(summed, 2, (2048, 1024)).shape == (256, 512, 3)
    assert torch.equal(summed, before)


def test_a_single_colour_comes_through_exactly(autoencoder: Autoencoder):
    wanted = torch.tensor([[-1.0, 0.0, 1.0]])
    preview = Preview(autoencoder, PreviewMap(torch.zeros(1, CONFIG.bits, 3), wanted))
    image = preview(torch.randn(1, CONFIG.bits, 6, 6), 3)
    assert (image == np.array([0, 128, 255])).all()


@pytest.mark.parametrize(
    ("size", "preview"),
    [((256, 256), (256, 256)), ((1024, 1024), (512, 512)), ((1536, 512), (512, 171)), ((4096, 16), (512, 2))],
)
def test_no_side_is_over_512(size, preview):
    assert preview_size(size) == preview


def test_the_map_is_kept_in_the_bundle(autoencoder: Autoencoder, fitted: PreviewMap, tmp_path: Path):
    (tmp_path / FILE).write_bytes(fitted.to_bytes())
    summed = sums(autoencoder, 6)[1]
    kept = Preview.of_bundle(autoencoder, autoencoder.config, tmp_path)(summed, 1)
    assert np.array_equal(kept, Preview(autoencoder, fitted)(summed, 1))
    (tmp_path / FILE).unlink()
    with pytest.raises(BundleError, match=r"preview\.safetensors of this model is damaged"):
        Preview.of_bundle(autoencoder, autoencoder.config, tmp_path)


FOREIGN = PreviewMap(torch.zeros(2, 5, 3), torch.zeros(2, 3)).to_bytes()
NO_COLOURS = PreviewMap(torch.full((2, CONFIG.bits, 3), torch.nan), torch.zeros(2, 3)).to_bytes()


@pytest.mark.parametrize("content", [b"", b"not a map", FOREIGN, NO_COLOURS])
def test_a_damaged_or_foreign_map_is_refused(autoencoder: Autoencoder, tmp_path: Path, content: bytes):
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(BundleError, match=r"preview\.safetensors"):
        Preview.of_bundle(autoencoder, autoencoder.config, tmp_path)


def test_fitting_again_gives_the_same_map(autoencoder: Autoencoder):
    one, other = (fit_preview_map(autoencoder, CONFIG, GRIDS, count=2, seed=4) for _ in range(2))
    assert torch.equal(one.weight, other.weight)
    assert torch.equal(one.bias, other.bias)


def test_large_pictures_are_fitted_by_parts(autoencoder: Autoencoder):
    """A grid larger than the part that is decoded, and not square."""
    found = fit_preview_map(autoencoder, CONFIG, [(1, 1), (10, 6), (20, 12)], count=1)
    assert found.weight.shape == (3, CONFIG.bits, 3)
    assert found.weight.isfinite().all()


def test_painted_pictures_differ_and_stay_in_range():
    generator = torch.Generator().manual_seed(0)
    one, other = painted_picture((16, 32), generator), painted_picture((16, 32), generator)
    assert one.shape == (3, 16, 32)
    assert one.abs().max() <= 1
    assert not torch.equal(one, other)
