"""Golden cases: folders with a config.json, found below ECHOGEN_PARITY_DIR or else in tests/parity/data."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from engine.encoders.features import PromptFeatures, SubjectFeatures
from engine.model.config import ScaleSchedule, TransformerConfig
from engine.model.schedules import published_ratios, published_schedule
from engine.model.transformer import Transformer
from engine.sampling.guidance import Guidance
from engine.sampling.sampler import Conditions
from engine.tokenizer.autoencoder import Autoencoder
from engine.tokenizer.config import TokenizerConfig
from tests.parity.published import tokenizer_weights, transformer_weights

DATA = Path(__file__).parent / "data"
ROOT = Path(os.environ.get("ECHOGEN_PARITY_DIR") or DATA)


def folders(marker: str) -> list[Path]:
    """The case folders that hold this file beside their config.json."""
    found = (config.parent for config in ROOT.rglob("config.json"))
    return sorted(folder for folder in found if (folder / marker).is_file())


def name(folder: Path) -> str:
    """A case's id: its path below the root."""
    return folder.name if folder == ROOT else folder.relative_to(ROOT).as_posix()


TRANSFORMERS = folders("expected.safetensors")
TOKENIZERS = folders("golden.safetensors")


def difference(ours: Tensor, golden: Tensor) -> float:
    assert ours.shape == golden.shape
    return (ours - golden).abs().max().item()


@dataclass(frozen=True, eq=False)
class TransformerCase:
    """One transformer case, ready to draw with.

    Attributes:
        rows: what each picture of the batch is drawn from.
        guidance: strengths and temperatures of every scale.
        has_negative: the null branch sees a negative prompt instead of the null text.
    """

    folder: Path
    net: Transformer
    tokenizer: TokenizerConfig
    schedule: ScaleSchedule
    rows: tuple[Conditions, ...]
    guidance: Guidance
    has_negative: bool

    def golden(self, file: str) -> dict[str, Tensor]:
        return load_file(self.folder / f"{file}.safetensors")

    def has(self, file: str) -> bool:
        return (self.folder / f"{file}.safetensors").is_file()


@dataclass(frozen=True, eq=False)
class TokenizerCase:
    grids: list[tuple[int, int]]
    config: TokenizerConfig
    autoencoder: Autoencoder
    golden: dict[str, Tensor]


@cache
def transformer_case(folder: Path) -> TransformerCase:
    sizes = json.loads((folder / "config.json").read_text())
    weights = load_file(folder / "weights.safetensors")
    config = TransformerConfig(
        width=sizes["embed_dim"],
        heads=sizes["num_heads"],
        blocks=sizes["depth"],
        chunks=sizes["block_chunks"],
        bits=sizes["codebook_dim"],
        scale_count=len(weights["lvl_embed.weight"]),
        text_width=sizes["text_channels"],
        text_limit=sizes["text_maxlen"],
        semantic_width=sizes["semantic_feats_dim"],
        semantic_tokens=sizes["semantic_feats_len"] - 1,
        content_width=sizes["content_feats_dim"],
        content_tokens=sizes["content_feats_len"],
    )
    grids = tuple((h, w) for _, h, w in sizes["scale_schedule"])
    ratio = next(ratio for ratio in published_ratios() if float(ratio) == sizes["h_div_w_template"])
    schedule = ScaleSchedule(
        size=(16 * grids[-1][1], 16 * grids[-1][0]),
        grids=grids,
        rotary_grid=published_schedule(ratio).rotary_grid,
        ratio=ratio,
    )
    guidance = Guidance.of(len(grids), sizes["cfg_t"], sizes["cfg_i"], temperature=sizes["tau"])
    inputs = load_file(folder / "inputs.safetensors")
    return TransformerCase(
        folder,
        build(config, weights),
        TokenizerConfig(config.bits),
        schedule,
        _rows(inputs),
        guidance,
        "negative.lens" in inputs,
    )


def build(config: TransformerConfig, weights: dict[str, Tensor]) -> Transformer:
    """A transformer with published weights, built on the meta device."""
    with torch.device("meta"):
        net = Transformer(config)
    net.load_state_dict(transformer_weights(config, weights), strict=True, assign=True)
    return net.eval().requires_grad_(False)


def _rows(inputs: dict[str, Tensor]) -> tuple[Conditions, ...]:
    texts = _texts(inputs, "text")
    negatives: list[Any] = _texts(inputs, "negative") if "negative.lens" in inputs else [None] * len(texts)
    latent = inputs["content.latent"].flatten(2).transpose(1, 2)
    return tuple(
        Conditions(
            PromptFeatures(("prompt", row), text),
            SubjectFeatures(
                row, inputs["semantic.x_norm_clstoken"][row], inputs["semantic.x_norm_patchtokens"][row], latent[row]
            ),
            None if negatives[row] is None else PromptFeatures(("negative", row), negatives[row]),
        )
        for row, text in enumerate(texts)
    )


def _texts(inputs: dict[str, Tensor], kind: str) -> list[Tensor]:
    return list(inputs[f"{kind}.kv_compact"].split(inputs[f"{kind}.lens"].tolist()))


@cache
def tokenizer_case(folder: Path) -> TokenizerCase:
    sizes = json.loads((folder / "config.json").read_text())
    config = TokenizerConfig(
        bits=sizes["codebook_dim"],
        base_channels=sizes["base_ch"],
        multipliers=tuple(sizes["ch_mult"]),
        blocks_per_level=sizes["num_res_blocks"],
    )
    with torch.device("meta"):
        autoencoder = Autoencoder(config)
    weights = tokenizer_weights(config, load_file(folder / "weights.safetensors"))
    autoencoder.load_state_dict(weights, strict=True, assign=True)
    grids = [(h, w) for _, h, w in sizes["scale_schedule"]]
    golden = load_file(folder / "golden.safetensors")
    return TokenizerCase(grids, config, autoencoder.eval().requires_grad_(False), golden)
