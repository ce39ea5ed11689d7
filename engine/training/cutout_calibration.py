"""Calibrates the estimate of a mask's overlap: on composites of things that the network was never trained on.

Each composite is cut out as the program does it, by itself and with a box, each with a second pass; a logistic regression of the overlap
with the truth on what the program can see of a mask (``TRAITS``) is the estimate. Photos are not used: they are the measure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from engine.photo.load import photo_from_pixels
from engine.photo.mask_ops import overlap
from engine.preflight.colours.marks import Marks
from engine.preflight.colours.working_photo import Extent, Window, WorkingPhoto
from engine.preflight.segmenter import colour_candidates
from engine.preflight.shipped.candidates import (
    Answer,
    Candidate,
    answer_again,
    answer_alone,
    answer_in_box,
    around_box,
    ranked,
)
from engine.preflight.shipped.judge import JUDGE_NAME, TRAITS, Judge, read_judge, write_judge
from engine.preflight.shipped.network import ShippedNetwork
from engine.preflight.shipped.things import KnownThings
from engine.training.render.composites import Composer

SIZE = 384
"""Pixels a side of the composites: as detailed as what the program gives the network."""

COMPOSITES = 80
"""So many are drawn to calibrate; each gives five to seven masks."""

_RIDGE = 0.1
"""Of the regression, per mask: weights stay small where few masks speak for them."""


Row = tuple[np.ndarray, float]
"""Traits of a mask, and its overlap with the truth."""


def calibrate(folder: Path, composer: Composer, count: int) -> dict[str, dict[str, float]]:
    """Fit the estimate to a network's file and write it beside it.

    The second pass is at what the first one chose, so the first ones are fitted before any second one is taken.

    Args:
        folder: of ``cutout.onnx`` and its judge. composer: draws held-out composites without hints. count: how many.

    Returns:
        For each of ``KINDS``: masks, mean overlap, mean error of the estimate on the last fifth, which was left out.
    """
    network, things = ShippedNetwork(folder), KnownThings(folder)
    report: dict[str, dict[str, float]] = {}
    cases = [case for _ in range(count) for case in _first_answers(composer, network, things)]
    for kind in ("alone", "hinted"):
        _fit_kind(folder, kind, [row for case in cases if case.kind == kind for row in case.rows()], report)
    judge = read_judge(folder / JUDGE_NAME)
    for kind in ("alone", "hinted"):
        answers = [case.again(network, judge) for case in cases if case.kind == kind]
        _fit_kind(folder, f"{kind} again", [row for rows in answers for row in rows], report)
    return report


def _fit_kind(folder: Path, kind: str, rows: list[Row], report: dict[str, dict[str, float]]) -> None:
    judge = read_judge(folder / JUDGE_NAME)
    traits, overlaps = np.stack([one for one, _ in rows]), np.array([overlap for _, overlap in rows])
    kept = len(rows) * 4 // 5
    trial = replace(judge, calibration={kind: fit(traits[:kept], overlaps[:kept])})
    guessed = np.array([trial.overlap(one, kind) for one in traits[kept:]])
    report[kind] = {
        "masks": float(len(rows)),
        "overlap": float(overlaps.mean()),
        "error": float(np.abs(guessed - overlaps[kept:]).mean()),
    }
    write_judge(folder, replace(judge, calibration={**judge.calibration, kind: fit(traits, overlaps)}))


@dataclass(frozen=True, eq=False)
class _Case:
    """One composite as it was cut out first, "alone" or "hinted" by a box, with its truth, bool (S, S)."""

    kind: str
    working: WorkingPhoto
    truth: np.ndarray
    box: Extent | None
    window: Window
    places: np.ndarray | None
    answer: Answer

    def rows(self) -> list[Row]:
        return [
            (traits, _overlap_with(self.working, one, self.truth)) for one, traits in zip(*self.answer, strict=True)
        ]

    def again(self, network: ShippedNetwork, judge: Judge) -> list[Row]:
        """The second pass at what the first one chooses."""
        rated = [replace(one, score=judge.overlap(traits, self.kind)) for one, traits in zip(*self.answer, strict=True)]
        found = ranked(rated, self.window, self.places)
        answer = answer_again(self.working, network, found, self.box, Marks()) if found else None
        return (
            [(traits, _overlap_with(self.working, one, self.truth)) for one, traits in zip(*answer, strict=True)]
            if answer
            else []
        )


def _first_answers(composer: Composer, network: ShippedNetwork, things: KnownThings) -> Iterator[_Case]:
    """One composite, cut out alone and, where it has a subject, in a box."""
    composite = composer.draw()
    truth = composite.mask > 0.5
    working, marks = WorkingPhoto(photo_from_pixels(composite.rgb)), Marks()
    places = _places(things, working.whole)
    alone = answer_alone(working, network, lambda: colour_candidates(working, marks), places)
    if alone is not None:
        yield _Case("alone", working, truth, None, working.whole, places, alone)
    if truth.any():
        box = _loosely(composer.dice, truth)
        hinted, window = answer_in_box(working, network, box, marks), around_box(working, box)
        if hinted is not None:
            yield _Case("hinted", working, truth, box, window, _places(things, window), hinted)


def _places(things: KnownThings, window: Window) -> np.ndarray | None:
    evidence = things.see(window.fine)
    return None if evidence is None else evidence.of()


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


def _overlap_with(working: WorkingPhoto, candidate: Candidate, truth: np.ndarray) -> float:
    x0, y0, x1, y1 = candidate.window.extent
    mask = np.zeros(truth.shape, bool)
    inside = cv2.resize(candidate.inside.astype(np.uint8) * 255, (x1 - x0, y1 - y0), interpolation=cv2.INTER_LINEAR)
    mask[y0:y1, x0:x1] = inside >= 128
    return overlap(mask, truth)
