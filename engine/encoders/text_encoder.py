"""The text encoder: a prompt to T5 features, one row per token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Encoding, Tokenizer
from torch import Tensor

from engine.encoders.assembly import assemble
from engine.encoders.t5 import T5Encoder
from engine.errors import BundleError
from engine.sentence import Sentence

TOKENIZER_FILE = "tokenizer.json"


@dataclass(frozen=True, eq=False)
class TextFeatures:
    """Features of one prompt.

    Attributes:
        features: (T, W_t) float32, T tokens with the end token.
        dropped: the words the limit cut off, as they were typed; empty when all were taken.
        unknown: words that hold a token the encoder's vocabulary lacks, in order, each once.
    """

    features: Tensor
    dropped: str = ""
    unknown: tuple[str, ...] = ()


class TextEncoder:
    """T5's encoder with its fast tokenizer.

    Weights in half precision only rest in it. The published program computes its products in bfloat16 and adds them up in
    float32; here products are in float32 as well, which costs milliseconds a prompt and leaves a thirteenth of the error.

    The published program pads every prompt to 512 tokens, masks the padding and keeps the rows of the real tokens; a
    prompt encoded alone, without padding, gives the same rows for less work.

    Args:
        model: the encoder.
        tokenizer: gives the tokens and appends the end token.
        limit: most tokens of a prompt, with the end token (rows of the transformer's null text).
    """

    def __init__(self, model: T5Encoder, tokenizer: Tokenizer, limit: int) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(limit)
        self.limit = limit

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], state: Mapping[str, Tensor], folder: Path, limit: int
    ) -> TextEncoder:
        """Build from a ``T5Config`` as a dict, the encoder's weights, and a folder with ``tokenizer.json``.

        The weights may have any spelling; the word table stands under one of its names, or under both.

        Raises:
            BundleError: the parts are missing, damaged, or do not fit each other.
        """
        model = assemble("text", lambda: T5Encoder(config), state)
        try:
            tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
        except Exception as error:  # the library raises bare Exception
            raise BundleError(
                Sentence(
                    "The words of the text encoder cannot be read from “{folder}/{tokenizer_file}”.",
                    folder=folder.name,
                    tokenizer_file=TOKENIZER_FILE,
                ),
                Sentence("Get the model again, or verify it under Models."),
            ) from error
        if tokenizer.get_vocab_size() > model.config.vocab_size:
            raise BundleError(
                Sentence(
                    "The text encoder knows {vocab_size} tokens, its word list has {tokenizer}.",
                    vocab_size=model.config.vocab_size,
                    tokenizer=tokenizer.get_vocab_size(),
                ),
                Sentence("Get the model again, or verify it under Models."),
            )
        return cls(model, tokenizer, limit)

    @property
    def device(self) -> torch.device:
        return self.model.device

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> TextEncoder:
        self.model.to(device=device, dtype=dtype)
        return self

    @torch.inference_mode()
    def encode(self, prompt: str) -> TextFeatures:
        """Features of a prompt, on the encoder's device. An empty prompt is the end token alone."""
        tokens = self.tokenizer.encode(prompt)
        ids = torch.tensor([tokens.ids], device=self.device)
        return TextFeatures(self.model(ids)[0], _dropped(prompt, tokens), self._unknown(prompt, tokens))

    def fit(self, prompt: str) -> tuple[str, tuple[str, ...]]:
        """``dropped`` and ``unknown`` of a prompt, without encoding it."""
        tokens = self.tokenizer.encode(prompt)
        return _dropped(prompt, tokens), self._unknown(prompt, tokens)

    def count(self, prompt: str) -> int:
        """Tokens of a prompt with its end token, at most ``limit``."""
        return len(self.tokenizer.encode(prompt))

    def _unknown(self, prompt: str, tokens: Encoding) -> tuple[str, ...]:
        unknown_token = getattr(self.tokenizer.model, "unk_token", None) or "<unk>"
        number = self.tokenizer.token_to_id(unknown_token)
        words = [
            _word_at(prompt, first)
            for identity, (first, last) in zip(tokens.ids, tokens.offsets, strict=True)
            if identity == number and last > first
        ]
        return tuple(dict.fromkeys(words))


def _dropped(prompt: str, tokens: Encoding) -> str:
    """The words behind the last one that was taken whole."""
    if not tokens.overflowing:
        return ""
    end = max((last for _, last in tokens.offsets), default=0)
    if end < len(prompt) and not prompt[end].isspace():
        while end > 0 and not prompt[end - 1].isspace():
            end -= 1
    return prompt[end:].strip()


def _word_at(prompt: str, position: int) -> str:
    """The word around a position, without the punctuation at its ends."""
    while position < len(prompt) and prompt[position].isspace():
        position += 1
    start = end = position
    while start > 0 and not prompt[start - 1].isspace():
        start -= 1
    while end < len(prompt) and not prompt[end].isspace():
        end += 1
    word = prompt[start:end]
    return word.strip(".,;:!?\"'()[]“”‘’") or word
