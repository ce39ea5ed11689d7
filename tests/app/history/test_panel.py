"""The history as a person uses it: look, search, star, recall, delete, take it back, lose files and find them."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QContextMenuEvent, QDrag, QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu

from app.history.model import PAGE, PictureRole
from app.history.panel import HistoryPanel
from app.language import languages
from app.session.saver import PictureSaver
from app.store.history_store import HistoryStore, Picture
from app.store.picture_files import keep_picture
from app.system import background, sharing
from engine.errors import CannotWrite, PhotoError
from engine.events import Finished, Timing
from engine.photo.picture_file import carries_request
from engine.request import CutOut, GenerationRequest, ScaleBits
from tests.app.settled import settle

pytestmark = pytest.mark.usefixtures("plain_look")

SUBJECT = CutOut(np.full((8, 8, 4), 255, np.uint8))


def a_picture(seed: int, prompt: str = "a toy robot in the snow") -> Finished:
    random = np.random.default_rng(seed)
    bits = ScaleBits(tuple(random.integers(0, 2, (n, n, 4), dtype=np.uint8) for n in (1, 2, 4)))
    image = np.full((32, 32, 3), 20 * seed % 256, np.uint8)
    return Finished(GenerationRequest(prompt, subject=SUBJECT, seed=seed), image, bits, Timing(total=1.0))


@pytest.fixture
def store(tmp_path: Path):
    store = HistoryStore(tmp_path / "history.sqlite", tmp_path / "Pictures")
    yield store
    background.shutdown()
    store.close()


@pytest.fixture
def kept(store) -> list[Picture]:
    """Five pictures, newest first: three of the robot, two of the duck."""
    pictures = [keep_picture(a_picture(seed, "a rubber duck on the beach"), store) for seed in (1, 2)]
    pictures += [keep_picture(a_picture(seed), store) for seed in (3, 4, 5)]
    return pictures[::-1]


@pytest.fixture
def panel(qtbot, store, kept) -> HistoryPanel:
    panel = HistoryPanel(store)
    qtbot.addWidget(panel)
    panel.resize(1000, 110)
    panel.show()
    qtbot.waitExposed(panel)
    panel.activateWindow()
    panel.view.setFocus()
    return panel


def shown(panel: HistoryPanel) -> list[int]:
    return [row.picture.seed for row in panel.model.rows if row.picture is not None]


def place(panel: HistoryPanel, row: int) -> QPoint:
    rect = panel.view.visualRect(panel.model.index(row))
    return QPoint(rect.right() - 20, rect.bottom() - 20)


def click(qtbot, panel: HistoryPanel, row: int, modifiers=Qt.KeyboardModifier.NoModifier) -> None:
    qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, modifiers, place(panel, row))


def test_a_title_that_names_a_scene_speaks_the_language_of_the_window(panel):
    try:
        languages.install("zh_CN")
        titles = panel.model.title(panel.model.rows[3])[0]
    finally:
        languages.install("en")
    assert titles == ["rubber duck on the beach", "on the beach", "海滩"], "the user's own words stay"


def test_pictures_are_grouped_newest_first(panel):
    assert shown(panel) == [5, 4, 3, 2, 1]
    assert [(row.group, row.place, row.count) for row in panel.model.rows] == [
        (0, 0, 3),
        (0, 1, 3),
        (0, 2, 3),
        (1, 0, 2),
        (1, 1, 2),
    ]
    assert panel.model.title(panel.model.rows[3])[0] == ["rubber duck on the beach", "on the beach", "beach"]
    assert panel.view.objectName() == "historyList"
    spoken = panel.model.data(panel.model.index(1), Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "Picture 2 of 3, toy robot in the snow"
    assert panel.model.data(panel.model.index(1), PictureRole).seed == 4


def test_a_click_opens_the_picture_with_its_request_and_the_one_before(panel, qtbot):
    with qtbot.waitSignal(panel.commands.opened) as opened:
        click(qtbot, panel, 0)
    answer = opened.args[0]
    assert answer.picture.seed == 5
    assert answer.request == a_picture(5).request
    assert answer.bits == a_picture(5).bits
    assert answer.image[0, 0, 0] == 100
    assert answer.previous[0, 0, 0] == 80


def test_keys_walk_and_enter_opens(panel, qtbot):
    panel.view.setCurrentIndex(panel.model.index(0))
    qtbot.keyClick(panel.view, Qt.Key.Key_Right)
    qtbot.keyClick(panel.view, Qt.Key.Key_Right)
    with qtbot.waitSignal(panel.commands.opened) as opened:
        qtbot.keyClick(panel.view, Qt.Key.Key_Return)
    assert opened.args[0].picture.seed == 3
    qtbot.keyClick(panel.view, Qt.Key.Key_End)
    assert panel.view.chosen()[0].seed == 1


def test_walking_quickly_opens_only_the_last(panel, qtbot):
    seeds: list[int] = []
    panel.commands.opened.connect(lambda opened: seeds.append(opened.picture.seed))
    for picture in list(panel.model.pictures())[:4]:
        panel.commands.open(picture)
    qtbot.waitUntil(lambda: bool(seeds))
    settle(qtbot)
    assert seeds == [2]


@pytest.mark.parametrize(("key", "what"), [("a", "all"), ("p", "prompt"), ("s", "seed")])
def test_recall_by_key(panel, qtbot, key, what):
    panel.view.setCurrentIndex(panel.model.index(1))
    with qtbot.waitSignal(panel.commands.recallRequested) as wanted:
        qtbot.keyClick(panel.view, key)
    assert wanted.args[0].request == a_picture(4).request
    assert wanted.args[1] == what


def test_a_picture_that_lost_its_request_is_said(panel, kept, qtbot):
    QImage(str(kept[0].file)).save(str(kept[0].file))  # as another program does
    assert not carries_request(kept[0].file)
    panel.view.setCurrentIndex(panel.model.index(0))
    with qtbot.waitSignal(panel.commands.failed) as failed:
        panel.commands.recall_all()
    assert "no settings" in failed.args[0].fact
    with qtbot.waitSignal(panel.commands.opened) as opened:
        click(qtbot, panel, 0)
    assert opened.args[0].request is None


def test_star_filter_and_star_key(panel, store, qtbot):
    panel.view.setCurrentIndex(panel.model.index(2))
    with qtbot.waitSignal(panel.commands.starred) as told:
        qtbot.keyClick(panel.view, ".")
    assert told.args[1] is True
    assert store.pictures(starred=True)[0].seed == 3
    assert panel.view.chosen()[0].seed == 3, "the selection stays"
    qtbot.mouseClick(panel.star_button, Qt.MouseButton.LeftButton)
    assert shown(panel) == [3]
    panel.view.setCurrentIndex(panel.model.index(0))
    panel.commands.toggle_star()
    assert shown(panel) == []
    assert panel.empty_words() == "Press . on a picture to star it."
    panel.star_button.click()
    assert len(shown(panel)) == 5


def test_search_as_it_is_typed_and_escape(panel, qtbot):
    panel.show_search()
    qtbot.keyClicks(panel.field, "duck")
    qtbot.waitUntil(lambda: shown(panel) == [2, 1])
    qtbot.keyClicks(panel.field, " zebra")
    qtbot.waitUntil(lambda: shown(panel) == [])
    assert panel.empty_words() == "Nothing found for “duck zebra”."
    qtbot.keyClick(panel.field, Qt.Key.Key_Escape)
    assert len(shown(panel)) == 5
    assert not panel.field.isVisibleTo(panel)


def test_the_search_field_stands_in_the_middle_of_a_low_history(panel, qtbot):
    panel.show_search()
    panel.set_compact(True)
    panel.resize(panel.width(), panel.sizeHint().height())
    qtbot.waitUntil(
        lambda: abs(panel.field.geometry().center().y() - panel.gallery_button.geometry().center().y()) <= 1
    )
    panel.set_compact(False)
    panel.resize(panel.width(), panel.sizeHint().height())

    def beside_the_icons() -> bool:
        icon = panel.search_button.mapTo(panel, panel.search_button.rect().center())
        return abs(panel.field.geometry().center().y() - icon.y()) <= 1

    qtbot.waitUntil(beside_the_icons)


def test_enter_in_the_search_goes_to_the_first_hit(panel, qtbot):
    panel.show_search()
    qtbot.keyClicks(panel.field, "duck")
    qtbot.keyClick(panel.field, Qt.Key.Key_Return)
    assert panel.view.chosen()[0].seed == 2


def test_delete_and_undo(panel, store, kept, qtbot):
    click(qtbot, panel, 0)
    click(qtbot, panel, 1, Qt.KeyboardModifier.ControlModifier)
    with qtbot.waitSignal(panel.commands.deleted) as deleted:
        qtbot.keyClick(panel.view, Qt.Key.Key_Delete)
    assert set(deleted.args[0]) == {kept[0].id, kept[1].id}
    assert shown(panel) == [3, 2, 1]
    assert panel.view.chosen()[0].seed == 3, "the next picture is chosen"
    assert kept[0].file.exists(), "the file waits for Undo"
    qtbot.keyClick(panel.view, Qt.Key.Key_Delete)
    assert shown(panel) == [2, 1]
    panel.commands.undo_delete()
    assert shown(panel) == [3, 2, 1], "one deletion after the other comes back, the last one first"
    panel.commands.undo_delete()
    assert shown(panel) == [5, 4, 3, 2, 1] and not panel.commands.can_undo_delete()
    panel.commands.undo_delete()


def test_what_is_not_taken_back_goes_to_the_trash(panel, store, kept, qtbot, monkeypatch):
    trashed: list[str] = []

    def trash(name: str) -> None:
        trashed.append(name)
        Path(name).unlink()

    monkeypatch.setattr("app.store.history_store._system_trash", trash)
    panel.view.setCurrentIndex(panel.model.index(0))
    panel.commands.delete()
    assert not trashed, "deletions can be undone until the program ends"
    panel.commands.purge()
    qtbot.waitUntil(lambda: trashed == [str(kept[0].file)])
    panel.commands.undo_delete()
    assert shown(panel) == [4, 3, 2, 1]


def test_a_trash_that_refuses_brings_the_picture_back_and_says_so(panel, kept, qtbot, monkeypatch):
    def refuse(name: str) -> None:
        raise OSError("no trash here")

    monkeypatch.setattr("app.store.history_store._system_trash", refuse)
    panel.view.setCurrentIndex(panel.model.index(0))
    panel.commands.delete()
    with qtbot.waitSignal(panel.commands.failed) as failed:
        panel.commands.purge()
    assert kept[0].file.name in failed.args[0].fact
    assert shown(panel) == [5, 4, 3, 2, 1]


def test_missing_files_are_shown_found_and_forgotten(panel, kept, tmp_path, qtbot, monkeypatch):
    target = tmp_path / "moved.png"
    kept[0].file.rename(target)
    kept[1].file.unlink()
    panel.commands.check_files()
    qtbot.waitUntil(lambda: panel.model.missing == {kept[0].id, kept[1].id})
    spoken = panel.model.data(panel.model.index(0), Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "Picture 1 of 3, file is missing, toy robot in the snow"
    with qtbot.waitSignal(panel.commands.failed) as failed:
        click(qtbot, panel, 0)
    assert isinstance(failed.args[0], PhotoError)
    texts = {action.text(): action for action in panel.context_menu().actions()}
    assert texts["Find the file…"].isEnabled()
    assert not texts["Use everything of this picture"].isEnabled()
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *arguments: (str(target), ""))
    texts["Find the file…"].trigger()
    qtbot.waitUntil(lambda: panel.model.missing == {kept[1].id})
    panel.view.setCurrentIndex(panel.model.index(1))
    panel.commands.forget()
    assert shown(panel) == [5, 3, 2, 1]
    panel.view.setCurrentIndex(panel.model.index(0))
    panel.commands.forget()
    assert shown(panel) == [5, 3, 2, 1], "a picture whose file is there is never forgotten"


def test_an_earlier_look_for_files_that_takes_longer_does_not_win(panel, kept, qtbot, monkeypatch):
    started: list = []
    monkeypatch.setattr(background, "run", lambda work, done, **rest: started.append((work, done)))
    kept[0].file.rename(kept[0].file.with_suffix(".away"))
    panel.commands.check_files()
    before = started[0][0]()  # it has looked …
    kept[0].file.with_suffix(".away").rename(kept[0].file)
    panel.commands.check_files()
    started[1][1](started[1][0]())
    started[0][1](before)  # … and says so only now
    assert panel.model.missing == frozenset()


def test_two_pictures_are_compared(panel, qtbot):
    click(qtbot, panel, 0)
    click(qtbot, panel, 4, Qt.KeyboardModifier.ControlModifier)
    with qtbot.waitSignal(panel.commands.compareRequested) as wanted:
        qtbot.keyClick(panel.view, "c")
    assert [opened.picture.seed for opened in wanted.args] == [5, 1]
    click(qtbot, panel, 1)
    with qtbot.waitSignal(panel.commands.compareRequested) as wanted:
        panel.commands.compare()
    assert [opened.picture.seed for opened in wanted.args] == [4, 3], "one alone is compared with the one before"


def test_dragging_out_gives_files(panel, kept, qtbot, monkeypatch):
    dragged = []

    def taken(drag: QDrag, action):
        data = drag.mimeData()
        dragged.append(([Path(url.toLocalFile()) for url in data.urls()], data.hasImage()))
        return action

    monkeypatch.setattr(sharing.QDrag, "exec", taken)
    panel.view.setCurrentIndex(panel.model.index(0))
    panel.view.startDrag(Qt.DropAction.CopyAction)
    panel.view.selectAll()
    panel.view.startDrag(Qt.DropAction.CopyAction)
    assert dragged[0] == ([kept[0].file], True)
    assert dragged[1] == ([picture.file for picture in kept], False)


def test_a_drag_leaves_the_ring_where_it_was(panel, kept, qtbot, monkeypatch):
    dragged = []
    monkeypatch.setattr("app.system.sharing.drag_out", lambda source, files, *_: dragged.append(files))

    def drag(row: int) -> None:
        qtbot.mousePress(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=place(panel, row))
        panel.view.startDrag(Qt.DropAction.CopyAction)  # the release is the drag's, not the view's

    shown = panel.model.picture_at(0)
    panel.set_shown(shown.id)
    drag(2)
    assert panel.view.chosen() == [shown] and dragged.pop() == [panel.model.picture_at(2).file]
    drag(0)
    assert panel.view.chosen() == [shown], "the one that has it"
    click(qtbot, panel, 3, Qt.KeyboardModifier.ControlModifier)
    both = panel.view.chosen()
    drag(2)
    assert panel.view.chosen() == both and len(both) == 2, "several that were chosen stay chosen"
    panel.view.clearSelection()
    panel.set_running(a_picture(9).request, "1 / 3")
    drag(3)
    assert panel.view.chosen() == [], "the picture that forms has the only ring"


def test_the_picture_that_is_drawn_stands_at_the_head_of_its_group(panel, qtbot):
    request = a_picture(9).request
    panel.set_running(request, "1 / 3", np.zeros((8, 8, 3), np.uint8))
    assert [(row.picture is None, row.place, row.count) for row in panel.model.rows[:2]] == [
        (True, 0, 4),
        (False, 1, 4),
    ]
    panel.set_running(request, "2 / 3", np.zeros((8, 8, 3), np.uint8))
    spoken = panel.model.data(panel.model.index(0), Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "Drawing, 2 / 3"
    click(qtbot, panel, 0)
    assert panel.view.chosen() == []
    panel.set_running(GenerationRequest("another prompt"), "1 / 3")
    assert [row.count for row in panel.model.rows[:2]] == [1, 3]
    panel.set_running(None)
    assert len(panel.model.rows) == 5


def test_the_ring_comes_back_when_the_user_lets_go_of_all_that_is_chosen(panel, kept, qtbot):
    shown = panel.model.picture_at(1)
    panel.set_shown(shown.id)
    view = panel.view.viewport()
    beside = QPoint(panel.view.visualRect(panel.model.index(4)).right() + 20, view.height() // 2)
    assert view.rect().contains(beside) and not panel.view.indexAt(beside).isValid()
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=beside)
    assert panel.view.chosen() == [shown]
    click(qtbot, panel, 1, Qt.KeyboardModifier.ControlModifier)
    assert panel.view.chosen() == [shown], "a second click with Ctrl"
    click(qtbot, panel, 3, Qt.KeyboardModifier.ControlModifier)
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=beside)
    assert panel.view.chosen() == [shown], "several were chosen"
    qtbot.keyClick(panel.view, Qt.Key.Key_Space, Qt.KeyboardModifier.ControlModifier)
    assert panel.view.chosen() == [shown], "the same by keyboard"


def test_one_ring_in_the_row_while_a_picture_forms(panel, store, qtbot):
    panel.add(keep_picture(a_picture(6), store))
    panel.set_running(a_picture(7).request, "1 / 3")
    assert panel.view.chosen() == [], "the picture that forms took the ring of the one before it"
    panel.set_running(None)
    click(qtbot, panel, 1)
    click(qtbot, panel, 3, Qt.KeyboardModifier.ControlModifier)
    panel.set_running(a_picture(8).request, "1 / 3")
    assert len(panel.view.chosen()) == 2, "what the user chose for something else stays"
    panel.set_running(None)


def test_the_ring_leaves_the_others_for_a_picture_that_a_filter_hides(panel, store, kept, qtbot):
    store.star([kept[1].id], True)
    panel.star_button.click()
    panel.set_shown(kept[1].id)
    assert panel.view.chosen()[0].id == kept[1].id
    panel.set_shown(kept[3].id)  # a deleted one came back, or it was opened in the gallery
    assert panel.view.chosen() == []
    with qtbot.waitSignal(panel.commands.opened):
        panel.show_picture(kept[1].id)
    assert panel.view.chosen()[0].id == kept[1].id
    panel.set_shown(kept[1].id)
    panel.show_picture(kept[4].id)
    assert panel.view.chosen()[0].id == kept[1].id, "what is on the canvas has it until the other is read"
    panel.star_button.click()
    assert panel.view.chosen()[0].id == kept[1].id


def test_the_ring_stays_whoever_reads_the_row_anew(panel, kept):
    panel.set_shown(kept[2].id)
    panel.set_most_alike(True)
    assert [picture.id for picture in panel.view.chosen()] == [kept[2].id]
    panel.model.reload()
    assert [picture.id for picture in panel.view.chosen()] == [kept[2].id]


def test_the_menu_says_why_it_cannot_compare(panel, qtbot):
    def entry():
        menu = panel.context_menu()
        return next((action.text(), action.isEnabled()) for action in menu.actions() if "ompare" in action.text())

    click(qtbot, panel, 0)
    assert entry() == ("Compare with the one before", True)
    click(qtbot, panel, 4)
    assert entry() == ("Compare: Ctrl-click another one, too", False)
    click(qtbot, panel, 0, Qt.KeyboardModifier.ControlModifier)
    assert entry() == ("Compare the two", True)
    click(qtbot, panel, 1, Qt.KeyboardModifier.ControlModifier)
    assert entry() == ("Compare: choose only two", False)
    panel.model.set_missing([picture.id for picture in panel.view.chosen()[:1]])
    click(qtbot, panel, 0)
    assert entry() == ("Compare: the file is missing", False)


def test_a_new_picture_comes_first_and_is_chosen(panel, store, qtbot):
    picture = keep_picture(a_picture(6), store)
    panel.set_shown(picture.id)
    panel.add(picture)
    assert shown(panel) == [6, 5, 4, 3, 2, 1]
    assert panel.view.chosen()[0].seed == 6
    assert panel.model.rows[0].count == 4


def test_several_that_are_chosen_stay_so_when_a_picture_is_done(panel, store, qtbot):
    click(qtbot, panel, 1)
    click(qtbot, panel, 3, Qt.KeyboardModifier.ControlModifier)
    chosen = panel.view.chosen_ids()
    panel.set_running(a_picture(6).request, "1 / 3")
    picture = keep_picture(a_picture(6), store)
    panel.set_shown(picture.id)
    panel.set_running(None)
    panel.add(picture)
    assert panel.view.chosen_ids() == chosen


def test_pictures_of_the_folder_are_found_again(panel, store, kept, qtbot):
    store.forget(kept[0].id)
    panel.reload()
    assert len(shown(panel)) == 4
    with qtbot.waitSignal(panel.commands.rebuilt) as rebuilt:
        panel.commands.rescan()
    assert rebuilt.args == [1]
    assert len(shown(panel)) == 5


def test_start_finishes_the_last_session(panel, store, kept, qtbot, monkeypatch):
    trashed: list[str] = []
    monkeypatch.setattr("app.store.history_store._system_trash", trashed.append)
    store.delete([kept[4].id])
    store.forget(kept[0].id)
    with qtbot.waitSignal(panel.commands.rebuilt):
        panel.start()
    assert trashed == [str(kept[4].file)]
    assert 5 in shown(panel)


def test_the_picture_on_the_canvas_does_not_lie_under_an_arrow(store, qtbot):
    kept = [keep_picture(a_picture(seed), store) for seed in range(16)]
    panel = HistoryPanel(store)
    qtbot.addWidget(panel)
    panel.resize(500, 130)
    panel.show()
    qtbot.waitUntil(panel.arrows.right.isVisible)

    def place(widget, rect=None) -> QRect:
        return QRect(widget.mapTo(panel, rect.topLeft() if rect else QPoint()), rect.size() if rect else widget.size())

    for number in (8, 3, 12, 0, 15):
        panel.set_shown(kept[number].id)
        row = panel.view.visualRect(panel.model.index(panel.model.row_of(kept[number].id)))
        for arrow in (panel.arrows.left, panel.arrows.right):
            assert not arrow.isVisible() or not place(panel.view.viewport(), row).intersects(place(arrow)), number


def test_the_wheel_scrolls_sideways_and_arrows_show_where_there_is_more(panel, qtbot):
    panel.resize(340, 110)
    qtbot.waitUntil(lambda: panel.arrows.right.isVisibleTo(panel))
    assert not panel.arrows.left.isVisibleTo(panel)
    at = QPointF(40, 40)
    event = QWheelEvent(
        at,
        panel.view.viewport().mapToGlobal(at),
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(panel.view.viewport(), event)
    assert panel.view.horizontalScrollBar().value() > 0
    assert panel.arrows.left.isVisibleTo(panel)
    panel.arrows.right.click()
    panel.arrows.right.click()
    assert not panel.arrows.right.isVisibleTo(panel)


def test_new_pictures_do_not_move_what_is_looked_at(panel, store, qtbot):
    panel.resize(340, 110)
    panel.view.scroll_by(100)
    place = panel.view.indexAt(QPoint(60, 60))
    before = (panel.model.picture_at(place.row()).id, panel.view.visualRect(place).x())
    panel.add(keep_picture(a_picture(6), store))
    row = panel.model.row_of(before[0])
    assert abs(panel.view.visualRect(panel.model.index(row)).x() - before[1]) <= 2


def test_compact_rows_are_64_high_without_titles(panel):
    panel.set_compact(True)
    assert panel.sizeHint().height() == 64
    assert not panel.title.isVisibleTo(panel)
    assert panel.view.delegate.side == 48
    texts = [action.text() for action in panel.context_menu().actions()]
    for text in ("Starred only", "Search the history", "Open the pictures folder", "Rescan folder"):
        assert text in texts, "nothing is dropped"
    panel.set_compact(False)
    assert panel.sizeHint().height() == 110


def test_an_empty_history_says_where_pictures_will_be(qtbot, look, tmp_path):
    store = HistoryStore(None, tmp_path)
    panel = HistoryPanel(store)
    qtbot.addWidget(panel)
    panel.resize(1000, 110)
    panel.show()
    assert panel.empty_words() == "Every picture you make is kept here and in your Pictures folder."
    image = panel.grab().toImage()
    assert len({image.pixel(x, 70) for x in range(110, 900)}) > 5, "dashed boxes and words are painted"
    store.close()


def test_the_chosen_picture_has_a_ring_in_both_themes(look, panel):
    from app.look.theme import theme

    panel.search_button.setFocus()
    panel.view.setCurrentIndex(panel.model.index(1))
    rect = panel.view.visualRect(panel.model.index(1))
    thumb = panel.view.delegate.thumb_rect(rect.toRectF())
    image = panel.view.grab().toImage()
    ring = image.pixelColor(round(thumb.left()) - 1, round(thumb.center().y()))
    accent = theme().color("accent")
    assert abs(ring.red() - accent.red()) + abs(ring.green() - accent.green()) < 40


def test_five_thousand_pictures_stay_smooth(qtbot, tmp_path):
    store = HistoryStore(tmp_path / "many.sqlite", tmp_path)
    thumb_of = np.zeros((16, 16, 3), np.uint8)
    first = store.add(tmp_path / "0.png", a_picture(0).request, thumb_of, 1.0)
    row = store.database._connection.execute("SELECT * FROM pictures WHERE id=?", (first.id,)).fetchone()
    now = time.time()
    with store.database.transaction() as database:
        database.executemany(
            f"INSERT INTO pictures VALUES ({','.join('?' * len(row))})",
            [
                (None, f"/nowhere/{n}.png", now - 60 * n, f"prompt {n // 3}", *row[4:9], f"key {n // 3}", *row[10:])
                for n in range(1, 5000)
            ],
        )
    panel = HistoryPanel(store)
    qtbot.addWidget(panel)
    panel.resize(1400, 110)
    panel.show()
    qtbot.waitExposed(panel)
    assert panel.model.rowCount() == PAGE, "a row is for the newest; more come when its end is reached"
    assert len(panel.model._thumbs) < 60, "only what is seen is unpacked"
    view, times = panel.view, []
    for _ in range(20):
        view.scroll_by(600)
        start = time.process_time()
        view.viewport().repaint()
        times.append(time.process_time() - start)
    assert sorted(times)[len(times) // 2] < 0.05
    start = time.process_time()
    panel.add(first)
    assert time.process_time() - start < 1.0
    bar, row = view.horizontalScrollBar(), panel.model.rowCount() - 1
    looked_at = panel.model.picture_at(row)
    bar.setValue(bar.maximum())
    place = bar.value()
    qtbot.waitUntil(lambda: panel.model.rowCount() > 2 * PAGE - 2)
    assert bar.value() == place and panel.model.picture_at(row) == looked_at
    assert panel.model.beside(panel.model.end(-1).id, 1) is not None, "walking goes on beyond what was there"
    store.close()


def test_saving_goes_on_in_the_background(store, qtbot):
    saver = PictureSaver(store)
    with qtbot.waitSignal(saver.kept) as kept:
        saver.keep(a_picture(1), "token")
    token, picture = kept.args
    assert token == "token"
    assert picture.file.exists()
    with qtbot.waitSignal(saver.exported) as exported:
        saver.export(picture.file, store.folder / "copy.jpg")
    assert exported.args[0].exists()
    with qtbot.waitSignal(saver.failed) as failed:
        saver.export(picture.file, store.folder / "copy.tiff")
    assert isinstance(failed.args[0], CannotWrite)


def test_several_are_saved_one_after_another_and_only_a_disk_that_takes_nothing_ends_it(store, tmp_path, qtbot):
    """All at once they held up every photo that was opened meanwhile, each said itself that it was saved, and a full disk was
    said as often as there were pictures."""
    saver, told, failed = PictureSaver(store), [], []
    saver.exported.connect(told.append)
    saver.failed.connect(failed.append)
    with qtbot.waitSignal(saver.kept) as kept:
        saver.keep(a_picture(1), "token")
    file = kept.args[1].file
    gone = file.with_name("gone.png")
    target = tmp_path / "all"
    target.mkdir()
    saver.export_all([(file, "a.png"), (gone, "b.png"), (file, "a.png"), (file, "c.png")], target)
    assert len(background._running) == 1
    qtbot.waitUntil(lambda: bool(told))
    assert told == [target / "c.png"] and [type(error) for error in failed] == [PhotoError]
    assert sorted(found.name for found in target.iterdir()) == ["a (2).png", "a.png", "c.png"]
    saver.export_all([(file, f"{number}.tiff") for number in range(5)], target)
    qtbot.waitUntil(lambda: not background.busy())
    assert [type(error) for error in failed] == [PhotoError, CannotWrite] and len(told) == 1


def test_a_picture_that_cannot_be_saved_is_told_with_its_token(tmp_path, qtbot):
    (tmp_path / "Pictures").write_text("a file in the way")
    store = HistoryStore(None, tmp_path / "Pictures")
    saver = PictureSaver(store)
    with qtbot.waitSignal(saver.keepFailed) as failed:
        saver.keep(a_picture(1), 42)
    assert failed.args[0] == 42
    assert isinstance(failed.args[1], CannotWrite)
    background.shutdown()
    store.close()


def test_leaving_the_view_ends_hovering(panel, qtbot):
    qtbot.mouseMove(panel.view.viewport(), place(panel, 1))
    assert panel.view.hovered().row() == 1
    QApplication.sendEvent(panel.view, QEvent(QEvent.Type.Leave))
    assert not panel.view.hovered().isValid()


without_a_screen = pytest.mark.qt_log_ignore("This plugin does not support")


def menu_on(qtbot, panel: HistoryPanel, row: int) -> QMenu:
    """What a right click does: the press, then the event for the menu."""
    viewport, at = panel.view.viewport(), place(panel, row)
    qtbot.mousePress(viewport, Qt.MouseButton.RightButton, pos=at)
    asked = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, viewport.mapToGlobal(at))
    QApplication.sendEvent(viewport, asked)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return menu


def use(menu: QMenu, text: str) -> None:
    menu.setActiveAction(next(action for action in menu.actions() if action.text() == text))
    QTest.keyClick(menu, Qt.Key.Key_Return)


@without_a_screen
def test_a_menu_is_about_the_picture_under_it_and_leaves_what_is_chosen(panel, qtbot):
    panel.set_shown(panel.model.rows[0].picture.id)
    menu = menu_on(qtbot, panel, 3)
    assert [picture.seed for picture in panel.view.chosen()] == [2]
    menu.close()
    qtbot.waitUntil(lambda: [picture.seed for picture in panel.view.chosen()] == [5])
    menu_on(qtbot, panel, 3).close()
    menu_on(qtbot, panel, 1).close()
    qtbot.waitUntil(lambda: [picture.seed for picture in panel.view.chosen()] == [5])


@without_a_screen
def test_a_menu_among_several_that_are_chosen_is_about_them_all(panel, qtbot):
    click(qtbot, panel, 0)
    click(qtbot, panel, 2, Qt.KeyboardModifier.ControlModifier)
    menu_on(qtbot, panel, 2).close()
    qtbot.wait(20)
    assert [picture.seed for picture in panel.view.chosen()] == [5, 3]
    menu_on(qtbot, panel, 4).close()
    qtbot.waitUntil(lambda: [picture.seed for picture in panel.view.chosen()] == [5, 3])


@without_a_screen
def test_what_is_chosen_in_a_menu_is_done_with_the_picture_under_it(panel, qtbot):
    panel.set_shown(panel.model.rows[0].picture.id)
    use(menu_on(qtbot, panel, 3), "Star")
    assert panel.model.rows[3].picture.starred and not panel.model.rows[0].picture.starred
    qtbot.waitUntil(lambda: [picture.seed for picture in panel.view.chosen()] == [5])
    use(menu_on(qtbot, panel, 3), "Move to the trash")
    assert shown(panel) == [5, 4, 3, 1]
    qtbot.waitUntil(lambda: [picture.seed for picture in panel.view.chosen()] == [5])


@without_a_screen
def test_a_menu_that_chose_another_picture_has_its_way(panel, qtbot):
    panel.set_shown(panel.model.rows[0].picture.id)
    menu = menu_on(qtbot, panel, 3)
    panel.view.choose(panel.model.rows[1].picture.id)
    menu.close()
    qtbot.wait(20)
    assert [picture.seed for picture in panel.view.chosen()] == [4]


@pytest.mark.parametrize("full", [True, False], ids=["a full row at the start", "a row that fills"])
def test_the_arrows_are_round_from_their_first_moment(store, qtbot, full):
    for seed in range(12 if full else 1):
        keep_picture(a_picture(seed), store)
    panel = HistoryPanel(store)
    qtbot.addWidget(panel)
    panel.resize(400, 130)
    panel.show()
    for seed in range(20, 32 if not full else 20):
        panel.add(keep_picture(a_picture(seed), store))
    qtbot.waitUntil(panel.arrows.right.isVisible)
    assert panel.arrows.right.size() == panel.arrows.right.sizeHint()
    gap = panel.view.geometry().right() - panel.arrows.right.geometry().right()
    assert gap == 2, "at the end of the row"


def test_a_low_row_that_shows_only_the_starred_says_so_and_can_be_left(panel, kept, qtbot):
    panel.store.star([kept[0].id], True)
    panel.set_compact(True)
    assert not panel.side.isVisible()
    panel.star_button.setChecked(True)
    assert shown(panel) == [5] and panel.star_button.isVisible() and panel.star_button.width() <= panel.side.width()
    assert not panel.title.isVisible() and not panel.folder_button.isVisible()
    qtbot.mouseClick(panel.star_button, Qt.MouseButton.LeftButton)
    assert len(shown(panel)) == 5 and not panel.side.isVisible()
    panel.set_compact(False)
    assert panel.title.isVisible() and panel.folder_button.isVisible()


def test_the_words_of_a_low_row_without_a_starred_picture_stand_beside_the_star(panel, monkeypatch):
    panel.set_compact(True)
    panel.star_button.setChecked(True)
    panel.layout().activate()
    assert not shown(panel) and panel.empty_words()
    with_words = panel.grab().toImage()
    monkeypatch.setattr(panel, "empty_words", lambda: "")
    without = panel.grab().toImage()
    height = range(with_words.height())
    first = next(
        x for x in range(with_words.width()) if any(with_words.pixel(x, y) != without.pixel(x, y) for y in height)
    )
    star = panel.star_button.mapTo(panel, panel.star_button.rect().topRight())
    assert first > star.x() + 8, "their beginning lay under it"
