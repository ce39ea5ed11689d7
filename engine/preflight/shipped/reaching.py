"""A box is drawn around the whole subject, so a cut-out that ends well before one of its sides has lost something: a tail, a hand.

Of what the network and the colours of the subject speak for, the most likely piece is added that joins the cut-out to that
side ("Image Segmentation with a Bounding Box Prior", Lempitsky et al., ICCV 2009, has the idea).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np

from engine.preflight.colours.cutting import box_mask
from engine.preflight.colours.edges import guided
from engine.preflight.colours.grabcut import (
    BACKGROUND,
    MAYBE_SUBJECT,
    SUBJECT,
    Models,
    colour_logits,
    cut_band,
    fit_models,
)
from engine.preflight.colours.working_photo import Extent
from engine.preflight.shipped.candidates import Candidate
from engine.preflight.shipped.network import View

_NEAR = 0.08
"""A cut-out that ends this share of the box's width or height before a side reaches it: boxes are drawn by hand."""

_LIMIT = 6.0
_COLOUR_LIMIT = 4.0
"""Logits beyond these say no more."""

_UNLIKELY, _LIKELY = -2.0, 3.0
"""Logits between which the piece is looked for: where the network is sure that nothing is, colours alone do not suffice."""

_MOST = 0.15
"""Of the cut-out's area, for each side: what a whole one takes to reach it is another thing."""

_ENDS = 0.03
"""A piece comes so near to the side."""

_SURROUNDINGS = 0.1
"""Share of the window outside of the box from which on the background's colours are taken from there."""

_ROUNDS = 8


def falls_short(candidate: Candidate, box: Extent) -> bool:
    """Return True if a cut-out ends well before a side of the box that it was cut out in."""
    inside = cv2.resize(candidate.inside.astype(np.uint8), candidate.window.coarse.shape[1::-1]) > 0
    allowed = box_mask(candidate.window, box, inside.shape)
    return bool(inside.any()) and any(True for _ in _open_sides(inside, allowed))


def reaching(candidate: Candidate, box: Extent, view: View) -> Candidate:
    """The cut-out with what joins it to the sides of the box; itself where nothing likely does.

    Args:
        candidate: what was cut out in the box.
        view: what the network sees in the candidate's window, given that box.
    """
    window = candidate.window
    picture = window.coarse
    before = cv2.resize(candidate.inside.astype(np.float32), picture.shape[1::-1], interpolation=cv2.INTER_AREA) > 0.5
    allowed = box_mask(window, box, picture.shape)
    before &= allowed
    if not before.any() or before.all():
        return candidate
    models = _models(picture, before, allowed)
    seen_there = np.clip(cv2.resize(view.logits, picture.shape[1::-1]), -_LIMIT, _LIMIT)
    colours = np.clip(colour_logits(picture, models), -_COLOUR_LIMIT, _COLOUR_LIMIT)
    logits = np.where(allowed, guided(seen_there + colours, picture), -np.inf)
    after = before.copy()
    for side in "left", "right", "top", "bottom":
        goal = dict(_open_sides(after, allowed)).get(side)
        piece = None if goal is None else _piece(after, logits, goal)
        if piece is not None and piece.sum() <= _MOST * before.sum():
            after |= piece
    if (after == before).all():
        return candidate
    return replace(candidate, inside=_outlined(candidate, box, after & ~before, after, models))


def _models(picture: np.ndarray, inside: np.ndarray, allowed: np.ndarray) -> Models:
    """Colour models of both sides. What the box holds beside the cut-out is undecided: a lost tail would count as background."""
    outside = ~allowed if (~allowed).mean() >= _SURROUNDINGS else ~inside
    pixels = np.concatenate([picture[outside], picture[inside]])[None]
    sides = np.repeat([BACKGROUND, SUBJECT], [outside.sum(), inside.sum()])[None]
    return fit_models(pixels, sides)


def _open_sides(inside: np.ndarray, allowed: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """The sides of the box, bool (h, w), that the cut-out does not reach, each with the strip along it."""
    x, y, width, height = cv2.boundingRect(allowed.astype(np.uint8))
    left, top, wide, high = cv2.boundingRect(inside.astype(np.uint8))
    across, down = 1 + round(_ENDS * width), 1 + round(_ENDS * height)
    right, bottom = x + width, y + height
    strips = {
        "left": ((left - x) / width, np.s_[y:bottom, x : x + across]),
        "right": ((right - left - wide) / width, np.s_[y:bottom, right - across : right]),
        "top": ((top - y) / height, np.s_[y : y + down, x:right]),
        "bottom": ((bottom - top - high) / height, np.s_[bottom - down : bottom, x:right]),
    }
    for side, (gap, place) in strips.items():
        if gap > _NEAR:
            strip = np.zeros_like(inside)
            strip[place] = True
            yield side, strip


def _piece(inside: np.ndarray, logits: np.ndarray, goal: np.ndarray) -> np.ndarray | None:
    """The likeliest places that join the cut-out to a strip, bool (h, w); None where only unlikely ones do."""

    def added(least: float) -> np.ndarray:
        joined = (logits > least) | inside
        _, labels = cv2.connectedComponents(joined.astype(np.uint8), connectivity=8)
        return np.isin(labels, np.unique(labels[inside])) & joined & ~inside

    low, high = _UNLIKELY, _LIKELY
    if not (added(low) & goal).any():
        return None
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        low, high = (middle, high) if (added(middle) & goal).any() else (low, middle)
    found = added(low)
    _, labels = cv2.connectedComponents(found.astype(np.uint8), connectivity=8)
    return np.isin(labels, np.unique(labels[goal & found]))


def _outlined(
    candidate: Candidate,
    box: Extent,
    added: np.ndarray,
    after: np.ndarray,
    models: Models,
) -> np.ndarray:
    """The outline anew where something was added, and as it was elsewhere: bool of the window's fine picture's size."""
    window = candidate.window
    size = window.fine.shape[1::-1]
    fixed = np.where(box_mask(window, box, window.fine.shape), MAYBE_SUBJECT, BACKGROUND).astype(np.uint8)
    anew = cut_band(window.fine, after, models, fixed)
    piece = cv2.resize(added.astype(np.uint8) * 255, size, interpolation=cv2.INTER_LINEAR) >= 128
    near = cv2.dilate(piece.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    # A graph cut shortens what is thin: the piece itself stays.
    return candidate.inside | (anew & near) | (piece & (fixed != BACKGROUND))
