"""The visual tokenizer against the published one, on the golden cases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from engine.bundle.published_files import Checkpoint
from engine.bundle.published_names import tokenizer_names
from engine.tokenizer.autoencoder import Autoencoder, to_uint8
from engine.tokenizer.config import TokenizerConfig
from engine.tokenizer.keys import CONSTANTS, config_from_shapes
from engine.tokenizer.quantizer import MultiScaleQuantizer, add_scale, next_input
from tests.parity.cases import DATA, TOKENIZERS, TokenizerCase, difference, name, tokenizer_case


@pytest.fixture(params=TOKENIZERS, ids=name)
def case(request) -> TokenizerCase:
    return tokenizer_case(request.param)


def test_features(case: TokenizerCase):
    assert difference(case.autoencoder.encode(case.golden["image"]), case.golden["encoder_out"]) <= 1e-4


def test_bits_are_equal(case: TokenizerCase):
    features = case.autoencoder.encode(case.golden["image"])
    bits = MultiScaleQuantizer(case.config).encode(features, case.grids)
    assert len(bits) == len(case.grids)
    for scale, ours in enumerate(bits):
        assert torch.equal(ours.int(), case.golden[f"bits.{scale}"]), f"scale {scale}"


def test_sum_and_next_inputs(case: TokenizerCase):
    total = torch.zeros_like(case.golden["summed_codes"])
    for scale, _ in enumerate(case.grids):
        total = add_scale(total, case.golden[f"bits.{scale}"], case.config, scale)
        if scale + 1 < len(case.grids):
            ours = next_input(total, case.grids[scale + 1])
            assert difference(ours, case.golden[f"next_input.{scale}"]) <= 1e-6
    assert difference(total, case.golden["summed_codes"]) <= 1e-6


def test_quantising_gives_the_same_sums_as_drawing(case: TokenizerCase):
    result = MultiScaleQuantizer(case.config)(case.golden["encoder_out"], case.grids)
    assert difference(result.summed, case.golden["quantized_sum_encode"]) <= 1e-6
    for scale, ours in enumerate(result.inputs):
        assert difference(ours, case.golden[f"next_input.{scale}"]) <= 1e-6


def test_picture(case: TokenizerCase):
    decoded = case.autoencoder.decode(case.golden["summed_codes"])
    assert difference(decoded, case.golden["decoded"]) <= 1e-4
    assert difference(case.autoencoder.decoder(case.golden["summed_codes"]), case.golden["decoded_unclamped"]) <= 1e-4


def test_eight_bit_picture(case: TokenizerCase):
    """Exact from the golden floats; within one step from ours, whose last bit may fall on the other side."""
    golden = case.golden["uint8_bgr"].flip(-1)
    assert torch.equal(to_uint8(case.golden["decoded"]), golden)
    ours = to_uint8(case.autoencoder.decode(case.golden["summed_codes"]))
    assert (ours.int() - golden.int()).abs().max() <= 1


@pytest.mark.parametrize("bits", [16, 32])
def test_published_manifest_is_covered_one_to_one(bits: int):
    manifest = json.loads((DATA / f"manifest_infinity_vae_d{bits}.json").read_text())
    config = config_from_shapes(manifest)
    assert config == TokenizerConfig(bits=bits)
    with torch.device("meta"):
        shapes = {name: list(parameter.shape) for name, parameter in Autoencoder(config).named_parameters()}
    published = Checkpoint.of_shapes(Path("x.pth"), {name: tuple(shape) for name, shape in manifest.items()})
    names = tokenizer_names(published, config)
    assert names.keys() == manifest.keys() - set(CONSTANTS)
    assert {ours: manifest[name] for name, ours in names.items()} == shapes
