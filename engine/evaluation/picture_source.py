"""Pictures for the evaluation through the public engine: as the program draws them, or with one of a bundle's parts off."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from engine.bundle.library import resolve_bundle
from engine.bundle.loader import Bundle, load_bundle
from engine.device.devices import choose_device
from engine.encoders.placed import place_cut_out
from engine.engine import Engine
from engine.evaluation.imagenet import to_picture
from engine.events import Finished, ScalePreview
from engine.placement import Placement
from engine.planning.plans import plan_for
from engine.request import CutOut, GenerationRequest
from engine.tokenizer.autoencoder import Autoencoder
from engine.tokenizer.config import TokenizerConfig
from engine.tokenizer.quantizer import MultiScaleQuantizer

Off = Literal["", "without_semantic", "without_content", "without_reference", "without_subject"]
OFF: dict[Off, str] = {
    "without_semantic": "semantic path off",
    "without_content": "content path off",
    "without_reference": "reference decoder off",
    "without_subject": "subject strength 0",
}


class PictureSource:
    """Draws a bundle's pictures with its default settings at its first size.

    Attributes:
        bundle: with its tokenizer's encoder.
        side: of the cut-outs, in pixels.
        size: (width, height) of the pictures.
        places: whether the place of the subject is an input, and so known.
        off: the parts that can be switched off.
    """

    def __init__(self, bundle: Bundle) -> None:
        manifest = bundle.manifest
        self.bundle, self.side, self.size = bundle, manifest.reference_size, manifest.sizes[0]
        self.places = manifest.placed_content is not None
        looks = bundle.tokenizer.decoder.reference is not None
        self.off: tuple[Off, ...] = tuple(part for part in OFF if looks or part != "without_reference")
        self._device = choose_device()
        self._plan = plan_for(manifest, self._device, "auto")
        self._engines: dict[str, Engine] = {}

    @classmethod
    def open(cls, bundle: str | Path) -> PictureSource:
        """Open a bundle by its name or folder. Raises ``BundleError``."""
        return cls(load_bundle(resolve_bundle(bundle), tokenizer_encoder=True))

    # Drawing

    def __call__(self, subject: CutOut | None, prompt: str, seed: int, off: Off = "", **given: Any) -> Tensor:
        """One picture (3, H, W) in [-1, 1].

        Args:
            off: the part that is switched off. A path that is off sees what the model learned for a missing subject.
            given: further fields of the request, for example ``placement``.
        """
        return to_picture(self.finished(subject, prompt, seed, off, **given).image)

    def finished(self, subject: CutOut | None, prompt: str, seed: int, off: Off = "", **given: Any) -> Finished:
        """The same with all that the program knows of it, for example how alike it is."""
        request = self.request(subject, prompt, seed, **given)
        if off == "without_subject":
            request = replace(request, subject_strength=0.0, look_strength=None)
        finished = None
        for event in self._engine(off).generate(request, previews=False):
            finished = event
        assert isinstance(finished, Finished)
        return finished

    def request(self, subject: CutOut | None, prompt: str, seed: int, **given: Any) -> GenerationRequest:
        """A request with the bundle's own settings."""
        return GenerationRequest(prompt, subject, seed=seed, **{**self.bundle.manifest.request_defaults(), **given})

    def first_preview_seconds(self, subject: CutOut, prompt: str, seed: int) -> float:
        """Seconds until something is seen of a first picture, with everything encoded anew."""
        with Engine(self.bundle, self._device, self._plan) as engine:
            started = time.perf_counter()
            for event in engine.generate(self.request(subject, prompt, seed)):
                if isinstance(event, ScalePreview):
                    break
            return time.perf_counter() - started

    def _engine(self, off: Off) -> Engine:
        """An engine for each switched-off part: what it keeps between pictures is of that part alone."""
        key = "" if off == "without_subject" else off
        if key not in self._engines:
            self._engines[key] = Engine(self._without(key), self._device, self._plan)
        return self._engines[key]

    def _without(self, part: str) -> Bundle:
        bundle = self.bundle
        null_class, null_patches, null_content = (value[0] for value in bundle.transformer.null_subject())
        if part == "without_semantic":
            return replace(bundle, semantic=_answering(bundle.semantic, (null_class, null_patches)))
        if part == "without_content":
            return replace(bundle, content=_answering(bundle.content, null_content))
        if part == "without_reference":
            return replace(bundle, tokenizer=_plain(bundle.tokenizer, bundle.manifest.tokenizer))
        return bundle

    # The subject's place, for a bundle that ``places``

    def automatic(self, subject: CutOut, seed: int, mirrored: bool = False) -> Placement:
        """Some place within the ranges of the bundle."""
        placed = self.bundle.manifest.placed_content
        assert placed is not None
        return replace(placed.ranges.automatic(subject, seed, self.size), mirrored=mirrored)

    def mask(self, subject: CutOut, placement: Placement) -> Tensor:
        """Return the mask of a subject in its picture, (1, H, W) in 0 … 1."""
        return torch.from_numpy(place_cut_out(subject, placement, *self.size))[None, ..., 3]

    # Bits

    @torch.inference_mode()
    def through_bits(self, pictures: Tensor, canvas: Tensor | None = None) -> Tensor:
        """Pictures (B, 3, H, W) through the tokenizer's bits and back: the best any drawing could be.

        Args:
            canvas: the placed cut-outs, premultiplied RGBA (B, 4, H, W) in 0 … 1, for a decoder that looks at them.
        """
        tokenizer = self.bundle.tokenizer
        quantizer = MultiScaleQuantizer(self.bundle.manifest.tokenizer)
        made = []
        for start in range(0, len(pictures), 8):
            features = tokenizer.encode(pictures[start : start + 8])
            summed = quantizer(features, self.bundle.manifest.schedules[0].grids).summed
            made.append(tokenizer.decode(summed, None if canvas is None else canvas[start : start + 8]))
        return torch.cat(made).clamp(-1, 1)


def _plain(tokenizer: Autoencoder, config: TokenizerConfig) -> Autoencoder:
    """The same tokenizer with a decoder that sees the bits alone."""
    plain = Autoencoder(replace(config, reference_channels=(), relight=0.0))
    plain.load_state_dict({name: value for name, value in tokenizer.state_dict().items() if ".reference." not in name})
    return plain.eval()


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
