"""Every formula against the real module, built on the meta device."""

import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from transformers.models.dinov2 import Dinov2Config, Dinov2Model
from transformers.models.t5 import T5Config, T5EncoderModel

from engine.bundle import sizes
from engine.bundle.published import CONTENT, ECHOGEN_2B, ECHOGEN_125M, SEMANTIC, TEXT, TOKENIZER_D16, TOKENIZER_D32
from engine.encoders.latent import LatentEncoder
from engine.model.config import TransformerConfig
from engine.model.transformer import Transformer
from engine.tokenizer.autoencoder import Autoencoder
from engine.tokenizer.config import TokenizerConfig

SMALL = TransformerConfig(
    width=48, heads=4, blocks=3, chunks=1, bits=8, scale_count=5, text_width=40, text_limit=9,
    semantic_width=24, semantic_tokens=16, content_width=4, content_tokens=64, text_pool_heads=4,
)  # fmt: skip


def count(build, prefix=""):
    with torch.device("meta"):
        module = build()
    return sum(p.numel() for name, p in module.named_parameters() if name.startswith(prefix))


@pytest.mark.parametrize("config", [SMALL, ECHOGEN_125M, ECHOGEN_2B])
def test_the_transformer_is_counted_exactly(config):
    with torch.device("meta"):
        parameters = {name: p.numel() for name, p in Transformer(config).named_parameters()}
    numbers = sizes.transformer_numbers(config)
    assert numbers.image == sum(n for name, n in parameters.items() if ".image." in name)
    assert numbers.content == sum(n for name, n in parameters.items() if ".content." in name)
    assert numbers.image_block == sum(n for name, n in parameters.items() if name.startswith("blocks.0.image."))
    assert numbers.total == sum(parameters.values())


@pytest.mark.parametrize(
    "config",
    [TOKENIZER_D16, TOKENIZER_D32, TokenizerConfig(8, 16, (1, 2, 3), 1, patch=2)],
)
def test_the_decoder_is_counted_exactly(config):
    assert sizes.decoder_numbers(config) == count(lambda: Autoencoder(config), "decoder.")


@pytest.mark.parametrize("changes", [{}, {"feed_forward_proj": "relu"}, {"num_layers": 3, "num_heads": 5}])
def test_the_text_encoder_is_counted_exactly(changes):
    config = TEXT | changes
    assert sizes.text_numbers(config) == count(lambda: T5EncoderModel(T5Config.from_dict(config)))


@pytest.mark.parametrize("changes", [{}, {"num_hidden_layers": 2, "qkv_bias": False}, {"use_swiglu_ffn": True}])
def test_the_semantic_encoder_is_counted_exactly(changes):
    config = SEMANTIC | changes
    assert sizes.semantic_numbers(config) == count(lambda: Dinov2Model(Dinov2Config.from_dict(config)))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {
            "block_out_channels": [16, 32],
            "down_block_types": ["DownEncoderBlock2D"] * 2,
            "up_block_types": ["UpDecoderBlock2D"] * 2,
            "layers_per_block": 1,
            "use_quant_conv": True,
            "norm_num_groups": 8,
        },
    ],
)
def test_the_content_encoder_is_counted_exactly(changes):
    config = CONTENT | changes
    assert sizes.content_numbers(config) == count(lambda: LatentEncoder(config))
    assert count(lambda: LatentEncoder(config)) < count(lambda: AutoencoderKL(**config))
