"""The child's side: questions go to the thread of their part, photos are kept, failures become sentences."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from multiprocessing import Pipe
from pathlib import Path

import numpy as np
import psutil
import pytest

from engine.device.devices import GIB, Device
from engine.errors import BundleError
from engine.photo.hints import Box, Click
from engine.photo.load import Photo
from engine.preflight.segmenter import Segmenter
from engine.process import cutout_child, messages
from engine.process.cutout_client import ChildLost, PreflightProcess
from engine.process.messages import Reply, Setup
from tests.engine.preflight.scenes import toy

PHOTO, TRUTH = toy()


class FakeParts:
    """Answers with what it was asked; naming waits for ``named``."""

    def __init__(self) -> None:
        self.roles = ("naming", "grounding", "segmentation")
        self.named = threading.Event()
        self.unloaded: list[str] = []

    def use(self, role, work, notes):
        if role == "grounding":
            self.roles = ("naming", "segmentation")
            notes.append("GroundingDINO cannot be opened.")
            return None
        return work(self)

    def name(self, photo):
        assert self.named.wait(10)
        return photo.digest

    def cut(self, photo, *arguments):
        if arguments == ("fault",):
            raise ZeroDivisionError("by design")
        return int(photo.rgb.sum()), arguments

    def unload(self, *roles):
        self.unloaded += roles


@pytest.fixture
def child():
    """``serve`` in a thread, and our end of the pipe."""
    ours, theirs = Pipe()
    parts = FakeParts()

    def run():
        with pytest.raises(EOFError):
            cutout_child.serve(theirs, parts)
        theirs.close()

    thread = threading.Thread(target=run)
    thread.start()
    yield ours, parts
    parts.named.set()
    ours.close()
    thread.join(10)
    assert not thread.is_alive()


def show(connection, photo: Photo) -> None:
    connection.send(messages.Show(photo.digest, photo.height, photo.width))
    connection.send_bytes(photo.rgb.tobytes())


def test_a_click_does_not_wait_for_a_name(child):
    connection, parts = child
    show(connection, PHOTO)
    connection.send(messages.Question(1, "naming", "name", PHOTO.digest, ()))
    connection.send(messages.Question(2, "segmentation", "cut", PHOTO.digest, ("box",)))
    second = connection.recv()
    assert (second.number, second.value) == (2, (int(PHOTO.rgb.sum()), ("box",)))
    parts.named.set()
    assert connection.recv().value == PHOTO.digest
    assert parts.unloaded == ["naming"]  # the largest part gives its memory back


def test_failures_are_told_and_the_child_goes_on(child, caplog):
    connection, parts = child
    show(connection, PHOTO)
    connection.send(messages.Question(1, "grounding", "find", PHOTO.digest, ("toy",)))
    reply = connection.recv()
    assert (reply.value, reply.notes, reply.usable) == (None, ("GroundingDINO cannot be opened.",), False)
    connection.send(messages.Question(2, "segmentation", "cut", PHOTO.digest, ("fault",)))
    reply = connection.recv()
    assert (
        reply.value is None
        and reply.usable
        and reply.notes == ("The learned part for segmentation was not used: it failed.",)
    )
    assert "by design" in caplog.text
    connection.send(messages.Question(3, "segmentation", "cut", PHOTO.digest, ()))
    assert connection.recv().value == (int(PHOTO.rgb.sum()), ())
    connection.send(messages.Question(4, "segmentation", "unload", PHOTO.digest, ()))
    assert connection.recv().value is None and parts.unloaded == []  # only what a part is there for


def test_both_sides_forget_photos_in_the_same_order():
    photos = [Photo(np.full((2, 3, 3), value, np.uint8), None, f"digest {value}") for value in range(3)]

    class Recorder:
        def __init__(self):
            self.sent = []

        def send(self, message, content):
            self.sent.append(message)
            assert content.nbytes == 18

    process = object.__new__(PreflightProcess)
    process._child, process._shown = Recorder(), cutout_child.OrderedDict()
    for index in (0, 1, 0, 2, 0, 1):
        process._show(photos[index])
    assert [shown.digest[-1] for shown in process._child.sent] == ["0", "1", "2", "1"]


@pytest.fixture(scope="module")
def sam_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.engine.preflight.tiny_parts import save_sam_video

    folder = tmp_path_factory.mktemp("sam2.1-hiera-small")
    save_sam_video(folder)
    return folder


def test_a_real_child_answers_like_the_part_itself_and_its_death_is_told(sam_folder):
    from engine.preflight.networks.sam import Sam

    process = PreflightProcess(Setup((("segmentation", sam_folder),), "cpu"))
    box, clicks = Box(70, 25, 180, 160), (Click(130, 100), Click(10, 10, include=False))
    assert process.ask("segmentation", "embed", PHOTO).value is None
    logits, score = process.ask("segmentation", "cut", PHOTO, box, clicks).value
    expected, expected_score = Sam.from_folder(sam_folder).cut(PHOTO, box, clicks)
    np.testing.assert_allclose(logits, expected, atol=1e-5)
    assert score == pytest.approx(expected_score, abs=1e-6)
    again, _ = process.ask("segmentation", "cut", PHOTO, box, clicks).value
    np.testing.assert_array_equal(again, logits)
    os.kill(process.pid, 9)
    with pytest.raises(ChildLost):
        process.ask("segmentation", "cut", PHOTO, box, clicks)
    assert not process.alive
    with pytest.raises(ChildLost):
        process.ask("segmentation", "cut", PHOTO, box, clicks)
    process.close()


def test_closing_frees_who_waits(tmp_path):
    process = PreflightProcess(Setup((("segmentation", tmp_path),), "cpu"))
    outcome = []

    def ask():
        try:
            outcome.append(process.ask("segmentation", "cut", PHOTO, None, ()))
        except ChildLost:
            outcome.append(ChildLost)

    thread = threading.Thread(target=ask)
    thread.start()
    process.close()
    thread.join(10)
    assert not thread.is_alive() and not process.alive
    assert outcome == [ChildLost] or isinstance(outcome[0], Reply)


def test_a_part_goes_where_there_is_room(tmp_path, monkeypatch):
    from engine.preflight.networks import learned

    (tmp_path / "model.safetensors").write_bytes(bytes(1000))
    card = Device("cuda", "Card", 8 * GIB, 2 * GIB)
    monkeypatch.setattr(learned, "choose_device", lambda wanted: card)
    assert learned.place("segmentation", tmp_path) == "cuda:0"
    full = Device("cuda", "Card", 8 * GIB, GIB // 2)
    monkeypatch.setattr(learned, "choose_device", lambda wanted: full)
    assert learned.place("segmentation", tmp_path) == "cpu"
    monkeypatch.setattr(learned, "processor", lambda: Device("cpu", "CPU", 4 * GIB, GIB + 1500))
    assert learned.place("segmentation", tmp_path) == "cpu"
    with pytest.raises(MemoryError):
        learned.place("naming", tmp_path)  # twice as large on the processor


def test_the_segmenter_says_why_a_part_was_left_out_of_a_correction():
    class Failing:
        roles = ("segmentation",)

        def use(self, role, work, notes):
            notes.append(BundleError("SAM 2.1 is damaged.").fact)

    notes: list[str] = []
    start = (TRUTH * 255).astype(np.uint8)
    mask = Segmenter(Failing()).refine_mask(PHOTO, [Click(130, 100)], start=start, notes=notes)
    assert mask.shape == TRUTH.shape and notes == ["SAM 2.1 is damaged."]


def test_the_child_ends_with_whoever_started_it(tmp_path):
    """Even when that was killed: nobody is left to end the child."""
    script = (
        "import os, sys, time\n"
        "from engine.process.cutout_client import PreflightProcess; from engine.process.messages import Setup\n"
        "if __name__ == '__main__':\n"
        "    process = PreflightProcess(Setup())\n"
        "    print(process.pid, flush=True)\n"
        "    time.sleep(60)\n"
    )
    file = tmp_path / "window.py"
    file.write_text(script)
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen([sys.executable, str(file)], stdout=subprocess.PIPE, text=True, env=environment) as window:
        child = psutil.Process(int(window.stdout.readline()))
        window.kill()
        end = time.monotonic() + 30
        while _lives(child) and time.monotonic() < end:
            time.sleep(0.05)
    assert not _lives(child)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
