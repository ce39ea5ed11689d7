"""The mask being edited: pixels, marks and undo. Free of Qt; every change touches only the rectangle it must.

Two masks at the photo's resolution: ``base`` is what was cut out, clicked and painted; ``mask`` is what is shown and used,
``base`` with the edge grown or shrunk and feathered. The edge's numbers stay adjustable: they are applied anew wherever
``base`` changes. The brush keeps its true size meanwhile: it paints that much smaller or larger into ``base``.

Where ``patient`` is set, work on a whole large mask is left to ``whole_mask.py``, in the pool: a new mask comes as ``Layers``, and an edge
that changed makes the mask ``late`` until ``take_edge`` brings it.

Coordinates are photo pixels. Methods that change something return nothing; whoever shows the mask sets ``on_change``, which
is called with the rectangle of ``mask`` that changed (empty when only marks changed).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np

from app.mask.brush import Brush, Point, Rect, paint, reach, smooth, steps
from app.mask.layers import Exchange, Layers, Masks, layers_of
from app.mask.pyramid import Pyramid
from app.mask.strokes import (
    MAX_FEATHER,
    MAX_GROW,
    Edge,
    MaskMarks,
    OpenStroke,
    Painted,
    around,
    dabs_along,
    fill,
    work,
)
from app.mask.undo import Patch, Step, TileKeeper, UndoStack
from engine.photo import Box, Click, Stroke

UNDO_BYTES = 128 * 2**20

_MOST_WORK = 60e6
"""A stroke whose dabs cover more pixels than this stays as it was drawn: painting it again would be felt."""

_ASKING = ("Click", "Move a click", "Remove a click", "Clear the clicks", "Box")
"""Steps that the segmenter answers."""
FOUND = "Find the subject"
"""The step of looking again, by another name."""

NOTHING = Rect(0, 0, 0, 0)


def _at_once(layers: Layers, take: Callable[[Layers], object]) -> None:
    take(layers)


class MaskDocument:
    """One mask and its undo history.

    Args:
        automatic: uint8 (H, W), the mask the pre-flight found; it can be gone back to.
        base, marks: the present state, when it is another one.
        undo_bytes: how much undo may keep.
    """

    def __init__(
        self,
        automatic: np.ndarray,
        base: np.ndarray | None = None,
        marks: MaskMarks | None = None,
        undo_bytes: int = UNDO_BYTES,
    ) -> None:
        self._automatic = automatic
        pixels = np.array(automatic if base is None else base, np.uint8, order="C")
        if pixels.ndim != 2 or pixels.shape != automatic.shape:
            raise ValueError(f"a mask is (H, W) like the automatic one, not {pixels.shape}")
        self._marks = marks or MaskMarks()
        self._masks = Masks(pixels, self._marks.edge)
        self._undo = UndoStack(undo_bytes)
        self._stroke: OpenStroke | None = None
        self._revision = 0
        self.on_change: Callable[[Rect], None] = lambda rect: None

    def copy(self) -> MaskDocument:
        """The same mask without its undo. The pixels are shared until one of the two changes."""
        out = MaskDocument.__new__(MaskDocument)
        out.__dict__.update(self.__dict__)
        out._masks, out._undo, out._stroke = self._masks.copy(), UndoStack(self._undo.limit), None
        out.on_change = lambda rect: None
        return out

    # What is there

    @property
    def _base(self) -> np.ndarray:
        return self._masks.base

    @property
    def height(self) -> int:
        return self._base.shape[0]

    @property
    def width(self) -> int:
        return self._base.shape[1]

    @property
    def whole(self) -> Rect:
        return Rect(0, 0, self.width, self.height)

    @property
    def mask(self) -> np.ndarray:
        """uint8 (H, W), what is shown and used. A read-only view that changes with the document: copy to keep."""
        view = self._masks.mask.view()
        view.flags.writeable = False
        return view

    def shows(self, pixels: np.ndarray) -> bool:
        """Return True if ``mask`` is this very array."""
        return self._masks.mask is pixels

    @property
    def base(self) -> np.ndarray:
        """uint8 (H, W), the mask before its edge is grown and feathered; a read-only view."""
        view = self._base.view()
        view.flags.writeable = False
        return view

    @property
    def large(self) -> bool:
        """True if the whole mask is too much to work on at once."""
        return self._masks.large

    @property
    def late(self) -> bool:
        """True while ``mask`` still shows another edge than ``marks`` say."""
        return self._masks.late

    def be_patient(self) -> None:
        """From now on somebody looks at ``late`` after every change, makes what is missing elsewhere and brings it."""
        self._masks.patient = True

    def lend(self) -> np.ndarray:
        """``base`` to be read in another thread: this array does not change any more."""
        return self._masks.lend() if self._stroke is None else self._base.copy()

    def is_base(self, lent: np.ndarray) -> bool:
        """Return True if ``base`` is still what was lent."""
        return self._base is lent

    @property
    def automatic(self) -> np.ndarray:
        return self._automatic

    @property
    def marks(self) -> MaskMarks:
        return self._marks

    @property
    def revision(self) -> int:
        """Grows with every change; who computes something from the mask can tell that it is out of date."""
        return self._revision

    @property
    def painting(self) -> bool:
        return self._stroke is not None

    @property
    def undo_bytes(self) -> int:
        return self._undo.bytes

    @property
    def undo_label(self) -> str:
        """The label of the next undo, or "" when there is nothing to undo."""
        step = self._undo.next_undo
        return step.label if step else ""

    @property
    def redo_label(self) -> str:
        step = self._undo.next_redo
        return step.label if step else ""

    def strokes(self) -> tuple[Stroke, ...]:
        """The painted strokes as the segmenter takes them."""
        return tuple(Stroke(p.path, p.brush.radius, p.include) for p in self._marks.painted if p.brush is not None)

    # Painting: one stroke is one step, however often it leaves the photo and comes back

    def begin_stroke(self, point: Point, brush: Brush) -> None:
        self.end_stroke()
        self._masks.own()
        self._stroke = OpenStroke(brush, self._compensated(brush), [point], TileKeeper(self._base))
        self._dabs([point])

    def extend_stroke(self, point: Point) -> None:
        """Paint on to ``point``; without a stroke nothing happens."""
        stroke = self._stroke
        if stroke is not None and point != stroke.path[-1]:
            start = stroke.path[-1]
            stroke.path.append(point)
            self._dabs(list(steps(start, point, stroke.inner)))

    def end_stroke(self) -> None:
        """Smooth what was painted and make it one step."""
        stroke = self._stroke
        if stroke is None:
            return
        little = work(stroke.path, stroke.inner) <= _MOST_WORK
        path = smooth(stroke.path) if little else stroke.path
        if len(path) > len(stroke.path) and work(path, stroke.inner) <= _MOST_WORK:
            touched = stroke.keeper.restore()
            dabs = dabs_along(path, stroke.inner)
            stroke.keeper.keep(around(dabs, reach(stroke.inner)))
            touched = touched.united(paint(self._base, dabs, stroke.inner))
            self._show(touched)
        else:
            path = stroke.path
        self._stroke = None
        painted = Painted(tuple(path), stroke.inner, stroke.brush.include)
        label = "Paint" if stroke.brush.include else "Erase"
        self._commit(label, stroke.keeper.patches(), painted=(*self._marks.painted, painted))

    def cancel_stroke(self) -> None:
        """Take back the stroke that is being painted; it leaves no step."""
        if self._stroke is not None:
            touched = self._stroke.keeper.restore()
            self._stroke = None
            self._show(touched)

    def fill_area(self, corners: Sequence[Point], include: bool = True) -> None:
        """Add or take away everything inside a closed line (the lasso)."""
        self.end_stroke()
        if len(corners) < 3:
            return
        self._masks.own()
        keeper = TileKeeper(self._base)
        area = around(corners, 2)
        keeper.keep(area)
        fill(self._base, corners, include)
        self._show(area.clipped(self.height, self.width))
        painted = Painted(tuple(corners), None, include)
        self._commit("Lasso", keeper.patches(), painted=(*self._marks.painted, painted))

    # Marks. A click is a step at once; the answer of the segmenter joins it

    def add_click(self, click: Click) -> None:
        self._commit("Click", clicks=(*self._marks.clicks, click))

    def move_click(self, index: int, x: float, y: float) -> None:
        clicks = list(self._marks.clicks)
        clicks[index] = replace(clicks[index], x=x, y=y)
        self._commit("Move a click", clicks=tuple(clicks))

    def remove_click(self, index: int) -> None:
        clicks = list(self._marks.clicks)
        del clicks[index]
        self._commit("Remove a click", clicks=tuple(clicks))

    def clear_clicks(self) -> None:
        if self._marks.clicks or self._marks.box:
            self._commit("Clear the clicks", clicks=(), box=None)

    def set_box(self, box: Box | None) -> None:
        """A box around the subject starts anew: clicks and strokes were meant for what was there before."""
        self._commit("Box", clicks=(), box=box, painted=(), candidate=-1)

    def set_edge(self, edge: Edge) -> None:
        """Grow, shrink, feather. Changes in a row are one step."""
        edge = Edge(
            float(np.clip(edge.grow, -MAX_GROW, MAX_GROW)),
            float(np.clip(edge.feather, 0, MAX_FEATHER)),
        )
        if edge == self._marks.edge:
            return
        self.end_stroke()
        before = self._marks
        self._marks = replace(before, edge=edge)
        last = self._undo.next_undo
        if last is not None and last.label == "Edge" and self._undo.next_redo is None:
            self._undo.amend(replace(last, after=self._marks))
        else:
            self._undo.push(Step("Edge", (), before, self._marks))
        self._masks.set_edge(edge)
        self._changed(self.whole)

    def take_edge(self, layers: Layers) -> None:
        """A late mask, made elsewhere from what ``lend`` gave; no step."""
        self._masks.take(layers)
        self._changed(self.whole)

    def catch_up(self, rect: Rect) -> None:
        """Bring a part of a late mask up to date; nobody is told, and the mask stays late."""
        self._masks.catch_up(rect)

    # The whole mask at once

    def answer(self, base: np.ndarray | Layers) -> None:
        """Take the segmenter's mask. It joins the click or the box that asked for it, if that was the last step."""
        self.end_stroke()
        layers = self._masks.layers(base, self._marks.edge)
        last = self._undo.next_undo
        if last is not None and last.label in _ASKING and not last.patches and self._undo.next_redo is None:
            self._undo.amend(replace(last, patches=layers.patches))
        elif layers.patches:
            self._undo.push(Step("Cut out", layers.patches, self._marks, self._marks))
        else:
            return
        self._masks.take(layers)
        self._changed(self.whole)

    def replace(self, base: np.ndarray | Layers, label: str, marks: MaskMarks | None = None) -> None:
        """Another mask (imported, or edited elsewhere), as one step."""
        self.end_stroke()
        before, after = self._marks, marks or MaskMarks()
        layers = self._masks.layers(base, after.edge)
        if not layers.patches and before == after:
            return
        self._marks = after
        self._masks.take(layers)
        self._undo.push(Step(label, layers.patches, before, after))
        self._changed(self.whole)

    def layers_for(self, other: MaskDocument, pyramid: Pyramid) -> Layers:
        """This mask for another document; this one is used up. ``pyramid``: of ``mask``."""
        self.end_stroke()
        return self._masks.given(other._base, pyramid)

    def renew(
        self,
        automatic: np.ndarray,
        label: str = FOUND,
        layers: Layers | None = None,
        candidate: int = 0,
    ) -> None:
        """A new automatic mask: another candidate was chosen, or the subject was looked for again."""
        self._automatic = automatic
        self.replace(layers or automatic, label, MaskMarks(edge=self._marks.edge, candidate=candidate))

    def start_from(self, automatic: np.ndarray, exchange: Exchange = _at_once) -> bool:
        """The automatic mask has come. It is where everything starts, not a step; what was done meanwhile stays.

        Args:
            exchange: calls its second argument with its first, the new layers.

        Returns:
            Whether it was taken as the mask.
        """
        self._automatic = automatic
        if self._stroke is not None or self._undo.next_undo is not None or self._undo.next_redo is not None:
            return False
        base = np.array(automatic, np.uint8, order="C")
        exchange(layers_of(base, base, self._marks.edge), self.take_edge)
        return True

    def invert(self) -> None:
        """Subject and background exchange places; so do the meanings of clicks and strokes."""
        self.end_stroke()
        marks = MaskMarks(
            clicks=tuple(replace(click, include=not click.include) for click in self._marks.clicks),
            painted=tuple(
                replace(p, include=not p.include, brush=p.brush and replace(p.brush, include=not p.include))
                for p in self._marks.painted
            ),
            edge=self._marks.edge,
            candidate=-1,
        )
        patch = Patch(self.whole, None)
        self._masks.own()
        patch.apply(self._base)
        self._undo.push(Step("Invert", (patch,), self._marks, marks))
        self._marks = marks
        self._masks.set_edge(marks.edge)
        self._changed(self.whole)

    # Undo

    def undo(self) -> None:
        """Take back the newest step; a stroke that is being painted counts as one."""
        if self._stroke is not None:
            self.end_stroke()
        step = self._undo.undo()
        if step is not None:
            self._play(step, step.before)

    def redo(self) -> None:
        if self._stroke is None:
            step = self._undo.redo()
            if step is not None:
                self._play(step, step.after)

    def _play(self, step: Step, marks: MaskMarks) -> None:
        if step.patches:
            self._masks.own()
        for patch in step.patches:
            patch.apply(self._base)
        edge_changes = marks.edge != self._marks.edge
        self._marks = marks
        if edge_changes:
            self._masks.set_edge(marks.edge)
            self._changed(self.whole)
        else:
            self._show(step.rect)

    # Below the surface

    def _dabs(self, points: Sequence[Point]) -> None:
        stroke = self._stroke
        assert stroke is not None
        area = around(points, reach(stroke.inner)).clipped(self.height, self.width)
        if area.empty:
            return
        stroke.keeper.keep(area)
        before = self._base[area.slices].copy()
        paint(self._base, points, stroke.inner)
        # What was painted already needs no new look: often all of it, mostly half.
        x, y, width, height = cv2.boundingRect(cv2.bitwise_xor(before, self._base[area.slices]))
        if width and height:
            left, top = area.x0 + x, area.y0 + y
            self._show(Rect(left, top, left + width, top + height))

    def _compensated(self, brush: Brush) -> Brush:
        """The brush for ``base``: what ``grow`` adds to the outline later is left out now."""
        grow = self._marks.edge.grow
        size = brush.size - 2 * grow if brush.include else brush.size + 2 * grow
        return replace(brush, size=max(size, 1.0))

    def _commit(self, label: str, patches: tuple[Patch, ...] = (), **marks) -> None:
        before = self._marks
        self._marks = replace(before, **marks)
        if patches or self._marks != before:
            self._undo.push(Step(label, patches, before, self._marks))
            self._changed(NOTHING)

    def _show(self, rect: Rect) -> None:
        """``base`` changed inside ``rect``: bring ``mask`` up to date and tell."""
        self._changed(NOTHING if rect.empty else self._masks.touched(rect))

    def _changed(self, rect: Rect) -> None:
        self._revision += 1
        self.on_change(rect)
