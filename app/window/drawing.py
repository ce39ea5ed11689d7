"""Drawing, as far as panels take part: Generate, Cancel and ideas on one side, the forming picture on the other."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal, Slot

from app.desk import Desk
from app.window.layout import Panels
from engine.errors import EchoGenError


class Drawing(QObject):
    """Connects the prompt panel and the canvas with the desk, and has the actions of drawing.

    Signals:
        asked: a picture was asked for; the prompt is in its history, and the seed may be another.
    """

    asked = Signal()

    def __init__(self, panels: Panels, desk: Desk, parent: QObject) -> None:
        super().__init__(parent)
        self._panels, self._desk, self._state = panels, desk, desk.state
        generation, canvas, prompt = desk.generation, panels.canvas, panels.prompt
        prompt.generateRequested.connect(self.generate)
        prompt.cancelRequested.connect(self.stop)
        prompt.ideasRequested.connect(self.draw_ideas)
        canvas.varyRequested.connect(desk.vary)
        canvas.redrawRequested.connect(desk.redraw)
        canvas.ideaChosen.connect(desk.finish_idea)
        canvas.ideasClosed.connect(generation.stop_now)
        desk.drawing.connect(canvas.started)
        desk.ideasBegun.connect(canvas.begin_ideas)
        desk.ended.connect(self._ended)
        generation.previewed.connect(canvas.previewed)
        generation.finished.connect(canvas.finished)
        generation.stopped.connect(self._stopped)
        generation.failed.connect(self._failed)
        generation.ideaPreviewed.connect(canvas.idea_previewed)
        generation.ideaFinished.connect(canvas.idea_finished)

    @Slot()
    def generate(self) -> None:
        """Draw what the panel says; a new seed unless it is locked."""
        prompt = self._panels.prompt
        possible, why = self._desk.can_draw()
        if not possible:
            self._panels.toast.show_message(why)
            if not self._state.values.prompt.strip():
                prompt.focus_prompt()
            return
        focused = prompt.generate.hasFocus()
        prompt.for_next_picture()
        prompt.remember(self._state.values.prompt)
        self._desk.generate()
        if focused and self._state.jobs.busy:
            prompt.cancel.setFocus(Qt.FocusReason.OtherFocusReason)
        self.asked.emit()

    @Slot()
    def draw_ideas(self) -> None:
        """Draw the coarse scales of four seeds."""
        self._desk.draw_ideas(self._panels.canvas.idea_scales())

    @Slot()
    def stop(self) -> None:
        """Stop at once; when nothing is drawn, put away what can be put away."""
        panels = self._panels
        if self._state.jobs.busy:
            self._desk.generation.stop_now()
        elif panels.canvas.ideas.isVisible():
            panels.canvas.close_ideas()
        elif panels.left.is_narrow() and panels.left.is_panel_open():
            panels.left.close_panel()
        elif panels.banner.isVisible():
            panels.banner.dismiss()

    @Slot(object)
    def _stopped(self, images: object) -> None:
        self._panels.canvas.stopped()

    @Slot(object, str)
    def _failed(self, error: EchoGenError, details: str) -> None:
        canvas = self._panels.canvas
        if canvas.canvas.state == "forming" or not canvas.canvas.has_picture():
            canvas.failed()
        canvas.close_ideas()

    @Slot(str)
    def _ended(self, text: str) -> None:
        """Cancel disappears: a focus on it goes to what one does next."""
        if self._panels.prompt.cancel.hasFocus() and not self._state.jobs.busy:
            self._panels.canvas.actions_bar.vary_button.setFocus(Qt.FocusReason.OtherFocusReason)
