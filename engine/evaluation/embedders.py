"""The networks that the papers measure likeness with, each prepared as in their scripts, from folders in the hub's own layout.

A figure carries the name of its network and is never compared with that of another: ViT-S/8, ViT-S/16 and DINOv2 differ.
All compute in float32; the scripts run CLIP in float16 on a card, which moves its third decimal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from engine.errors import BundleError, InputError
from engine.evaluation.imagenet import ImageNetJudge, to_picture
from engine.preflight.networks.pretrained import IMAGENET_MEAN, IMAGENET_STD, load_model, load_part
from engine.sentence import Sentence
from engine.weights.catalogue import PARTS

CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
CLIP_WORDS = 77  # tokens that CLIP reads of a prompt
SIDE = 224  # pixels all of them look at


class PictureEmbedder(Protocol):
    """Sees pictures as unit vectors; the cosine of two is how alike they are."""

    name: str

    def pictures(self, pictures: Sequence[np.ndarray]) -> Tensor:
        """RGB uint8 (H, W, 3) of any sizes → unit vectors (B, D), float32 on the processor."""
        ...

    def to(self, device: str) -> None:
        """Compute there from now on, for example "cuda:0"."""
        ...


@dataclass(frozen=True)
class Kind:
    """One published network, by what its config says; anything else in its folder is refused."""

    model_type: str
    patch: int
    width: int


CLIP = "clip-vit-b32"
KINDS = {
    CLIP: Kind("clip", 32, 768),
    "dino-vits16": Kind("vit", 16, 384),
    "dino-vits8": Kind("vit", 8, 384),
    "dinov2-small": Kind("dinov2", 14, 384),
}
NEEDED = ("dino-vits16", CLIP)
"""The networks DreamBench is measured with; the others are those of DreamBench++."""


def middle(rgb: np.ndarray, shorter: int, side: int) -> Image.Image:
    """The shorter side resized to ``shorter`` pixels, bicubic with antialiasing, and the middle square of it."""
    picture = Image.fromarray(np.ascontiguousarray(rgb))
    width, height = picture.size
    # The longer side is rounded down, and the square put to the nearest pixel, as torchvision does both.
    size = (shorter, shorter * height // width) if width <= height else (shorter * width // height, shorter)
    picture = picture.resize(size, Image.Resampling.BICUBIC)
    left, top = (round((length - side) / 2) for length in picture.size)
    return picture.crop((left, top, left + side, top + side))


def prepared(rgb: np.ndarray, shorter: int, side: int, mean: tuple[float, ...], deviation: tuple[float, ...]) -> Tensor:
    """A picture as a network takes it: (3, side, side), normalised."""
    values = np.asarray(middle(rgb, shorter, side), np.float32) / 255
    return torch.from_numpy((values - np.array(mean, np.float32)) / np.array(deviation, np.float32)).permute(2, 0, 1)


class Dino:
    """The class token of a DINO or DINOv2 network. Resize 256, middle 224, the mean and deviation of ImageNet."""

    def __init__(self, name: str, network: Any) -> None:
        self.name, self._network, self._device = name, network, "cpu"
        self._side = min(SIDE, network.config.image_size)

    def to(self, device: str) -> None:
        self._network, self._device = self._network.to(device), device

    @torch.inference_mode()
    def pictures(self, pictures: Sequence[np.ndarray]) -> Tensor:
        shorter = self._side * 256 // SIDE
        pixels = [prepared(rgb, shorter, self._side, IMAGENET_MEAN, IMAGENET_STD) for rgb in pictures]
        tokens = self._network(torch.stack(pixels).to(self._device)).last_hidden_state
        return F.normalize(tokens[:, 0].float(), dim=-1).cpu()


class Clip:
    """CLIP sees pictures and reads prompts. Resize 224, middle 224, its own mean and deviation; no words before the prompt."""

    def __init__(self, network: Any, tokenizer: Any) -> None:
        self.name = CLIP
        self._network, self._tokenizer, self._device = network, tokenizer, "cpu"
        self._side = network.config.vision_config.image_size
        self._words = min(CLIP_WORDS, network.config.text_config.max_position_embeddings)

    def to(self, device: str) -> None:
        self._network, self._device = self._network.to(device), device

    @torch.inference_mode()
    def pictures(self, pictures: Sequence[np.ndarray]) -> Tensor:
        pixels = [prepared(rgb, self._side, self._side, CLIP_MEAN, CLIP_STD) for rgb in pictures]
        pooled = self._network.vision_model(pixel_values=torch.stack(pixels).to(self._device)).pooler_output
        return F.normalize(self._network.visual_projection(pooled).float(), dim=-1).cpu()

    @torch.inference_mode()
    def texts(self, texts: Sequence[str]) -> Tensor:
        """Prompts → unit vectors (B, D), to be compared with those of pictures."""
        tokens = self._tokenizer(
            list(texts), padding=True, truncation=True, max_length=self._words, return_tensors="pt"
        ).to(self._device)
        pooled = self._network.text_model(tokens["input_ids"], attention_mask=tokens["attention_mask"]).pooler_output
        return F.normalize(self._network.text_projection(pooled).float(), dim=-1).cpu()


class ImageNet:
    """The judge of the mini's evaluation, whose weights are a package and need no download."""

    def __init__(self) -> None:
        self.name = "imagenet"
        self._judge = ImageNetJudge.load()

    def pictures(self, pictures: Sequence[np.ndarray]) -> Tensor:
        return self._judge.embed([to_picture(rgb) for rgb in pictures])

    def to(self, device: str) -> None:
        """It is small and stays on the processor."""


def load_embedder(key: str, folder: Path) -> Dino | Clip:
    """Read one of the ``KINDS`` from a folder in the hub's layout, on the processor. Nothing is fetched.

    Raises:
        BundleError: files are missing or damaged, or the folder holds another network.
    """
    from transformers import AutoTokenizer, CLIPModel, Dinov2Model, ViTModel

    _check(key, folder)
    title = PARTS[key].title

    def load(model_class: Any, **options: Any) -> Any:
        # CLIP is published as a .bin alone.
        return load_part(
            title,
            folder,
            lambda: load_model(model_class, folder, "cpu", torch.float32, safetensors_only=False, **options),
        )

    match KINDS[key].model_type:
        case "clip":
            tokenizer = load_part(title, folder, lambda: AutoTokenizer.from_pretrained(folder, local_files_only=True))
            return Clip(load(CLIPModel), tokenizer)
        case "dinov2":
            return Dino(key, load(Dinov2Model))
        case _:
            return Dino(key, load(ViTModel, add_pooling_layer=False))


def _check(key: str, folder: Path) -> None:
    """That a folder holds this network and no relative of it: their figures would be mixed."""
    from transformers import AutoConfig

    kind, title = KINDS[key], PARTS[key].title
    try:
        # The library's own reader: a config may leave out whatever is the library's default.
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        seeing = getattr(config, "vision_config", config)
        found = Kind(config.model_type, seeing.patch_size, seeing.hidden_size)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BundleError(
            Sentence("{title} is not in “{folder}”: its config.json cannot be read.", title=title, folder=folder),
            Sentence("Get it with: python -m engine models get evaluation."),
        ) from error
    if found != kind:
        raise BundleError(
            Sentence(
                "“{folder}” holds a {model_type} of width {width} with patches of {patch}, not {title}.",
                folder=folder,
                model_type=found.model_type,
                width=found.width,
                patch=found.patch,
                title=title,
            ),
            Sentence("Figures of different networks cannot be compared; get the right one."),
        )


def find_networks(folder: Path) -> dict[str, Path]:
    """The networks in a folder, by key: each in a folder named by its part or by its repository's last word."""
    found: dict[str, Path] = {}
    for key in KINDS:
        for name in (key, PARTS[key].repository.rpartition("/")[2]):
            if (folder / name / "config.json").is_file():
                found.setdefault(key, folder / name)
    return found


def load_judges(folder: Path, judge: str) -> list[PictureEmbedder]:
    """The networks that measure pictures, on the processor.

    Args:
        folder: of the networks.
        judge: "papers" for the published networks that are there, "imagenet" for the judge of a package, "all" for both.

    Raises:
        InputError: a network that the benchmark needs is missing.
        BundleError: one cannot be read.
    """
    judges: list[PictureEmbedder] = []
    if judge in ("papers", "all"):
        networks = find_networks(folder)
        for key in NEEDED:
            if key not in networks:
                raise InputError(
                    Sentence("{title} is not in {folder}.", title=PARTS[key].title, folder=folder),
                    Sentence("Get it with: python -m engine models get evaluation, or measure with --judge imagenet."),
                )
        judges += [load_embedder(key, networks[key]) for key in KINDS if key in networks]
    if judge in ("imagenet", "all"):
        judges.append(ImageNet())
    return judges
