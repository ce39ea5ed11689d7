"""GroundingDINO (Liu et al., 2023) through transformers: a name in, boxes with scores out."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import numpy as np

from engine.photo.hints import Box
from engine.photo.load import Photo
from engine.preflight.networks.pretrained import load_model, load_part

TITLE = "GroundingDINO"
BOX_THRESHOLD = 0.25
TEXT_THRESHOLD = 0.25
"""The defaults of transformers' own processor. The authors' demonstration has 0.35 and 0.25, EchoGen's script 0.01 and the first box."""

_SAME = 0.8
_MOST_BOXES = 8


class Grounder:
    """Finds what a name says. Thread-safe.

    Args:
        model: ``transformers.GroundingDinoForObjectDetection``.
        tokenizer: its tokenizer; fast or slow.
        processor: prepares pictures (resized, normalised).
        box_threshold: boxes below this score are left out, 0 … 1.
        text_threshold: words of the query below this score are left out of a box's label, 0 … 1.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        processor: Any,
        box_threshold: float = BOX_THRESHOLD,
        text_threshold: float = TEXT_THRESHOLD,
    ) -> None:
        self.model, self.tokenizer, self.processor = model, tokenizer, processor
        self.box_threshold, self.text_threshold = box_threshold, text_threshold
        self._lock = threading.Lock()

    @classmethod
    def from_folder(
        cls,
        folder: Path,
        device: str = "cpu",
        box_threshold: float = BOX_THRESHOLD,
        text_threshold: float = TEXT_THRESHOLD,
    ) -> Grounder:
        """Load from a folder as the hub has it. Raises ``BundleError``."""

        def load() -> Grounder:
            import torch
            from transformers import AutoTokenizer
            from transformers.models.grounding_dino import GroundingDinoForObjectDetection
            from transformers.models.grounding_dino.image_processing_pil_grounding_dino import (
                GroundingDinoImageProcessorPil,
            )

            model = load_model(GroundingDinoForObjectDetection, folder, device, torch.float32)
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            processor = GroundingDinoImageProcessorPil.from_pretrained(folder, local_files_only=True)
            return cls(model, tokenizer, processor, box_threshold, text_threshold)

        return load_part(TITLE, folder, load)

    def find(self, photo: Photo, name: str) -> tuple[Box, ...]:
        """Boxes of what the name says, best first, in photo pixels; empty when nothing reaches the threshold."""
        import torch

        words = query(name)
        if not words:
            return ()
        with self._lock, torch.inference_mode():
            pixels = self.processor(photo.rgb, return_tensors="pt", input_data_format="channels_last")
            tokens = self.tokenizer(
                words, return_tensors="pt", truncation=True, max_length=self.model.config.max_text_len
            )
            given = {**dict(pixels), **dict(tokens)}
            found = self.model(**{key: value.to(self.model.device) for key, value in given.items()})
            probabilities = found.logits[0].float().sigmoid().cpu().numpy()
            boxes = found.pred_boxes[0].float().cpu().numpy()
        ids = tokens["input_ids"][0].tolist()
        return self._candidates(probabilities, boxes, ids, photo)

    def _candidates(
        self, probabilities: np.ndarray, boxes: np.ndarray, ids: list[int], photo: Photo
    ) -> tuple[Box, ...]:
        """Boxes above the threshold without near repetitions. ``boxes``: (N, 4), shares: centre x, y, width, height."""
        probabilities = np.nan_to_num(probabilities[:, : len(ids)])
        scores = probabilities.max(1)
        kept: list[Box] = []
        for index in np.argsort(-scores, kind="stable"):
            if scores[index] <= self.box_threshold or len(kept) == _MOST_BOXES:
                break
            x, y, w, h = (float(value) for value in boxes[index])
            box = Box(
                float(np.clip((x - w / 2) * photo.width, 0, photo.width)),
                float(np.clip((y - h / 2) * photo.height, 0, photo.height)),
                float(np.clip((x + w / 2) * photo.width, 0, photo.width)),
                float(np.clip((y + h / 2) * photo.height, 0, photo.height)),
                float(scores[index]),
                self._label(probabilities[index], ids),
            )
            if box.x1 - box.x0 >= 1 and box.y1 - box.y0 >= 1 and all(box.overlap(other) < _SAME for other in kept):
                kept.append(box)
        return tuple(kept)

    def _label(self, probabilities: np.ndarray, ids: list[int]) -> str:
        special = set(self.tokenizer.all_special_ids)
        chosen = [
            token
            for token, probability in zip(ids, probabilities, strict=True)
            if probability > self.text_threshold and token not in special
        ]
        return self.tokenizer.decode(chosen).replace(".", " ").strip()


def query(name: str) -> str:
    """A name as GroundingDINO was trained on queries: lower case, one phrase, closed by a full stop; or ""."""
    words = re.sub(r"[^\w\s'-]+", " ", name.lower()).split()
    return " ".join(words) + "." if words else ""
