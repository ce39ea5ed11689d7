"""Drawing for the evaluation: the parts of a bundle without previews and events, and with one of its two paths cut."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from engine.bundle.loader import Bundle, load_bundle
from engine.encoders.features import PromptFeatures, SubjectFeatures
from engine.encoders.pixels import at_size
from engine.encoders.placed import on_white, place_cut_out
from engine.model.config import ScaleSchedule
from engine.request import CutOut
from engine.sampling.guidance import Guidance
from engine.sampling.sampler import Conditions, Sampler
from engine.tokenizer.preview import Preview
from engine.tokenizer.quantizer import MultiScaleQuantizer

Paths = Literal["both", "without_semantic", "without_content", "without_subject"]
CUT_PATHS: tuple[Paths, ...] = ("without_semantic", "without_content", "without_subject")


@dataclass(frozen=True, eq=False)
class EncodedSubject:
    """A cut-out, encoded: its features, and the canvas (1, 4, H, W) for a decoder that looks at it."""

    features: SubjectFeatures
    canvas: Tensor | None = None


class Drawer:
    """Draws a bundle's pictures at its first size and its default strengths."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.schedule: ScaleSchedule = bundle.manifest.schedules[0]
        self.sampler = Sampler(bundle.transformer, bundle.manifest.tokenizer)
        self.quantizer = MultiScaleQuantizer(bundle.manifest.tokenizer)

    @classmethod
    def open(cls, folder: Path) -> Drawer:
        """Open a bundle with its tokenizer's encoder. Raises ``BundleError``."""
        return cls(load_bundle(folder, tokenizer_encoder=True))

    @property
    def guidance(self) -> Guidance:
        defaults = self.bundle.manifest.defaults
        return Guidance.of(
            len(self.schedule.grids),
            defaults.prompt_strength,
            defaults.subject_strength,
            temperature=defaults.temperature,
            top_p=defaults.top_p,
        )

    def encode_subject(self, key: str, subject: CutOut, seed: int = 0) -> EncodedSubject:
        """Encode a cut-out; where its place is an input, at the automatic one of ``seed``."""
        class_token, patches = self.bundle.semantic.encode(subject.rgb)
        placed = self.bundle.manifest.placed_content
        if placed is None:
            return EncodedSubject(SubjectFeatures(key, class_token, patches, self.bundle.content.encode(subject.rgb)))
        canvas = place_cut_out(subject, placed.ranges.automatic(subject, seed, self.schedule.size), *self.schedule.size)
        content = self.bundle.content.encode(at_size(on_white(canvas), self.bundle.content.input_size))
        features = SubjectFeatures((key, seed), class_token, patches, content)
        return EncodedSubject(features, torch.from_numpy(canvas).permute(2, 0, 1)[None])

    def draw(self, subject: EncodedSubject, prompt: str, seed: int, paths: Paths = "both") -> Tensor:
        """One picture (1, 3, H, W) in [-1, 1].

        Args:
            paths: what of the subject is seen. A path that is cut sees what the model learned for a missing subject;
                "without_subject" is subject strength 0, which leaves the prompt alone.
        """
        guidance = self.guidance
        if paths == "without_subject":
            none = (0.0,) * len(guidance.identity)
            guidance = replace(guidance, identity=none, look=none)
        summed = torch.empty(0)
        for drawn in self.sampler.draw(
            self._conditions(subject.features, self.bundle.manifest.read_as(prompt, seed), paths),
            guidance,
            self.schedule,
            seed,
        ):
            summed = drawn.summed
        return self._decode(summed, None if paths == "without_subject" else subject.canvas)

    def draw_scales(self, subject: EncodedSubject, prompt: str, seed: int) -> list[np.ndarray]:
        """One picture as a person sees it form: the preview after each scale, RGB uint8, the last one the picture itself."""
        preview = Preview.of_bundle(self.bundle.tokenizer, self.bundle.manifest.tokenizer, self.bundle.folder)
        images, summed = [], torch.empty(0)
        conditions = self._conditions(subject.features, self.bundle.manifest.read_as(prompt, seed), "both")
        for drawn in self.sampler.draw(conditions, self.guidance, self.schedule, seed):
            summed = drawn.summed
            images.append(preview(summed, drawn.scale, self.schedule.size, subject.canvas))
        return [*images[:-1], to_pixels(self._decode(summed, subject.canvas)[0])]

    def _conditions(self, subject: SubjectFeatures, prompt: str, paths: Paths) -> Conditions:
        features = PromptFeatures(prompt, self.bundle.text.encode(prompt).features)
        return Conditions(features, self._cut(subject, paths))

    @torch.inference_mode()
    def _decode(self, summed: Tensor, canvas: Tensor | None) -> Tensor:
        return self.bundle.tokenizer.decode(summed, canvas).clamp(-1, 1)

    def _cut(self, subject: SubjectFeatures, paths: Paths) -> SubjectFeatures:
        null_class, null_patches, null_content = (value[0] for value in self.bundle.transformer.null_subject())
        key = (subject.key, paths)
        if paths == "without_semantic":
            return SubjectFeatures(key, null_class, null_patches, subject.content)
        if paths == "without_content":
            return SubjectFeatures(key, subject.class_token, subject.patches, null_content)
        return SubjectFeatures(key, subject.class_token, subject.patches, subject.content)

    @torch.inference_mode()
    def reconstruct(self, pictures: Tensor) -> Tensor:
        """Pictures (B, 3, H, W) through the tokenizer's bits and back: the best any drawing could be."""
        made = []
        for part in pictures.split(8):
            features = self.bundle.tokenizer.encode(part)
            made.append(self.bundle.tokenizer.decode(self.quantizer(features, self.schedule.grids).summed))
        return torch.cat(made).clamp(-1, 1)


def to_pixels(picture: Tensor) -> np.ndarray:
    """(3, H, W) in [-1, 1] → RGB uint8 (H, W, 3)."""
    return ((picture.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
