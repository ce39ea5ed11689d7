"""Pictures for the evaluation through the public engine: as the program draws them, or with one of a bundle's parts off."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from engine.bundle.library import resolve_bundle
from engine.bundle.loader import Bundle, load_bundle
from engine.engine import Engine
from engine.evaluation.imagenet import to_picture
from engine.events import Finished
from engine.request import CutOut, GenerationRequest
from engine.runtime.devices import choose_device
from engine.runtime.plans import plan_for

Off = Literal["", "without_semantic", "without_content", "without_subject"]
OFF: dict[Off, str] = {
    "without_semantic": "semantic path off",
    "without_content": "content path off",
    "without_subject": "subject strength 0",
}


class PictureSource:
    """Draws a bundle's pictures with its default settings at its first size.

    Attributes:
        bundle: with its tokenizer's encoder.
    """

    def __init__(self, bundle: Bundle, device: str = "auto") -> None:
        self.bundle = bundle
        self._device = choose_device(device)
        self._plan = plan_for(bundle.manifest, self._device, "auto")
        self._engines: dict[str, Engine] = {}

    @classmethod
    def open(cls, bundle: str | Path) -> PictureSource:
        """Open a bundle by its name or folder. Raises ``BundleError``."""
        return cls(load_bundle(resolve_bundle(bundle), tokenizer_encoder=True))

    def __call__(self, subject: CutOut | None, prompt: str, seed: int, off: Off = "", **given: Any) -> Tensor:
        """One picture (3, H, W) in [-1, 1].

        Args:
            off: the part that is switched off. A path that is off sees what the model learned for a missing subject.
            given: further fields of the request.
        """
        request = GenerationRequest(prompt, subject, seed=seed, **{**self.bundle.manifest.request_defaults(), **given})
        if off == "without_subject":
            request = replace(request, subject_strength=0.0, look_strength=None)
        finished = None
        for event in self._engine(off).generate(request, previews=False):
            finished = event
        assert isinstance(finished, Finished)
        return to_picture(finished.image)

    def _engine(self, off: Off) -> Engine:
        """An engine for each switched-off path: what it keeps between pictures is of that path alone."""
        key = off if off in ("without_semantic", "without_content") else ""
        if key not in self._engines:
            self._engines[key] = Engine(self._without(key), self._device, self._plan)
        return self._engines[key]

    def _without(self, part: str) -> Bundle:
        null_class, null_patches, null_content = (value[0] for value in self.bundle.transformer.null_subject())
        if part == "without_semantic":
            return replace(self.bundle, semantic=_answering(self.bundle.semantic, (null_class, null_patches)))
        if part == "without_content":
            return replace(self.bundle, content=_answering(self.bundle.content, null_content))
        return self.bundle


def _answering(encoder: Any, answer: Any) -> Any:
    """In place of an encoder: the same, but with one answer to everything."""
    return _Answers(encoder, answer)


class _Answers:
    """An encoder that gives one answer to every cut-out, and is otherwise the encoder it stands for."""

    def __init__(self, encoder: Any, answer: Any) -> None:
        self._encoder, self._answer = encoder, answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._encoder, name)

    def encode(self, *_: Any, **__: Any) -> Any:
        return self._answer
