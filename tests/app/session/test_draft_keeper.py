"""Strokes in an open editor outlive a crash: what is on disk at every moment is what the next start offers."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from msgspec import structs

from app.mask.brush import Brush
from app.mask.drafts import DraftStore
from app.session.draft_keeper import DraftKeeper, _load
from app.session.keeper import SessionKeeper
from app.session.state import SessionState
from app.session.subjects import Subjects
from app.store.assets import AssetStore
from app.store.saved_session import SessionStore
from app.store.settings import SettingsStore
from app.system import background
from engine.errors import CannotWrite
from engine.photo.load import photo_from_pixels
from engine.sentence import Sentence
from tests.app.mask.fakes import HEIGHT, WIDTH, FakeSegmenter, area


class Start:
    """One start of the program on the same folder; ``die`` leaves it as kill -9 does."""

    def __init__(self, folder) -> None:
        self.state = SessionState()
        self.subjects = Subjects(self.state, FakeSegmenter)
        self.keeper = SessionKeeper(
            self.state,
            SessionStore(folder / "session.json"),
            SettingsStore(folder / "settings.json"),
            AssetStore(folder / "assets"),
            dict,
        )
        self.drafts = DraftKeeper(self.state, self.subjects, self.keeper, DraftStore(folder / "drafts"))
        self.keeper.restore(self.keeper.load())
        self.drafts.restore()

    def paint(self, x: float = 20.0) -> None:
        document = self.subjects.editing.document
        document.begin_stroke((x, 20.0), Brush(10))
        document.extend_stroke((x + 60, 20.0))
        document.end_stroke()

    def die(self) -> None:
        self.keeper._closed = True
        self.keeper._timer.stop()
        self.drafts._writer.freeze()
        self.subjects.close()


@pytest.fixture
def start(qapp, tmp_path):
    starts = []

    def one() -> Start:
        starts.append(Start(tmp_path))
        return starts[-1]

    yield one
    for last in starts:
        last.die() if not last.keeper._closed else None
    background.shutdown()


@pytest.fixture
def opened(start, qtbot) -> Start:
    """A photo with its cut-out, on disk."""
    first = start()
    pixels = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    first.state.add_subject(photo=photo_from_pixels(pixels, name="cat.png"), title="cat.png")
    qtbot.waitUntil(lambda: first.state.subject.cut_out is not None)
    qtbot.waitUntil(lambda: len(first.keeper._store.load().subjects) == 1 and first.keeper.holds(first.state.subject))
    qtbot.waitUntil(lambda: bool(first.keeper._store.load().subjects[0].mask))
    return first


def offered(qtbot, again: Start) -> None:
    qtbot.waitUntil(lambda: bool(again.state.subjects))
    assert again.drafts.expected, "known with the shelf, before photo and work are read: its line moves nothing then"
    qtbot.waitUntil(lambda: again.drafts.offer is not None)
    assert again.drafts.expected


def test_strokes_are_on_disk_within_a_second_and_offered_at_the_next_start(opened, start, qtbot):
    found = area(opened.state.subject.mask)
    opened.subjects.begin_edit()
    opened.paint()
    began = time.monotonic()
    qtbot.waitUntil(lambda: bool(opened.drafts._store.names()), timeout=1000)
    assert time.monotonic() - began < 1
    painted = area(opened.subjects.editing.document.mask)
    opened.die()
    again = start()
    offered(qtbot, again)
    assert area(again.state.subject.mask) == found, "nothing is used before the user says so"
    editing = again.subjects.begin_edit()
    assert area(editing.document.mask) == painted > found and len(editing.document.marks.painted) == 1
    assert again.drafts.offer is None and not again.drafts.expected
    editing.undo()
    assert area(editing.document.mask) == found


def test_the_same_photo_on_two_cards_has_a_draft_on_each(opened, start, qtbot):
    """As each has a mask of its own."""
    first = opened.state.subject
    second = opened.state.add_subject(photo=first.photo, mask=first.mask, cut_out=first.cut_out, title="again.png")
    assert second.card != first.card and second.draft != first.draft
    qtbot.waitUntil(lambda: len(opened.keeper._store.load().subjects) == 2 and opened.keeper.holds(second))
    opened.subjects.begin_edit()
    opened.paint()
    opened.drafts.keep_now()
    opened.keeper.save()
    opened.die()
    again = start()
    offered(qtbot, again)
    assert again.state.subject.title == "again.png" and again.state.subject.draft == second.draft
    again.state.select_subject(0)
    qtbot.waitUntil(lambda: again.subjects.session is not None)  # its photo is read after the other one's
    assert again.drafts.offer is None and not again.drafts.expected, "nothing was painted on this card"
    assert not again.subjects.begin_edit().undo_label
    again.subjects.discard_edit()
    again.state.select_subject(1)
    assert again.drafts.offer is not None and again.subjects.begin_edit().undo_label


def test_a_draft_of_an_earlier_version_lies_under_the_photos_digest(opened, start, qtbot):
    digest = opened.state.subject.photo.digest
    opened.subjects.begin_edit()
    opened.paint()
    opened.drafts.keep_now()
    opened.keeper.save()
    opened.die()
    store, session = opened.drafts._store, opened.keeper._store
    store.save(replace(store.load(opened.state.subject.draft), name=digest))
    store.clear(opened.state.subject.draft)
    saved = session.load()
    session.save(structs.replace(saved, subjects=tuple(structs.replace(one, draft="") for one in saved.subjects)))
    again = start()
    offered(qtbot, again)
    assert again.drafts.offer.name == digest


def test_a_long_stroke_is_kept_while_it_is_painted(opened, start, qtbot):
    document = opened.subjects.begin_edit().document
    document.begin_stroke((20.0, 20.0), Brush(10))
    document.extend_stroke((80.0, 20.0))
    qtbot.waitUntil(lambda: bool(opened.drafts._store.names()), timeout=1000)
    painted = area(document.mask)
    opened.die()
    again = start()
    offered(qtbot, again)
    assert area(again.drafts.offer.mask()) == painted


def test_used_work_stays_on_disk_until_it_is_the_subjects_mask(opened, start, qtbot):
    opened.subjects.begin_edit()
    opened.paint()
    qtbot.waitUntil(lambda: bool(opened.drafts._store.names()))
    painted = area(opened.subjects.editing.document.mask)
    opened.subjects.accept_edit()
    assert opened.drafts._store.names(), "the mask is not on disk yet"
    qtbot.waitUntil(lambda: not opened.drafts._store.names(), timeout=3000)
    opened.die()
    again = start()
    qtbot.waitUntil(lambda: again.state.subject is not None and again.state.subject.photo is not None)
    assert area(again.state.subject.mask) == painted and again.drafts.offer is None


def test_discarded_work_is_not_offered(opened, start, qtbot):
    opened.subjects.begin_edit()
    opened.paint()
    qtbot.waitUntil(lambda: bool(opened.drafts._store.names()))
    opened.subjects.discard_edit(keep=True)
    assert not opened.drafts._store.names()
    opened.subjects.begin_edit()
    opened.subjects.bring_back()  # discarding was a slip
    qtbot.waitUntil(lambda: bool(opened.drafts._store.names()))


def test_what_is_brought_back_while_its_draft_is_still_on_its_way_is_written_again(opened, qtbot, monkeypatch):
    """The draft that was being written is that of the editor that was closed: with it, the file goes."""
    store, writer = opened.drafts._store, opened.drafts._writer
    opened.subjects.begin_edit()
    opened.paint()
    qtbot.waitUntil(lambda: bool(store.names()))
    writer._timer.stop()
    writer._writing = writer.session  # its writing was not told yet
    draft = store.load(writer.key)
    opened.subjects.discard_edit(keep=True)
    opened.subjects.begin_edit()
    opened.subjects.bring_back()
    assert not store.names()
    writer._written(draft)
    qtbot.waitUntil(lambda: bool(store.names()))


def test_an_offer_can_be_forgotten_and_remembered(opened, start, qtbot):
    opened.subjects.begin_edit()
    opened.paint()
    opened.drafts.keep_now()  # a quit
    opened.die()
    again = start()
    offered(qtbot, again)
    dropped = again.drafts.drop()
    assert again.drafts.offer is None and not again.drafts.expected and not again.drafts._store.names()
    again.drafts.bring_back(dropped)
    assert again.drafts.offer is dropped
    qtbot.waitUntil(lambda: bool(again.drafts._store.names()))


def test_a_photo_that_is_opened_while_the_shelf_comes_back_takes_no_ones_place(opened, start, qtbot):
    opened.die()
    again = start()  # the shelf is being read in the background
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    again.state.add_subject(photo=photo_from_pixels(pixels, name="dog.png"), title="dog.png")
    qtbot.waitUntil(lambda: len(again.state.subjects) == 2)
    assert [subject.title for subject in again.state.subjects] == ["cat.png", "dog.png"]
    assert again.state.subject.title == "dog.png"
    qtbot.waitUntil(lambda: again.state.subject.cut_out is not None)


def test_work_that_cannot_be_written_is_logged_once_and_goes_on(opened, caplog):
    writer = opened.drafts._writer

    def refused(_):
        raise CannotWrite(Sentence.row("The disk is full."))

    opened.subjects.begin_edit()
    writer.follow(writer.session, "another key")
    assert writer.key != "another key", "it follows that one already"
    opened.paint()
    save, writer._store.save = writer._store.save, refused
    try:
        opened.drafts.keep_now()
        writer.not_written(CannotWrite(Sentence.row("The disk is full.")))
    finally:
        writer._store.save = save
    assert caplog.text.count("cannot be kept on disk") == 1 and writer.frozen


def test_nothing_is_written_where_nothing_was_done(opened):
    writer = opened.drafts._writer
    writer._write()
    opened.subjects.begin_edit()
    writer._write()
    writer.keep_now()
    assert writer._writing is None and opened.drafts._store.names() == set()


def test_a_draft_that_is_damaged_or_what_the_mask_is_already_is_forgotten(opened, start, qtbot):
    subject = opened.state.subject
    opened.subjects.begin_edit()
    opened.paint()
    opened.drafts.keep_now()
    name = subject.draft
    assert opened.drafts._store.names() == {name}
    draft = opened.drafts._store.load(name)
    assert _load(opened.drafts._store, name, subject.mask)[1] is not None
    assert _load(opened.drafts._store, name, draft.mask())[1] is None
    assert _load(opened.drafts._store, name, np.zeros((4, 4), np.uint8))[1] is None
    assert _load(opened.drafts._store, "0" * 64, subject.mask) == ("0" * 64, None)
    opened.drafts._read((name, None))
    assert opened.drafts._store.names() == set() and opened.drafts.offer is None


def test_a_draft_that_is_read_while_its_editor_is_open_goes_on_there(opened, qtbot):
    opened.subjects.begin_edit()
    opened.paint()
    opened.drafts.keep_now()
    name = opened.state.subject.draft
    draft = opened.drafts._store.load(name)
    opened.drafts._writer.frozen = False  # as after a start
    opened.subjects.discard_edit()
    editing = opened.subjects.begin_edit()
    assert not editing.undo_label
    opened.drafts._read((name, draft))
    assert editing.undo_label and np.array_equal(editing.document.mask, draft.mask())


def test_without_an_offer_there_is_none_to_drop(opened):
    assert opened.drafts.drop() is None
    opened.drafts._is_used(opened.state.subject.key)
    assert opened.drafts._used == {}, "no editor was open"


def test_without_an_open_editor_the_end_writes_nothing(start, tmp_path):
    one = start()
    one.drafts.keep_now()
    assert one.drafts._writer.frozen and not [file for file in tmp_path.glob("drafts/*") if file.is_file()]


def test_a_draft_that_comes_when_its_editor_is_closed_is_let_go(start, qtbot, opened):
    opened.subjects.begin_edit()
    writer, late = opened.drafts._writer, []
    writer.late.connect(late.append)
    opened.paint()
    writer._timer.stop()
    writer._write()  # by itself it would be a second later, and may be over before anyone looks
    assert writer._writing is not None
    name = opened.state.subject.draft
    opened.subjects.discard_edit()
    qtbot.waitUntil(lambda: writer._writing is None)
    assert late == [name] and not writer._timer.isActive()
