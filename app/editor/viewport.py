"""The photo on an editor's canvas and its place there, which the canvas and its tools share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF, Signal, Slot

from app.look.zoom import STEP, Zoom

if TYPE_CHECKING:
    from app.mask.mask_session import MaskSession


class Viewport(QObject):
    """A photo at any zoom, in a widget of any size.

    Args:
        padding: free widget pixels around a fitted photo.

    Attributes:
        session: the photo and its mask, or None.

    Signals:
        changed: zoom or place are different now.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None, *, padding: int = 24) -> None:
        super().__init__(parent)
        self.session: MaskSession | None = None
        self._padding = padding
        self._view = Zoom((1, 1), (1, 1))
        self._fitted = True

    def show_session(self, session: MaskSession | None, size: tuple[int, int], ratio: float) -> None:
        """Show another photo, or none, in a widget of that size; it is fitted."""
        self.session = session
        if session is not None:
            self._view = Zoom((session.photo.width, session.photo.height), size, ratio)
            self.zoom_fit()

    def view(self) -> Zoom:
        return self._view

    def set_view(self, view: Zoom) -> None:
        if view != self._view:
            self._view = view
            self._fitted = False
            self.changed.emit()

    def resize(self, size: tuple[int, int], ratio: float) -> None:
        """The widget has another size, or its screen another number of pixels; a fitted photo stays fitted."""
        view = self._view.resized(size, ratio)
        if view != self._view:
            self._view = view.fitted(self._padding) if self._fitted else view
            self.changed.emit()

    @Slot()
    def zoom_fit(self) -> None:
        """The whole photo."""
        self._view = self._view.fitted(self._padding)
        self._fitted = True
        self.changed.emit()

    @Slot()
    def zoom_actual(self) -> None:
        """100 %: one pixel of the photo is one pixel of the screen."""
        self.set_view(self._view.zoomed(1 / self._view.scale))

    @Slot()
    def zoom_in(self) -> None:
        self.set_view(self._view.zoomed(STEP))

    @Slot()
    def zoom_out(self) -> None:
        self.set_view(self._view.zoomed(1 / STEP))

    def to_photo(self, at: QPointF) -> tuple[float, float]:
        return self._view.to_picture(at.x(), at.y())

    def to_widget(self, x: float, y: float) -> QPointF:
        return QPointF(*self._view.to_widget(x, y))

    def inside(self, at: QPointF) -> tuple[float, float]:
        """The photo's point nearest to a point of the widget."""
        assert self.session is not None
        x, y = self.to_photo(at)
        width, height = self.session.photo.width, self.session.photo.height
        return min(max(x, 0.0), width - 0.01), min(max(y, 0.0), height - 0.01)
