"""The three networks of the encoders beside the libraries' classes: the same numbers from the same weights."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import nn
from transformers.models.dinov2 import Dinov2Config, Dinov2Model
from transformers.models.t5 import T5Config, T5EncoderModel

from engine.bundle.published import CONTENT, SEMANTIC, TEXT
from engine.encoders.assembly import assemble
from engine.encoders.dinov2 import Dinov2
from engine.encoders.latent import LatentEncoder
from engine.encoders.t5 import T5Encoder, bucket_of
from engine.errors import BundleError

ROOT = Path(__file__).resolve().parents[3]
NARROW_TEXT = {**TEXT, "d_model": 48, "d_kv": 12, "d_ff": 80, "num_heads": 4, "num_layers": 4, "vocab_size": 200}
NARROW_DINO = {**SEMANTIC, "hidden_size": 48, "num_attention_heads": 4, "num_hidden_layers": 3, "image_size": 56}
NARROW_CONTENT = {**CONTENT, "block_out_channels": [8, 16, 16, 24], "norm_num_groups": 8}


def spread(module: nn.Module) -> nn.Module:
    """Random weights, those of the norms and scales, too."""
    torch.manual_seed(0)
    for parameter in module.parameters():
        parameter.data = torch.randn_like(parameter) * (0.2 if parameter.dim() > 1 else 0.1) + (parameter.dim() == 1)
    return module.eval()


def close(found: torch.Tensor, wanted: torch.Tensor) -> bool:
    return found.shape == wanted.shape and float((found - wanted).abs().max() / wanted.abs().max()) < 2e-6


@pytest.mark.parametrize("kind", ["gated-gelu", "relu", "gated-silu"])
@torch.inference_mode()
def test_t5(kind):
    config = {**NARROW_TEXT, "feed_forward_proj": kind}
    config.pop("dense_act_fn", None)
    config.pop("is_gated_act", None)
    theirs = spread(T5EncoderModel(T5Config(**config)))
    ours = assemble("text", lambda: T5Encoder(config), theirs.state_dict())
    for count in (1, 7, 150):  # beyond the longest distance that has a row of its own
        ids = torch.randint(0, 200, (1, count), generator=torch.Generator().manual_seed(count))
        assert close(ours(ids), theirs(input_ids=ids).last_hidden_state), count


def test_distances_fall_into_the_rows_that_t5_gives_them():
    from transformers.models.t5.modeling_t5 import T5Attention

    distances = torch.arange(-400, 401)
    assert torch.equal(bucket_of(distances, 32, 128), T5Attention._relative_position_bucket(distances, True, 32, 128))


@torch.inference_mode()
def test_dinov2():
    theirs = spread(Dinov2Model(Dinov2Config(**NARROW_DINO)))
    ours = assemble("semantic", lambda: Dinov2(NARROW_DINO), theirs.state_dict())
    pixels = torch.randn(2, 3, 56, 56, generator=torch.Generator().manual_seed(1))
    found = theirs(pixel_values=pixels, output_hidden_states=True)
    assert close(ours(pixels), found.last_hidden_state)
    for blocks, state in enumerate(found.hidden_states):
        assert close(ours.after(pixels, blocks), state), blocks


@pytest.mark.parametrize("changes", [{}, {"mid_block_add_attention": False}, {"use_quant_conv": True}])
@torch.inference_mode()
def test_the_encoder_half_of_an_autoencoder(changes):
    config = {**NARROW_CONTENT, **changes}
    theirs = spread(AutoencoderKL(**{name: value for name, value in config.items() if not name.startswith("_")}))
    state = {k: v for k, v in theirs.state_dict().items() if not k.startswith(("decoder.", "post_quant_conv."))}
    ours = assemble("content", lambda: LatentEncoder(config), state)
    pixels = torch.randn(1, 3, 48, 48, generator=torch.Generator().manual_seed(1))
    assert close(ours(pixels), theirs.encode(pixels).latent_dist.mean)


@pytest.mark.parametrize(
    ("build", "part"),
    [
        (lambda: Dinov2({**NARROW_DINO, "use_swiglu_ffn": True}), "semantic"),
        (lambda: Dinov2({**NARROW_DINO, "hidden_act": "mish"}), "semantic"),
        (lambda: T5Encoder({**NARROW_TEXT, "feed_forward_proj": "gated-mish"}), "text"),
        (lambda: LatentEncoder({**NARROW_CONTENT, "down_block_types": ["AttnDownEncoderBlock2D"] * 4}), "content"),
    ],
)
def test_what_is_not_known_is_refused_and_not_guessed(build, part):
    with pytest.raises(BundleError, match="cannot be built from its description"):
        assemble(part, build, {})


def test_opening_a_model_imports_no_library_of_models():
    lines = (
        "import sys; import engine.engine;"
        "print([name for name in ('transformers', 'diffusers', 'scipy', 'sympy', 'torch._dynamo') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", lines], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stderr
