"""A transformer small enough to draw with in milliseconds, every parameter random."""

from __future__ import annotations

import torch

from engine.encoders.features import PromptFeatures, SubjectFeatures
from engine.model.config import ScaleSchedule, TransformerConfig
from engine.model.transformer import Transformer
from engine.sampling.sampler import Conditions
from engine.tokenizer.config import TokenizerConfig

CONFIG = TransformerConfig(
    width=64,
    heads=2,
    blocks=2,
    chunks=1,
    bits=4,
    scale_count=6,
    text_width=24,
    text_limit=10,
    semantic_width=12,
    semantic_tokens=9,
    content_width=4,
    content_tokens=16,
    text_pool_heads=2,
)
TOKENIZER = TokenizerConfig(bits=4)
SCHEDULE = ScaleSchedule(size=(64, 64), grids=((1, 1), (2, 2), (3, 3), (4, 4)), rotary_grid=(8, 8))


def transformer(config: TransformerConfig = CONFIG, seed: int = 0) -> Transformer:
    generator = torch.Generator().manual_seed(seed)
    net = Transformer(config).eval().requires_grad_(False)
    for name, parameter in net.named_parameters():
        spread = 0.3 if parameter.dim() == 1 else 1.5 / parameter.shape[-1] ** 0.5
        # Small logits: no bit is certain, so that whatever changes them changes a bit.
        parameter.normal_(std=spread / 8 if name.startswith("head.") else spread, generator=generator)
    return net


def prompt(key: int, length: int = 5) -> PromptFeatures:
    generator = torch.Generator().manual_seed(100 + key)
    return PromptFeatures(key, torch.randn(length, CONFIG.text_width, generator=generator))


def subject(key: int) -> SubjectFeatures:
    generator = torch.Generator().manual_seed(200 + key)
    return SubjectFeatures(
        key,
        torch.randn(CONFIG.semantic_width, generator=generator),
        torch.randn(CONFIG.semantic_tokens, CONFIG.semantic_width, generator=generator),
        torch.randn(CONFIG.content_tokens, CONFIG.content_width, generator=generator),
    )


def conditions(words: int = 0, thing: int | None = 0, length: int = 5, negative: int | None = None) -> Conditions:
    return Conditions(
        prompt(words, length),
        None if thing is None else subject(thing),
        None if negative is None else prompt(negative, 3),
    )
