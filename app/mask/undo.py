"""Undo for masks: only tiles that changed are kept, as compressed differences, within a budget of bytes."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from app.mask.brush import Rect

TILE = 256
_OVERHEAD = 256
"""Bytes a step costs besides its pixels, so that steps without pixels cannot pile up without end."""


@dataclass(frozen=True)
class Patch:
    """The difference (exclusive or) of two masks inside ``rect``, compressed; ``None`` means that every bit differs."""

    rect: Rect
    packed: bytes | None

    def apply(self, mask: np.ndarray) -> None:
        """Turn one of the two masks into the other, in place."""
        target = mask[self.rect.slices]
        if self.packed is None:
            cv2.bitwise_not(target, dst=target)
            return
        difference = np.frombuffer(zlib.decompress(self.packed), np.uint8).reshape(target.shape)
        cv2.bitwise_xor(target, difference, dst=target)


@dataclass(frozen=True)
class Step:
    """One thing the user did: pixels that changed, and the marks (clicks, box, edge …) before and after."""

    label: str
    patches: tuple[Patch, ...]
    before: Any
    after: Any

    @property
    def bytes(self) -> int:
        return _OVERHEAD + sum(len(patch.packed) for patch in self.patches if patch.packed)

    @property
    def rect(self) -> Rect:
        out = Rect(0, 0, 0, 0)
        for patch in self.patches:
            out = out.united(patch.rect)
        return out


class UndoStack:
    """Steps that can be undone and redone. The oldest are forgotten when ``limit`` bytes are used up."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._done: deque[Step] = deque()
        self._undone: list[Step] = []
        self._bytes = 0

    @property
    def bytes(self) -> int:
        """Bytes in use, of both directions."""
        return self._bytes

    @property
    def next_undo(self) -> Step | None:
        return self._done[-1] if self._done else None

    @property
    def next_redo(self) -> Step | None:
        return self._undone[-1] if self._undone else None

    def push(self, step: Step) -> None:
        self._bytes -= sum(old.bytes for old in self._undone)
        self._undone.clear()
        self._done.append(step)
        self._bytes += step.bytes
        while self._bytes > self.limit and len(self._done) > 1:
            self._bytes -= self._done.popleft().bytes

    def amend(self, step: Step) -> None:
        """Put ``step`` in the place of the newest one."""
        self._bytes -= self._done.pop().bytes
        self.push(step)

    def undo(self) -> Step | None:
        """Take back the newest step; the caller applies its patches."""
        if not self._done:
            return None
        self._undone.append(self._done.pop())
        return self._undone[-1]

    def redo(self) -> Step | None:
        if not self._undone:
            return None
        self._done.append(self._undone.pop())
        return self._done[-1]


class TileKeeper:
    """Copies of the tiles a stroke touches, taken before it does."""

    def __init__(self, mask: np.ndarray) -> None:
        self._mask = mask
        self._kept: dict[Rect, np.ndarray] = {}

    def keep(self, rect: Rect) -> None:
        for tile in tiles(rect, *self._mask.shape):
            if tile not in self._kept:
                self._kept[tile] = self._mask[tile.slices].copy()

    def restore(self) -> Rect:
        """Put the copies back; returns what may have changed. They stay kept."""
        touched = Rect(0, 0, 0, 0)
        for tile, pixels in self._kept.items():
            self._mask[tile.slices] = pixels
            touched = touched.united(tile)
        return touched

    def patches(self) -> tuple[Patch, ...]:
        """The differences between the copies and the mask of now."""
        found = (_patch(tile, cv2.bitwise_xor(old, self._mask[tile.slices])) for tile, old in self._kept.items())
        return tuple(patch for patch in found if patch is not None)


def differences(old: np.ndarray, new: np.ndarray) -> tuple[Patch, ...]:
    """Make the patches that change one mask into another of the same size, tile by tile."""
    height, width = old.shape
    found = (
        _patch(tile, cv2.bitwise_xor(old[tile.slices], new[tile.slices]))
        for tile in tiles(Rect(0, 0, width, height), height, width)
    )
    return tuple(patch for patch in found if patch is not None)


def tiles(rect: Rect, height: int, width: int) -> Iterator[Rect]:
    """The tiles of a picture of that size that ``rect`` touches."""
    area = rect.clipped(height, width)
    for top in range(area.y0 // TILE * TILE, area.y1, TILE):
        for left in range(area.x0 // TILE * TILE, area.x1, TILE):
            yield Rect(left, top, min(left + TILE, width), min(top + TILE, height))


def _patch(tile: Rect, difference: np.ndarray) -> Patch | None:
    if not cv2.hasNonZero(difference):
        return None
    x, y, width, height = cv2.boundingRect(difference)
    rect = Rect(tile.x0 + x, tile.y0 + y, tile.x0 + x + width, tile.y0 + y + height)
    part = difference[y : y + height, x : x + width]
    if cv2.minMaxLoc(part)[0] == 255:
        return Patch(rect, None)  # the inside of most changes: nothing to keep
    return Patch(rect, zlib.compress(part.tobytes(), 1))
