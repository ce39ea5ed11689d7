"""A second thing as large as the one that was found: which of the two is meant, no network can say.

Only one of them is the answer, and it is cut out well: its estimate is high, and says nothing of the other one. So the
photo is looked at once more, with the first thing painted over.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from engine.preflight.colours.working_photo import WorkingPhoto
from engine.preflight.shipped.candidates import Candidate, moved, of_part
from engine.preflight.shipped.mirror_image import without_mirror_image
from engine.preflight.shipped.network import SIDE, SMALL_SIDES, ShippedNetwork, View
from engine.preflight.shipped.traits import within

WAY = "second thing"
"""The way of such a candidate, and of both things together."""

AS_LARGE = 0.5
"""The smaller of two things that may both be meant has so much of the larger one's area."""

_LIKELY = 0.5
"""Estimated overlap from which on what is seen there is a thing."""

_EDGE = 4
"""Pixels of the coarse picture around the first thing that are painted over too: its soft edge, a little of its shadow."""


def second_thing(working: WorkingPhoto, network: ShippedNetwork, first: Candidate) -> list[Candidate]:
    """The other thing, and both together; none where the first one is the only thing of its size."""
    window = working.whole
    picture, inside = window.coarse, within(first, window) > 0.5
    covered = cv2.resize(inside.astype(np.uint8), picture.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    covered = cv2.dilate(covered, np.ones((2 * _EDGE + 1, 2 * _EDGE + 1), np.uint8))
    if covered.all():
        return []
    painted = cv2.inpaint(picture, covered, 3, cv2.INPAINT_TELEA)
    rest = cv2.resize(covered, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST) == 0
    # In most photos the quick look is enough: there is nothing of that size.
    if _part_as_large(inside, rest, network.predict(painted, sides=SMALL_SIDES)) is None:
        return []
    view = network.predict(painted)
    part = _part_as_large(inside, rest, view)
    if view is None or part is None:
        return []
    found = of_part(window, network, view, part)
    if found is None or found.score < _LIKELY:
        return []
    second = replace(found, way=WAY)
    both = replace(second, inside=second.inside | moved(first, window).inside)
    # On a glossy table what is left is the thing's own mirror image.
    return [second, both] if without_mirror_image(both) is None else []


def _part_as_large(inside: np.ndarray, rest: np.ndarray, view: View | None) -> np.ndarray | None:
    """The largest part of what a view shows in the rest of the photo, bool (SIDE, SIDE), if it is about as large as the first thing."""
    if view is None:
        return None
    shown = ((view.logits > 0) & rest).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(shown, connectivity=8)
    if count < 2:
        return None
    part = labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    smaller, larger = sorted((part.sum(), inside.sum()))
    return part if smaller >= AS_LARGE * larger else None
