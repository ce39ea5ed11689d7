"""A list of prompts in the window: counted before it is drawn, drawn as all pictures are, seen and saved as a table."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from app.language.sentences import saved_to
from app.lists.dialog import ListDialog
from app.lists.table import PictureTable
from app.session.controller import Controller
from app.session.engine_link import Previews
from app.session.list_run import ListRun
from app.session.prompt_source import PromptSource, open_source
from app.session.queue import PictureQueue
from app.session.state import SessionState
from app.session.subjects import Subjects
from app.store.history_store import HistoryStore
from app.store.list_store import ListStore
from app.system import background
from app.window.listing import Listing
from engine import Sentence
from engine.errors import DeviceLost, InputError
from engine.events import EngineInfo, Finished, Timing
from engine.process import Failed
from engine.prompt_list import make_requests, parse_prompts
from engine.request import GenerationRequest
from engine.requests_file import read_requests, write_requests
from tests.app.fake_bundle import bits, cut_out, fake_bundle
from tests.app.fake_link import FakeLink
from tests.app.host_window import window  # noqa: F401 – a fixture
from tests.app.look_fixture import dressed, plain_look  # noqa: F401 – fixtures


class Rig:
    def __init__(self, qtbot, tmp_path: Path) -> None:
        self.qtbot, self.link, self.state = qtbot, FakeLink(), SessionState()
        self.link.cancel = lambda number: None
        self.manifest = fake_bundle(tmp_path)
        store = HistoryStore(None, tmp_path / "pictures")
        self.controller = Controller(self.state, PictureQueue(self.state, self.link), Subjects(self.state), store)
        self.run = ListRun(self.controller)
        info = EngineInfo(self.manifest.identity, "fake", "CPU")
        self.state.update_engine(phase="ready", manifest=self.manifest, folder=tmp_path, info=info)
        self.state.add_subject(cut_out=cut_out(), name="robot")
        self.state.update_values(seed=5, seed_locked=True)

    def finish(self) -> None:
        """The picture that is drawn is done; its request comes back from another process, as another object."""
        number = len(self.link.drawn)
        request = replace(self.link.drawn[-1])
        image = np.full((64, 64, 3), 20 * number, np.uint8)
        self.link.finished.emit(number, Finished(request, image, bits(number), Timing(total=1.0)), Previews(number))
        self.qtbot.waitUntil(lambda: not self.controller.saving)


@pytest.fixture
def rig(qtbot, tmp_path) -> Rig:
    return Rig(qtbot, tmp_path)


@pytest.fixture
def dialog(rig, window, tmp_path):  # noqa: F811
    dialog = ListDialog(rig.state, rig.run, PromptSource(), rig.controller.can_draw_list, tmp_path, window)
    dialog.drawRequested.connect(rig.run.begin)
    dialog.open()
    yield dialog
    dialog.close()


def test_the_count_comes_before_the_pictures_and_a_slip_is_a_sentence(rig, dialog):
    assert not dialog.draw.isEnabled() and not dialog.problem.isVisible()
    dialog.edit.setPlainText("a {red|blue} {subject} {in the snow|on the beach}\n")
    rig.state.update_values(count=2)
    assert dialog.count.text() == "8 pictures, 2 of each prompt" and dialog.draw.isEnabled()
    dialog.edit.setPlainText("a {red|blue robot")
    assert "Line 1 has a “{” without its “}”" in dialog.problem.text() and not dialog.draw.isEnabled()
    dialog.edit.setPlainText("a robot in a pagoda")
    assert "pagoda" in dialog.notes.text()
    dialog.edit.setPlainText("a robot\n" * 10_000)
    assert "500 are the limit" in dialog.problem.text()
    dialog.scenes.click()
    scenes = rig.manifest.language.scenes
    assert dialog.edit.toPlainText().splitlines() == [scene.sentence("robot") for scene in scenes]
    assert dialog.count.text().startswith(f"{2 * len(scenes)} pictures")
    rig.state.update_values(count=1)

    # Drawn: a table fills, and what was stopped can be drawn later.
    dialog.edit.setPlainText("a {red|blue} robot {in the snow|on the beach}")
    dialog.edit.setFocus()
    QTest.keyClick(dialog.edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)  # as Generate
    assert dialog.pages.currentIndex() == 1 and len(dialog.table.cells) == 4 and not dialog.rest.isVisible()
    assert [one.column for one in rig.run.listed] == ["in the snow", "on the beach"] * 2
    rig.finish()
    rig.finish()
    assert dialog.told.text() == "2 of 4 pictures" and dialog.sheet.isEnabled()
    assert [cell.isEnabled() for cell in dialog.table.cells] == [True, True, False, False]
    rig.controller.queue.stop_now()
    assert dialog.rest.isVisibleTo(dialog) and not rig.run.busy
    assert rig.link.drawn[0].prompt == "a red robot in the snow" and rig.link.drawn[0].seed == 5
    pictures = rig.controller.store.pictures()
    assert {found.picture.id for found in rig.run.pictures if found} == {picture.id for picture in pictures}


def test_what_is_left_is_drawn_again(rig):
    rig.run.begin(_listed("a", "b"))
    ended: list[int] = []
    rig.run.ended.connect(ended.append)
    rig.finish()
    rig.finish()
    assert ended == [2] and rig.run.done == 2
    rig.run.begin(_listed("a", "b", "c"))
    rig.finish()
    rig.run.pictures[0] = None
    for _ in range(2):
        rig.finish()
    rig.run.draw_rest()
    assert rig.link.drawn[-1].prompt == "a" and rig.run.busy
    rig.finish()
    assert rig.run.done == 3


def test_a_list_whose_engine_stopped_can_be_gone_on_with_where_that_is_said(rig, dialog):
    rig.run.begin(_listed("a", "b"))
    dialog.report("It ended unexpectedly.", failed=True)
    assert dialog.stop.isVisible() and not dialog.rest.isVisible()
    failed = Failed(rig.state.jobs.drawing, DeviceLost(Sentence("Gone.")), "")
    rig.link.failed.emit(failed, Previews(failed.job))
    assert dialog.rest.isVisible() and not dialog.stop.isVisible()
    dialog.rest.click()
    assert not dialog.fault.isVisible() and dialog.stop.isVisible()


def test_files_of_lists(tmp_path):
    file = tmp_path / "list.jsonl"
    requests = [GenerationRequest(prompt, cut_out(), seed=3) for prompt in ("a", "b")]
    write_requests(file, requests)
    source = open_source(file, "")
    assert source.requests == tuple(requests) and source.shown == "a\nb"
    with file.open("a") as stream:
        stream.write("{no json\n")
    assert "Line 3 is skipped" in open_source(file, "").notes[0]
    assert list(read_requests(file))[:2] == requests
    file.write_text("\n")
    with pytest.raises(InputError, match="no request"):
        open_source(file, "")
    table = tmp_path / "list.csv"
    table.write_text("prompt,seed\na {red|blue} cat,9\n")
    assert open_source(table, "").shown == "a red cat\na blue cat"


def _listed(*prompts: str):
    from engine.prompt_list import make_requests, parse_prompts

    return make_requests(parse_prompts("\n".join(prompts)).prompts, GenerationRequest("", cut_out(), seed=2))


def test_a_list_comes_back_with_its_pictures_and_what_is_left_of_it(qtbot, tmp_path):
    lists = ListStore(tmp_path / "list.json")
    before = Rig(qtbot, tmp_path)
    before.run = ListRun(before.controller, lists)
    listed = make_requests(parse_prompts("a {red|blue|green} robot").prompts, GenerationRequest("", cut_out(), seed=3))
    before.run.begin(listed)
    qtbot.waitUntil(lists.path.exists)
    before.finish()
    saved = json.loads(json.dumps(before.run.saved()))
    assert [type(number) for number in saved["pictures"]] == [int, type(None), type(None)]
    assert lists.path.read_text().count('"png"') == 1, "the subject is in it once"

    # The next start: the same history, and in the queue what was not drawn.
    after = Rig(qtbot, tmp_path)
    after.controller.store.get, after.controller.store.thumb = (
        before.controller.store.get,
        before.controller.store.thumb,
    )
    after.run = ListRun(after.controller, lists)
    after.run.restore(saved)
    assert after.run.saved() == saved, "a crash now loses nothing"
    with qtbot.waitSignal(after.run.begun):
        pass
    assert (
        after.run.done == 1
        and not after.run.busy
        and [one.column for one in after.run.listed] == ["red", "blue", "green"]
    )
    after.controller.queue.hold([GenerationRequest.loads(json.dumps(one.request.to_json())) for one in listed[1:]])
    assert after.run.paused
    after.run.draw_rest()
    after.finish()
    after.finish()
    assert after.run.done == 3 and not after.run.busy
    assert [one.request for one in after.run.listed] == [one.request for one in listed]
    assert lists.load("another") == ()
    lists.path.write_text('{"key": "x", "entries": [{"request": 1e999}], "subjects": []}')
    assert lists.load("x") == ()


def test_a_list_that_is_begun_meanwhile_is_not_replaced_by_the_one_that_comes_back(qtbot, tmp_path, monkeypatch):
    lists = ListStore(tmp_path / "list.json")
    lists.save("before", _listed("a", "b"))
    monkeypatch.setattr(lists, "save", lambda *_: None)  # the file is read before it is written over
    rig = Rig(qtbot, tmp_path)
    rig.run = ListRun(rig.controller, lists)
    begun: list[int] = []
    rig.run.begun.connect(lambda: begun.append(len(rig.run.listed)))
    rig.run.restore({"key": "before", "pictures": []})
    rig.run.begin(_listed("c"))
    qtbot.waitUntil(lambda: not background.busy())
    assert begun == [1] and [one.request.prompt for one in rig.run.listed] == ["c"]


def test_pressing_again_while_the_list_is_drawn_draws_nothing_twice(rig):
    rig.run.begin(_listed("a", "b"))
    rig.run.draw_rest()
    assert rig.state.jobs.waiting == 1
    rig.finish()
    rig.finish()
    assert rig.run.done == len(rig.link.drawn) == 2


def test_only_its_own_pictures_of_the_queue_come_back_into_a_list(qtbot, tmp_path):
    lists = ListStore(tmp_path / "list.json")
    listed = _listed("a", "b")
    lists.save("before", listed)
    rig = Rig(qtbot, tmp_path)
    rig.run = ListRun(rig.controller, lists)
    with qtbot.waitSignal(rig.run.begun):
        rig.run.restore({"key": "before", "pictures": [None, None]})
    rig.controller.queue.hold([replace(listed[0].request, seed=77), listed[1].request])
    rig.run.draw_rest()
    rig.finish()
    assert rig.run.busy and rig.run.done == 0, "the first is another picture than the list's"
    rig.finish()
    assert not rig.run.busy and [found is not None for found in rig.run.pictures] == [False, True]


def test_what_became_of_the_pictures_is_said_in_the_dialog_not_behind_it(rig, window, tmp_path, qtbot):  # noqa: F811
    button, toasts = QPushButton(window), []
    panels = SimpleNamespace(
        prompt=SimpleNamespace(sheet=SimpleNamespace(list_button=button), wording=SimpleNamespace(settle=lambda: None)),
        history=SimpleNamespace(),
        toast=SimpleNamespace(
            show_message=lambda words, *_: toasts.append(words), show_saved=lambda file: toasts.append(saved_to(file))
        ),
    )
    listing = Listing(panels, rig.controller, ListStore(tmp_path / "list.json"), window)
    listing.run.begin(_listed("a"))
    rig.finish()
    toasts.clear()
    button.click()
    dialog = window.findChild(ListDialog)
    assert not dialog.outcome.isVisible() and not dialog.fault.isVisible()
    QApplication.processEvents()
    place = dialog.sheet.mapTo(dialog, QPoint(0, 0))
    dialog.sheetRequested.emit(tmp_path / "sheet.png")
    qtbot.waitUntil(lambda: dialog.outcome.text() == f"Saved to {tmp_path.name}")
    assert dialog.outcome.isVisible() and (tmp_path / "sheet.png").exists() and not toasts
    QApplication.processEvents()
    assert dialog.sheet.mapTo(dialog, QPoint(0, 0)) == place, "its button stays under the pointer"
    dialog.sheetRequested.emit(tmp_path / "nowhere" / "sheet.png")
    qtbot.waitUntil(lambda: "no such folder" in dialog.fault.text())
    assert dialog.fault.isVisible() and not dialog.outcome.isVisible()
    dialog.back.click()
    assert not dialog.fault.isVisible()
    dialog.close()
    listing._save_sheet(tmp_path / "again.png")
    qtbot.waitUntil(lambda: toasts == [f"Saved to {tmp_path.name}"])


@pytest.mark.parametrize(
    "labels", [[("a red ball", "1"), ("a red ball", "2")], [("a red ball", ""), ("a blue ball", "")]]
)
def test_words_above_and_below_begin_where_the_picture_does(labels, qtbot, dressed):  # noqa: F811
    table = PictureTable()
    qtbot.addWidget(table)
    table.set_labels(labels, 620)
    table.resize(620, 400)
    picture = QImage(64, 64, QImage.Format.Format_RGB32)
    picture.fill(Qt.GlobalColor.red)
    for place in range(2):
        table.show_image(place, picture)
    table.show()
    words = [label for label in table.findChildren(QLabel) if label.text() != labels[0][0] or not labels[0][1]]
    assert len(words) == 2
    for label, cell in zip(words, table.cells, strict=True):
        painted = cell.grab().toImage()
        middle = painted.height() // 2
        inset = next(x for x in range(20) if painted.pixelColor(x, middle) == Qt.GlobalColor.red)
        shown = label.grab().toImage()
        ground = shown.pixelColor(shown.width() - 1, 0)
        columns = range(shown.width())
        first = next(x for x in columns if any(shown.pixelColor(x, y) != ground for y in range(shown.height())))
        begin = cell.mapTo(table, QPoint(inset, 0)).x()
        assert begin <= label.mapTo(table, QPoint(first, 0)).x() <= begin + 2
