"""The subject by its colours and edges alone: guesses for the whole photo, and what is cut out of the best one.

This is the answer where no network can be used, and one of the candidates where there is one.
"""

from __future__ import annotations

import cv2
import numpy as np

from engine.photo.hints import Box
from engine.preflight.colours.cutting import box_extent, correct, cut_in_box
from engine.preflight.colours.marks import Marks
from engine.preflight.colours.proposals import MINI_SIDE, Proposal, Traits, main_part, propose, squashed
from engine.preflight.colours.working_photo import Extent, WorkingPhoto, shrunk


def cut_by_colours(
    working: WorkingPhoto, boxes: tuple[Box, ...], first: list[Proposal], marks: Marks
) -> tuple[np.ndarray, float]:
    """GrabCut from the first box, or around the first guess; and how well the result stands out."""
    if first:
        mask = cut_in_box(working, loose(first[0], working), marks, first[0].mask)
        if marks:
            mask = correct(working, mask, marks)
    elif boxes:
        mask = cut_in_box(working, box_extent(boxes[0], working), marks)
    else:  # a segmentation that failed at its first use left nothing to begin with
        found = guesses(working, marks)
        return cut_by_colours(working, boxes, found, marks) if found else (np.zeros_like(working.photo.rgb[..., 0]), 0)
    return mask, _score(working, mask)


def guesses(working: WorkingPhoto, marks: Marks) -> list[Proposal]:
    """Guesses, best first; with marks those first that hold what is included and not what is excluded."""
    found = propose(working)
    wanted = marks.extent(working, included_only=True)
    if not marks:
        return found

    def fits(guess: Proposal) -> float:
        height, width = guess.mask.shape
        hits = 0.0
        for click in marks.clicks:
            x = min(max(int(click.x * width / working.photo.width), 0), width - 1)
            y = min(max(int(click.y * height / working.photo.height), 0), height - 1)
            hits += 1 if bool(guess.mask[y, x]) == click.include else -1
        for stroke in marks.strokes:
            for px, py in stroke.points[:: max(1, len(stroke.points) // 8)]:
                x = min(max(int(px * width / working.photo.width), 0), width - 1)
                y = min(max(int(py * height / working.photo.height), 0), height - 1)
                hits += 0.2 if bool(guess.mask[y, x]) == stroke.include else -0.2
        return hits + guess.score

    found.sort(key=fits, reverse=True)
    if wanted is not None and (not found or not _holds(found[0], wanted, working)):
        found.insert(0, _guess_around(working, wanted))
    return found


def _holds(guess: Proposal, wanted: Extent, working: WorkingPhoto) -> bool:
    x0, y0, x1, y1 = loose(guess, working)
    return x0 <= wanted[0] and y0 <= wanted[1] and wanted[2] <= x1 and wanted[3] <= y1


def _guess_around(working: WorkingPhoto, wanted: Extent) -> Proposal:
    """The region that hangs together by colour with the marked place, when no guess holds it."""
    mini = shrunk(working.whole.coarse, MINI_SIDE)
    height, width = mini.shape[:2]
    scale_x, scale_y = width / working.photo.width, height / working.photo.height
    x0, y0 = int(wanted[0] * scale_x), int(wanted[1] * scale_y)
    x1, y1 = max(int(np.ceil(wanted[2] * scale_x)), x0 + 1), max(int(np.ceil(wanted[3] * scale_y)), y0 + 1)
    lab = cv2.cvtColor(mini.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    here = lab[y0:y1, x0:x1].reshape(-1, 3).mean(0)
    ys, xs = np.mgrid[:height, :width]
    away = np.hypot(np.maximum.reduce([x0 - xs, xs - x1, 0 * xs]), np.maximum.reduce([y0 - ys, ys - y1, 0 * ys]))
    near = np.sqrt(((lab - here) ** 2).sum(2)) / 25 + away / (0.4 * max(height, width)) < 1
    near[y0:y1, x0:x1] = True
    _, labels = cv2.connectedComponents(near.astype(np.uint8), connectivity=8)
    mask = labels == labels[min(y0, height - 1), min(x0, width - 1)]
    x, y, w, h = cv2.boundingRect(mask.astype(np.uint8))
    return Proposal(mask, (x / width, y / height, (x + w) / width, (y + h) / height), 0.3)


def loose(guess: Proposal, working: WorkingPhoto) -> Extent:
    """The box of a guess, widened: a miniature does not show every ear."""
    width, height = working.photo.width, working.photo.height
    x0, y0, x1, y1 = guess.box
    grow = 0.12 * max((x1 - x0) * width, (y1 - y0) * height) + 2
    return (
        max(int(x0 * width - grow), 0),
        max(int(y0 * height - grow), 0),
        min(int(np.ceil(x1 * width + grow)), width),
        min(int(np.ceil(y1 * height + grow)), height),
    )


def box_of(guess: Proposal, working: WorkingPhoto) -> Box:
    x0, y0, x1, y1 = guess.box
    width, height = working.photo.width, working.photo.height
    return Box(x0 * width, y0 * height, x1 * width, y1 * height, guess.score)


def _score(working: WorkingPhoto, mask: np.ndarray) -> float:
    """Measure how well the cut stands out from its surroundings, 0 … 1, in miniature."""
    mini = shrunk(working.whole.coarse, MINI_SIDE)
    height, width = mini.shape[:2]
    small = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA) >= 128
    if not small.any() or small.all():
        return 0.1
    # The same sum as among guesses; their agreement is 0.6 on the average.
    return squashed(Traits(mini).score(main_part(small)) + 0.6)
