"""The words beside the dot in the top bar."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from app.state import SessionState


def _tr(text: str) -> str:
    return QCoreApplication.translate("Status", text)


def spoken_seconds(seconds: float) -> str:
    """ "0.8 s", "38 s", "2 min 5 s", with spaces that do not break."""
    if seconds < 9.95:
        return f"{seconds:.1f}\u00a0s"
    if seconds < 90:
        return f"{round(seconds)}\u00a0s"
    return f"{int(seconds // 60)}\u00a0min\u00a0{round(seconds % 60)}\u00a0s"


def status_of(state: SessionState, *, editing: bool = False, last: str = "") -> tuple[str, str]:
    """Text and colour of the dot.

    Args:
        editing: the cut-out editor is open.
        last: how the last drawing ended ("Done in 38 s", "Stopped"), or "" before one.
    """
    engine, jobs, subject = state.engine, state.jobs, state.subject
    if editing:
        return _tr("Editing the cut-out"), "accent"
    if jobs.busy:
        if jobs.stopping:
            return _tr("Stopping…"), "warning"
        if jobs.count > 1:
            return _tr("Drawing {0} of {1}").format(jobs.index, jobs.count), "accent"
        return _tr("Drawing"), "accent"
    if engine.phase == "failed":
        return _tr("The model is not loaded"), "danger"
    if engine.phase == "loading":
        share = round(100 * engine.fraction)
        text = _tr("Loading the model, {0}\u00a0%").format(share) if share else _tr("Loading the model")
        return text, "warning"
    if subject is not None and subject.finding:
        return _tr("Finding the subject…"), "warning"
    if engine.phase == "ready":
        return last or _tr("Ready"), "danger" if last.startswith(_tr("Stopped:")) else "accent"
    return "", "track"


def empty_words(state: SessionState) -> tuple[str, str]:
    """Title and text of a canvas without a picture: what the user can do next."""
    subject = state.subject
    if subject is None:
        return _tr("Put your thing anywhere"), _tr(
            "Add a photo of one thing, write where it should be, and watch the picture form from coarse to fine."
        )
    name = subject.name.strip()
    title = _tr("Put this {0} anywhere").format(name) if name else _tr("Put this anywhere")
    if not subject.example:
        return title, _tr("Write where it should be, press Generate and watch the picture form from coarse to fine.")
    seconds = state.expected_seconds
    if not seconds:
        return title, _tr("The example is ready. Press Generate and watch the picture form from coarse to fine.")
    return title, _tr(
        "The example is ready. Press Generate and watch the picture form from coarse to fine, in about {0} seconds."
    ).format(max(1, round(seconds)))
