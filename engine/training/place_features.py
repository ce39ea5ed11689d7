"""The features of pictures whose place is known: the same bits for the same place, whoever stands in it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.tokenizer.autoencoder import Autoencoder
from engine.training.data import language
from engine.training.render.renderer import Batch

TOUCHED = 0.03
"""Difference of pictures in [-1, 1] from which a place is said to be touched by the subject, its shadow or its reflection."""


def place_features(autoencoder: Autoencoder, batch: Batch) -> tuple[Tensor, Tensor]:
    """Features (B, d, h, w) of rendered pictures, and those that their first scales describe.

    Where layouts have names a place looks the same whatever stands in it, and its bits can be learnt by heart; what is
    learnt by heart is drawn sharply. For that they have to be the same: the encoder's norms and the coarse scales let a
    subject change the bits of the whole picture. So what the subject does not touch is encoded from the place without it,
    and the coarse scales of a picture whose prompt names a place describe that place only. Colours and materials, which
    are said of the subject, stay in every scale.
    """
    features = autoencoder.encode(batch.target).float()
    empty = autoencoder.encode(batch.empty).float()
    touched = (batch.target - batch.empty).abs().amax(1, keepdim=True)
    touched = F.max_pool2d(F.adaptive_max_pool2d(touched, features.shape[-2:]), 3, 1, 1) > TOUCHED
    features = torch.where(touched, features, empty)
    named = (batch.scene < len(language.PLACES)).view(-1, 1, 1, 1)
    return features, torch.where(named, empty, features)
