"""The semantic encoder: preparation against the published numbers, and the model at a tiny size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers.models.dinov2 import Dinov2Config, Dinov2Model

from engine.encoders.pixels import to_unit_range
from engine.encoders.semantic import SemanticEncoder, prepared, resample_positions
from engine.errors import BundleError

# From the published preparation, by way of timm and DINOv2 (Pillow 13.0): a picture, parts of what DINOv2 saw of it,
# and one position table at three sizes.
GOLDEN = load_file(Path(__file__).parent / "data" / "dino_golden.safetensors")

CONFIG = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 98,
    "patch_size": 14,
    "mlp_ratio": 2,
}


def tiny_state(seed: int = 0) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    model = Dinov2Model(Dinov2Config.from_dict(CONFIG))
    return {name: torch.randn_like(tensor) * 0.1 for name, tensor in model.state_dict().items()}


def test_input_equals_the_published_one():
    pixels = prepared(to_unit_range(GOLDEN["wide.rgb"].numpy()), 224)
    assert pixels.shape == (1, 3, 224, 224)
    assert (pixels[:, :, :48, :48] - GOLDEN["wide.corner"]).abs().max() < 2e-6
    assert (pixels[:, :, ::5, ::5] - GOLDEN["wide.every_fifth"]).abs().max() < 2e-6


@pytest.mark.parametrize("side", [16, 32])
def test_positions_are_resampled_as_published(side: int):
    table = resample_positions(GOLDEN["positions.37"], side)
    golden = GOLDEN[f"positions.{side}"]
    assert table.shape == golden.shape
    assert (table - golden).abs().max() < 2e-6
    assert torch.equal(table[:, :1], GOLDEN["positions.37"][:, :1])


def test_positions_of_the_right_size_stay():
    assert torch.equal(resample_positions(GOLDEN["positions.16"], 16), GOLDEN["positions.16"])


def test_the_model_does_not_resample_again():
    """The table is brought to the size when it is opened, and once, so both tables give the same tokens."""
    encoder = SemanticEncoder.from_config(CONFIG, tiny_state(), 56)
    assert encoder.model.positions.shape == (1, 17, 32)
    rgb = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    class_token, patches = encoder.encode(rgb)
    assert class_token.shape == (32,)
    assert patches.shape == (16, 32)
    state = tiny_state()
    state["embeddings.position_embeddings"] = resample_positions(state["embeddings.position_embeddings"], 4)
    again = SemanticEncoder.from_config({**CONFIG, "image_size": 56}, state, 56).encode(rgb)
    assert torch.equal(class_token, again[0])
    assert torch.equal(patches, again[1])


def test_tokens_come_from_behind_the_last_norm():
    state = tiny_state()
    state["layernorm.weight"] = torch.zeros(32)
    state["layernorm.bias"] = torch.arange(32.0)
    class_token, patches = SemanticEncoder.from_config(CONFIG, state, 56).encode(np.zeros((56, 56, 3), np.uint8))
    assert torch.equal(class_token, torch.arange(32.0))
    assert torch.equal(patches, torch.arange(32.0).expand(16, 32))


def test_half_precision_gives_float32_close_by():
    rgb = np.random.default_rng(1).integers(0, 256, (56, 56, 3), dtype=np.uint8)
    full = SemanticEncoder.from_config(CONFIG, tiny_state(), 56).encode(rgb)[1]
    half = SemanticEncoder.from_config(CONFIG, tiny_state(), 56).to("cpu", torch.bfloat16).encode(rgb)[1]
    assert half.dtype == torch.float32
    assert not torch.equal(full, half)
    assert (full - half).abs().max() < 0.1


def test_wrong_weights_are_refused():
    state = tiny_state()
    del state["layernorm.bias"]
    with pytest.raises(BundleError, match=r"semantic encoder .* lacks .*norm\.bias"):
        SemanticEncoder.from_config(CONFIG, state, 56)
    with pytest.raises(BundleError, match="unknown"):
        SemanticEncoder.from_config(CONFIG, {**tiny_state(), "extra": torch.zeros(1)}, 56)
    with pytest.raises(BundleError, match="shape"):
        SemanticEncoder.from_config(CONFIG, {**tiny_state(), "layernorm.bias": torch.zeros(3)}, 56)


def test_an_input_size_that_does_not_divide_is_refused():
    with pytest.raises(BundleError, match="60 pixels"):
        SemanticEncoder.from_config(CONFIG, tiny_state(), 60)


def test_patches_of_an_early_block_are_the_librarys():
    state = tiny_state()
    encoder = SemanticEncoder.from_config(CONFIG, state, 98)
    library = Dinov2Model(Dinov2Config.from_dict(CONFIG)).eval()
    library.load_state_dict(state)
    rgb = np.random.default_rng(0).integers(0, 256, (98, 98, 3), np.uint8)
    with torch.inference_mode():
        states = library(prepared(to_unit_range(rgb), 98), output_hidden_states=True).hidden_states
    for blocks in range(3):
        assert torch.allclose(encoder.patches_after(rgb, blocks), states[blocks][0, 1:], atol=1e-4)
