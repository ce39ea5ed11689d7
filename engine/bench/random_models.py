"""Networks with random weights in published sizes, and features to draw from: speed does not depend on what they say."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from engine.bundle.loader import keeps_float32
from engine.bundle.published import ECHOGEN_2B, ECHOGEN_125M, TOKENIZER_D16, TOKENIZER_D32
from engine.encoders.features import PromptFeatures, SubjectFeatures
from engine.errors import InputError
from engine.model.config import ScaleSchedule, TransformerConfig
from engine.model.schedules import published_schedule
from engine.model.transformer import Transformer
from engine.sentence import Sentence
from engine.tokenizer.autoencoder import Autoencoder
from engine.tokenizer.config import TokenizerConfig


@dataclass(frozen=True)
class BenchConfig:
    """The measured size; ``text_tokens`` is the length of the prompts."""

    name: str
    transformer: TransformerConfig
    tokenizer: TokenizerConfig
    schedule: ScaleSchedule
    text_tokens: int = 30


_TINY = TransformerConfig(
    width=96,
    heads=4,
    blocks=3,
    chunks=1,
    bits=8,
    scale_count=15,
    text_width=256,
    text_limit=64,
    semantic_width=64,
    semantic_tokens=25,
    content_width=16,
    content_tokens=64,
)
_TINY_TOKENIZER = TokenizerConfig(bits=8, base_channels=16, multipliers=(1, 2), blocks_per_level=1, norm_groups=8)
_TINY_SCHEDULE = ScaleSchedule((12, 12), ((1, 1), (2, 2), (4, 4), (6, 6)), (16, 16))

CONFIGS = {
    config.name: config
    for config in (
        BenchConfig("echogen-125m", ECHOGEN_125M, TOKENIZER_D16, published_schedule("1.0", "0.06M")),
        BenchConfig("echogen-2b", ECHOGEN_2B, TOKENIZER_D32, published_schedule("1.0", "1M")),
        BenchConfig("tiny", _TINY, _TINY_TOKENIZER, _TINY_SCHEDULE, text_tokens=5),
    )
}


def bench_config(name: str) -> BenchConfig:
    """Raises ``InputError`` when there is no such configuration."""
    if name not in CONFIGS:
        raise InputError(
            Sentence("There is no configuration “{name}” to measure.", name=name),
            Sentence("Choose {configs}.", configs=", ".join(CONFIGS)),
        )
    return CONFIGS[name]


def random_transformer(config: TransformerConfig, device: torch.device, dtype: torch.dtype) -> Transformer:
    """With random weights on the device; what is computed in half precision is stored so."""
    with torch.device("meta"):
        net = Transformer(config)
    generator = torch.Generator(device).manual_seed(0)
    state = {}
    for name, parameter in net.named_parameters():
        spread = (3 / parameter.shape[-1]) ** 0.5 if parameter.dim() > 1 else 0.1
        stored = torch.float32 if keeps_float32("transformer", name) else dtype
        empty = torch.empty(parameter.shape, device=device, dtype=stored)
        state[name] = empty.uniform_(-spread, spread, generator=generator)
    net.load_state_dict(state, strict=True, assign=True)
    return net.eval().requires_grad_(False)


def random_autoencoder(config: TokenizerConfig, device: torch.device, dtype: torch.dtype) -> Autoencoder:
    """A visual tokenizer without its encoder, which drawing does not need."""
    autoencoder = Autoencoder(config)
    del autoencoder.encoder
    return autoencoder.to(device, dtype).eval().requires_grad_(False)


def random_prompt(config: TransformerConfig, key: int, length: int) -> PromptFeatures:
    generator = torch.Generator().manual_seed(key)
    return PromptFeatures(key, torch.randn(length, config.text_width, generator=generator))


def random_subject(config: TransformerConfig, key: int) -> SubjectFeatures:
    generator = torch.Generator().manual_seed(key)
    return SubjectFeatures(
        key,
        torch.randn(config.semantic_width, generator=generator),
        torch.randn(config.semantic_tokens, config.semantic_width, generator=generator),
        torch.randn(config.content_tokens, config.content_width, generator=generator),
    )
