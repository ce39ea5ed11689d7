"""Hints as a user gives them: a box, clicks where something is missing or too much, an earlier mask that is wrong."""

from __future__ import annotations

import cv2
import numpy as np

from engine.preflight.shipped.channels import HintChannels


def draw_hints(dice: np.random.Generator, mask: np.ndarray, others: list[np.ndarray]) -> HintChannels:
    """Hints for a subject with a mask (S, S); ``others`` are the masks of what stands beside it."""
    hints = HintChannels.none(len(mask))
    kind = dice.random()
    if kind < 0.4:
        _draw_box(dice, hints, mask)
        if dice.random() < 0.7:
            return hints
    earlier = None
    if kind > 0.7:
        earlier = _worsened(dice, mask, others)
        hints.earlier(earlier)
    for _ in range(int(dice.choice((1, 2, 3, 4), p=(0.5, 0.25, 0.15, 0.1)))):
        earlier = _click(dice, hints, mask, others, earlier)
    return hints


def _draw_box(dice: np.random.Generator, hints: HintChannels, mask: np.ndarray) -> None:
    x, y, w, h = cv2.boundingRect((mask > 0.5).astype(np.uint8))
    size = len(mask)
    ends = np.array([x, y, x + w, y + h], np.float32) + dice.normal(0.01, 0.04, 4) * (w, h, w, h) * (-1, -1, 1, 1)
    hints.box(*np.clip(ends, 0, size))


def _click(
    dice: np.random.Generator,
    hints: HintChannels,
    mask: np.ndarray,
    others: list[np.ndarray],
    earlier: np.ndarray | None,
) -> np.ndarray | None:
    """A click well inside what is wrong: the larger of what is missing and what is too much."""
    if earlier is None:
        beside = others and dice.random() < 0.25
        chosen = others[int(dice.integers(len(others)))] if beside else mask
        include = chosen is mask
    else:
        missing, excess = (mask > 0.5) & (earlier < 0.5), (mask < 0.5) & (earlier > 0.5)
        include = bool(missing.sum() >= excess.sum())
        chosen = (missing if include else excess).astype(np.float32)
    deep = cv2.distanceTransform(np.pad((chosen > 0.5).astype(np.uint8), 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
    if deep.max() < 1.5:
        return earlier
    ys, xs = np.nonzero(deep > dice.uniform(0.3, 0.9) * deep.max())
    at = int(dice.integers(len(xs)))
    hints.point(float(xs[at]), float(ys[at]), include)
    if earlier is not None:
        # What this click repairs is not clicked again.
        earlier = earlier.copy()
        cv2.circle(earlier, (int(xs[at]), int(ys[at])), int(deep.max() * 1.5) + 1, 1.0 if include else 0.0, -1)
    return earlier


def _worsened(dice: np.random.Generator, mask: np.ndarray, others: list[np.ndarray]) -> np.ndarray:
    """An earlier mask: the right one grown, shrunk, shifted, bitten, or with something else in it."""
    size = len(mask)
    worse = mask.copy()
    draw = dice.random()
    if draw < 0.3:
        side = int(dice.integers(2, max(3, size // 20))) | 1
        worse = (cv2.dilate if dice.random() < 0.5 else cv2.erode)(worse, np.ones((side, side), np.uint8))
    if others and dice.random() < 0.5:
        worse = np.maximum(worse, others[int(dice.integers(len(others)))])
    x, y, w, h = cv2.boundingRect((mask > 0.5).astype(np.uint8))
    for _ in range(int(dice.integers(1, 4))):
        centre = (int(x + dice.uniform(-0.1, 1.1) * w), int(y + dice.uniform(-0.1, 1.1) * h))
        axes = tuple(int(value) + 1 for value in dice.uniform(0.05, 0.35, 2) * (w, h))
        cv2.ellipse(worse, centre, axes, float(dice.uniform(0, 180)), 0, 360, float(dice.random() < 0.5), -1)
    if dice.random() < 0.5:
        worse = cv2.GaussianBlur(worse, (0, 0), float(dice.uniform(0.5, 3)))
    return worse
