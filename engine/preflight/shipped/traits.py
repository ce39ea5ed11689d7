"""Features of a mask that can be measured without knowing the truth: those that the calibration weighs (``TRAITS``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np

from engine.photo.mask_ops import overlap
from engine.preflight.colours.proposals import MINI_SIDE, Traits, main_part
from engine.preflight.colours.working_photo import Extent, Window, shrunk
from engine.preflight.shipped.network import SIDE, View

_NEARLY_ALL = 0.02
"""A gap to a full overlap that counts as nothing."""


class Placed(Protocol):
    """A mask in a part of a photo: bool, as large as the window's fine picture."""

    @property
    def window(self) -> Window: ...

    @property
    def inside(self) -> np.ndarray: ...


def traits_of(
    window: Window, found: Sequence[tuple[np.ndarray, View, bool]], rivals: Sequence[np.ndarray] = ()
) -> list[np.ndarray]:
    """``TRAITS`` of masks of one window, float64 (len(TRAITS),) each.

    Args:
        found: mask, float32 (SIDE, SIDE), 0 … 1; the view it is compared with; whether colours alone made it.
        rivals: further masks that it is compared with.
    """
    mini = shrunk(window.coarse, MINI_SIDE)
    stands_out = Traits(mini)
    masks = [mask > 0.5 for mask, _, _ in found]
    beside = [mask > 0.5 for mask in rivals]
    traits = []
    for index, (mask, view, by_colours) in enumerate(found):
        solid = masks[index]
        guess = 1 / (1 + np.exp(-view.logits))
        others = [other for number, other in enumerate(masks) if number != index] + beside
        same = [overlap(solid, other) for other in others] or [0.5]
        small = cv2.resize(mask, mini.shape[1::-1], interpolation=cv2.INTER_AREA) > 0.5
        apart, edges = stands_out.contrast(small) if small.any() else (0.0, 0.0)
        near = cv2.dilate(solid.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        traits.append(
            np.array(
                [
                    view.judge.logit(view.middle, view.top, mask),
                    _spread(view.agreement),
                    _spread(np.minimum(guess, mask).sum() / np.maximum(guess, mask).sum()),
                    _spread(overlap(solid, guess > 0.5)),
                    _spread(float(np.mean(same))),
                    _spread(max(same)),
                    _spread(min(same)),
                    guess[solid].mean(),
                    guess[~solid].mean(),
                    np.abs(2 * guess - 1)[near].mean(),
                    apart,
                    edges,
                    min(np.log(solid.mean()), np.log(0.35)),
                    main_part(solid).sum() / solid.sum(),
                    float(by_colours),
                    1.0,
                ]
            )
        )
    return traits


def within(placed: Placed, window: Window) -> np.ndarray:
    """A mask as another window shows it, float32 (SIDE, SIDE), 0 … 1; what lies outside its own window is not in it."""
    extent: Extent = placed.window.extent
    x0, y0, x1, y1 = window.extent
    left, top, right, bottom = extent
    if extent == window.extent:
        return cv2.resize(placed.inside.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    height, width = placed.inside.shape
    step_x, step_y = (x1 - x0) / SIDE * width / (right - left), (y1 - y0) / SIDE * height / (bottom - top)
    place = np.array(
        [
            [step_x, 0, (x0 - left) * width / (right - left) + step_x / 2 - 0.5],
            [0, step_y, (y0 - top) * height / (bottom - top) + step_y / 2 - 0.5],
        ],
        np.float32,
    )
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(placed.inside.astype(np.float32), place, (SIDE, SIDE), flags=how)


def shown(mask: np.ndarray, places: np.ndarray) -> float:
    """Return the correlation of a mask, 0 … 1, with ``places`` (mean 0, spread 1): -1 … 1."""
    height, width = places.shape
    share = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA)
    return float(((share - share.mean()) * places).mean() / max(float(share.std()), 1e-6))


def _spread(share: float) -> float:
    """An overlap on the scale that a logistic regression sums: from .95 to .99 is as far as from .80 to .95."""
    return float(np.log((share + _NEARLY_ALL) / (1 - share + _NEARLY_ALL)))
