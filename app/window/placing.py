"""Connects the place of the subject in the state with the frame on the canvas. Only for models that know placement."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot

from app.canvas.panel import CanvasPanel
from app.session.state import SessionState
from app.session.values import compose
from engine import Placement
from engine.bundle import BundleManifest


class Placing(QObject):
    """See the module.

    Signals:
        changed: the subject can be placed now, or not any more.
    """

    changed = Signal()

    def __init__(self, canvas: CanvasPanel, state: SessionState, parent: QObject) -> None:
        super().__init__(parent)
        self._canvas, self._state = canvas, state
        self._possible = False
        for signal in (
            state.engineChanged,
            state.photoChanged,
            state.maskChanged,
            state.requestChanged,
            state.resultChanged,
            state.jobChanged,
            canvas.placement.shown,
        ):
            signal.connect(self._show)
        canvas.placement.frame.moved.connect(self._moved)
        canvas.placement.frame.automaticWanted.connect(self._automatic)

    @Slot()
    def _show(self) -> None:
        state, canvas = self._state, self._canvas
        manifest, photos = state.engine.manifest, state.photos
        placed = manifest.placed_content if manifest is not None and state.engine.phase != "failed" else None
        cut_out = photos[0].cut_out if photos else None  # of several photos the first one is placed
        if manifest is None or placed is None or cut_out is None:
            canvas.placement.set_stage(None)
        else:
            canvas.placement.frame.set_subject(cut_out)
            canvas.placement.set_stage(self._size(manifest), placed.ranges.ground(cut_out))
            self._show_place(manifest)
        if canvas.placement.can_place() != self._possible:
            self._possible = canvas.placement.can_place()
            self.changed.emit()

    def _show_place(self, manifest: BundleManifest) -> None:
        placement, before = self._state.values.placement, self._before(manifest)
        shown = placement or before or self._automatic_place(manifest)
        if shown is not None:
            self._canvas.placement.frame.set_placement(shown, automatic=placement is None, before=before)
            moved = before is not None and shown != before
            self._canvas.placement.set_mode(automatic=placement is None, moved=moved, in_photo=self._is_in_photo())

    def _is_in_photo(self) -> bool:
        region = self._state.result.request.region if self._state.result is not None else None
        return region is not None and region.window is not None

    def _before(self, manifest: BundleManifest) -> Placement | None:
        """Return the placement in the picture that is shown, or is about to be."""
        result, request = self._state.result, self._state.jobs.request
        if result is not None:
            return manifest.place(result.request)
        return manifest.place(request) if request is not None else None

    def _automatic_place(self, manifest: BundleManifest) -> Placement | None:
        """The place that the seed chooses; a usual one as long as the next seed is not known."""
        photos, values = self._state.photos, self._state.values
        cut_out = photos[0].cut_out if photos else None
        if cut_out is None or manifest.placed_content is None:
            return None
        if values.seed_locked:
            return manifest.place(compose(values, cut_out))
        return manifest.placed_content.ranges.middle(cut_out, self._size(manifest))

    def _size(self, manifest: BundleManifest) -> tuple[int, int]:
        """Width and height of the next picture."""
        size = self._state.values.size
        return size if size is not None and size in manifest.sizes else manifest.sizes[0]

    @Slot(object)
    def _moved(self, placement: Placement) -> None:
        result = self._state.result
        if result is not None and self._canvas.placement.is_over():
            self._state.set_moved_over(result.request)
        self._state.update_values(placement=placement)

    @Slot()
    def _automatic(self) -> None:
        self._state.set_moved_over(None)
        self._state.update_values(placement=None)
