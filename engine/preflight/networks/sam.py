"""SAM 2.1 (Ravi et al., 2024) through transformers: a photo is embedded once, then boxes and clicks answer at once.

The published checkpoint ``facebook/sam2.1-hiera-small`` is that of a *video* model. Its image half has the same names in
``Sam2Model``; the memory of earlier frames is left where it is. Pictures are prepared here: a square resize, then
normalised, as the publisher's processor does, which needs a library that is not installed.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from engine.photo.hints import Box, Click
from engine.photo.load import Photo
from engine.preflight.networks.pretrained import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    channel_values,
    load_model,
    load_part,
    normalised,
    preprocessing,
)

TITLE = "SAM 2.1"
_MASK_CERTAINTY = 10.0
"""Logit that stands for a mask the user already has."""


class Sam:
    """SAM 2.1 with the embeddings of the last photos. Thread-safe.

    Args:
        model: ``transformers.Sam2Model``.
        mean, std: per channel, for pictures of 0 … 1.
        keep: photos whose embedding is kept, about 20 MB each.
    """

    def __init__(self, model: Any, mean: np.ndarray, std: np.ndarray, keep: int = 2) -> None:
        self.model = model
        self.mean, self.std = mean, std
        self.side = int(model.config.prompt_encoder_config.image_size)
        self._keep = keep
        self._embeddings: OrderedDict[str, Any] = OrderedDict()
        self._lock = threading.Lock()

    @classmethod
    def from_folder(cls, folder: Path, device: str = "cpu") -> Sam:
        """Load from a folder as the hub has it, an image model's or a video model's.

        Raises:
            BundleError: the folder is missing, damaged or incomplete.
        """

        def load() -> Sam:
            import torch
            from transformers.models.sam2 import Sam2Config, Sam2Model

            config = image_config(Sam2Config.get_config_dict(folder, local_files_only=True)[0])
            model = load_model(Sam2Model, folder, device, torch.float32, config=config)
            settings = preprocessing(folder)
            return cls(
                model,
                channel_values(settings, "image_mean", IMAGENET_MEAN),
                channel_values(settings, "image_std", IMAGENET_STD),
            )

        return load_part(TITLE, folder, load)

    def embed(self, photo: Photo) -> None:
        """Do once what every cut of this photo needs: the next one answers at once."""
        import torch

        with self._lock, torch.inference_mode():
            self._embedded(photo)

    def cut(
        self, photo: Photo, box: Box | None = None, clicks: Sequence[Click] = (), start: np.ndarray | None = None
    ) -> tuple[np.ndarray, float]:
        """The best of the masks SAM offers.

        One click can mean a thing, its part or all around it: SAM is asked for three masks then. A box, several clicks or a mask
        to go on from say what is meant, and SAM is asked for one, as its authors recommend.

        Args:
            box: around the subject. clicks: on it or beside it; at least one of both, or ``start``.
            start: uint8 (H, W), the mask so far.

        Returns:
            Logits float32 (h, w), above 0 where the subject is, small: h = w = a quarter of SAM's side, stretched to
            a square; and SAM's own estimate of the overlap with the truth, 0 … 1.
        """
        import torch

        with self._lock, torch.inference_mode():
            inputs = self._prompts(photo, box, clicks)
            if start is not None:
                inputs["input_masks"] = self._mask_prompt(start)
            several = box is None and start is None and len(clicks) == 1
            found = self.model(image_embeddings=self._embedded(photo), multimask_output=several, **inputs)
            logits = found.pred_masks[0, 0].float().cpu().numpy()
            scores = found.iou_scores[0, 0].float().cpu().numpy()
        # Obeying the clicks comes first, SAM's own estimate second.
        obeyed = [_obeyed(mask, photo, clicks) for mask in logits]
        best = max(range(len(logits)), key=lambda index: (obeyed[index], float(scores[index])))
        return logits[best], float(np.clip(scores[best], 0, 1))

    def _embedded(self, photo: Photo) -> Any:
        import torch

        found = self._embeddings.pop(photo.digest, None)
        if found is None:
            pixels = normalised(photo.rgb, self.side, self.side, self.mean, self.std)
            found = self.model.get_image_embeddings(torch.from_numpy(pixels).to(self.model.device, self.model.dtype))
        self._embeddings[photo.digest] = found
        while len(self._embeddings) > self._keep:
            self._embeddings.popitem(last=False)
        return list(found)

    def _prompts(self, photo: Photo, box: Box | None, clicks: Sequence[Click]) -> dict[str, Any]:
        import torch

        device, dtype = self.model.device, self.model.dtype
        scale_x, scale_y = self.side / photo.width, self.side / photo.height
        prompts: dict[str, Any] = {}
        if clicks:
            points = [[click.x * scale_x, click.y * scale_y] for click in clicks]
            prompts["input_points"] = torch.tensor([[points]], dtype=dtype, device=device)
            labels = [[[int(click.include) for click in clicks]]]
            prompts["input_labels"] = torch.tensor(labels, dtype=torch.int32, device=device)
        if box is not None:
            x0, y0, x1, y1 = box.pixels(photo.height, photo.width)
            corners = [[[x0 * scale_x, y0 * scale_y, x1 * scale_x, y1 * scale_y]]]
            prompts["input_boxes"] = torch.tensor(corners, dtype=dtype, device=device)
        return prompts

    def _mask_prompt(self, mask: np.ndarray) -> Any:
        import torch

        height, width = self.model.prompt_encoder.mask_input_size
        small = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        logits = (small * 2 - 1) * _MASK_CERTAINTY
        return torch.from_numpy(logits)[None, None].to(self.model.device, self.model.dtype)


def image_config(settings: dict[str, Any]) -> Any:
    """The image half's configuration out of an image or a video model's."""
    from transformers.models.sam2 import Sam2Config

    parts: dict[str, Any] = {
        name: dict(settings[name])
        for name in ("vision_config", "prompt_encoder_config", "mask_decoder_config")
        if isinstance(settings.get(name), dict)
    }
    for part in parts.values():
        # The video model's parts carry names of their own; the image classes have the same fields.
        if str(part.get("model_type", "")).startswith("sam2_video"):
            part.pop("model_type")
    return Sam2Config(**parts)


def _obeyed(logits: np.ndarray, photo: Photo, clicks: Sequence[Click]) -> int:
    height, width = logits.shape
    count = 0
    for click in clicks:
        x = min(max(int(click.x * width / photo.width), 0), width - 1)
        y = min(max(int(click.y * height / photo.height), 0), height - 1)
        count += bool(logits[y, x] > 0) == click.include
    return count
