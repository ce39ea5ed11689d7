"""Qwen2.5-VL through transformers: what is the main subject of a photo, in one noun phrase."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import PhotoError
from engine.photo.load import Photo
from engine.preflight.colours.working_photo import shrunk
from engine.preflight.networks.pretrained import load_model, load_part
from engine.sentence import Sentence

TITLE = "Qwen2.5-VL"
QUESTION = (
    "What is the main subject of this photo? Answer with one short English noun phrase of one to four words, "
    "such as: red sneaker. No article, no sentence, no punctuation."
)
IMAGE_TOKEN = "<|image_pad|>"
_LONG_SIDE = 896
_MOST_TOKENS = 16
_MOST_NARROW = 200
"""Longer side to shorter one: what the publisher's processor takes."""
_MOST_WORDS = 5
_MOST_CHARACTERS = 40
_INTRODUCTIONS = re.compile(
    r"^(?:(?:the|a)\s+)?(?:main\s+)?(?:subject|answer|object|photo|image|picture|it|this)\b[^:]*?\s*(?:\b(?:is|shows|depicts)\b|:)\s*",
    re.IGNORECASE,
)
_ARTICLES = re.compile(r"^(?:a|an|the|one|some|this|that)\s+", re.IGNORECASE)
_NO_NAMES = {
    "",
    "none",
    "nothing",
    "unknown",
    "unclear",
    "n",
    "object",
    "subject",
    "thing",
    "photo",
    "image",
    "picture",
}
_SENTENCES = re.compile(r"\b(?:i|i'm|sorry|cannot|can't|is|are|there|please|you)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Name:
    """A name for the subject, and how sure the model was of its words, 0 … 1."""

    text: str
    score: float


class Namer:
    """Names the subject of a photo. Thread-safe.

    Args:
        model: ``transformers.Qwen2_5_VLForConditionalGeneration``.
        tokenizer: its tokenizer, with the chat template.
        processor: cuts pictures into patches.
    """

    def __init__(self, model: Any, tokenizer: Any, processor: Any) -> None:
        self.model, self.tokenizer, self.processor = model, tokenizer, processor
        self._lock = threading.Lock()

    @classmethod
    def from_folder(cls, folder: Path, device: str = "cpu") -> Namer:
        """Load from a folder as the hub has it; bfloat16 on a graphics card. Raises ``BundleError``."""

        def load() -> Namer:
            import torch
            from transformers import AutoTokenizer
            from transformers.models.qwen2_5_vl import Qwen2_5_VLForConditionalGeneration
            from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

            dtype = torch.float32 if device == "cpu" else torch.bfloat16
            model = load_model(Qwen2_5_VLForConditionalGeneration, folder, device, dtype)
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            processor = Qwen2VLImageProcessorPil.from_pretrained(folder, local_files_only=True)
            return cls(model, tokenizer, processor)

        return load_part(TITLE, folder, load)

    def name(self, photo: Photo) -> Name | None:
        """The subject's name, or None when the answer is none. Raises ``PhotoError`` for a photo that is too narrow."""
        answer, score = self.answer(photo)
        text = parse_name(answer)
        return Name(text, score) if text else None

    def answer(self, photo: Photo) -> tuple[str, float]:
        """The model's answer, unparsed, and the geometric mean of its tokens' probabilities."""
        import torch

        with self._lock, torch.inference_mode():
            inputs = self._inputs(photo)
            length = inputs["input_ids"].shape[1]
            found = self.model.generate(
                **inputs,
                max_new_tokens=_MOST_TOKENS,
                do_sample=False,
                temperature=None,
                top_p=None,
                top_k=None,
                repetition_penalty=1.0,
                return_dict_in_generate=True,
                output_scores=True,
                pad_token_id=self._pad_token(),
            )
            tokens = found.sequences[0, length:]
            steps = zip(found.scores, tokens, strict=False)
            logs = [float(score[0].float().log_softmax(-1)[token]) for score, token in steps]
        answer = self.tokenizer.decode(tokens, skip_special_tokens=True)
        return answer, float(np.exp(np.mean(logs))) if logs else 0.0

    def _inputs(self, photo: Photo) -> dict[str, Any]:
        import torch

        small = shrunk(photo.rgb, _LONG_SIDE)
        if max(small.shape[:2]) > _MOST_NARROW * min(small.shape[:2]):
            raise PhotoError(
                Sentence(
                    "A photo of {width} × {height} pixels is too narrow for {title} to name what is on it.",
                    width=photo.width,
                    height=photo.height,
                    title=TITLE,
                ),
                Sentence("Type the name, or cut the photo."),
            )
        pixels = self.processor(small, return_tensors="pt", input_data_format="channels_last")
        patches = int(pixels["image_grid_thw"][0].prod()) // self.processor.merge_size**2
        messages = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": QUESTION}]}]
        text = self.tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        # The template writes one token for the picture; the model wants one for every patch.
        text = text.replace(IMAGE_TOKEN, IMAGE_TOKEN * patches, 1)
        tokens = self.tokenizer(text, return_tensors="pt", add_special_tokens=False)
        device = self.model.device
        ids = tokens["input_ids"]
        return {
            "input_ids": ids.to(device),
            "attention_mask": torch.ones_like(ids).to(device),
            "mm_token_type_ids": (ids == self.model.config.image_token_id).int().to(device),
            "pixel_values": pixels["pixel_values"].to(device, self.model.dtype),
            "image_grid_thw": pixels["image_grid_thw"].to(device),
        }

    def _pad_token(self) -> int:
        for token in (self.tokenizer.pad_token_id, self.tokenizer.eos_token_id):
            if token is not None:
                return int(token)
        return 0


def parse_name(answer: str) -> str:
    """A noun phrase out of whatever a language model answered; "" when there is none in it."""
    lines = [line.strip() for line in answer.splitlines() if line.strip()]
    if not lines:
        return ""
    text = _INTRODUCTIONS.sub("", lines[0].strip(" \t*_`\"'“”‘’-•"))
    text = re.split(r"[.,;:!?()\[\]{}<>/|]", text, maxsplit=1)[0]
    text = _ARTICLES.sub("", text.strip(" \t*_`\"'“”‘’-•"))
    text = " ".join(re.sub(r"[^\w\s'-]+|_", " ", text).split()).lower()
    words = text.split()
    if _SENTENCES.search(text) or text in _NO_NAMES or len(words) > _MOST_WORDS or len(text) > _MOST_CHARACTERS:
        return ""
    return text if any(character.isalpha() for character in text) else ""
