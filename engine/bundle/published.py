"""Configurations of the published networks, read off their released files and code.

What a checkpoint does not say about itself (how many heads, for example) stands here; everything else is checked against the
shapes of the weights when a checkpoint is converted.
"""

from __future__ import annotations

from typing import Any

from engine.bundle.manifest import BundleManifest
from engine.bundle.records import EncoderPart
from engine.model.config import TransformerConfig
from engine.model.schedules import published_schedules
from engine.tokenizer.config import TokenizerConfig

ECHOGEN_2B = TransformerConfig(
    width=2048,
    heads=16,
    blocks=32,
    chunks=8,
    bits=32,
    scale_count=15,
    text_width=2048,
    text_limit=512,
    semantic_width=768,
    semantic_tokens=1024,
    content_width=16,
    content_tokens=4096,
)
ECHOGEN_125M = TransformerConfig(
    width=768,
    heads=8,
    blocks=12,
    chunks=4,
    bits=16,
    scale_count=15,
    text_width=2048,
    text_limit=512,
    semantic_width=768,
    semantic_tokens=256,
    content_width=16,
    content_tokens=1024,
)

TOKENIZER_D16 = TokenizerConfig(16)
TOKENIZER_D32 = TokenizerConfig(32)

# google/flan-t5-xl, the fields that fix its size
TEXT: dict[str, Any] = {
    "model_type": "t5",
    "d_model": 2048,
    "d_kv": 64,
    "num_heads": 32,
    "num_layers": 24,
    "d_ff": 5120,
    "feed_forward_proj": "gated-gelu",
    "vocab_size": 32128,
    "relative_attention_num_buckets": 32,
    "tie_word_embeddings": False,
}
# facebook/dinov2-base
SEMANTIC: dict[str, Any] = {
    "model_type": "dinov2",
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "mlp_ratio": 4,
    "patch_size": 14,
    "image_size": 518,
    "qkv_bias": True,
}
# black-forest-labs/FLUX.1-*, subfolder vae
CONTENT: dict[str, Any] = {
    "in_channels": 3,
    "out_channels": 3,
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
    "block_out_channels": [128, 256, 512, 512],
    "layers_per_block": 2,
    "latent_channels": 16,
    "norm_num_groups": 32,
    "use_quant_conv": False,
    "use_post_quant_conv": False,
    "mid_block_add_attention": True,
}


def published_manifest(name: str) -> BundleManifest | None:
    """The sizes that the bundle of a published model will have, for planning memory before anything is here.

    Returns:
        a manifest without files, or None where ``name`` is no published model.
    """
    if name == "echogen-2b":
        title, network, tokenizer, budget, reference, input_side = (
            "EchoGen 2B",
            ECHOGEN_2B,
            TOKENIZER_D32,
            "1M",
            512,
            448,
        )
    elif name == "echogen-125m":
        title, network, tokenizer, budget, reference, input_side = (
            "EchoGen 125M",
            ECHOGEN_125M,
            TOKENIZER_D16,
            "0.06M",
            256,
            224,
        )
    else:
        return None
    return BundleManifest(
        name=name,
        title=title,
        licence="",
        description="",
        schedules=published_schedules(budget),
        reference_size=reference,
        transformer=network,
        tokenizer=tokenizer,
        text=EncoderPart(TEXT),
        semantic=EncoderPart(SEMANTIC, input_side),
        content=EncoderPart(CONTENT, reference),
    )
