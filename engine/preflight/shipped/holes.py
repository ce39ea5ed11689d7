"""Holes in a cut-out: what is seen through the handle of a mug is no mug.

The network was trained on few things with holes and fills most of them, though it is less certain there. On a plain ground
colours tell: what has the ground's own colour, and another one all around it, is the ground. A white label on a bottle
before white looks the same, and the network is as certain of it as of the bottle. On a ground of many colours nothing is opened.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from engine.preflight.colours.grabcut import BACKGROUND, MAYBE_SUBJECT, SUBJECT, cut_band, fit_models
from engine.preflight.shipped.candidates import Candidate
from engine.preflight.shipped.network import SMALL_SIDES, ShippedNetwork

_SMALLEST = 0.015
"""Of the cut-out's area: below, it is a glint or a button."""

_MOST = 0.5
"""Of the cut-out's area: more of it is a line drawing's paper, and belongs to what is drawn."""

_NEAR = 0.17
"""The ground's colour in a place is that of what lies so near, as a share of the picture's longer side."""

_PLAIN = 9.0
"""Steps (Lab) from the ground's own colour, by the median, from which on it is no plain ground."""

_ALIKE, _LEAST_ALIKE = 2.5, 4.0
"""A hole is so many of those steps from the ground's colour at most, and that many of Lab always; its rim is as much further."""

_LESS_CERTAIN = 1.0
"""The network's logits in a hole are so far below those of the rest of the cut-out."""

_LEAST_GROUND = 0.05
_REACH = 6


def with_holes(candidate: Candidate, network: ShippedNetwork) -> Candidate:
    """The cut-out with its holes open; itself where none is seen, or the network cannot be used."""
    picture, fine = candidate.window.coarse, candidate.window.fine
    inside = cv2.resize(candidate.inside.astype(np.float32), picture.shape[1::-1], interpolation=cv2.INTER_AREA) > 0.5
    places = _like_the_ground(picture, inside)
    view = network.predict(fine, sides=SMALL_SIDES) if places else None
    if view is None:
        return candidate
    logits = cv2.resize(view.logits, picture.shape[1::-1])
    rest = np.median(logits[inside & ~np.logical_or.reduce(places)])
    holes = np.logical_or.reduce([place & (rest - np.median(logits[place]) > _LESS_CERTAIN) for place in places])
    if not 0 < holes.sum() < _MOST * inside.sum():
        return candidate
    rough = inside & ~holes
    models = fit_models(picture, np.where(rough, SUBJECT, BACKGROUND).astype(np.uint8))
    anew = cut_band(fine, rough, models, np.full(fine.shape[:2], MAYBE_SUBJECT, np.uint8))
    near = cv2.resize(_grown(holes, _REACH).astype(np.uint8), fine.shape[1::-1]) > 0
    return replace(candidate, inside=candidate.inside & (anew | ~near))


def _like_the_ground(picture: np.ndarray, inside: np.ndarray) -> list[np.ndarray]:
    """The places inside a cut-out that are coloured like the plain ground around it, and their rims are not: bool (h, w)."""
    outside = ~_grown(inside, 2)
    if not inside.any() or outside.mean() < _LEAST_GROUND:
        return []
    lab = cv2.GaussianBlur(cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), (0, 0), 0.7)
    weight = outside.astype(np.float32)
    spread = _NEAR * max(inside.shape)
    ground = _blurred(lab * weight[..., None], spread)
    near = np.maximum(_blurred(weight, spread), 1e-4)[..., None]
    steps = np.linalg.norm(lab - ground / near, axis=2)
    grain = float(np.median(steps[outside]))
    if grain > _PLAIN:
        return []
    alike = max(_ALIKE * grain, _LEAST_ALIKE)
    kernel = np.ones((5, 5), np.uint8)
    solid = cv2.morphologyEx(((steps < alike) & inside).astype(np.uint8), cv2.MORPH_OPEN, kernel)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(cv2.morphologyEx(solid, cv2.MORPH_CLOSE, kernel))
    found: list[np.ndarray] = []
    deep = cv2.erode(inside.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=0) > 0
    for number in range(1, count):
        hole = labels == number
        rim = _grown(hole, 3) & ~_grown(hole, 1) & inside
        if stats[number, cv2.CC_STAT_AREA] < _SMALLEST * inside.sum() or (hole & ~deep).any() or not rim.any():
            continue
        if np.median(steps[rim]) > _ALIKE * alike:
            found.append(hole)
    return found


def _blurred(values: np.ndarray, spread: float) -> np.ndarray:
    """A Gaussian that is so wide that a quarter of the side shows all of it."""
    height, width = values.shape[:2]
    small = cv2.resize(values, (max(width // 4, 1), max(height // 4, 1)), interpolation=cv2.INTER_AREA)
    return cv2.resize(cv2.GaussianBlur(small, (0, 0), spread / 4), (width, height), interpolation=cv2.INTER_LINEAR)


def _grown(mask: np.ndarray, reach: int) -> np.ndarray:
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0
