"""Published weights under our names, in memory, by the same steps in which the converter goes through a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from engine.bundle.published_files import Checkpoint
from engine.bundle.published_names import check_transformer, tokenizer_names, transformer_shapes
from engine.model.config import TransformerConfig
from engine.model.keys import convert, published_keys
from engine.tokenizer.config import TokenizerConfig


def transformer_weights(config: TransformerConfig, published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    check_transformer(_checkpoint(published), config)
    shapes, live = transformer_shapes(config), [key for key in published_keys(config).values() if key.kind == "live"]
    return {key.ours: convert(key, published[key.published], shapes[key.ours]) for key in live}


def tokenizer_weights(config: TokenizerConfig, published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {ours: published[name] for name, ours in tokenizer_names(_checkpoint(published), config).items()}


def _checkpoint(published: Mapping[str, Tensor]) -> Checkpoint:
    return Checkpoint.of_shapes(Path("weights"), {name: tuple(tensor.shape) for name, tensor in published.items()})
