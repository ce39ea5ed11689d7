"""Calibrates the estimate of a mask's overlap: on composites of things that the network was never trained on.

Each composite is cut out as the program does it, once by itself and once with a box; a logistic regression of the overlap
with the truth on what the program can see of a mask (``TRAITS``) is the estimate. Photos are not used: they are the measure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from engine.photo.load import photo_from_pixels
from engine.preflight.colours.marks import Marks
from engine.preflight.colours.working_photo import Extent, WorkingPhoto
from engine.preflight.segmenter import colour_candidates
from engine.preflight.shipped.candidates import Candidate, seen_by_itself, seen_in_box
from engine.preflight.shipped.judge import JUDGE_NAME, TRAITS, read_judge, write_judge
from engine.preflight.shipped.network import ShippedNetwork
from engine.training.render.composites import Composer

SIZE = 384
"""Pixels a side of the composites: as detailed as what the program looks at."""

COMPOSITES = 80
"""So many are drawn to calibrate; each gives five to seven masks."""

_RIDGE = 0.1
"""Of the regression, per mask: weights stay small where few masks speak for them."""


def calibrate(folder: Path, composer: Composer, count: int) -> dict[str, dict[str, float]]:
    """Fit the estimate to a network's file and write it beside it.

    Args:
        folder: of ``cutout.onnx`` and its judge. composer: draws held-out composites without hints. count: how many.

    Returns:
        For "alone" and "hinted": masks, mean overlap, mean error of the estimate on the last fifth, which was left out.
    """
    network, judge = ShippedNetwork(folder), read_judge(folder / JUDGE_NAME)
    rows: dict[str, list[tuple[np.ndarray, float]]] = {"alone": [], "hinted": []}
    for _ in range(count):
        for kind, traits, overlap in masks_of(composer, network):
            rows[kind].append((traits, overlap))
    fitted, report = {}, {}
    for kind, found in rows.items():
        traits, overlaps = np.stack([one for one, _ in found]), np.array([overlap for _, overlap in found])
        kept = len(found) * 4 // 5
        trial = replace(judge, calibration={kind: fit(traits[:kept], overlaps[:kept])})
        guessed = np.array([trial.overlap(one, kind) for one in traits[kept:]])
        report[kind] = {
            "masks": float(len(found)),
            "overlap": float(overlaps.mean()),
            "error": float(np.abs(guessed - overlaps[kept:]).mean()),
        }
        fitted[kind] = fit(traits, overlaps)
    write_judge(folder, replace(judge, calibration=fitted))
    return report


def masks_of(composer: Composer, network: ShippedNetwork) -> Iterator[tuple[str, np.ndarray, float]]:
    """The candidates of one composite: found "alone" or "hinted", traits, overlap with the truth."""
    composite = composer.draw()
    truth = composite.mask > 0.5
    working = WorkingPhoto(photo_from_pixels(composite.rgb))
    marks = Marks()
    found: list[tuple[str, Any]] = [
        ("alone", seen_by_itself(working, network, marks, colour_candidates(working, marks)))
    ]
    if truth.any():
        found.append(("hinted", seen_in_box(working, network, _loosely(composer.dice, truth), marks)))
    for kind, answer in found:
        if answer is None:
            continue
        for candidate, traits in zip(*answer, strict=True):
            yield kind, traits, _overlap(working, candidate, truth)


def fit(traits: np.ndarray, overlaps: np.ndarray) -> np.ndarray:
    """Weights (T,) of a logistic regression of overlaps (N,) on traits (N, T); Newton's method, with a small ridge."""
    mean, spread = traits.mean(0), traits.std(0)
    mean[-1], spread[-1] = 0.0, 1.0
    spread = np.where(spread < 1e-6, 1.0, spread)
    x = (traits - mean) / spread
    ridge = _RIDGE * len(x) * np.eye(x.shape[1])
    ridge[-1, -1] = 0.0
    weights = np.zeros(x.shape[1])
    for _ in range(30):
        guess = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        slope = x.T @ (guess - overlaps) + ridge @ weights
        curve = (x * (guess * (1 - guess) + 1e-6)[:, None]).T @ x + ridge + 1e-9 * np.eye(len(weights))
        weights = weights - np.linalg.solve(curve, slope)
    plain = weights / spread
    plain[-1] = weights[-1] - (weights[:-1] * mean[:-1] / spread[:-1]).sum()
    assert len(plain) == len(TRAITS)
    return plain


def _loosely(dice: np.random.Generator, truth: np.ndarray) -> Extent:
    """A box as a person draws it: near the subject, not exactly."""
    x, y, w, h = cv2.boundingRect(truth.astype(np.uint8))
    ends = np.array([x, y, x + w, y + h]) + dice.normal(0.01, 0.02, 4) * (w, h, w, h) * (-1, -1, 1, 1)
    x0, y0, x1, y1 = np.clip(np.rint(ends), 0, len(truth)).astype(int).tolist()
    return min(x0, len(truth) - 1), min(y0, len(truth) - 1), max(x1, x0 + 1), max(y1, y0 + 1)


def _overlap(working: WorkingPhoto, candidate: Candidate, truth: np.ndarray) -> float:
    x0, y0, x1, y1 = candidate.window.extent
    mask = np.zeros(truth.shape, bool)
    inside = cv2.resize(candidate.inside.astype(np.uint8) * 255, (x1 - x0, y1 - y0), interpolation=cv2.INTER_LINEAR)
    mask[y0:y1, x0:x1] = inside >= 128
    either = (mask | truth).sum()
    return float((mask & truth).sum() / either) if either else 0.0
