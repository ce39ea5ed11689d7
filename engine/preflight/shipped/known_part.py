"""A known thing in an answer that is not one thing: the backpack on a back, the sunglasses of which one lens was found.

What stands out from a photo need not be one thing: a person stands out along with what she wears. Such a cut-out, shown
alone, is nothing that the encoder knows, while a part of the photo, shown alone, is: that part is then the subject. It is
outlined by the evidence for its class, by the colours, and by what the network takes for background.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from engine.photo.mask_ops import bounding_box
from engine.preflight.colours.working_photo import Window, WorkingPhoto
from engine.preflight.shipped.candidates import Candidate, around_box, outlined
from engine.preflight.shipped.judge import SURE
from engine.preflight.shipped.network import SIDE, SMALL_SIDES, ShippedNetwork, View
from engine.preflight.shipped.things import Evidence, KnownThings

WAY = "known part"
"""The way of such a candidate."""

_KNOWN = 0.4
"""Share of its classes from which on a picture shows a thing."""

_RATHER = 2.5
"""A part is the subject where it shows the thing so many times as clearly as the whole answer does."""

_MOST_KINDS = 3
"""Without a name, so many kinds of things are looked for: the likeliest of the photo."""

_FROM_AFAR, _CLOSE = 0.3, 0.2
"""Evidence, as a share of its peak, from which on a place is of the thing: in the whole photo, and in the part around it."""

_SLOPE, _CERTAIN = 12.0, 4.0
"""From evidence to logits, and their limit."""

_NO_SUBJECT = -2.0
"""Logits of the network below which a place is background, whatever the evidence says."""

_GREY = 127
_MARGIN = 1.15
"""Side of the square a cut-out is shown in, as a multiple of its longer side."""


def known_part(
    working: WorkingPhoto,
    network: ShippedNetwork,
    things: KnownThings,
    evidence: Evidence,
    best: Candidate,
    classes: Sequence[int] = (),
) -> Candidate | None:
    """The thing that is meant, where the best answer for a photo holds more than it, or another thing.

    Args:
        evidence: what the whole photo shows.
        best: the answer so far, for the whole photo.
        classes: what is meant, as a name says. Without, an answer is left as it is that is called right, or that shows any
            known thing.

    Returns:
        None where the answer may stay.
    """
    if not classes and best.score >= SURE:
        return None
    alone = things.see(on_grey(best.window.fine, best.inside))
    if alone is None or (not classes and alone.shares.max() >= _KNOWN):
        return None
    view = network.predict(working.whole.fine, sides=SMALL_SIDES)
    if view is None:
        return None
    for kind in [tuple(classes)] if classes else map(things.alike, evidence.likeliest(_MOST_KINDS)):
        enough = max(_KNOWN, _RATHER * alone.share(kind))
        if enough > 1:
            continue
        rough = _resized(_logits(evidence.of(kind), _FROM_AFAR, view), working.whole) > 0
        if _shows(things, working.whole, rough, kind, enough):
            found = _outline(working, network, things, rough, kind, best)
            if found is not None and _shows(things, found.window, found.inside, kind, enough):
                return replace(found, way=WAY)
    return None


def on_grey(picture: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """A cut-out alone, in a square on grey: uint8 (s, s, 3).

    Args:
        picture: uint8 (h, w, 3). inside: bool (h, w), not empty.
    """
    x, y, width, height = cv2.boundingRect(inside.astype(np.uint8))
    soft = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 1.5)[..., None]
    shown = (picture * soft + _GREY * (1 - soft)).astype(np.uint8)[y : y + height, x : x + width]
    side = round(max(width, height) * _MARGIN)
    left, top = (side - width) // 2, (side - height) // 2
    around = (top, side - height - top, left, side - width - left)
    return cv2.copyMakeBorder(shown, *around, cv2.BORDER_CONSTANT, value=(_GREY, _GREY, _GREY))


def _shows(things: KnownThings, window: Window, inside: np.ndarray, kind: Sequence[int], enough: float) -> bool:
    alone = things.see(on_grey(window.fine, inside)) if inside.any() else None
    return alone is not None and alone.share(kind) >= enough


def _outline(
    working: WorkingPhoto,
    network: ShippedNetwork,
    things: KnownThings,
    rough: np.ndarray,
    kind: Sequence[int],
    best: Candidate,
) -> Candidate | None:
    """The thing cut out of the part of the photo around its rough place, bool as large as the photo's fine picture."""
    extent = bounding_box(rough.astype(np.uint8) * 255)
    assert extent is not None
    height, width = rough.shape
    scale_x, scale_y = working.photo.width / width, working.photo.height / height
    x0, y0, x1, y1 = extent
    near = around_box(working, (int(x0 * scale_x), int(y0 * scale_y), int(x1 * scale_x), int(y1 * scale_y)))
    evidence, view = things.see(near.fine), network.predict(near.fine)
    if evidence is None or view is None:
        return None
    return outlined(near, network, view, _logits(evidence.of(kind), _CLOSE, view), best)


def _logits(places: np.ndarray, threshold: float, view: View) -> np.ndarray:
    """Above 0 where the thing may be: float32 (SIDE, SIDE)."""
    large = cv2.resize(places, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    peak = max(float(large.max()), 1e-6)
    logits = np.clip((large / peak - threshold) * _SLOPE, -_CERTAIN, _CERTAIN)
    return np.where(view.logits < _NO_SUBJECT, -_CERTAIN, logits).astype(np.float32)


def _resized(logits: np.ndarray, window: Window) -> np.ndarray:
    return cv2.resize(logits, window.fine.shape[1::-1], interpolation=cv2.INTER_LINEAR)
