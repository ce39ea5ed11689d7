"""The pixels of a mask: as it was cut out and painted, with its edge, and small. Free of Qt.

Whole masks of large photos are made in another thread (``layers_of``) and only exchanged in the window's; what is read there
meanwhile is lent out and copied before it is changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from app.mask.brush import Rect
from app.mask.pyramid import Pyramid
from app.mask.strokes import Edge
from app.mask.undo import Patch, differences, tiles
from engine.photo import adjusted, edge_reach, feather, grow

AT_ONCE = 3_000_000
"""Pixels up to which whole masks are worked on in the window's thread: a few hundredths of a second at most."""


@dataclass(frozen=True, eq=False)
class Layers:
    """A new mask. Its arrays belong to whoever takes it.

    Attributes:
        base: uint8 (H, W), before the edge.
        mask: uint8 (H, W), with ``edge`` applied; ``base`` itself when there is no edge.
        edge: the edge that was applied.
        pyramid: of ``mask``.
        patches: what turns the mask that was there before into ``base``.
        late: ``mask`` shows another edge still.
    """

    base: np.ndarray
    mask: np.ndarray
    edge: Edge
    pyramid: Pyramid
    patches: tuple[Patch, ...]
    late: bool = False


Exchange = Callable[[Layers, Callable[[Layers], object]], None]
"""Calls its second argument with its first, new layers; whoever shows the mask takes what it needs of them."""


def layers_of(before: np.ndarray, base: np.ndarray, edge: Edge) -> Layers:
    """Everything that is kept of a mask; ``before`` is the one it takes the place of."""
    mask = with_edge(base, edge)
    patches = () if base is before else differences(before, base)
    return Layers(base, mask, edge, Pyramid(mask), patches)


def with_edge(base: np.ndarray, edge: Edge) -> np.ndarray:
    """The mask with its edge grown and feathered; ``base`` itself when there is nothing to do."""
    if edge == Edge():
        return base
    out = np.empty_like(base)
    apply_edge(out, base, edge, Rect(0, 0, base.shape[1], base.shape[0]))
    return out


def apply_edge(mask: np.ndarray, base: np.ndarray, edge: Edge, rect: Rect) -> None:
    """Write ``base`` with its edge grown and feathered into ``mask``, inside ``rect``."""
    for tile in tiles(rect, *base.shape):
        part = Rect(max(tile.x0, rect.x0), max(tile.y0, rect.y0), min(tile.x1, rect.x1), min(tile.y1, rect.y1))
        mask[part.slices] = adjusted(base, edge.grow, edge.feather, *part.slices)


class Masks:
    """``base``, what was cut out, clicked and painted, and ``mask``, what is shown: ``base`` with ``edge`` applied. Both
    uint8 (H, W), and one array when there is no edge.

    Attributes:
        patient: somebody makes what is large elsewhere; until it comes, ``mask`` is ``late``: it shows another edge.
    """

    def __init__(self, base: np.ndarray, edge: Edge) -> None:
        self.base, self.mask, self.edge = base, with_edge(base, edge), edge
        self.patient = self.late = False
        self._base_lent = self._mask_lent = False

    def copy(self) -> Masks:
        """The same once more; the pixels are shared until one of the two changes."""
        out = Masks(self.base, Edge())
        out.__dict__.update(self.__dict__)
        for one in (self, out):
            one._base_lent = one._mask_lent = True
        return out

    @property
    def whole(self) -> Rect:
        return Rect(0, 0, self.base.shape[1], self.base.shape[0])

    @property
    def large(self) -> bool:
        """True if the whole mask is too much to work on at once."""
        return self.base.size > AT_ONCE

    def lend(self) -> np.ndarray:
        """``base`` for somebody else to read: this array does not change any more."""
        self._base_lent = True
        return self.base

    def own(self) -> None:
        """To be called before ``base`` is changed: what others may read is copied."""
        if self._base_lent:
            aliased = self.mask is self.base
            self.base, self._base_lent = self.base.copy(), False
            if aliased:
                self.mask, self._mask_lent = self.base, False
        self._own_mask()

    def touched(self, rect: Rect) -> Rect:
        """``base`` was changed inside ``rect``: bring ``mask`` up to date. Returns where that looks different now."""
        if self.mask is self.base:
            return rect
        rect = rect.grown(edge_reach(self.edge.grow, self.edge.feather)).clipped(*self.base.shape)
        if self.patient and rect.width * rect.height > AT_ONCE:
            self.late = True
            return self.whole
        apply_edge(self.mask, self.base, self.edge, rect)
        return rect

    def set_edge(self, edge: Edge) -> None:
        """Another edge, or another ``base`` everywhere."""
        self.edge = edge
        self.late = self.patient and self.large and edge != Edge()
        if not self.late:
            self.mask, self._mask_lent = with_edge(self.base, edge), False

    def catch_up(self, rect: Rect) -> None:
        """Bring a part of a late mask up to date; it stays late."""
        area = rect.clipped(*self.base.shape)
        if self.late and not area.empty:
            if self.mask is self.base:
                self.mask, self._mask_lent = self.base.copy(), False
            self._own_mask()
            apply_edge(self.mask, self.base, self.edge, area)

    def layers(self, base: np.ndarray | Layers, edge: Edge) -> Layers:
        """Another mask as layers, with that edge. Raises ``ValueError`` when it has another size."""
        found = base.base if isinstance(base, Layers) else base
        if found.shape != self.base.shape:
            raise ValueError(f"the mask is {found.shape}, the photo {self.base.shape}")
        if not isinstance(base, Layers):
            return layers_of(self.base, np.array(base, np.uint8, order="C"), edge)
        if base.edge != edge:
            return replace(layers_of(found, found, edge), patches=base.patches)
        return base

    def given(self, before: np.ndarray, pyramid: Pyramid) -> Layers:
        """All of this for somebody else, who had ``before``; nothing here may be changed afterwards."""
        patches = () if self.base is before else differences(before, self.base)
        return Layers(self.base, self.mask, self.edge, pyramid, patches, self.late)

    def take(self, layers: Layers) -> None:
        """Exchange everything."""
        self._base_lent = self._base_lent and layers.base is self.base
        self.base, self.mask, self.edge = layers.base, layers.mask, layers.edge
        self._mask_lent, self.late = False, layers.late

    def _own_mask(self) -> None:
        if self._mask_lent and self.mask is not self.base:
            self.mask = self.mask.copy()
        self._mask_lent = False


class EdgePreview:
    """The edge of a large mask at a glance, while its numbers are being changed: worked out on a small copy.

    The copy is made once for every base: a base that is looked at here must not change afterwards.
    """

    def __init__(self) -> None:
        self._base: np.ndarray | None = None
        self._levels: list[np.ndarray] = []

    def show(self, base: np.ndarray, edge: Edge, pyramid: Pyramid) -> None:
        """Bring the coarse levels of the mask's pyramid up to date, roughly; the fine ones stay as they are."""
        level = next(
            (index for index, pixels in enumerate(pyramid.levels) if pixels.size <= AT_ONCE // 2),
            len(pyramid.levels) - 1,
        )
        if self._base is not base:
            self._base, self._levels = base, Pyramid(base, level).levels
        scale = 2.0**level
        pyramid.levels[level][...] = feather(grow(self._levels[-1], edge.grow / scale), edge.feather / scale)
        pyramid.raise_from(level)
