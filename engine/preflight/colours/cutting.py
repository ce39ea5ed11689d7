"""From a box, or from a mask with corrections, to a new mask: GrabCut in a window of the photo around the subject."""

from __future__ import annotations

import cv2
import numpy as np

from engine.photo.hints import Box
from engine.photo.mask_ops import bounding_box
from engine.preflight.colours.edges import enlarge
from engine.preflight.colours.grabcut import (
    BACKGROUND,
    MAYBE_BACKGROUND,
    MAYBE_SUBJECT,
    SUBJECT,
    Models,
    cut,
    cut_band,
    fit_models,
)
from engine.preflight.colours.marks import Marks, joined
from engine.preflight.colours.proposals import Traits, begin_with_middle, main_part
from engine.preflight.colours.working_photo import Extent, Window, WorkingPhoto

WINDOW = 0.3
"""Margin that is looked at around a subject, as a share of its longer side."""

_NEAR_THE_SIDES = 0.9
_CERTAIN = 1.45
"""Of at most ``_NEAR_THE_SIDES`` + 1: good enough not to try the middle of the box as well."""

_CHANGE_REACH = 0.35
"""How far a correction may act, as a share of the window's longer side, where colours agree; less where they differ."""

_CHANGE_COLOUR = 45.0
_MARKED_COLOURS = 12
_MARKED_ALIKE = 12.0
"""Colours closer than this (Lab) to a marked one are what the mark is about."""


def cut_in_box(working: WorkingPhoto, box: Extent, marks: Marks, guess: np.ndarray | None = None) -> np.ndarray:
    """Cut the subject that a box encloses.

    Args:
        box: in photo pixels; nothing outside belongs to the subject.
        marks: clicks and strokes, stronger than the box.
        guess: bool at any size, the whole photo; where the subject roughly is, to begin with.

    Returns:
        uint8 (H, W).
    """
    return finished(working, *outlined_in_box(working, box, marks, guess))


def outlined_in_box(
    working: WorkingPhoto, box: Extent, marks: Marks, guess: np.ndarray | None = None
) -> tuple[Window, np.ndarray]:
    """As ``cut_in_box``, before its edges are drawn: the window it was cut in, and bool of its fine picture's size."""
    window = working.window(working.around(box, WINDOW))
    coarse, fine = marks.drawn(window, window.coarse.shape), marks.drawn(window, window.fine.shape)
    inside = box_mask(window, box, window.coarse.shape)
    if guess is None:
        rough, models = _best_cut(window, inside, coarse)
    else:
        near = _part(guess, working, window)
        trimap = np.where(near, MAYBE_SUBJECT, MAYBE_BACKGROUND).astype(np.uint8)
        trimap[~inside] = BACKGROUND
        rough, models = cut(window.coarse, with_marks(trimap, coarse))
        if rough.sum() < 0.5 * near.sum():
            # The colours of the guess gave way; the guess itself is the better answer.
            rough = near & inside
    fixed = np.where(box_mask(window, box, window.fine.shape), MAYBE_SUBJECT, BACKGROUND).astype(np.uint8)
    return window, cut_band(window.fine, tidy(rough, coarse), models, with_marks(fixed, fine))


def _best_cut(window: Window, inside: np.ndarray, marks: np.ndarray) -> tuple[np.ndarray, Models]:
    """Cuts from two beginnings, the whole box and its middle; the one that fills the box better and stands out more."""
    picture = window.coarse
    ys, xs = np.nonzero(inside)
    x0, y0, x1, y1 = xs.min(), ys.min(), xs.max() + 1, ys.max() + 1
    area = (x1 - x0) * (y1 - y0)
    traits = Traits(picture)
    whole = np.where(inside, MAYBE_SUBJECT, BACKGROUND).astype(np.uint8)
    middle = begin_with_middle(whole, x0, y0, x1, y1)
    best: tuple[float, np.ndarray, Models] | None = None
    for trimap in (whole, middle):
        rough, models = cut(picture, with_marks(trimap, marks), 3)
        if not rough.any() or rough.all():
            continue
        part = main_part(rough)
        _, _, wide, high = cv2.boundingRect(part.astype(np.uint8))
        apart, edges = traits.contrast(part)
        # A box is drawn around the subject: a cut that does not come near its sides has lost a part, one that fills
        # it to the corners has swallowed the background.
        reaches, fills = min(wide * high / area, _NEAR_THE_SIDES), part.sum() / area
        score = reaches + 0.5 * apart + 0.5 * edges - 2.0 * max(fills - 0.85, 0) - 2.0 * max(0.15 - fills, 0)
        if best is None or score > best[0]:
            best = (score, rough, models)
        if best[0] > _CERTAIN:
            break
    if best is None:
        return cut(picture, np.where(inside, SUBJECT, BACKGROUND).astype(np.uint8))
    return best[1], best[2]


def correct(working: WorkingPhoto, start: np.ndarray, marks: Marks) -> np.ndarray:
    """A mask with corrections: only what hangs together with a click or a stroke changes.

    Args:
        start: uint8 (H, W), the mask so far.
    """
    extent = joined(bounding_box(start), marks.extent(working))
    if extent is None:
        return start.copy()
    window = working.window(working.around(extent, WINDOW))
    coarse, fine = marks.drawn(window, window.coarse.shape), marks.drawn(window, window.fine.shape)
    x0, y0, x1, y1 = window.extent
    part = start[y0:y1, x0:x1]
    height, width = window.coarse.shape[:2]
    before = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA) >= 128
    free, models = _changeable(window.coarse, coarse, before)
    trimap = np.where(before, MAYBE_SUBJECT, MAYBE_BACKGROUND).astype(np.uint8)
    trimap = np.where(free, trimap, np.where(before, SUBJECT, BACKGROUND)).astype(np.uint8)
    rough, learned = cut(window.coarse, with_marks(trimap, coarse), 0, models)
    h, w = window.fine.shape[:2]
    before_fine = cv2.resize(part, (w, h), interpolation=cv2.INTER_AREA) >= 128
    free_fine = cv2.resize(free.astype(np.uint8), (w, h), interpolation=cv2.INTER_NEAREST) > 0
    fixed = np.where(free_fine, MAYBE_SUBJECT, np.where(before_fine, SUBJECT, BACKGROUND)).astype(np.uint8)
    after = cut_band(window.fine, rough, learned, with_marks(fixed, fine))
    return _merged(working, window, start, after, before_fine, fine)


def from_logits(working: WorkingPhoto, logits: np.ndarray, marks: Marks) -> np.ndarray:
    """A small picture of logits of the whole photo → uint8 (H, W) with the photo's own edges; strokes are obeyed."""
    window = working.whole
    return finished(working, window, _solid_logits(window, logits, marks.without_clicks()))


def correct_by_logits(
    working: WorkingPhoto, start: np.ndarray, logits: np.ndarray, marks: Marks, window: Window | None = None
) -> np.ndarray:
    """``start`` with those changes of ``logits`` (of the window, by default of the whole photo) that hang together with a mark."""
    window = window or working.whole
    height, width = window.fine.shape[:2]
    x0, y0, x1, y1 = window.extent
    before = cv2.resize(start[y0:y1, x0:x1], (width, height), interpolation=cv2.INTER_AREA) >= 128
    after = _solid_logits(window, logits, marks.without_clicks())
    return _merged(working, window, start, after, before, marks.drawn(window, window.fine.shape))


def _solid_logits(window: Window, logits: np.ndarray, marks: Marks) -> np.ndarray:
    height, width = window.fine.shape[:2]
    solid = cv2.resize(logits, (width, height), interpolation=cv2.INTER_LINEAR) > 0
    drawn = marks.drawn(window, window.fine.shape)
    return np.where(drawn <= SUBJECT, drawn == SUBJECT, solid)


def _merged(
    working: WorkingPhoto,
    window: Window,
    start: np.ndarray,
    after: np.ndarray,
    before: np.ndarray,
    marks: np.ndarray,
) -> np.ndarray:
    """``start`` where nothing changed, to the last pixel of its soft edge; the new outline where a mark changed it.

    ``after``, ``before`` and ``marks`` have the size of the window's fine picture.
    """
    changed = _touched(after ^ before, marks)
    if not changed.any():
        return start.copy()
    x0, y0, x1, y1 = window.extent
    spread = cv2.GaussianBlur(cv2.dilate(changed.astype(np.uint8), np.ones((7, 7), np.uint8)) * 255, (0, 0), 1.0)
    left, top, wide, high = cv2.boundingRect(spread)
    scale_x, scale_y = (x1 - x0) / spread.shape[1], (y1 - y0) / spread.shape[0]
    region = (
        max(int((left - 1) * scale_x), 0),
        max(int((top - 1) * scale_y), 0),
        min(int(np.ceil((left + wide + 1) * scale_x)), x1 - x0),
        min(int(np.ceil((top + high + 1) * scale_y)), y1 - y0),
    )
    outline = np.where(changed, after, before).astype(np.uint8) * 255
    inside = np.s_[region[1] : region[3], region[0] : region[2]]
    drawn = enlarge(outline, window.fine, window.photo, region)[inside].astype(np.float32)
    weight = cv2.resize(spread, (x1 - x0, y1 - y0))[inside].astype(np.float32) / 255
    out = start.copy()
    part = out[y0:y1, x0:x1][inside]
    part[...] = np.rint(part + (drawn - part) * weight).astype(np.uint8)
    return out


def _changeable(picture: np.ndarray, marks: np.ndarray, before: np.ndarray) -> tuple[np.ndarray, Models | None]:
    """Return the places a correction may change, bool (h, w), and what it says about the colours.

    It acts near a mark, the nearer the more the colour differs from the marked one. Colours like the marked ones count for
    the marked side there, and nowhere for the other side: a click on a wall means the wall, not a spot of it.

    Args:
        marks: uint8 (h, w), as ``Marks.drawn`` gives them.
        before: bool (h, w), the mask so far.
    """
    height, width = picture.shape[:2]
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.float32)
    lab[..., 0] *= 100 / 255
    near, alike = {}, {}
    for value in (SUBJECT, BACKGROUND):
        marked = marks == value
        if not marked.any():
            continue
        distance = cv2.distanceTransform((~marked).astype(np.uint8), cv2.DIST_L2, 3)
        colours = lab[marked]
        colours = colours[np.linspace(0, len(colours) - 1, min(len(colours), _MARKED_COLOURS)).astype(int)]
        apart = np.full((height, width), np.inf, np.float32)
        for colour in colours:
            np.minimum(apart, ((lab - colour) ** 2).sum(2), out=apart)
        apart = np.sqrt(apart)
        near[value] = distance / (_CHANGE_REACH * max(height, width)) + apart / _CHANGE_COLOUR < 1
        alike[value] = apart < _MARKED_ALIKE
    # What is like the marks of both sides is no matter of colour.
    both = np.logical_and.reduce(list(alike.values())) if len(alike) == 2 else np.zeros((height, width), bool)
    free = np.zeros((height, width), bool)
    sides = np.where(before, SUBJECT, BACKGROUND).astype(np.uint8)
    counts = np.ones((height, width), bool)
    for value in near:
        meant = alike[value] & ~both
        counts &= ~meant | near[value]
        sides[meant & near[value]] = value
        free |= near[value]
    free = cv2.morphologyEx(free.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8)) > 0
    subject = (sides == SUBJECT) & counts
    background = (sides == BACKGROUND) & counts
    if not subject.any() or not background.any():
        return free, None
    # Both sides as one strip of pixels: what does not count is left out.
    strip = np.concatenate([picture[background], picture[subject]])[None]
    order = np.concatenate([sides[background], sides[subject]])[None]
    return free, fit_models(strip, order)


def _touched(changed: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """Of what changed, the parts that hang together with a mark."""
    decided = (marks <= SUBJECT).astype(np.uint8)
    # Slivers along the outline would join everything to everything.
    opened = cv2.morphologyEx(changed.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0
    solid = (opened | (changed & (decided > 0))).astype(np.uint8)
    count, labels = cv2.connectedComponents(solid, connectivity=8)
    keep = np.zeros(count, bool)
    keep[np.unique(labels[cv2.dilate(decided, np.ones((3, 3), np.uint8)) > 0])] = True
    keep[0] = False
    return keep[labels]


def tidy(rough: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """Without specks and pinholes; what the user marked stays."""
    solid = rough.astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
    if count > 1:
        large = stats[:, cv2.CC_STAT_AREA] >= 0.04 * stats[1:, cv2.CC_STAT_AREA].max()
        large[labels[marks == SUBJECT]] = True
        large[0] = False
        solid = large[labels].astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(1 - solid, connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] < 0.02 * max(int(solid.sum()), 1)
    small[labels[marks == BACKGROUND]] = False
    for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        small[edge] = False
    small[0] = False  # what is solid
    return (solid > 0) | small[labels]


def finished(working: WorkingPhoto, window: Window, cut_out: np.ndarray) -> np.ndarray:
    """A cut, bool of the size of the window's fine picture → uint8 (H, W) with the photo's own edges."""
    x0, y0, x1, y1 = window.extent
    out = np.zeros(working.photo.rgb.shape[:2], np.uint8)
    out[y0:y1, x0:x1] = enlarge(cut_out.astype(np.uint8) * 255, window.fine, window.photo)
    return out


def with_marks(trimap: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """A trimap, decided where a mark decides."""
    return np.where(marks <= SUBJECT, marks, trimap).astype(np.uint8)


def box_mask(window: Window, box: Extent, shape: tuple[int, ...]) -> np.ndarray:
    """Return the pixels of a box in a window, bool (h, w); at least one."""
    height, width = shape[:2]
    x0, y0, x1, y1 = window.extent
    scale_x, scale_y = width / (x1 - x0), height / (y1 - y0)
    left, top = int((box[0] - x0) * scale_x), int((box[1] - y0) * scale_y)
    right, bottom = int(np.ceil((box[2] - x0) * scale_x)), int(np.ceil((box[3] - y0) * scale_y))
    out = np.zeros((height, width), bool)
    out[max(top, 0) : max(bottom, top + 1), max(left, 0) : max(right, left + 1)] = True
    return out


def _part(mask: np.ndarray, working: WorkingPhoto, window: Window) -> np.ndarray:
    """A mask of the whole photo, at any size, as the window's coarse picture sees it."""
    height, width = window.coarse.shape[:2]
    x0, y0, x1, y1 = window.extent
    scale_x, scale_y = mask.shape[1] / working.photo.width, mask.shape[0] / working.photo.height
    step_x, step_y = (x1 - x0) * scale_x / width, (y1 - y0) * scale_y / height
    place = np.array(
        [[step_x, 0, x0 * scale_x + step_x / 2 - 0.5], [0, step_y, y0 * scale_y + step_y / 2 - 0.5]], np.float32
    )
    moved = cv2.warpAffine(
        mask.astype(np.float32),
        place,
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return moved >= 0.5


def box_extent(box: Box, working: WorkingPhoto) -> Extent:
    """A user's box in whole pixels."""
    return box.pixels(working.photo.height, working.photo.width)
