"""Start and end have a plan B: there is a window whatever is the matter with a folder, and it always ends."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QColorSpace, QImage
from PySide6.QtWidgets import QFileDialog

from app.session.subject_work import read_image
from app.session.values import PanelValues
from app.store.paths import AppPaths
from app.system.single_instance import SingleInstance
from engine.photo import read_picture_file
from tests.e2e.conftest import wait_idle, wait_ready

ROOT = Path(__file__).resolve().parents[2]


def _history_is_a_folder() -> None:
    AppPaths.standard().history.mkdir(parents=True)


def _data_is_a_file() -> None:
    data = AppPaths.standard().data
    data.parent.mkdir(parents=True, exist_ok=True)
    data.write_text("in the way")


@pytest.mark.parametrize("spoil", [_history_is_a_folder, _data_is_a_file])
def test_a_folder_in_the_way_is_a_banner_and_not_the_end(open_program, qtbot, spoil):
    spoil()
    program = open_program()
    qtbot.waitUntil(program.window.banner.isVisible, timeout=20_000)
    assert program.window.banner.title.text() == "The history cannot be written"
    wait_ready(qtbot, program)
    program.window.drawing.generate()
    wait_idle(qtbot, program)
    assert len(program.store.pictures()) == 1, "pictures are drawn, kept in their folder and in a history in memory"
    assert read_picture_file(program.store.pictures()[0].file).request.prompt == "a ball in the snow"


def test_a_history_that_another_program_holds_is_a_banner(open_program, qtbot):
    file = AppPaths.standard().history
    file.parent.mkdir(parents=True)
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("CREATE TABLE t (x)")
    holder.execute("BEGIN EXCLUSIVE")
    try:
        program = open_program()
        qtbot.waitUntil(program.window.banner.isVisible, timeout=20_000)
    finally:
        holder.close()


def test_the_program_ends_whatever_fails_on_the_way(open_program, qtbot, monkeypatch):
    program = open_program()
    wait_ready(qtbot, program)
    for owner, name in ((program.keeper, "save"), (program.queue, "stop_now"), (program.store, "close")):
        monkeypatch.setattr(owner, name, lambda *_: 1 / 0)
    with qtbot.waitSignal(program.ended, timeout=10_000):
        program.window.close()
    monkeypatch.undo()
    program.store.close()


def test_text_that_is_no_unicode_is_saved_and_comes_back(open_program, qtbot):
    program = open_program()
    wait_ready(qtbot, program)
    program.state.update_settings(pictures="/photos/M\udcfcller")
    program.state.set_values(PanelValues(prompt="a duck \ud83d"))
    with qtbot.waitSignal(program.ended, timeout=10_000):
        program.window.close()
    assert program.settings_store.load().pictures == "/photos/M\udcfcller", "the folder's own name, byte for byte"
    assert program.keeper.load().prompt.startswith("a duck ")


def test_a_picture_that_cannot_be_saved_can_be_saved_elsewhere(open_program, qtbot, tmp_path, monkeypatch):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder should be")
    program = open_program(pictures=str(blocked))
    window = program.window
    wait_ready(qtbot, program)
    window.drawing.generate()
    qtbot.waitUntil(window.banner.isVisible, timeout=20_000)
    wait_idle(qtbot, program)
    assert program.state.result is not None and program.state.result.file is None
    target = tmp_path / "elsewhere.png"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    window.pictures.save()
    qtbot.waitUntil(target.exists, timeout=10_000)
    assert read_picture_file(target).request == program.state.result.request
    # Another folder, as the banner says: the picture is saved there by itself.
    program.state.update_settings(pictures=str(tmp_path / "other"))
    qtbot.waitUntil(lambda: program.state.result.file is not None, timeout=10_000)
    assert program.state.result.file.parent == tmp_path / "other" and len(program.store.pictures()) == 1
    # A second one fails again, and the program ends: it is kept in a folder of the program's own.
    program.state.update_settings(pictures=str(blocked))
    window.drawing.generate()
    wait_idle(qtbot, program)
    with qtbot.waitSignal(program.ended, timeout=10_000):
        window.close()
    assert len(list((program.paths.data / "unsaved").glob("*.png"))) == 1


def test_qt_never_sees_a_name_it_cannot_take(private_folders):
    lines = "from app.application import make_application; make_application(['inv\\udcf0alid.png', 'duck.png']); print('there')"
    done = subprocess.run([sys.executable, "-c", lines], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "there", done.stderr


def test_a_second_start_is_noticed_where_no_lock_can_be_written(qapp, tmp_path):
    data = tmp_path / "data"
    data.write_text("a file")
    first, second = SingleInstance(data), SingleInstance(data)
    assert first.claim()
    try:
        assert not second.claim()
    finally:
        second.release()
        first.release()


def test_a_data_folder_in_another_encoding_has_a_lock(qapp, tmp_path):
    data = Path(os.fsdecode(os.fsencode(tmp_path) + b"/M\xfcller"))
    instance = SingleInstance(data)
    assert instance.claim()
    instance.release()


def test_a_picture_of_ours_with_damaged_settings_opens_as_a_photo(program, qtbot, tmp_path):
    program.window.drawing.generate()
    wait_idle(qtbot, program)
    qtbot.waitUntil(lambda: program.state.result is not None and program.state.result.file is not None)
    data = bytearray(program.state.result.file.read_bytes())
    at = data.index(b"iTXtEchoGen\0") + 40
    length = int.from_bytes(data[at - 44 : at - 40], "big")
    data[at] ^= 0xFF
    start = at - 40
    data[start + 4 + length : start + 8 + length] = zlib.crc32(data[start : start + 4 + length]).to_bytes(4, "big")
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes(data)
    program.controller.files.open([damaged])
    qtbot.waitUntil(
        lambda: program.state.subject is not None and program.state.subject.title == "damaged.png", timeout=10_000
    )
    assert program.window.toast.text().endswith("It is opened as a photo.")


def test_a_pasted_picture_has_the_limits_and_the_colours_of_a_file(program, qtbot, monkeypatch):
    image = QImage(8, 8, QImage.Format.Format_RGB32)
    image.fill(QColor(234, 51, 35))
    image.setColorSpace(QColorSpace(QColorSpace.NamedColorSpace.DisplayP3))
    assert abs(int(read_image(image, "Pasted").photo.rgb[0, 0, 0]) - 255) <= 2, (
        "the red of Display P3 is the red of sRGB"
    )
    monkeypatch.setattr("engine.photo.load.MAX_PIXELS", 60)
    program.subjects.reading.open_image(image, "Pasted picture")
    qtbot.waitUntil(program.window.banner.isVisible, timeout=10_000)
    assert program.window.banner.title.text() == "The photo is too large"
