"""An error offers the step that helps."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.look.controls import OutlinedButton
from app.session.state import SessionState
from app.store.errors import HistoryNotWritten
from app.window.banner import ErrorBanner
from app.window.next_steps import ErrorSteps
from engine import CannotWrite, PhotoError, Sentence, SubjectNotFound


@pytest.mark.parametrize(
    ("kind", "words", "step"),
    [(HistoryNotWritten, "Rescan folder", "rescan"), (CannotWrite, "Choose another folder…", "folder")],
)
def test_a_full_disk_of_the_history_is_not_cured_by_another_folder_of_pictures(qtbot, kind, words, step):
    banner, done = ErrorBanner(), []
    qtbot.addWidget(banner)
    steps = ErrorSteps(
        QObject(banner),
        banner,
        SimpleNamespace(state=SessionState()),
        *(lambda *_, name=name: done.append(name) for name in ("edit", "model", "folder", "photo", "rescan")),
    )
    steps.show(kind(Sentence("The disk is full.")))
    (button,) = [each for each in banner.findChildren(OutlinedButton) if each.text() == words]
    button.click()
    assert done == [step]
    assert banner.isHidden() == (step == "rescan")


def test_an_error_is_told_where_the_banner_is_out_of_sight(qtbot):
    panel, told = QWidget(), []
    banner = ErrorBanner(panel)
    qtbot.addWidget(panel)
    nothing = [lambda *_: None] * 6
    steps = ErrorSteps(QObject(banner), banner, SimpleNamespace(state=SessionState()), *nothing, told.append)
    steps.show(PhotoError(Sentence("cat.png is damaged."), Sentence("Copy it again.")))
    steps.report(CannotWrite(Sentence("The disk is full.")))
    assert told == ["cat.png is damaged.", "The disk is full."], "an editor or the gallery covers the panel"
    panel.show()
    steps.show(PhotoError(Sentence("dog.png is damaged.")))
    assert len(told) == 2


def test_nothing_found_is_said_of_its_photo_only(qtbot):
    banner, state = ErrorBanner(), SessionState()
    qtbot.addWidget(banner)
    steps = ErrorSteps(QObject(banner), banner, SimpleNamespace(state=state), *[lambda *_: None] * 5)
    first = state.add_subject(name="snow")
    steps.show(SubjectNotFound(Sentence("Nothing was found.")))
    state.update_subject(first.key, name="a field of snow")
    assert not banner.isHidden()
    state.add_subject(name="dog")
    assert banner.isHidden() and banner.error is None
    steps.show(PhotoError(Sentence("cat.png is damaged.")))
    state.add_subject(name="shoe")
    assert not banner.isHidden(), "which file it is stands in the sentence, and another photo does not mend it"


def test_a_photo_that_cannot_be_read_is_forgotten_with_the_next_ones_that_are_given(qtbot):
    banner = ErrorBanner()
    qtbot.addWidget(banner)
    steps = ErrorSteps(QObject(banner), banner, SimpleNamespace(state=SessionState()), *[lambda *_: None] * 5)
    steps.show(PhotoError(Sentence("letter.jpg holds no image.")))
    steps.photos_given()
    assert banner.isHidden() and banner.error is None
    steps.show(CannotWrite(Sentence("The disk is full.")))
    steps.photos_given()
    assert not banner.isHidden()
    steps.report(PhotoError(Sentence("cat.png is damaged.")))
    steps.photos_given()
    assert not banner.isHidden(), "a picture of the history, which no photo replaces"
    steps.history_used()
    assert banner.isHidden() and banner.error is None, "another picture of the history is shown"
    steps.show(PhotoError(Sentence("letter.jpg holds no image.")))
    steps.history_used()
    assert not banner.isHidden(), "a photo that was given, which no picture replaces"
