"""The frame and its bar over the canvas, with which the subject of the next picture is placed."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QApplication

from app.canvas.placement_bar import PlacementBar
from app.canvas.placement_frame import PlacementFrame
from app.canvas.result import ResultCanvas


class PlacementLayer(QObject):
    """Decides when the frame is there: on the empty canvas always, over a picture when it is asked for.

    Attributes:
        frame: over the whole canvas. bar: under the picture, in place of the bar of actions.

    Signals:
        shown: the frame lies over the picture now.
        changed: the frame came or went, or other words fit the empty canvas.
    """

    shown = Signal()
    changed = Signal()

    def __init__(self, canvas: ResultCanvas, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self.frame = PlacementFrame(canvas)
        self.bar = PlacementBar(canvas)
        self.frame.hide()
        self.bar.hide()
        self._stage: tuple[tuple[int, int], float] | None = None
        self._over, self._automatic = False, True
        self.bar.closed.connect(self.leave)
        self.bar.mirrorWanted.connect(self.frame.mirror)
        self.bar.automaticWanted.connect(self.frame.automaticWanted)

    def set_stage(self, size: tuple[int, int] | None, ground: float = 0.0) -> None:
        """Set the area for the subject: the next picture's width and height, and the ground as a share of its height.
        None hides the frame: nothing can be placed then."""
        stage = (size, ground) if size is not None else None
        if stage != self._stage:
            self._stage = stage
            self.changed.emit()

    def set_mode(self, *, automatic: bool, moved: bool, in_photo: bool = False) -> None:
        """Set the words that say how the subject is placed. ``moved``: elsewhere than in the picture that is shown;
        ``in_photo``: which was put into a photo."""
        changed = self.bar.set_mode(automatic=automatic, over=self.is_over(), moved=moved, in_photo=in_photo)
        if changed or automatic != self._automatic:
            self._automatic = automatic
            self.changed.emit()

    def can_place(self) -> bool:
        """Return True if there is a subject that can be placed now."""
        return self._stage is not None and self._canvas.state in ("empty", "error", "result")

    def is_over(self) -> bool:
        """Return True if the frame lies over a picture."""
        return self._over and self._stage is not None and self._canvas.state == "result"

    @Slot()
    def toggle(self) -> None:
        """The frame over the picture, or away again; before the first picture it stands there and gets the focus."""
        if not self.can_place() or self.leave():
            return
        if self._canvas.state == "result":
            self._canvas.set_compare(False)
            self._over = True
            self.shown.emit()
            self.changed.emit()
        self.frame.setFocus(Qt.FocusReason.ShortcutFocusReason)

    @Slot()
    def leave(self) -> bool:
        """A drag goes back to its beginning; a frame over the picture goes away. Returns whether there was one of them."""
        if self.frame.is_dragged():
            self.frame.cancel_drag()
            return True
        if not self.is_over():
            return False
        self._over = False
        self.changed.emit()
        return True

    def forget_picture(self) -> None:
        """Another picture comes: the frame does not lie over it."""
        self._over = False

    def is_wanted(self, free: bool) -> bool:
        """Return True if the frame is to be shown; ``free``: nothing else lies over the canvas."""
        return free and (self._is_standing() or self.is_over())

    def follow(self, placing: bool) -> None:
        """Show frame and bar, or put them away."""
        forming = self._canvas.state == "forming"
        self._give_focus_up(placing and not forming)
        self.frame.setEnabled(not forming)
        self.frame.setVisible(placing)
        self.bar.setVisible(placing and not forming)

    def show_stage(self) -> None:
        """Have the empty canvas show where the picture will be."""
        if self._stage is not None and self._is_standing():
            self._canvas.set_stage(*self._stage, words=self._automatic)
        else:
            self._canvas.set_stage(None)

    def lay_out(self) -> None:
        canvas = self._canvas
        self.frame.setGeometry(canvas.rect())
        if self._stage is not None:
            self.frame.set_stage(canvas.picture_rect(), self._stage[1], over=canvas.has_picture())

    def _is_standing(self) -> bool:
        return self._stage is not None and not self._canvas.has_picture()

    def _give_focus_up(self, placing: bool) -> None:
        """A focus on the frame or its bar goes to the canvas when they go away: Qt would give it to any other control."""
        focused = QApplication.focusWidget()
        if not placing and focused is not None and (focused is self.frame or self.bar.isAncestorOf(focused)):
            self._canvas.setFocus(Qt.FocusReason.OtherFocusReason)
