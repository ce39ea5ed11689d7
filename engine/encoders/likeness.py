"""Measures how alike the subject of a picture is to its cut-out, in the eyes of the semantic encoder.

Where the subject stands is known for bundles with placement: the picture's square is brought back into the cut-out's frame
and into its light, everything outside of the mask is made white as it is in the cut-out, and both are seen patch by patch.
Otherwise the whole picture is seen, and the class tokens are compared.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.encoders.features import Features
from engine.photo.framing import on_white
from engine.placement import Placement
from engine.request import CutOut

_LIGHT = 2.0
"""How much brighter or darker, in each colour, a scene's light may be for the subject to be the same in it."""
_DARK = 4.0
"""Added to both means, so that black things are no ratio of noise."""
_INSIDE = 0.5
"""A patch is compared from this share of the subject on."""


def similarity(
    features: Features, subject: CutOut, picture: np.ndarray, placement: Placement | None, blocks: int
) -> float:
    """Return the similarity of a picture and a cut-out, -1 … 1; ``LikenessScale`` says how it is read.

    Args:
        features: the encoders; the cut-out is taken from their cache.
        picture: RGB uint8 (H, W, 3), of any size.
        placement: where the subject stands in it, or None where that is not known.
        blocks: of the encoder, after which patches are compared.
    """
    if placement is None:
        own, _ = features.semantic.encode(_middle(picture))
        return float(F.cosine_similarity(own, features.semantic_tokens(subject)[0], dim=0))
    key = ("patches", subject.digest, blocks)
    own = features.cache.get(key, lambda: features.semantic.patches_after(subject.rgb, blocks))
    square = in_its_light(cut_out_of_picture(picture, subject, placement), subject)
    return aligned(features.semantic.patches_after(square, blocks), own, subject.alpha)


def cut_out_of_picture(picture: np.ndarray, subject: CutOut, placement: Placement) -> np.ndarray:
    """The placed subject of a picture as a cut-out, RGB uint8 (S, S, 3) on white: the way of ``place_cut_out`` back."""
    height, width = picture.shape[:2]
    side = len(subject.pixels)
    scale = placement.size * min(width, height) / side
    angle = math.radians(placement.turn)
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    middle = (side - 1) / 2
    at_x, at_y = placement.x * width - 0.5, placement.y * height - 0.5
    matrix = np.array(
        [[cos, -sin, at_x - cos * middle + sin * middle], [sin, cos, at_y - sin * middle - cos * middle]], np.float32
    )
    square = cv2.warpAffine(
        picture,
        matrix,
        (side, side),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(255, 255, 255),
    )
    if placement.mirrored:
        square = np.ascontiguousarray(square[:, ::-1])
    return on_white(square, subject.alpha)


def in_its_light(square: np.ndarray, subject: CutOut) -> np.ndarray:
    """A subject seen in a scene's light as it would be in its photo's: a dog at dusk is the same dog.

    Each colour is scaled so that its mean over the subject is the cut-out's, by at most ``_LIGHT`` either way: what is another
    colour altogether stays one.

    Args:
        square: the subject in the cut-out's frame, RGB uint8 (S, S, 3).

    Returns:
        The same on white, RGB uint8 (S, S, 3).
    """
    weight = subject.alpha.reshape(-1).astype(np.float32)
    area = max(float(weight.sum()), 255.0)
    # As products and by a table of the 256 levels: pixel by pixel it took half the time of the whole likeness.
    there, own = (_DARK + weight @ pixels.reshape(-1, 3).astype(np.float32) / area for pixels in (square, subject.rgb))
    levels = np.arange(256, dtype=np.float32)[:, None] * np.clip(own / there, 1 / _LIGHT, _LIGHT)
    table = np.rint(levels).clip(0, 255).astype(np.uint8)[None]
    return on_white(cv2.LUT(square, table), subject.alpha)


def aligned(one: Tensor, other: Tensor, alpha: np.ndarray) -> float:
    """Return the similarity of the patches (n, W) of two cut-outs in one frame, where its mask, uint8 (S, S), shows the
    subject.

    Returns:
        1 less their squared distance as a share of their squared lengths: 1 for the same, 0 for unrelated ones. Unlike a
        cosine it sees how strong a pattern is, too.
    """
    side = math.isqrt(len(one))
    weight = cv2.resize(alpha.astype(np.float32) / 255, (side, side), interpolation=cv2.INTER_AREA).reshape(-1)
    # A subject too thin to fill any patch counts where it is most.
    weight[weight < min(_INSIDE, float(weight.max()))] = 0
    shares = torch.from_numpy(weight).to(one.device)
    apart = ((one - other).square().sum(1) * shares).sum()
    lengths = ((one.square().sum(1) + other.square().sum(1)) * shares).sum()
    return float(1 - apart / lengths.clamp(min=1e-12))


def _middle(picture: np.ndarray) -> np.ndarray:
    """The square in the middle of a picture."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return np.ascontiguousarray(picture[top : top + side, left : left + side])
