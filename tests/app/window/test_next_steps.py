"""An error offers the step that helps."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from app.look.controls import OutlinedButton
from app.session.photo_reading import TooManyPhotos
from app.session.state import SessionState
from app.store.errors import HistoryNotWritten
from app.window.banner import ErrorBanner
from app.window.next_steps import ErrorSteps
from engine import CannotWrite, PhotoError, Sentence, SubjectNotFound


def _controller(**errors) -> SimpleNamespace:
    return SimpleNamespace(**{"state": SessionState(), "keep_error": None, "export_error": None} | errors)


def _steps(qtbot, **errors) -> tuple[ErrorBanner, ErrorSteps, list[str]]:
    """A banner, what fills it, and a list of the steps that were taken."""
    banner, done = ErrorBanner(), []
    qtbot.addWidget(banner)
    names = ("edit", "model", "folder", "photo", "rescan")
    steps = (lambda *_, name=name: done.append(name) for name in names)
    return banner, ErrorSteps(QObject(banner), banner, _controller(**errors), *steps), done


@pytest.mark.parametrize(
    ("kind", "words", "step"),
    [(HistoryNotWritten, "Rescan folder", "rescan"), (CannotWrite, "Choose another folder…", "folder")],
)
def test_a_full_disk_of_the_history_is_not_cured_by_another_folder_of_pictures(qtbot, kind, words, step):
    error = kind(Sentence("The disk is full."))
    banner, steps, done = _steps(qtbot, keep_error=error)
    steps.show(error)
    (button,) = [each for each in banner.findChildren(OutlinedButton) if each.text() == words]
    button.click()
    assert done == [step]
    assert banner.isHidden() == (step == "rescan")


def test_where_a_picture_was_to_be_saved_is_asked_again_and_the_pictures_folder_stays(qtbot):
    asked, error = [], CannotWrite(Sentence("The disk is full."))
    banner, steps, done = _steps(qtbot, export_error=error, ask_again=lambda: asked.append(True))
    steps.show(error)
    (button,) = [each for each in banner.findChildren(OutlinedButton) if each.text() == "Choose another folder…"]
    button.click()
    assert asked and not done and banner.isHidden()


def test_another_folder_is_offered_for_pictures_only(qtbot):
    banner, steps, _ = _steps(qtbot, export_error=None, ask_again=None)
    steps.show(CannotWrite(Sentence("settings.json cannot be written.")))
    assert not banner.findChildren(OutlinedButton)


def test_too_many_photos_are_not_cured_by_another_one(qtbot):
    banner, steps, _ = _steps(qtbot)
    steps.show(TooManyPhotos(Sentence("A subject has at most 4 photos.")))
    assert not banner.findChildren(OutlinedButton) and banner.title.text() == "Too many photos"
    steps.photo_taken_out()
    assert banner.isHidden() and banner.error is None


def test_an_error_is_told_where_the_banner_is_out_of_sight(qtbot):
    panel, told = QWidget(), []
    banner = ErrorBanner(panel)
    qtbot.addWidget(panel)
    nothing = [lambda *_: None] * 6
    steps = ErrorSteps(QObject(banner), banner, _controller(), *nothing, told.append)
    steps.show(PhotoError(Sentence("cat.png is damaged."), Sentence("Copy it again.")))
    steps.report(CannotWrite(Sentence("The disk is full.")))
    assert told == ["cat.png is damaged.", "The disk is full."], "an editor or the gallery covers the panel"
    panel.show()
    steps.show(PhotoError(Sentence("dog.png is damaged.")))
    assert len(told) == 2


def test_nothing_found_is_said_of_its_photo_only(qtbot):
    banner, state = ErrorBanner(), SessionState()
    qtbot.addWidget(banner)
    steps = ErrorSteps(QObject(banner), banner, _controller(state=state), *[lambda *_: None] * 5)
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
    steps = ErrorSteps(QObject(banner), banner, _controller(), *[lambda *_: None] * 5)
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


def test_a_focus_in_the_banner_goes_back_where_it_was(qtbot):
    """It went on to what comes next in the window, the choice of the model."""
    window = QWidget()
    column, prompt, banner = QVBoxLayout(window), QLineEdit(), ErrorBanner()
    for widget in (QLineEdit(), banner, QLineEdit(), prompt):
        column.addWidget(widget)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    prompt.setFocus()
    qtbot.waitUntil(prompt.hasFocus)
    banner.show_error(CannotWrite(Sentence("The disk is full.")))
    banner.close_button.setFocus()
    banner.close_button.click()
    assert prompt.hasFocus()
