"""What the window tells of the work on models while their dialog is closed."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.window.dialog_opener import Dialogs
from engine import EchoGenError, Sentence
from engine.weights import ModelState


class Work(QObject):
    """Downloads of which a test says how they are."""

    changed = Signal(str)
    notice = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.states: dict[str, ModelState] = {}
        self.problems: dict[str, EchoGenError] = {}
        self.working: tuple[str, ...] = ()

    def state(self, name: str) -> ModelState | None:
        return self.states.get(name)

    def problem(self, name: str) -> EchoGenError | None:
        return self.problems.get(name)

    def tell(self, name: str, *, working: bool = True, **values) -> None:
        self.states[name] = ModelState(name, name.title(), "", "MIT", **{"done": 34, "total": 100, **values})
        self.working = (*(other for other in self.working if other != name), *([name] if working else []))
        self.changed.emit(name)


@pytest.fixture
def told(qapp, monkeypatch):
    """The work, what the line says of it, and the failures told."""
    work, host = Work(), QWidget()
    monkeypatch.setattr("app.session.downloads.Downloads", lambda controller, parent: work)
    opener = Dialogs(host, None, None)  # type: ignore[arg-type]
    lines, failures = [("", "")], []
    opener.fetching.connect(lambda *line: lines.append(line))
    opener.downloadFailed.connect(failures.append)
    assert opener.downloads is work
    yield work, lines, failures
    host.deleteLater()


def test_the_window_says_what_is_done_with_a_model(told):
    work, lines, _ = told
    for phase, values, words in (
        ("asking", {}, "Duck · Asking the server"),
        ("fetching", {}, "Downloading Duck, 34\u00a0%"),
        ("fetching", {"silent": True}, "Duck · Waiting for the server"),
        ("checking", {"fraction": 0.4}, "Duck · Checking the files, 40 %"),
        ("converting", {"fraction": 0.4}, "Duck · Making it ready to draw, 40 %"),
    ):
        work.tell("duck", phase=phase, **values)
        assert lines[-1] == (words, "warning" if "silent" in values else "accent")
    work.tell("duck", working=False, phase="ready", installed=True)
    assert lines[-1] == ("", "")


def test_the_line_stays_with_the_model_that_was_first(told):
    work, lines, _ = told
    work.working = ("duck",)
    work.tell("duck", phase="fetching")
    work.working = ("duck", "dog")
    work.states["dog"] = ModelState("dog", "Dog", "", "MIT", "fetching", done=1, total=100)
    work.changed.emit("dog")
    assert lines[-1][0].startswith("Downloading Duck")
    work.working = ("dog",)
    work.changed.emit("duck")
    assert lines[-1][0].startswith("Downloading Dog")


def test_a_download_that_failed_is_said_until_it_is_looked_at_or_tried_again(told):
    work, lines, failures = told
    work.problems["duck"] = EchoGenError(Sentence("The connection was cut."))
    work.tell("duck", working=False, phase="failed")
    assert lines[-1] == ("Duck · Stopped", "warning")
    assert failures == ["Duck is not downloaded: something went wrong"], "one sentence, without a capital in it"
    work.tell("dog", phase="fetching")  # goes before it, and leaves it where it was
    assert lines[-1][0].startswith("Downloading Dog")
    work.tell("dog", working=False, phase="ready")
    assert lines[-1] == ("Duck · Stopped", "warning") and len(failures) == 1
    work.problems.clear()
    work.tell("duck", phase="asking")
    work.tell("duck", working=False, phase="paused")
    assert lines[-1] == ("", "")


def test_names_in_the_line_are_in_the_language_of_the_window(told, monkeypatch):
    work, lines, _ = told
    monkeypatch.setattr("app.models.words.translated", lambda text: f"<{text}>")
    work.tell("duck", phase="fetching")
    assert "<Duck>" in lines[-1][0]
