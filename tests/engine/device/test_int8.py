"""Matrices in eight bits: how far a weight moves, what stays as it is, and a picture drawn with them."""

from __future__ import annotations

import gc
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine import CutOut, Finished, GenerationRequest
from engine.bundle.loader import PartPlacement, load_bundle
from engine.device.devices import GIB, Device
from engine.device.int8 import is_layer_matrix, round_rows, stand_in
from engine.engine import Engine
from engine.model.streaming import stream_layers
from engine.model.transformer import Transformer
from engine.planning.part_placement import placements
from engine.planning.plans import all_plans
from engine.sampling.guidance import Guidance
from engine.sampling.sampler import Sampler
from tests.engine.planning.conftest import large  # noqa: F401 - a fixture
from tests.engine.sampling.tiny import SCHEDULE, TOKENIZER, conditions, transformer

GUIDANCE = Guidance.of(len(SCHEDULE.grids), 3.0, 2.0, top_p=0.97)
NEEDS_CARD = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a graphics card")
HERE = Device("cpu", "CPU", 16 * GIB, 12 * GIB, 2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_weight_moves_by_half_a_step_at_most(dtype: torch.dtype):
    weight = torch.randn(48, 64, generator=torch.Generator().manual_seed(1)) * torch.logspace(-6, 6, 48)[:, None]
    rounded = round_rows(weight, dtype)
    assert rounded.numbers.dtype == torch.int8
    assert rounded.nbytes == 48 * 64 + 48 * 4
    # The step fits the largest weight of its own row: within bfloat16's grain above a 127th of it.
    assert torch.all(rounded.steps >= weight.abs().amax(1, keepdim=True) / 127)
    assert torch.all(rounded.steps <= weight.abs().amax(1, keepdim=True) / 127 * (1 + 2**-7))
    exact = rounded.numbers.double() * rounded.steps.double()
    assert torch.all((exact - weight.double()).abs() <= rounded.steps.double() * 0.5000001)
    # Restoring rounds nothing but the product.
    assert torch.equal(rounded.restored("cpu"), exact.to(dtype))


def test_a_row_of_zeros_stays_zero():
    assert torch.equal(round_rows(torch.zeros(2, 3), torch.float32).restored("cpu"), torch.zeros(2, 3))


def rounded_net(device: str) -> tuple[Transformer, Transformer]:
    """A network that holds its layers in eight bits, and a plain one with the very same weights."""
    net, plain = transformer().to(device), transformer().to(device)
    rounded = {
        name: round_rows(parameter.data, torch.float32)
        for name, parameter in net.named_parameters()
        if is_layer_matrix(name, parameter.shape)
    }
    for name, parameter in net.named_parameters():
        if name in rounded:
            parameter.data = stand_in(rounded[name])
    for name, parameter in plain.named_parameters():
        if name in rounded:
            parameter.data = rounded[name].restored(device)
    stream_layers(net, device, content=True, image=True, rounded=rounded)
    return net, plain


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=NEEDS_CARD)])
@pytest.mark.parametrize("branches", ["together", "in-turn"])
def test_layers_are_restored_when_they_run_and_only_then(branches: str, device: str):
    net, plain = rounded_net(device)
    drawn, expected = (
        [
            scale.bits.cpu()
            for scale in Sampler(one, TOKENIZER, branches=branches).draw(conditions(), GUIDANCE, SCHEDULE, 7)
        ]
        for one in (net, plain)
    )
    assert all(torch.equal(a, b) for a, b in zip(drawn, expected, strict=True))
    for name, parameter in net.named_parameters():
        # Dropped again: nothing but one number stands for the whole matrix.
        assert is_layer_matrix(name, parameter.shape) == bool(parameter.isnan().all())
        if is_layer_matrix(name, parameter.shape):
            assert parameter.untyped_storage().nbytes() == parameter.element_size()


def test_the_loader_rounds_the_matrices_of_the_blocks_and_nothing_else(tiny_bundle):
    exact = load_bundle(tiny_bundle)
    bundle = load_bundle(tiny_bundle, {"transformer": PartPlacement(eight_bits=True)})
    weights = dict(exact.transformer.named_parameters())
    assert set(bundle.rounded) == {name for name, one in weights.items() if is_layer_matrix(name, one.shape)}
    assert len(bundle.rounded) > 10 * len(exact.transformer.blocks)
    for name, parameter in bundle.transformer.named_parameters():
        if name in bundle.rounded:
            restored = bundle.rounded[name].restored("cpu")
            assert torch.allclose(restored, weights[name], atol=float(weights[name].abs().max()) / 250)
        else:
            assert torch.equal(parameter, weights[name])
    for part in ("text", "semantic", "content"):
        assert all(
            torch.equal(a, b)
            for a, b in zip(
                getattr(bundle, part).model.parameters(), getattr(exact, part).model.parameters(), strict=True
            )
        )


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what is mapped is read from /proc")
def test_the_file_of_the_rounded_matrices_does_not_stay_in_memory(tiny_bundle, tmp_path: Path):
    folder = shutil.copytree(tiny_bundle, tmp_path / "bundle")
    weights = str(folder / "transformer")
    exact = load_bundle(folder)
    assert weights in Path("/proc/self/maps").read_text()
    del exact
    gc.collect()
    bundle = load_bundle(folder, {"transformer": PartPlacement(eight_bits=True)})
    assert bundle.rounded and weights not in Path("/proc/self/maps").read_text()


def drawn_with(folder, plan) -> Finished:
    pixels = np.full((56, 56, 4), 255, np.uint8)
    pixels[10:46, 16:40] = (200, 30, 60, 255)
    request = GenerationRequest("a ball in the snow", CutOut(pixels), seed=7, prompt_strength=3.0, subject_strength=2.0)
    with Engine(load_bundle(folder, placements(plan, HERE)), HERE, plan) as engine:
        assert bool(engine.bundle.rounded) == plan.eight_bits
        *_, first = engine.generate(request)
        *_, again = engine.generate(request)
    assert isinstance(first, Finished) and isinstance(again, Finished)
    assert all(np.array_equal(a, b) for a, b in zip(first.bits, again.bits, strict=True))
    return first


@pytest.mark.parametrize("kind", ["cuda", "cpu"])
def test_a_picture_in_eight_bits_is_nearly_the_same(tiny_bundle, large, kind: str):  # noqa: F811
    found = {plan.key: plan for plan in all_plans(large, Device(kind, "Card", 64 * GIB, 60 * GIB, 2, half=True))}
    plan = replace(found["int8"], dtype="float32", text_dtype="float32", cache_bytes=2**26)
    exact = replace(found["resident"], dtype="float32", text_dtype="float32", cache_bytes=2**26)
    rounded, resident = drawn_with(tiny_bundle, plan), drawn_with(tiny_bundle, exact)
    pairs = list(zip(rounded.bits, resident.bits, strict=True))
    # The noise is the same, so that a bit differs only where its probability moved over the number drawn for it.
    assert np.mean(np.concatenate([(a == b).ravel() for a, b in pairs[:2]])) > 0.9
    assert np.mean(np.concatenate([(a == b).ravel() for a, b in pairs])) > 0.8
