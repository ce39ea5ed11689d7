"""Features of prompts and cut-outs, kept within a byte budget.

Changing the prompt keeps the subject's features, and correcting the mask keeps the prompt's.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from engine.device.cache import ByteBudgetCache
from engine.device.devices import wait_for
from engine.device.streamed_unit import StreamedUnit
from engine.encoders.content import ContentEncoder
from engine.encoders.placed import on_white, place_cut_out
from engine.encoders.semantic import SemanticEncoder
from engine.encoders.text_encoder import TextEncoder
from engine.errors import Cancel, raise_if_cancelled
from engine.placement import Placement
from engine.request import CutOut


@dataclass(frozen=True, eq=False)
class PromptFeatures:
    """Encoded text: ``features`` (T, W_t), and a key that stands for the text in the caches."""

    key: Hashable
    features: Tensor


@dataclass(frozen=True, eq=False)
class SubjectFeatures:
    """An encoded cut-out: class token (W_s,), patches (S, W_s), content latents (P, W_c), and a key for the caches."""

    key: Hashable
    class_token: Tensor
    patches: Tensor
    content: Tensor


class Features:
    """The three encoders behind one cache.

    Args:
        device: where the encoders compute.
        offload_text: the text encoder lies on the CPU and comes to the device only while it works.
        cache_bytes: budget of what is kept. A prompt of the largest model takes at most 4 MB, a subject 3.5 MB.

    Attributes:
        seconds: what the last calls took, by "text", "semantic" and "content"; set it anew before a picture.
    """

    def __init__(
        self,
        text: TextEncoder,
        semantic: SemanticEncoder,
        content: ContentEncoder,
        device: torch.device,
        *,
        offload_text: bool = False,
        cache_bytes: int = 128 * 2**20,
    ) -> None:
        self.text, self.semantic, self.content = text, semantic, content
        self.device = device
        self._visiting = StreamedUnit([*text.model.parameters()], device, pinned=False) if offload_text else None
        self.cache = ByteBudgetCache(cache_bytes)
        self.seconds: dict[str, float] = {}

    def has_prompt(self, prompt: str) -> bool:
        return ("prompt", prompt) in self.cache

    def has_subject(self, subject: CutOut, placement: Placement | None = None) -> bool:
        return ("semantic", subject.digest) in self.cache and ("content", subject.digest, placement) in self.cache

    def prompt(self, prompt: str, cancel: Cancel | None = None) -> PromptFeatures:
        """Encode a prompt. Raises ``Cancelled``."""

        def make() -> PromptFeatures:
            with self._timed("text"), self._text_on_device(), cancellable(self.text.model, cancel):
                return PromptFeatures(prompt, self.text.encode(prompt).features)

        return self.cache.get(("prompt", prompt), make)

    def subject(
        self, subject: CutOut, cancel: Cancel | None = None, *, placement: Placement | None = None
    ) -> SubjectFeatures:
        """Encode a cut-out: what it is, and what it looks like. Raises ``Cancelled``.

        Args:
            placement: where it stands, for a placed content path; None shows it to that path centred, as published.
        """

        def encode_appearance() -> Tensor:
            with self._timed("content"), cancellable(self.content.model, cancel):
                if placement is None:
                    return self.content.encode(subject.rgb)
                side = self.content.input_size
                return self.content.encode(on_white(place_cut_out(subject, placement, side, side)))

        class_token, patches = self.semantic_tokens(subject, cancel)
        content = self.cache.get(("content", subject.digest, placement), encode_appearance)
        return SubjectFeatures(self.subject_key(subject, placement), class_token, patches, content)

    def semantic_tokens(self, subject: CutOut, cancel: Cancel | None = None) -> tuple[Tensor, Tensor]:
        """Class token and patches of a cut-out; they do not depend on its place. Raises ``Cancelled``."""

        def encode() -> tuple[Tensor, Tensor]:
            with self._timed("semantic"), cancellable(self.semantic.model, cancel):
                return self.semantic.encode(subject.rgb)

        return self.cache.get(("semantic", subject.digest), encode)

    @staticmethod
    def subject_key(subject: CutOut, placement: Placement | None) -> Hashable:
        """Stands for a cut-out at its place in the sampler's caches."""
        return subject.digest if placement is None else (subject.digest, placement)

    @contextlib.contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        wait_for(self.device)
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - started

    @contextlib.contextmanager
    def _text_on_device(self) -> Iterator[None]:
        if self._visiting is not None:
            self._visiting.enter()
        try:
            yield
        finally:
            if self._visiting is not None:
                self._visiting.leave()


@contextlib.contextmanager
def cancellable(model: nn.Module, cancel: Cancel | None) -> Iterator[None]:
    """Within, every layer of the model looks at ``cancel`` before it runs, and raises ``Cancelled``."""
    if cancel is None:
        yield
        return

    def before_layer(*_: Any) -> None:
        raise_if_cancelled(cancel)

    lists = [module for module in model.modules() if isinstance(module, nn.ModuleList)]
    layers = [layer for module in lists for layer in module if layer is not None]
    handles = [module.register_forward_pre_hook(before_layer) for module in [model, *layers]]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
