"""The program as its own process: visible soon, one window per user, and everything back after it was killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.paper import save_disc, write_paper_bundle

ROOT = Path(__file__).resolve().parents[2]

# Runs the program with the engine of the tests and writes down what a test asks for.
PROBE = """
import json, sys, time

from pathlib import Path
from PySide6.QtCore import QTimer
import app.run as run

ENGINE = "tests.engine.fake_engine:FakeEngine"
notes = Path(sys.argv[1])

class Program(run.Program):
    def __init__(self, paths):
        super().__init__(paths, ENGINE)

    def start(self, files=()):
        super().start(files)
        shown = time.process_time()
        models = [name for name in ("torch", "transformers", "diffusers") if name in sys.modules]
        self.timer = QTimer(self, interval=50)
        self.timer.timeout.connect(lambda: self.note(shown, models))
        self.timer.start()

    def note(self, shown, models):
        state = self.state
        content = json.dumps({
            "shown": shown, "models": models, "phase": state.engine.phase, "prompt": state.values.prompt,
            "seed": state.values.seed, "titles": [subject.title for subject in state.subjects],
            "ready": [subject.cut_out is not None for subject in state.subjects],
            "kept": len(self.keeper.session().subjects) if state.subjects else 0,
        })
        notes.with_suffix(".new").write_text(content)
        notes.with_suffix(".new").replace(notes)
        wanted = notes.with_suffix(".do")
        if wanted.exists():
            changes = json.loads(wanted.read_text())
            wanted.unlink()
            if changes.pop("close", False):
                self.window.close()
            else:
                state.update_values(**changes)

run.Program = Program
if __name__ == "__main__":
    sys.exit(run.run(sys.argv[2:]))
"""


class Running:
    """One process of the program."""

    def __init__(self, folder: Path, name: str, *files: Path) -> None:
        script = folder / "probe.py"
        script.write_text(PROBE)
        self.notes = folder / f"{name}.json"
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "ECHOGEN_MODELS": str(folder / "models")}
        self.process = subprocess.Popen(
            [sys.executable, script, self.notes, *map(str, files)], cwd=ROOT, env=environment
        )

    def read(self) -> dict:
        return json.loads(self.notes.read_text()) if self.notes.exists() else {}

    def wait(self, condition, timeout: float = 40.0) -> dict:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            notes = self.read()
            if notes and condition(notes):
                return notes
            assert self.process.poll() is None, f"ended with {self.process.returncode}"
            time.sleep(0.05)
        raise AssertionError(f"timed out; last seen: {self.read()}")

    def do(self, **changes) -> None:
        self.notes.with_suffix(".do").write_text(json.dumps(changes))

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)


@pytest.fixture
def start(tmp_path: Path, private_folders: Path) -> Iterator:
    write_paper_bundle(tmp_path / "models" / "paper")
    settings = Path(os.environ["XDG_CONFIG_HOME"]) / "echogen-desktop" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"bundle": "paper"}))
    running: list[Running] = []

    def start_one(name: str, *files: Path) -> Running:
        running.append(Running(tmp_path, name, *files))
        return running[-1]

    yield start_one
    for one in running:
        one.end()


def test_the_window_is_there_before_the_model_libraries_and_ends_politely(start):
    program = start("first")
    notes = program.wait(lambda notes: notes["phase"] == "ready")
    assert notes["models"] == []
    assert notes["shown"] < 6  # seconds of the processor; only a start that imports the model libraries takes so long
    program.do(close=True)
    assert program.process.wait(20) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no polite signal for a program with a window")
def test_a_request_to_end_closes_the_window_properly(start):
    program = start("first")
    program.wait(lambda notes: notes["phase"] == "ready")
    program.process.send_signal(signal.SIGTERM)
    assert program.process.wait(20) == 0


def test_a_second_start_hands_its_photo_over_and_ends(start, tmp_path):
    first = start("first")
    first.wait(lambda notes: notes["phase"] == "ready")
    photo = save_disc(tmp_path / "handed over.png", (20, 60, 220))
    second = start("second", photo)
    assert second.process.wait(30) == 0
    assert not second.notes.exists()  # it never opened a window
    first.wait(lambda notes: any("handed over" in title for title in notes["titles"]))


def test_everything_is_back_after_the_program_was_killed(start, tmp_path):
    photo = save_disc(tmp_path / "my mug.png", (20, 160, 60))
    first = start("first", photo)
    first.wait(lambda notes: notes["ready"] == [True])
    first.do(prompt="a mug on the beach", seed=77)
    first.wait(lambda notes: notes["prompt"] == "a mug on the beach" and notes["kept"] == 1)
    time.sleep(1.5)  # the session is written a moment after the last change
    first.process.kill()
    first.process.wait(10)
    photo.unlink()  # the original is not needed
    second = start("second")
    notes = second.wait(lambda notes: notes["ready"] == [True])
    assert (notes["prompt"], notes["seed"]) == ("a mug on the beach", 77)
    assert "my mug" in notes["titles"][0]
