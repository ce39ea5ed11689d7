"""Drawing, as far as panels take part: Generate, Cancel and ideas on one side, the forming picture on the other."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QApplication, QWidget

from app.session.controller import Controller
from app.window.empty_canvas import empty_words
from app.window.panels import Panels
from engine import EchoGenError, GenerationRequest, ScaleBits


class Drawing(QObject):
    """Connects the prompt panel and the canvas with the controller, and has the actions of drawing.

    Signals:
        asked: a picture was asked for; the prompt is in its history, and the seed may be another.
    """

    asked = Signal()

    def __init__(self, panels: Panels, controller: Controller, parent: QObject) -> None:
        super().__init__(parent)
        self._panels, self._controller, self._state = panels, controller, controller.state
        self._came_from: QWidget | None = None
        self._before_ideas: QWidget | None = None
        self._pressed = False
        queue, canvas, prompt = controller.queue, panels.canvas, panels.prompt
        prompt.generateRequested.connect(self.generate)
        prompt.cancelRequested.connect(self.stop)
        prompt.resumeRequested.connect(queue.resume)
        prompt.dropRequested.connect(self._drop_held)
        prompt.ideasRequested.connect(self.draw_ideas)
        prompt.queueRequested.connect(panels.queue.toggle)
        panels.queue.closed.connect(self._queue_closed)
        panels.queue.takenOut.connect(self._taken_out)
        canvas.varyRequested.connect(self._vary)
        canvas.finishRequested.connect(self._finish)
        canvas.redrawRequested.connect(self._redraw)
        canvas.ideaChosen.connect(controller.finish_idea)
        canvas.ideasClosed.connect(queue.stop_now)
        canvas.ideasLeft.connect(self._ideas_left)
        controller.drawing.connect(canvas.started)
        controller.ideasBegun.connect(canvas.begin_ideas)
        queue.previewed.connect(canvas.previewed)
        queue.previewSkipped.connect(canvas.preview_skipped)
        queue.finished.connect(canvas.finished)
        queue.stopped.connect(self._stopped)
        queue.failed.connect(self._failed)
        queue.ideaPreviewed.connect(canvas.idea_previewed)
        queue.ideaFinished.connect(canvas.idea_finished)
        queue.idle.connect(self._idle)
        controller.subjects.composed.connect(self._press_again)
        state = self._state
        for signal in (state.engineChanged, state.photoChanged, state.maskChanged, state.preparedChanged):
            signal.connect(
                self._press_again, Qt.ConnectionType.QueuedConnection
            )  # when all that changes at once has changed

    @Slot()
    def generate(self) -> None:
        """Draw what the panel says; a new seed unless it is locked, or the subject was moved over the picture that is shown:
        then the scene stays as far as its seed goes. What an open editor holds is used first."""
        panels = self._panels
        if panels.is_cutting():
            return  # what is cut out there is no subject to draw
        if panels.is_marking():
            panels.region.accept()
            return
        if panels.is_editing():
            panels.editor.use()
            if panels.is_editing():
                return  # the editor says why this cut-out cannot be used
        if self._controller.subjects.is_changing() and self._state.readiness().has_prompt:
            self._pressed = True  # a picture has the cut-out that is seen, which takes a moment
            return
        if self._state.readiness().is_coming:
            self._pressed = True
            panels.toast.show_message(self.tr("Starts as soon as the subject is there"))
            return
        prompt = panels.prompt
        prompt.wording.settle()
        possible, why = self._controller.can_draw()
        if not possible:
            self._panels.toast.show_message(why)
            if not self._state.values.prompt.strip():
                prompt.focus_prompt()
            return
        shown = self._state.result
        if shown is not None and self._state.was_moved_over(shown.request) and not self._state.values.seed_locked:
            self._state.update_values(seed=shown.request.seed)
        else:
            prompt.for_next_picture()
        prompt.remember(self._state.values.prompt)
        self._start(self._controller.generate)
        self.asked.emit()

    @Slot()
    def _press_again(self) -> None:
        """Generate, if that was pressed before what it needs was there, and now it may be."""
        if self._pressed and not self._state.readiness().is_coming:
            self._pressed = False
            if not self._panels.is_editing():  # who opened it meanwhile goes on in it
                self.generate()

    @Slot()
    def draw_ideas(self) -> None:
        """Draw the coarse scales of four seeds; a digit chooses one from now on."""
        canvas, focused = self._panels.canvas, QApplication.focusWidget()
        self._controller.draw_ideas(canvas.idea_scales())
        if canvas.ideas.isVisible():
            self._before_ideas = focused if focused is not canvas.ideas else self._before_ideas
            canvas.ideas.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def _ideas_left(self) -> None:
        before, self._before_ideas = self._before_ideas, None
        usable = before is not None and before.isVisible() and before.isEnabled()
        place = before if before is not None and usable else self._panels.prompt.sheet.prompt
        place.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot(object)
    def _vary(self, request: GenerationRequest) -> None:
        self._start(lambda: self._controller.vary(request))

    @Slot(object)
    def _finish(self, request: GenerationRequest) -> None:
        self._start(lambda: self._controller.finish(request))

    @Slot(object, object, int)
    def _redraw(self, request: GenerationRequest, bits: ScaleBits, keep: int) -> None:
        self._start(lambda: self._controller.redraw(request, bits, keep))

    def _start(self, draw: Callable[[], object]) -> None:
        """Buttons that begin a drawing go away meanwhile: a focus on one waits on Stop, and comes back when all is done."""
        panels, focused = self._panels, QApplication.focusWidget()
        draw()
        canvas, sheet = panels.canvas, panels.prompt.sheet
        bar = canvas.actions_bar
        begins = (sheet.generate, bar.vary_button, bar.finish_button, canvas.strip.redraw_button)
        if focused is not None and self._state.jobs.busy and focused in (*begins, *bar.children()):
            self._came_from = focused
            sheet.cancel.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def _idle(self) -> None:
        self._panels.canvas.ideas_ended()
        QTimer.singleShot(0, self, self._give_focus_back)  # when the buttons are there again

    @Slot()
    def _give_focus_back(self) -> None:
        sheet, came_from, self._came_from = self._panels.prompt.sheet, self._came_from, None
        if came_from is None or self._state.jobs.busy or not (sheet.cancel.hasFocus() or sheet.generate.hasFocus()):
            return
        places = (came_from, self._panels.canvas.actions_bar.vary_button, sheet.generate)
        place = next((place for place in places if place.isVisible() and place.isEnabled()), sheet.prompt)
        place.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def stop(self) -> None:
        """Stop at once; when nothing is drawn, put away what can be put away."""
        panels = self._panels
        pressed, self._pressed = self._pressed, False
        if self._state.jobs.busy or self._state.jobs.waiting:
            self._taken_out(self._controller.queue.stop_now())
        elif pressed:
            panels.toast.show_message(self.tr("Stopped"))
        elif panels.queue.isVisible():
            panels.queue.put_away()
        elif panels.history.leave_search():
            pass
        elif panels.canvas.ideas.isVisible():
            panels.canvas.close_ideas()
        elif panels.canvas.results.isVisible():
            panels.canvas.close_results()
        elif panels.canvas.placement.leave() or panels.canvas.leave_compare():
            pass
        elif panels.left.is_narrow() and panels.left.is_panel_open():
            panels.left.close_panel()
        elif panels.banner.isVisible():
            panels.banner.dismiss()

    @Slot()
    def stop_after(self) -> None:
        """Finish the picture that is drawn."""
        self._taken_out(self._controller.queue.stop_after())

    @Slot()
    def _drop_held(self) -> None:
        self._taken_out(self._controller.queue.drop_held())

    @Slot()
    def pause_or_go_on(self) -> None:
        """Pause what waits; when nothing waits, go on with what is paused."""
        queue = self._controller.queue
        if self._state.jobs.waiting:
            queue.pause()
            self._panels.toast.show_message(self.tr("Paused"), queue.resume, self.tr("Go on"))
        else:
            queue.resume()

    @Slot()
    def _queue_closed(self) -> None:
        sheet = self._panels.prompt.sheet
        place = sheet.queue_button if sheet.queue_button.isVisible() else sheet.prompt
        place.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot(int)
    def _taken_out(self, count: int) -> None:
        if not count:
            return
        text = self.tr("Taken out of the queue") if count == 1 else self.tr("{0} taken out of the queue").format(count)
        self._panels.toast.show_message(text, self._panels.queue.undo)

    @Slot(object)
    def _stopped(self, images: object) -> None:
        canvas, result = self._panels.canvas, self._state.result
        unfinished = result if result is not None and result.unfinished else None
        if unfinished is not None:
            canvas.stopped(unfinished.image, unfinished.previews)
        else:
            canvas.stopped(None)
        if result is None:
            canvas.show_empty(*empty_words(self._state))

    @Slot(object, str)
    def _failed(self, error: EchoGenError, details: str) -> None:
        canvas = self._panels.canvas
        if self._state.result is None:
            canvas.failed()
        canvas.close_ideas()
