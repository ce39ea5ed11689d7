"""Published files at a tiny size, as their publishers would give them, for tests of the converter."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from safetensors.torch import load_file
from transformers.models.dinov2 import Dinov2Config, Dinov2Model
from transformers.models.t5 import T5Config, T5ForConditionalGeneration

from engine.bundle.converter import PublishedParts
from engine.bundle.records import Origin
from engine.model.config import ScaleSchedule
from engine.training.data.words import word_tokenizer

GOLDEN = Path(__file__).parents[2] / "parity" / "data"
GRIDS = ((1, 1), (2, 2), (4, 4), (6, 6), (8, 8))
SCHEDULE = ScaleSchedule((128, 128), GRIDS, (64, 64))
"""Of the golden case tiny_a: template 1.0, whose full schedule ends in 64 × 64."""

TEXT = {
    "d_model": 256,
    "d_kv": 8,
    "d_ff": 32,
    "num_layers": 1,
    "num_decoder_layers": 1,
    "num_heads": 2,
    "vocab_size": 400,
}
SEMANTIC = {
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": 84,
    "patch_size": 14,
    "mlp_ratio": 2,
}
CONTENT = {
    "in_channels": 3,
    "out_channels": 3,
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
    "block_out_channels": [8, 8, 8, 8],
    "layers_per_block": 1,
    "latent_channels": 16,
    "norm_num_groups": 4,
    "use_quant_conv": False,
    "use_post_quant_conv": False,
}


def write_published(folder: Path) -> PublishedParts:
    """Transformer and tokenizer of the golden cases as .pth files, random encoders as the hub has them."""
    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    transformer, tokenizer = folder / "echogen.pth", folder / "vae.pth"
    torch.save(load_file(GOLDEN / "tiny_a" / "weights.safetensors"), transformer)
    torch.save({"vae": load_file(GOLDEN / "tiny_vae" / "weights.safetensors")}, tokenizer)

    # The libraries' own writers: what they call a weight in a file is not what they call it in memory.
    T5ForConditionalGeneration(T5Config(**TEXT)).save_pretrained(folder / "t5", max_shard_size="500KB")
    word_tokenizer(()).save(str(folder / "t5" / "tokenizer.json"))
    Dinov2Model(Dinov2Config(**SEMANTIC)).save_pretrained(folder / "dino")
    AutoencoderKL(**CONTENT).save_pretrained(folder / "flux")
    origins = {"content": Origin("black-forest-labs/FLUX.1-schnell", "Apache-2.0")}
    return PublishedParts(transformer, tokenizer, folder / "t5", folder / "dino", folder / "flux", origins)
