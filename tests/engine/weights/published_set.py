"""The published files of EchoGen 2B as their publishers give them, scaled down: every key, small shapes, the hub's own layout."""

from __future__ import annotations

import io
import json
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from safetensors.torch import save
from transformers.models.dinov2 import Dinov2Config, Dinov2Model
from transformers.models.t5 import T5Config, T5ForConditionalGeneration

from engine.model.config import TransformerConfig
from engine.model.keys import published_keys
from engine.model.transformer import Transformer
from engine.tokenizer.autoencoder import Autoencoder
from engine.tokenizer.config import TokenizerConfig
from engine.tokenizer.keys import CONSTANTS, published_name
from engine.training.words import word_tokenizer
from tests.engine.weights.hub_server import Repository

MANIFEST = Path(__file__).parents[2] / "parity" / "data" / "manifest_echogen_2b.json"

SMALL_2B = TransformerConfig(
    width=64, heads=16, blocks=32, chunks=8, bits=32, scale_count=15, text_width=32, text_limit=16,
    semantic_width=16, semantic_tokens=1024, content_width=16, content_tokens=4096, text_pool_heads=4,
)  # fmt: skip
SMALL_PICTURES = replace(SMALL_2B, semantic_tokens=256, content_tokens=1024)
"""The same keys for a network that draws 256 pixels a side: in seconds, with random weights."""
TOKENIZER = TokenizerConfig(32, 8, (1, 1, 1, 1, 1), 1)
TEXT = {
    "model_type": "t5", "d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_decoder_layers": 2, "num_heads": 2,
    "vocab_size": 400, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False,
}  # fmt: skip
SEMANTIC = {
    "model_type": "dinov2", "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 84,
    "patch_size": 14, "mlp_ratio": 2,
}  # fmt: skip
CONTENT = {
    "_class_name": "AutoencoderKL",
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
}  # fmt: skip


@cache
def repositories(network: TransformerConfig = SMALL_2B) -> dict[str, Repository]:
    """Every repository of the catalogue's ``echogen-2b``, with a transformer of these sizes."""
    torch.manual_seed(0)
    text = T5ForConditionalGeneration(T5Config(**TEXT)).state_dict()
    names = sorted(text)
    shards = [{name: text[name].clone() for name in part} for part in (names[::2], names[1::2])]
    vocabulary = word_tokenizer(()).to_str().encode()
    content = {name: tensor.bfloat16() for name, tensor in AutoencoderKL(**_plain(CONTENT)).state_dict().items()}
    licence = b"MIT License\n\nthe licence of its publisher, in full\n"
    flux = {
        "vae/config.json": _json(CONTENT),
        "vae/diffusion_pytorch_model.safetensors": _weights(content),
        "ae.sft": b"x",
    }
    return {
        "UmiSonoda16/EchoGen": Repository(
            {"echogen_2b.pth": _pickle(checkpoint(network)), "README.md": b"words", "LICENSE": licence},
            "mit",
            git_only=("README.md",),
        ),
        "FoundationVision/Infinity": Repository(
            {"infinity_vae_d32reg.pth": _pickle({"vae": _tokenizer()}), "infinity_2b_reg.pth": b"large"}, "mit"
        ),
        "google/flan-t5-xl": Repository(
            {
                "config.json": _json({**TEXT, "architectures": ["T5ForConditionalGeneration"]}),
                "tokenizer.json": vocabulary,
                "model-00001-of-00002.safetensors": _weights(shards[0]),
                "model-00002-of-00002.safetensors": _weights(shards[1]),
                "model.safetensors.index.json": b"{}",
                "pytorch_model-00001-of-00002.bin": b"the same again, pickled",
            },
            git_only=("config.json", "tokenizer.json", "model.safetensors.index.json"),
        ),
        "facebook/dinov2-base": Repository(
            {
                "config.json": _json(SEMANTIC),
                "model.safetensors": _weights(Dinov2Model(Dinov2Config(**SEMANTIC)).state_dict()),
            },
            git_only=("config.json",),
        ),
        "black-forest-labs/FLUX.1-schnell": Repository(dict(flux)),
        "black-forest-labs/FLUX.1-dev": Repository(dict(flux), "flux-1-dev-non-commercial-license", gated=True),
    }


@cache
def helper_repositories() -> dict[str, Repository]:
    """The networks of the pre-flight, random and small, as their publishers lay them out."""
    from tests.engine.preflight.tiny_parts import save_grounding, save_naming, save_sam_video

    made = {}
    for repository, save_small in (
        ("IDEA-Research/grounding-dino-tiny", save_grounding),
        ("facebook/sam2.1-hiera-small", save_sam_video),
        ("Qwen/Qwen2.5-VL-7B-Instruct", save_naming),
    ):
        with tempfile.TemporaryDirectory() as place:
            save_small(Path(place))
            made[repository] = Repository({file.name: file.read_bytes() for file in sorted(Path(place).iterdir())})
    return made


@cache
def checkpoint(network: TransformerConfig = SMALL_2B) -> dict[str, torch.Tensor]:
    """All 1513 keys of the published checkpoint, with the shapes of a small network."""
    generator = torch.Generator().manual_seed(1)
    net = Transformer(network)
    net.initialise(generator)
    state = net.state_dict()
    table = published_keys(network)
    published_shapes = json.loads(MANIFEST.read_text(encoding="utf-8"))
    assert set(table) == set(published_shapes)
    found: dict[str, torch.Tensor] = {}
    for name, key in table.items():
        if key.kind == "live" and key.rows is None:
            found[name] = _as_published(state[key.ours].clone(), published_shapes[name])
    for name, key in table.items():
        first = "block_chunks.0.module.0." + name.partition(".module.")[2].partition(".")[2]
        if key.kind == "dead" or key.rows is not None:
            found[name] = torch.randn(found[first].shape, generator=generator)
        elif key.kind == "constant":
            found[name] = torch.zeros(network.width)
    return {name: found[name] for name in published_shapes}


def _as_published(tensor: torch.Tensor, shape: list[int]) -> torch.Tensor:
    """With axes of length 1 where the published tensor has them."""
    sides = iter(side for side in tensor.shape if side != 1)
    return tensor.reshape([1 if side == 1 else next(sides) for side in shape])


def _tokenizer() -> dict[str, torch.Tensor]:
    state = Autoencoder(TOKENIZER).state_dict()
    return {published_name(name): tensor for name, tensor in state.items()} | {
        name: 2 ** torch.arange(TOKENIZER.bits) for name in CONSTANTS
    }


def _pickle(state: dict) -> bytes:
    out = io.BytesIO()
    torch.save(state, out)
    return out.getvalue()


def _weights(state: dict[str, torch.Tensor]) -> bytes:
    return save({name: tensor.contiguous().clone() for name, tensor in state.items()}, metadata={"format": "pt"})


def _json(data: dict) -> bytes:
    return json.dumps(data, indent=1).encode()


def _plain(config: dict) -> dict:
    return {name: value for name, value in config.items() if not name.startswith("_")}
