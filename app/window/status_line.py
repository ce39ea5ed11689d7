"""The dot and the words in the top bar, kept true."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from app.language.say import say
from app.session.state import SessionState
from app.window.top_bar import TopBar

if TYPE_CHECKING:
    from app.session.controller import Controller


class StatusLine(QObject):
    """Follows the state and the drawing.

    Args:
        editing: tells what is done in the editor that is open, or "".
    """

    def __init__(
        self,
        top_bar: TopBar,
        controller: Controller,
        editing: Callable[[], str],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._top_bar, self._state, self._editing = top_bar, controller.state, editing
        self._last = self._fetching = self._enlarging = ""
        self._fetching_token = "accent"
        self._told_of: object = None
        state = controller.state
        state.engineChanged.connect(self._engine_changed)
        for signal in (state.jobChanged, state.maskChanged):
            signal.connect(self.show)
        state.resultChanged.connect(self._other_picture)
        controller.drawing.connect(self._begins)
        controller.ideasBegun.connect(self._begins)
        controller.ended.connect(self._ended)

    @Slot()
    def show(self) -> None:
        """Say what is so now."""
        self._top_bar.set_status(
            *status_of(
                self._state,
                editing=self._editing(),
                last=self._last,
                fetching=self._enlarging or self._fetching,
                fetching_token="accent" if self._enlarging else self._fetching_token,
            )
        )

    @Slot(str, str)
    def show_fetching(self, text: str, token: str) -> None:
        """The download under way, or ""; the line shows it while nothing is drawn. ``token``: colour of its dot."""
        if (text, token) != (self._fetching, self._fetching_token):
            self._fetching, self._fetching_token = text, token
            self.show()

    @Slot(str)
    def show_enlarging(self, text: str) -> None:
        """Say how far a picture is that is saved larger, or ""; only while nothing is drawn."""
        if text != self._enlarging:
            self._enlarging = text
            self.show()

    @Slot()
    def forget(self) -> None:
        """The error was read, or the language changed: the status does not go on about how the last drawing ended."""
        self._ended("")

    @Slot(object)
    @Slot(object, object)
    def _begins(self, event: object, size: object = None) -> None:
        self._last = ""

    @Slot(str)
    def _ended(self, text: str) -> None:
        result = self._state.result
        if self._state.engine.phase == "loading":
            text = ""  # the engine is started again: the banner has what ended it, and after that it is ready
        self._last, self._told_of = text, result.image if result is not None else None
        self.show()

    @Slot()
    def _engine_changed(self) -> None:
        """Another engine is started: how the last drawing of the one before ended is not said of it."""
        if self._state.engine.phase == "loading":
            self._last = ""
        self.show()

    @Slot()
    def _other_picture(self) -> None:
        """Another picture is shown: how a drawing ended is said of its own picture only."""
        result = self._state.result
        if self._last and (result.image if result is not None else None) is not self._told_of:
            self._last = ""
            self.show()


# The words beside the dot in the top bar.


def status_of(
    state: SessionState, *, editing: str = "", last: str = "", fetching: str = "", fetching_token: str = "accent"
) -> tuple[str, str]:
    """Text and colour of the dot.

    Args:
        editing: what is done in the editor that is open, or "".
        last: how the last drawing ended ("Done in 38 s", "Stopped"), or "" before one.
        fetching: a download or an enlarging that goes on ("Downloading EchoGen 2B, 34 %"), or stopped by itself, or "".
        fetching_token: the colour for it.
    """
    engine, jobs, subject = state.engine, state.jobs, state.subject
    if editing:
        return editing, "accent"
    if jobs.busy:
        if jobs.stopping:
            return say("Stopping…"), "warning"
        if jobs.count > 1:
            return say("Drawing {0} of {1}").format(jobs.index, jobs.count), "accent"
        return say("Drawing"), "accent"
    if engine.phase == "failed":
        return say("The model is not loaded"), "danger"
    if engine.phase == "loading":
        share = round(100 * engine.fraction)
        text = say("Loading the model, {0}\u00a0%").format(share) if share else say("Loading the model")
        return text, "warning"
    if subject is not None and subject.finding:
        return say("Finding the subject…"), "warning"
    if fetching:
        return fetching, fetching_token
    if engine.phase == "ready":
        return last or say("Ready"), "danger" if last.startswith(say("Stopped:")) else "accent"
    return "", "track"
