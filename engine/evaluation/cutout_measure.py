"""Measures cut-outs on photos with masks made by hand: found automatically, with a box, with one and three clicks.

Hints are simulated: the box is the true one, a click goes into the deepest place of the larger mistake, and what the
program makes of it is corrected by the next click, as in the window.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from engine.errors import InputError, SubjectNotFound
from engine.photo.hints import Box, Click, Hint
from engine.photo.load import Photo, load_photo
from engine.photo.mask_file import read_mask
from engine.photo.mask_ops import SOLID, bounding_box, overlap
from engine.preflight.segmenter import Segmenter
from engine.sentence import Sentence

WAYS = ("automatic", "box", "click", "clicks")
"""Found without a hint; in one box; corrected with one click; with three."""

CLICKS = 3
EDGE = 0.01
"""How far outlines may lie apart and still agree, as a share of the photo's diagonal."""

RIGHT, WRONG = 0.9, 0.7
NEARLY = 0.8
"""Overlap below which a cut-out that was called right was called so in error."""

_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


@dataclass(frozen=True)
class CutoutCase:
    """A photo and the mask of its subject, made by hand."""

    name: str
    photo: Path
    mask: Path


@dataclass(frozen=True, eq=False)
class CutoutResult:
    """The measures of one photo.

    Attributes:
        overlaps, edges: by way; overlap with the truth and boundary F, 0 … 1.
        score, sure, method: of the automatic answer: its own estimate, whether it calls itself right, who cut it.
        seconds: to the first mask.
        masks: the truth and the answers, bool (H, W).
    """

    case: CutoutCase
    overlaps: dict[str, float]
    edges: dict[str, float]
    score: float
    sure: bool
    method: str
    seconds: float
    photo: Photo
    truth: np.ndarray
    masks: dict[str, np.ndarray]


def find_cases(photos: Path, masks: Path) -> list[CutoutCase]:
    """Every mask with its photo: ``cat_01.png`` belongs to ``cat/01.jpg`` or ``cat_01.jpg``.

    Raises:
        InputError: a folder is missing, or no mask has a photo.
    """
    for folder in (photos, masks):
        if not folder.is_dir():
            raise InputError(
                Sentence("The folder {folder} does not exist.", folder=folder),
                Sentence("Name a folder of photos and one of masks."),
            )
    found = {}
    for path in sorted(photos.rglob("*")):
        if path.suffix.lower() in _SUFFIXES:
            found["_".join((*path.parent.relative_to(photos).parts, path.stem))] = path
    cases = [
        CutoutCase(mask.stem, found[mask.stem], mask) for mask in sorted(masks.glob("*.png")) if mask.stem in found
    ]
    if not cases:
        raise InputError(
            Sentence("No mask in {masks} has a photo.", masks=masks),
            Sentence("The mask of cat/01.jpg is called cat_01.png."),
        )
    return cases


def measure(
    cases: Sequence[CutoutCase], segmenter: Segmenter, tell: Callable[[float, str], None] = lambda *_: None
) -> list[CutoutResult]:
    """Cut every photo out in every way. Raises ``InputError`` for a photo or a mask that cannot be read."""
    results = []
    for index, case in enumerate(cases):
        tell(index / len(cases), case.name)
        photo = load_photo(case.photo)
        truth = read_mask(case.mask, photo) >= SOLID
        started = time.perf_counter()
        try:
            proposal = segmenter.find_subject(photo)
            automatic, score, sure, method = proposal.mask, proposal.score, proposal.sure, proposal.method
        except SubjectNotFound:
            automatic, score, sure, method = np.zeros(truth.shape, np.uint8), 0.0, False, "nothing"
        seconds = time.perf_counter() - started
        masks = {"automatic": automatic >= SOLID, "box": _in_box(segmenter, photo, truth)}
        masks |= dict(zip(("click", "clicks"), _clicked(segmenter, photo, truth, automatic), strict=True))
        overlaps = {way: overlap(mask, truth, of_nothing=1.0) for way, mask in masks.items()}
        edges = {way: boundary_f(mask, truth) for way, mask in masks.items()}
        results.append(CutoutResult(case, overlaps, edges, score, sure, method, seconds, photo, truth, masks))
    return results


def figures_of(results: Sequence[CutoutResult]) -> dict[str, Any]:
    """The figures of all photos, as JSON holds them; photos worst first."""
    ways = {}
    for way in WAYS:
        overlaps = np.array([result.overlaps[way] for result in results])
        ways[way] = {
            "overlap": round(float(overlaps.mean()), 4),
            "right": round(float((overlaps >= RIGHT).mean()), 4),
            "wrong": round(float((overlaps < WRONG).mean()), 4),
            "boundary_f": round(float(np.mean([result.edges[way] for result in results])), 4),
        }
    sure = [result for result in results if result.sure]
    missed = [result for result in sure if result.overlaps["automatic"] < NEARLY]
    return {
        "photos": len(results),
        "ways": ways,
        "sure": len(sure),
        "sure_in_error": len(missed),
        "estimate_error": round(float(np.mean([abs(r.score - r.overlaps["automatic"]) for r in results])), 4),
        "calibration": list(_calibration(results)),
        "seconds": round(float(np.median([result.seconds for result in results])), 3),
        "by_photo": [
            {
                "name": result.case.name,
                **{way: round(result.overlaps[way], 4) for way in WAYS},
                "boundary_f": round(result.edges["automatic"], 4),
                "score": round(result.score, 4),
                "sure": result.sure,
                "method": result.method,
                "seconds": round(result.seconds, 3),
            }
            for result in worst_first(results)
        ],
    }


def worst_first(results: Sequence[CutoutResult]) -> list[CutoutResult]:
    return sorted(results, key=lambda result: result.overlaps["automatic"])


def boundary_f(mask: np.ndarray, truth: np.ndarray) -> float:
    """Measure how far two outlines agree, 0 … 1: the harmonic mean of the shares of each that lie near the other."""
    reach = EDGE * float(np.hypot(*truth.shape))
    found, wanted = _outline(mask), _outline(truth)
    if not found.any() or not wanted.any():
        return float(found.any() == wanted.any())
    near = [
        float((cv2.distanceTransform((~other).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)[one] <= reach).mean())
        for one, other in ((found, wanted), (wanted, found))
    ]
    return 2 * near[0] * near[1] / (near[0] + near[1]) if sum(near) else 0.0


def next_click(mask: np.ndarray, truth: np.ndarray) -> Click | None:
    """The deepest place of the larger mistake, bool (H, W) both; None where there is none."""
    missing, excess = truth & ~mask, mask & ~truth
    include = np.count_nonzero(missing) >= np.count_nonzero(excess)
    wrong = np.pad((missing if include else excess).astype(np.uint8), 1)
    deep = cv2.distanceTransform(wrong, cv2.DIST_L2, cv2.DIST_MASK_5)[1:-1, 1:-1]
    if deep.max() == 0:
        return None
    y, x = np.unravel_index(int(deep.argmax()), deep.shape)
    return Click(float(x) + 0.5, float(y) + 0.5, bool(include))


def _in_box(segmenter: Segmenter, photo: Photo, truth: np.ndarray) -> np.ndarray:
    extent = bounding_box(truth.astype(np.uint8), 1)
    if extent is None:
        return np.zeros_like(truth)
    try:
        return segmenter.find_subject(photo, Hint(box=Box(*extent))).mask >= SOLID
    except SubjectNotFound:
        return np.zeros_like(truth)


def _clicked(
    segmenter: Segmenter, photo: Photo, truth: np.ndarray, automatic: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The automatic mask after one click, and after ``CLICKS``."""
    mask, clicks, masks = automatic, [], []
    for _ in range(CLICKS):
        click = next_click(mask >= SOLID, truth)
        if click is not None:
            clicks.append(click)
            mask = segmenter.refine_mask(photo, tuple(clicks), start=mask)
        masks.append(mask >= SOLID)
    return masks[0], masks[-1]


def _outline(mask: np.ndarray) -> np.ndarray:
    solid = mask.astype(np.uint8)
    return mask & (cv2.erode(solid, np.ones((3, 3), np.uint8), borderValue=1) == 0)


def _calibration(results: Sequence[CutoutResult]) -> Iterator[dict[str, float]]:
    """Estimates in tenths, each with what was true."""
    for low in range(10):
        inside = [result for result in results if low <= 10 * result.score < low + 1 + (low == 9)]
        if inside:
            yield {
                "from": low / 10,
                "photos": len(inside),
                "estimate": round(float(np.mean([result.score for result in inside])), 4),
                "overlap": round(float(np.mean([result.overlaps["automatic"] for result in inside])), 4),
            }
