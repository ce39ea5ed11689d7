"""The window driven by mouse and keys alone, as a person does it; the state is only looked at."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from app.application import Program
from engine.photo.picture_file import read_picture_file
from engine.process.client import ENGINE
from tests.e2e.conftest import wait_idle, wait_ready
from tests.e2e.heartbeat import OwnHeartbeat
from tests.e2e.paper import save_disc

LEFT = Qt.MouseButton.LeftButton
NONE, CTRL, SHIFT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)
KEEP = 4


def drop(program: Program, *files: Path) -> None:
    """Let files fall on the middle of the window."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file)) for file in files])
    middle = QPointF(program.window.rect().center())
    QApplication.sendEvent(
        program.window, QDragEnterEvent(middle.toPoint(), Qt.DropAction.CopyAction, data, LEFT, NONE)
    )
    QApplication.sendEvent(program.window, QDropEvent(middle, Qt.DropAction.CopyAction, data, LEFT, NONE))


def drop_photo(qtbot, program: Program, photo: Path) -> None:
    before = program.state.subject
    drop(program, photo)
    qtbot.waitUntil(
        lambda: (now := program.state.subject) is not None and now is not before and now.title == photo.name,
        timeout=20_000,
    )
    wait_ready(qtbot, program)


def press(program: Program, key: Qt.Key | str, modifiers=NONE) -> None:
    """A key on whatever has the focus."""
    program.window.activateWindow()
    QApplication.processEvents()
    QTest.keyClick(QApplication.focusWidget() or program.window, key, modifiers)


def type_prompt(program: Program, text: str) -> None:
    press(program, Qt.Key.Key_E, CTRL)
    press(program, Qt.Key.Key_A, CTRL)
    QTest.keyClicks(QApplication.focusWidget(), text)
    assert program.state.values.prompt == text


def paint(program: Program, *points: tuple[float, float]) -> None:
    """A stroke with the mouse, in shares of the photo."""
    canvas, photo = program.window.editor.canvas, program.state.subject.photo
    places = [canvas.viewport.to_widget(photo.width * x, photo.height * y).toPoint() for x, y in points]
    QTest.mousePress(canvas, LEFT, NONE, places[0])
    for place in places[1:]:
        QTest.mouseMove(canvas, place)
    QTest.mouseRelease(canvas, LEFT, NONE, places[-1])


def solid(program: Program) -> int:
    """Pixels of the photo that belong to the subject."""
    return int(np.count_nonzero(program.state.subject.mask > 127))


def click_picture(program: Program, row: int) -> None:
    view = program.window.history.view
    QTest.mouseClick(view.viewport(), LEFT, NONE, view.visualRect(view.model().index(row, 0)).center())


def shown(program: Program, seed: int) -> bool:
    return program.state.result is not None and program.state.result.request.seed == seed


@pytest.mark.serial
def test_from_a_photo_to_a_redrawn_picture_and_back(open_program, qtbot, real_bundle, tmp_path):
    program = open_program(engine=ENGINE, bundle=str(real_bundle), theme="dark")
    window, state = program.window, program.state
    loading = OwnHeartbeat()
    qtbot.waitUntil(lambda: state.engine.phase == "ready", timeout=240_000)
    loading.stop()
    wait_ready(qtbot, program)

    # Drop a photo, and correct what was found with the brush.
    drop_photo(qtbot, program, save_disc(tmp_path / "my ball.png"))
    found = solid(program)
    QTest.mouseClick(window.subject.card.edit, LEFT)
    assert window.is_editing()
    press(program, "b")
    paint(program, (0.1, 0.1), (0.25, 0.12))
    press(program, Qt.Key.Key_Return)
    assert not window.is_editing()
    qtbot.waitUntil(lambda: state.subject.cut_out is not None and solid(program) > found + 100)

    # Two pictures, by key and by button.
    type_prompt(program, "a ball on the beach")
    drawing = OwnHeartbeat()
    press(program, Qt.Key.Key_Return, CTRL)
    wait_long(qtbot, program)
    first = state.result
    assert first.request.prompt == "a ball on the beach"
    assert np.ptp(first.image) > 20
    type_prompt(program, "a ball in the snow")
    QTest.mouseClick(window.prompt.sheet.generate, LEFT)
    wait_long(qtbot, program)
    drawing.stop()
    second = state.result
    assert second.request.seed != first.request.seed
    assert not np.array_equal(second.image, first.image)
    assert [picture.seed for picture in program.store.pictures()] == [second.request.seed, first.request.seed]

    # Back to the first one, with everything that made it.
    click_picture(program, 1)
    qtbot.waitUntil(lambda: shown(program, first.request.seed), timeout=20_000)
    press(program, "a")
    qtbot.waitUntil(lambda: state.values.prompt == "a ball on the beach")
    assert np.array_equal(state.result.image, first.image)
    qtbot.waitUntil(lambda: window.canvas.strip.model.can_redraw or window.canvas.strip.model.keep > 0)

    # Redraw it from the fourth scale: the composition stays, to the bit.
    window.canvas.strip.setFocus()
    press(program, Qt.Key.Key_Home)
    for _ in range(KEEP - 1):
        press(program, Qt.Key.Key_Right)
    QTest.mouseClick(window.canvas.strip.redraw_button, LEFT)
    wait_long(qtbot, program)
    redrawn = read_picture_file(state.result.file)
    assert redrawn.bits.first(KEEP) == first.bits.first(KEEP)
    assert redrawn.bits != first.bits
    assert np.array_equal(redrawn.request.subject.rgb, first.request.subject.rgb)

    # Everything that made the redrawn picture comes back, the kept scales too: it draws itself again, to the bit.
    window.prompt.let_scales_go()
    type_prompt(program, "something else")
    click_picture(program, 0)
    press(program, "a")
    qtbot.waitUntil(lambda: state.values.kept == first.bits.first(KEEP), timeout=20_000)
    press(program, Qt.Key.Key_Return, CTRL)
    wait_long(qtbot, program)
    again = read_picture_file(state.result.file)
    assert again.request == redrawn.request and again.bits == redrawn.bits

    # Away with it, and back again.
    click_picture(program, 0)
    press(program, Qt.Key.Key_Delete)
    assert len(program.store.pictures()) == 3
    QTest.mouseClick(window.toast.button, LEFT)
    assert len(program.store.pictures()) == 4
    assert redrawn.request.seed in [picture.seed for picture in program.store.pictures()]

    # Only what a person would call stuck fails here, on a slow and busy computer too: ``python -m app.bench`` takes the figures.
    assert loading.longest < 0.75
    assert loading.share_over(0.05) < 0.2
    assert drawing.longest < 0.5

    # Closing in the middle of a picture takes no longer than it takes to stop it.
    QTest.mouseClick(window.prompt.sheet.generate, LEFT)
    qtbot.waitUntil(lambda: window.canvas.canvas.state == "forming", timeout=60_000)
    began = time.monotonic()
    with qtbot.waitSignal(program.ended, timeout=15_000):
        window.close()
    assert not window.isVisible()
    assert time.monotonic() - began < 10


def wait_long(qtbot, program: Program) -> None:
    """``wait_idle`` for a real model on a busy computer."""
    qtbot.waitUntil(lambda: not program.state.jobs.busy and not program.controller.saving, timeout=120_000)
    result = program.state.result
    assert result is not None and result.file is not None, program.window.banner.as_text()


def test_the_keyboard_alone_gets_from_the_start_to_a_kept_picture(program, qtbot):
    window, state = program.window, program.state
    found = solid(program)

    # The cut-out: a cross-hair instead of the pointer. The eraser takes a piece out of the middle.
    press(program, Qt.Key.Key_M, CTRL)
    assert window.is_editing()
    press(program, "e")
    press(program, Qt.Key.Key_Left)
    press(program, Qt.Key.Key_Return)
    for _ in range(6):
        press(program, Qt.Key.Key_Right)
    press(program, Qt.Key.Key_Return)
    press(program, Qt.Key.Key_Escape)  # puts the cross-hair away
    press(program, Qt.Key.Key_Return)
    assert not window.is_editing()
    qtbot.waitUntil(lambda: state.subject.cut_out is not None and solid(program) < found)

    # Prompt, seed, picture.
    type_prompt(program, "a robot on the beach")
    press(program, Qt.Key.Key_L, CTRL)
    assert state.values.seed_locked
    press(program, Qt.Key.Key_Return, CTRL)
    wait_idle(qtbot, program)
    qtbot.waitUntil(lambda: state.result is not None and state.result.file is not None)
    assert state.result.request.seed == state.values.seed

    # Over to the history: star it, find it, delete it, look at what is left.
    for _ in range(6):
        press(program, Qt.Key.Key_F6)
        if window.history.isAncestorOf(QApplication.focusWidget()):
            break
    press(program, ".")
    assert program.store.pictures()[0].starred
    press(program, Qt.Key.Key_F, CTRL)
    QTest.keyClicks(QApplication.focusWidget(), "robot")
    press(program, Qt.Key.Key_Return)
    assert window.history.view.hasFocus() and len(window.history.view.chosen()) == 1
    press(program, Qt.Key.Key_Delete)
    assert program.store.pictures() == []
    assert window.toast.text() == "Moved to the trash"
    assert window.history.isAncestorOf(QApplication.focusWidget()), "an empty history keeps the focus"
    press(program, Qt.Key.Key_Z, CTRL)
    assert len(program.store.pictures()) == 1 and window.toast.text() == ""
    assert window.history.view.hasFocus()


def test_the_cut_out_can_be_corrected_while_a_picture_is_drawn(program, qtbot):
    window, state = program.window, program.state
    type_prompt(program, "a slow ball")
    press(program, Qt.Key.Key_Return, CTRL)
    qtbot.waitUntil(lambda: window.canvas.canvas.state == "forming", timeout=10_000)
    drawn_with, found = state.jobs.request.subject, solid(program)
    press(program, Qt.Key.Key_M, CTRL)
    press(program, "b")
    paint(program, (0.05, 0.05), (0.2, 0.05))
    press(program, "s")
    paint(program, (0.5, 0.5))  # a click, which the segmenter answers
    assert state.jobs.busy  # all of it happened while the picture was drawn
    qtbot.waitUntil(lambda: not window.editor.canvas.session.asking, timeout=20_000)
    press(program, Qt.Key.Key_Return)
    wait_idle(qtbot, program)
    qtbot.waitUntil(lambda: state.result is not None and state.result.file is not None)
    assert read_picture_file(state.result.file).request.subject.digest == drawn_with.digest
    qtbot.waitUntil(lambda: state.subject.cut_out is not None and state.subject.cut_out.digest != drawn_with.digest)
    assert solid(program) != found


def test_an_edited_cut_out_that_was_discarded_by_a_slip_comes_back(program, qtbot):
    window = program.window
    found = solid(program)
    press(program, Qt.Key.Key_M, CTRL)
    press(program, "b")
    paint(program, (0.05, 0.05), (0.2, 0.05))
    press(program, Qt.Key.Key_Escape)
    assert not window.is_editing() and window.toast.text() == "The changes to the cut-out are discarded"
    assert solid(program) == found
    QTest.mouseClick(window.toast.button, LEFT)
    assert window.is_editing() and window.editor.canvas.hasFocus()
    press(program, Qt.Key.Key_Return)
    assert not window.is_editing()
    qtbot.waitUntil(lambda: solid(program) > found)


def test_strokes_of_an_open_editor_and_what_waits_outlive_a_quit(open_program, qtbot, tmp_path):
    first = open_program()
    wait_ready(qtbot, first)
    drop_photo(qtbot, first, save_disc(tmp_path / "green.png", (20, 160, 60)))
    type_prompt(first, "a slow ball")
    for _ in range(3):
        press(first, Qt.Key.Key_Return, CTRL)
    qtbot.waitUntil(lambda: first.state.jobs.busy and first.state.jobs.waiting == 2)
    found = first.state.subject.mask.sum(dtype=int)
    press(first, Qt.Key.Key_M, CTRL)
    press(first, "b")
    paint(first, (0.05, 0.05), (0.2, 0.05))
    with qtbot.waitSignal(first.ended, timeout=10_000):
        first.window.close()

    second = open_program()
    wait_ready(qtbot, second)
    line = second.window.subject.draft
    qtbot.waitUntil(lambda: second.drafts.offer is not None)
    qtbot.waitUntil(lambda: line.isVisibleTo(second.window.subject))
    assert line.words.text() == "You were still editing this cut-out. Your changes are kept."
    assert second.state.subject.mask.sum(dtype=int) == found
    line.button.click()
    assert second.window.is_editing() and not line.isVisibleTo(second.window.subject)
    press(second, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: second.state.subject.mask.sum(dtype=int) > found)
    assert second.state.jobs.held == 3 and not second.state.jobs.busy
    assert second.window.prompt.sheet.held.text() == "3 pictures are not drawn yet"
    second.queue.drop_held()


def test_a_deleted_picture_leaves_the_canvas_and_comes_back(open_program, qtbot):
    first = open_program()
    wait_ready(qtbot, first)
    for prompt in ("a ball", "a red ball"):
        type_prompt(first, prompt)
        press(first, Qt.Key.Key_Return, CTRL)
        wait_idle(qtbot, first)
        qtbot.waitUntil(lambda: first.state.result is not None and first.state.result.picture is not None)
    older, newest = sorted(picture.id for picture in first.store.pictures())
    qtbot.waitUntil(lambda: [picture.id for picture in first.window.history.view.chosen()] == [newest])
    first.window.history.commands.delete()
    qtbot.waitUntil(lambda: first.state.result is not None and first.state.result.picture == older)
    first.window.history.commands.undo_delete()
    qtbot.waitUntil(lambda: first.state.result.picture == newest)
    assert [picture.id for picture in first.window.history.view.chosen()] == [newest]
    with qtbot.waitSignal(first.ended, timeout=10_000):
        first.window.close()

    second = open_program()
    qtbot.waitUntil(lambda: second.state.result is not None and second.state.result.picture == newest)
    wait_ready(qtbot, second)


def test_a_picture_dropped_on_another_computer_makes_itself_again(open_program, qtbot, tmp_path, monkeypatch):
    first = open_program()
    wait_ready(qtbot, first)
    drop_photo(qtbot, first, save_disc(tmp_path / "green.png", (20, 160, 60)))
    first.state.update_values(seed=4711, seed_locked=True, prompt_strength=4.5, subject_strength=2.0, temperature=0.8)
    type_prompt(first, "a red ball in the snow")
    press(first, Qt.Key.Key_Return, CTRL)
    wait_idle(qtbot, first)
    qtbot.waitUntil(lambda: first.state.result.file is not None)
    original = first.state.result
    sent = Path(shutil.copy(original.file, tmp_path / "sent by mail.png"))
    with qtbot.waitSignal(first.ended, timeout=10_000):
        first.window.close()
    elsewhere = tmp_path / "elsewhere"
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_PICTURES_DIR", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(elsewhere / name))

    second = open_program()
    wait_ready(qtbot, second)
    assert second.store.pictures() == []
    drop(second, sent)
    qtbot.waitUntil(lambda: second.state.values.seed == 4711, timeout=10_000)
    assert second.window.toast.text() == "Everything that made this picture is back"
    values = second.state.values
    assert (values.prompt, values.prompt_strength, values.subject_strength, values.temperature) == (
        "a red ball in the snow",
        4.5,
        2.0,
        0.8,
    )
    assert np.array_equal(second.state.subject.cut_out.rgb, original.request.subject.rgb)
    assert np.array_equal(second.state.result.image, original.image)
    second.state.update_values(seed_locked=True)
    press(second, Qt.Key.Key_Return, CTRL)
    wait_idle(qtbot, second)
    qtbot.waitUntil(lambda: second.state.result is not None and second.state.result.file is not None)
    again = read_picture_file(second.state.result.file)
    assert again.bits == original.bits
    assert again.request.with_seed(0) == read_picture_file(sent).request.with_seed(0)


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _torn(file: Path) -> None:
    save_disc(file, side=400)
    file.write_bytes(file.read_bytes()[:600])


def _huge(file: Path) -> None:
    """A header that promises 30 000 × 30 000 pixels."""
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0))
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b""))


@pytest.mark.parametrize(
    ("make", "title"),
    [
        (_empty, "The file is empty"),
        (_torn, "The photo is damaged"),
        (_huge, "The photo is too large"),
        (lambda file: file.mkdir(), "This is not a picture"),
        (lambda file: None, "The file is missing"),
    ],
    ids=["empty", "torn", "huge", "folder", "missing"],
)
def test_photos_that_cannot_be_used_are_said_once_and_change_nothing(program, qtbot, tmp_path, make, title):
    file = tmp_path / "my cat.png"
    make(file)
    before, banner = program.state.subjects, program.window.banner
    drop(program, file)
    qtbot.waitUntil(banner.isVisible, timeout=10_000)
    assert banner.title.text() == title
    assert "my cat.png" in banner.text.text()
    assert program.state.subjects == before
    press(program, Qt.Key.Key_Escape)
    assert not banner.isVisible()


def test_photos_of_every_kind_become_subjects(program, qtbot, tmp_path):
    disc = Image.open(save_disc(tmp_path / "disc.png", side=240)).crop((0, 0, 240, 180))
    disc.convert("CMYK").save(tmp_path / "cmyk.jpg")
    exif = Image.Exif()
    exif[0x0112] = 6
    disc.save(tmp_path / "turned.jpg", exif=exif)
    Image.fromarray(np.asarray(disc.convert("L")).astype(np.uint16) * 257).save(tmp_path / "deep.png")
    disc.save(tmp_path / "moving.gif", save_all=True, append_images=[disc.rotate(90)])
    transparent = disc.convert("RGBA")
    transparent.putalpha(Image.fromarray((np.asarray(disc)[..., 1] < 100).astype(np.uint8) * 255))
    transparent.save(tmp_path / "clear.webp", lossless=True)
    for name in ("cmyk.jpg", "turned.jpg", "deep.png", "moving.gif", "clear.webp"):
        drop_photo(qtbot, program, tmp_path / name)
        photo = program.state.subject.photo
        assert (photo.width, photo.height) == ((180, 240) if name == "turned.jpg" else (240, 180)), name
        assert 0.1 < solid(program) / (240 * 180) < 0.9, name
    assert not program.window.banner.isVisible()


def test_a_folder_that_cannot_be_written_keeps_the_picture_and_offers_another(program, qtbot, tmp_path):
    blocked = tmp_path / "a file"
    blocked.write_text("not a folder")
    program.state.update_settings(pictures=str(blocked / "pictures"))
    press(program, Qt.Key.Key_Return, CTRL)
    qtbot.waitUntil(program.window.banner.isVisible, timeout=20_000)
    assert program.window.canvas.canvas.has_picture()
    step = next(b for b in program.window.banner.findChildren(QAbstractButton) if b.text() == "Choose another folder…")
    QTest.mouseClick(step, LEFT)
    dialog = QApplication.activeModalWidget()
    assert dialog is not None and dialog.isVisible()
    dialog.reject()
    program.state.update_settings(pictures=str(tmp_path / "pictures"))
    qtbot.waitUntil(lambda: len(program.store.pictures()) == 1, timeout=10_000)  # the picture that waited
    press(program, Qt.Key.Key_Return, CTRL)
    wait_idle(qtbot, program)
    qtbot.waitUntil(lambda: len(program.store.pictures()) == 2, timeout=10_000)
    assert not program.window.banner.isVisible()


def test_nothing_to_draw_is_said_under_the_button(program, qtbot):
    window = program.window
    press(program, Qt.Key.Key_E, CTRL)
    press(program, Qt.Key.Key_A, CTRL)
    press(program, Qt.Key.Key_Delete)
    assert not window.prompt.sheet.generate.isEnabled()
    assert window.findChild(QWidget, "helpLabel").text() == "Write a prompt first"
    press(program, Qt.Key.Key_Return, CTRL)
    assert not program.state.jobs.busy and window.toast.text() == "Write a prompt first"
    assert not window.banner.isVisible()

    # A cut-out that holds nothing does not leave the editor.
    type_prompt(program, "a ball")
    press(program, Qt.Key.Key_M, CTRL)
    canvas = window.editor.canvas
    canvas.tools.set_tool("lasso")
    corners = [QPoint(2, 2), QPoint(canvas.width() - 2, 2), QPoint(canvas.width() - 2, canvas.height() - 2)]
    QTest.mousePress(canvas, LEFT, CTRL, corners[0])
    for corner in (*corners[1:], QPoint(2, canvas.height() - 2)):
        QTest.mouseMove(canvas, corner)
    QTest.mouseRelease(canvas, LEFT, CTRL, QPoint(2, canvas.height() - 2))
    press(program, Qt.Key.Key_Return)
    assert window.is_editing() and not window.editor.inspector.use.isEnabled()
    press(program, Qt.Key.Key_Escape)
    assert not window.is_editing() and window.prompt.sheet.generate.isEnabled()
