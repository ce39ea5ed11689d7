"""The subject in a photo that it goes into: dragged, sized, turned and mirrored over the photo, as on the canvas."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, Signal, Slot
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QWidget

from app.canvas.placement_frame import PlacementFrame
from app.editor.mask_canvas import MaskCanvas
from app.mask.mask_session import MaskSession
from engine import CutOut, Placement

_FIRST = Placement(0.5, 0.62, 0.4)
"""Where it stands before anybody has moved it."""
_GROUND = 0.92


class PhotoPlacing(QObject):
    """A frame over the photo of an editor, as long as nothing is marked: marks say by themselves where the subject goes.

    Args:
        canvas: shows the photo.
        keys: whose actions rest while the frame has the focus, where both have the same keys.

    Signals:
        changed: the frame is there now, or not any more, or its keys act now, or rest.
    """

    changed = Signal()

    def __init__(self, canvas: MaskCanvas, keys: QWidget) -> None:
        super().__init__(canvas)
        self._canvas, self._keys = canvas, keys
        self._session: MaskSession | None = None
        self._subject: CutOut | None = None
        self._placement = _FIRST
        self.frame = PlacementFrame(canvas)
        self.frame.hide()
        self.frame.moved.connect(self._moved)
        self.frame.automaticWanted.connect(self._start_again)
        self.frame.installEventFilter(self)
        canvas.installEventFilter(self)
        canvas.viewport.changed.connect(self._lay_out)

    def begin(self, session: MaskSession, subject: CutOut | None) -> None:
        """Stand a subject in the photo of a session; None where the model does not know placement."""
        self._session, self._subject, self._placement = session, subject, _FIRST
        session.marksChanged.connect(self._follow)
        session.placementChanged.connect(self._taken)
        if subject is not None:
            self.frame.set_subject(subject)
            self._show()
        self._follow()

    def end(self) -> None:
        self._session = self._subject = None
        self.frame.hide()

    def placed(self) -> tuple[CutOut, Placement] | None:
        """The subject and its place in shares of the photo, or None where marks say it, or nothing does."""
        if self._subject is None or self._session is None or self._session.document.mask.any():
            return None
        return self._subject, self.frame.placement()

    @Slot(object)
    def _moved(self, placement: Placement) -> None:
        if self._session is not None:
            self._session.place(placement)

    @Slot()
    def _start_again(self) -> None:
        if self._session is not None:
            self._session.place(None)

    @Slot()
    def _taken(self) -> None:
        """It was moved here, or it stands where it stood before the program ended."""
        if self._session is not None and self._subject is not None:
            self._placement = self._session.placement or _FIRST
            self._show()

    def _show(self) -> None:
        self.frame.set_placement(self._placement, automatic=self._placement == _FIRST)

    @Slot()
    def _follow(self) -> None:
        there = self.placed() is not None
        if there:
            self._lay_out()
        if there == self.frame.isHidden():
            if (
                self.frame.hasFocus()
            ):  # the press that began a stroke gave it; Qt would send the keys on to the next field
                self._canvas.setFocus(Qt.FocusReason.OtherFocusReason)
            self.frame.setVisible(there)
            self.changed.emit()

    @Slot()
    def _lay_out(self) -> None:
        session, viewport = self._session, self._canvas.viewport
        if session is None or self._subject is None:
            return
        self.frame.setGeometry(self._canvas.rect())
        corner, end = viewport.to_widget(0, 0), viewport.to_widget(session.photo.width, session.photo.height)
        self.frame.set_stage(QRectF(corner, end), _GROUND, over=True)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._canvas and event.type() == QEvent.Type.Resize:
            self._lay_out()
        elif watched is self.frame and event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut, QEvent.Type.Hide):
            self._rest(event.type() == QEvent.Type.FocusIn)
            self.changed.emit()
        elif watched is self.frame and isinstance(event, QMouseEvent) and self._hovers(event):
            self._canvas.tools.leave()  # the brush's ring would stay at the edge of the subject
        return super().eventFilter(watched, event)

    def _hovers(self, event: QMouseEvent) -> bool:
        moves = event.type() == QEvent.Type.MouseMove and not event.buttons()
        return moves and self.frame.is_over(event.position())

    def _rest(self, resting: bool) -> None:
        """Keys that both have would mean nothing to Qt, which does not choose between two actions."""
        own = {key for action in self.frame.actions() for key in action.shortcuts()}
        for action in self._keys.actions():
            if own.intersection(action.shortcuts()):
                action.setEnabled(not resting)
