"""The cut-out on an empty canvas of the picture's size, for bundles with a placed content path. Free of torch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from engine.photo.framing import without_white
from engine.placement import Placement

_OUTLINE_SIDE = 1024
_MARGIN = 0.07
"""Of the subject's size, around it."""

if TYPE_CHECKING:
    from engine.request import CutOut, GenerationRequest


def place_cut_out(subject: CutOut, placement: Placement, width: int, height: int) -> np.ndarray:
    """The cut-out at its place on an empty canvas.

    Returns:
        Premultiplied RGBA, float32 (height, width, 4) in 0 … 1: colour times alpha, and alpha.
    """
    import cv2

    source = without_white(subject)
    if placement.mirrored:
        source = source[:, ::-1]
    side = max(1, round(placement.size * min(width, height)))
    if side < len(source):
        # Made small by averages first: the warp below reads four pixels each, and would skip the rest.
        source = cv2.resize(source, (side, side), interpolation=cv2.INTER_AREA)
    scale = placement.size * min(width, height) / len(source)
    angle = math.radians(placement.turn)
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    # Pixel centres: the square's centre goes to the placement's.
    middle = (len(source) - 1) / 2
    at_x, at_y = placement.x * width - 0.5, placement.y * height - 0.5
    matrix = np.array(
        [[cos, -sin, at_x - cos * middle + sin * middle], [sin, cos, at_y - sin * middle - cos * middle]], np.float32
    )
    placed = cv2.warpAffine(
        np.ascontiguousarray(source), matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT
    )
    return placed.clip(0, 1)


def subject_alpha(request: GenerationRequest, placement: Placement | None, size: tuple[int, int]) -> np.ndarray | None:
    """The subject's alpha in a picture whose photo goes on behind it, float32 (H, W) in 0 … 1.

    Args:
        placement: where it stands, or None where that is not known.
        size: (width, height) of the picture.

    Returns:
        None where the request has no such photo, or where nothing says what of the picture is the subject.
    """
    region, subject = request.region, request.subject
    if region is None or not region.behind or subject is None or placement is None:
        return None
    return place_cut_out(subject, placement, *size)[..., 3]


def region_around(subject: CutOut, placement: Placement, width: int, height: int) -> np.ndarray:
    """The part of a picture that a placed subject takes up, with room for its edge and its shadow.

    Returns:
        Mask uint8 (height, width), 255 inside.
    """
    import cv2

    # Outlines need no more than this, and a canvas of a large photo would take a gigabyte.
    factor = min(1.0, _OUTLINE_SIDE / max(width, height))
    small = max(1, round(width * factor)), max(1, round(height * factor))
    inside = (place_cut_out(subject, placement, *small)[..., 3] > 0.05).astype(np.uint8) * 255
    reach = max(2, round(_MARGIN * placement.size * min(small)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return cv2.resize(cv2.dilate(inside, disc), (width, height), interpolation=cv2.INTER_NEAREST)


def on_white(canvas: np.ndarray) -> np.ndarray:
    """Premultiplied RGBA (H, W, 4) in 0 … 1 over white, RGB uint8 (H, W, 3): as the content encoder sees it."""
    return ((canvas[..., :3] + 1 - canvas[..., 3:]).clip(0, 1) * 255 + 0.5).astype(np.uint8)
