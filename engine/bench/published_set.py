"""The published files of EchoGen 2B, as their publishers' own tools write them: every name at the real depth, narrow and random.

Encoders are written by their libraries' ``save_pretrained``: a file's names are not the names in memory. The transformer and the
visual tokenizer are pickles, plain or as the dump of a training. For what is too large to be written, ``real_shapes`` says the
names and shapes of the real files.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from safetensors import safe_open
from torch import Tensor, nn
from transformers.models.dinov2 import Dinov2Config, Dinov2Model
from transformers.models.t5 import T5Config, T5ForConditionalGeneration
from transformers.utils import logging as library_logging

from engine.bundle import published
from engine.bundle.published_names import encoder_on_meta
from engine.encoders.assembly import expected_shapes
from engine.encoders.names import own_name
from engine.model.config import TransformerConfig
from engine.model.keys import published_keys
from engine.model.transformer import Transformer
from engine.tokenizer.autoencoder import Autoencoder
from engine.tokenizer.config import TokenizerConfig
from engine.tokenizer.keys import CONSTANTS, published_name
from engine.training.data.words import word_tokenizer

Shapes = dict[str, tuple[int, ...]]

NARROW_2B = TransformerConfig(
    width=64, heads=16, blocks=32, chunks=8, bits=32, scale_count=15, text_width=32, text_limit=16,
    semantic_width=16, semantic_tokens=1024, content_width=16, content_tokens=4096, text_pool_heads=4,
)  # fmt: skip
SMALL_PICTURES = replace(NARROW_2B, semantic_tokens=256, content_tokens=1024)
"""The same names for a network that draws 256 pixels a side: in seconds, with random weights."""
NARROW_TOKENIZER = TokenizerConfig(32, 8, (1, 1, 1, 1, 1), 1)
NARROW: dict[str, dict[str, Any]] = {
    "text": {
        **published.TEXT,
        "d_model": 32,
        "d_kv": 8,
        "d_ff": 48,
        "num_heads": 2,
        "vocab_size": 400,
        "num_decoder_layers": 2,
    },
    "semantic": {**published.SEMANTIC, "hidden_size": 16, "num_attention_heads": 2, "image_size": 84, "mlp_ratio": 2},
    "content": {**published.CONTENT, "block_out_channels": [8, 16, 32, 32], "norm_num_groups": 4},
}
REAL: dict[str, dict[str, Any]] = {
    "text": published.TEXT,
    "semantic": published.SEMANTIC,
    "content": published.CONTENT,
}
_SHARD = "60KB"  # T5 comes in several files
_MIT = b"MIT License\n\nthe licence of its publisher, in full\n"


@dataclass
class PublishedRepository:
    """One repository of the hub: its files, and what its page says.

    Attributes:
        git_only: files that are given with git's hash instead of a SHA-256, as the hub does for small ones.
    """

    files: dict[str, bytes]
    licence: str = "apache-2.0"
    gated: bool = False
    git_only: tuple[str, ...] = field(default=())


@cache
def published_set(network: TransformerConfig = NARROW_2B, training: bool = False) -> dict[str, PublishedRepository]:
    """Every repository of the catalogue's ``echogen-2b`` by its name, with a transformer of these sizes.

    Args:
        training: the pickles are dumps of a whole training, with its arguments, instead of plain files.
    """
    torch.manual_seed(0)
    transformer, tokenizer = transformer_weights(network), tokenizer_weights()
    flux = {f"vae/{name}": content for name, content in encoder_files("content", torch.bfloat16).items()}
    text = encoder_files("text") | {
        "tokenizer.json": word_tokenizer(()).to_str().encode(),
        "pytorch_model-00001-of-00002.bin": b"the same again, pickled",
    }
    small = ("config.json", "tokenizer.json", "model.safetensors.index.json", "generation_config.json")
    return {
        "UmiSonoda16/EchoGen": PublishedRepository(
            {
                "echogen_2b.pth": pickled(training_dump(transformer) if training else transformer),
                "README.md": b"words",
                "LICENSE": _MIT,
            },
            "mit",
            git_only=("README.md",),
        ),
        "FoundationVision/Infinity": PublishedRepository(
            {
                "infinity_vae_d32reg.pth": pickled({"vae": tokenizer, "step": np.int64(1)} if training else {"vae": tokenizer}),
                "infinity_2b_reg.pth": b"large",
            },
            "mit",
        ),
        "google/flan-t5-xl": PublishedRepository(text, git_only=tuple(name for name in small if name in text)),
        "facebook/dinov2-base": PublishedRepository(encoder_files("semantic"), git_only=("config.json",)),
        "Tongyi-MAI/Z-Image-Turbo": PublishedRepository({**flux, "model_index.json": b"{}"}),
        "black-forest-labs/FLUX.1-schnell": PublishedRepository({**flux, "ae.safetensors": b"x"}, gated=True),
        "black-forest-labs/FLUX.1-dev": PublishedRepository(
            {**flux, "LICENSE.md": b"FLUX.1 [dev] Non-Commercial License"}, "flux-1-dev-non-commercial-license", gated=True
        ),
    }  # fmt: skip


def published_module(part: str, config: Mapping[str, Any]) -> nn.Module:
    """The class a publisher saved "text", "semantic" or "content" from."""
    if part == "text":
        return T5ForConditionalGeneration(T5Config(**config))
    return Dinov2Model(Dinov2Config(**config)) if part == "semantic" else AutoencoderKL(**config)


def encoder_files(part: str, dtype: torch.dtype = torch.float32) -> dict[str, bytes]:
    """The files ``save_pretrained`` of an encoder's own library writes, by name."""
    with tempfile.TemporaryDirectory() as place:
        library_logging.disable_progress_bar()
        module: Any = published_module(part, NARROW[part])
        module.save_pretrained(place, max_shard_size=_SHARD if part == "text" else "1GB")
        if dtype != torch.float32:
            module = type(module).from_pretrained(place, torch_dtype=dtype, low_cpu_mem_usage=False)
            module.save_pretrained(place)
        return {path.name: path.read_bytes() for path in sorted(Path(place).iterdir())}


def transformer_weights(network: TransformerConfig) -> dict[str, Tensor]:
    """All weights of the published transformer, random, with the shapes of this network. Its constants are zero."""
    generator = torch.Generator().manual_seed(1)
    net = Transformer(network)
    net.initialise(generator)
    state, table = net.state_dict(), published_keys(network)
    found: dict[str, Tensor] = {}
    for name, shape in real_transformer_shapes(network).items():
        key = table[name]
        if key.kind == "constant":
            found[name] = torch.zeros(shape)
        elif key.kind == "live" and key.rows is None:
            found[name] = state[key.ours].clone().reshape(shape)
        else:
            found[name] = torch.randn(shape, generator=generator)
    return found


def tokenizer_weights(config: TokenizerConfig = NARROW_TOKENIZER) -> dict[str, Tensor]:
    """All weights of the published visual tokenizer, random, with its constants."""
    state = Autoencoder(config).state_dict()
    return {published_name(name): tensor for name, tensor in state.items()} | {
        name: 2 ** torch.arange(config.bits) for name in CONSTANTS
    }


def training_dump(weights: dict[str, Tensor]) -> dict[str, Any]:
    """Weights as the reference's trainer saves them: with its arguments, an average, the optimizer and buffers."""
    averages = {name: torch.zeros(1).expand(tensor.shape) for name, tensor in weights.items()}
    return {
        "args": argparse.Namespace(model="2b", seed=np.int64(3), tlr=np.float32(1e-4)),
        "gpt_training": True,
        "arch": "echogen_2b",
        "epoch": 3,
        "iter": np.int64(70_000),
        "trainer": {
            "gpt_fsdp_ema": averages,
            "gpt_fsdp": weights | {"lvl_1L": torch.zeros(1, 9, dtype=torch.long)},
            "gpt_fsdp_opt": {"state": {0: {"exp_avg": torch.zeros(3)}}, "dtype": np.dtype("float32")},
        },
        "acc_str": "",
        "milestones": {"best": np.float64(0.5)},
    }


def pickled(content: Any) -> bytes:
    out = io.BytesIO()
    torch.save(content, out)
    return out.getvalue()


# Names and shapes of the real files


def real_transformer_shapes(config: TransformerConfig = published.ECHOGEN_2B) -> Shapes:
    """Every weight of the published transformer with its published shape."""
    with torch.device("meta"):
        ours = {name: tuple(tensor.shape) for name, tensor in Transformer(config).state_dict().items()}
    table = published_keys(config)
    shapes: Shapes = {}
    for name, key in table.items():
        if key.kind == "constant":
            shapes[name] = (config.width,)
            continue
        if key.kind == "dead" or key.rows is not None:  # as the same weight of the first block
            chunk, inside = name.split(".module.")
            key = table[f"{chunk.rstrip('0123456789')}0.module.0.{inside.partition('.')[2]}"]
        shape = ours[key.ours]
        # The publisher has axes of length 1 where ours has none.
        if name in ("pos_start", "control_pos_start"):
            shape = (1, 1, *shape)
        elif name == "text_proj_for_sos.ca.mat_q":
            shape = (1, *shape)
        elif name.endswith("ada_gss"):
            shape = (1, 1, *shape)
        elif name.endswith("scale_mul_1H11"):
            shape = (1, *shape, 1, 1)
        shapes[name] = shape
    return shapes


def real_tokenizer_shapes(config: TokenizerConfig = published.TOKENIZER_D32) -> Shapes:
    """Every weight of the published visual tokenizer with its shape."""
    with torch.device("meta"):
        ours = {name: tuple(tensor.shape) for name, tensor in Autoencoder(config).named_parameters()}
    return {published_name(name): shape for name, shape in ours.items()} | dict.fromkeys(CONSTANTS, (config.bits,))


def real_encoder_shapes(part: str) -> Shapes:
    """Every weight of a published encoder with its real shape, under the names its library writes.

    The names are those of a narrow file of the same depth; the shapes come from the real sizes, without memory. Of T5 only the
    encoder half is given, the part that is fetched.
    """
    files = encoder_files(part)
    written = [name for path, content in files.items() if path.endswith(".safetensors") for name in _names(content)]
    with torch.device("meta"):
        module = published_module(part, REAL[part])
    whole = {own_name(part, name): tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    if part == "text":
        written = [name for name in written if name.startswith(("shared.", "encoder."))]
        whole = expected_shapes(part, encoder_on_meta(part, REAL[part]))
    return {name: whole[own_name(part, name)] for name in sorted(written)}


def safetensors_header(shapes: Shapes, dtype: str = "F32") -> bytes:
    """The header that ``safetensors`` writes for these weights, without its length: JSON, padded to eight bytes."""
    size = {"F32": 4, "F16": 2, "BF16": 2}[dtype]
    entries: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    position = 0
    for name in sorted(shapes):
        end = position + math.prod(shapes[name]) * size
        entries[name] = {"dtype": dtype, "shape": list(shapes[name]), "data_offsets": [position, end]}
        position = end
    text = json.dumps(entries, separators=(",", ":")).encode()
    return text + b" " * (-len(text) % 8)


def _names(content: bytes) -> list[str]:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "x.safetensors"
        path.write_bytes(content)
        with safe_open(path, "pt") as file:
            return list(file.keys())
