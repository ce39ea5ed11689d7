"""The autoencoders as later stages use them: finished, without gradients."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor

from engine.errors import InputError
from engine.sentence import Sentence
from engine.tokenizer.autoencoder import Autoencoder
from engine.tokenizer.config import TokenizerConfig
from engine.tokenizer.quantizer import MultiScaleQuantizer
from engine.training import checkpoint
from engine.training.config import TrainingConfig


@dataclass(frozen=True)
class FrozenParts:
    """The frozen parts that a transformer and a decoder are trained on.

    Attributes:
        tokenizer: its config with the learned gains; with the reference branch where that is trained.
        autoencoder: the visual tokenizer's averaged weights.
        content: the content autoencoder's averaged weights.
        tokenizer_fingerprint: of everything that fixes the codes: a decoder of other codes is worthless.
        fingerprint: of that and the content encoder: so is a transformer of others.
    """

    tokenizer: TokenizerConfig
    autoencoder: Autoencoder
    content: AutoencoderKL
    tokenizer_fingerprint: str
    fingerprint: str

    @classmethod
    def load(
        cls, config: TrainingConfig, runs: Path, device: torch.device | str = "cpu", *, with_decoder: bool = True
    ) -> FrozenParts:
        """Read the stages' averaged weights.

        Args:
            with_decoder: use the decoder of its own stage, where that has been trained.

        Raises:
            InputError: tokenizer or content autoencoder have not been trained yet, or a checkpoint is damaged.
        """
        weights = _average(config, runs, "tokenizer")
        content_weights = _average(config, runs, "content")
        gains = weights.pop("quantizer.gains", torch.zeros(0))
        quantizer = MultiScaleQuantizer(config.plain_tokenizer, learn_gains=bool(config.tokenizer.scale_gains))
        if len(gains):
            quantizer.load_state_dict({"gains": gains})
        learned = quantizer.learned_config()
        weights = {name.removeprefix("autoencoder."): value for name, value in weights.items()}
        if with_decoder and config.tokenizer.reference_channels and (runs / "decoder" / "full.pt").exists():
            learned = replace(learned, reference_channels=config.tokenizer.reference_channels)
            kept = {name: value for name, value in weights.items() if name.startswith("encoder.")}
            weights = kept | _average(config, runs, "decoder")
        autoencoder = Autoencoder(learned)
        autoencoder.load_state_dict(weights)
        content = AutoencoderKL(**config.content)
        content.load_state_dict(content_weights)
        codes = _fingerprint([*autoencoder.encoder.state_dict().items(), ("gains", gains)])
        both = _fingerprint([*autoencoder.encoder.state_dict().items(), *content.encoder.state_dict().items()], gains)
        for module in (autoencoder, content):
            module.to(device).eval().requires_grad_(False)
        return cls(learned, autoencoder, content, codes, both)


def _average(config: TrainingConfig, runs: Path, stage: str) -> dict[str, Tensor]:
    path = runs / stage / "full.pt"
    if not path.exists():
        raise InputError(
            Sentence("The {stage} stage has no checkpoint in {runs} yet.", stage=stage, runs=runs),
            Sentence("Train it first: --stage {stage}.", stage=stage),
        )
    state: dict[str, Any] = checkpoint.load_full(path, config.digest(stage))
    return dict(state["stage"]["average"])


def _fingerprint(weights: Iterable[tuple[str, Tensor]], gains: Tensor | None = None) -> str:
    digest = hashlib.sha256()
    for name, value in weights:
        digest.update(name.encode() + value.float().numpy().tobytes())
    if gains is not None:
        digest.update(gains.float().numpy().tobytes())
    return digest.hexdigest()[:16]
