"""kill -9 at a random moment of a session with typing, strokes and drawing: what is older than a second is on disk."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.mask.drafts import DraftStore
from app.store.assets import AssetStore
from app.store.history_store import HistoryStore
from app.store.paths import AppPaths
from app.store.saved_session import SessionStore
from tests.e2e.paper import write_paper_bundle

ROOT = Path(__file__).resolve().parents[2]
SOLID = 128
SECOND = 25
"""Ticks of the program's own clock: a machine that has no time for it must not fail it."""

# Runs the program and does something every few hundredths of a second; each deed is written down when it is done.
PROBE = """
import json, random, sys
from PySide6.QtCore import QTimer
import app.run as run
from app.mask.brush import Brush

ENGINE = "tests.engine.fake_engine:FakeEngine"
notes, chance = open(sys.argv[1], "a", buffering=1), random.Random(int(sys.argv[2]))

def note(kind, value):
    notes.write(json.dumps([kind, value, program.number if program else 0]) + "\\n")

program = None

class Program(run.Program):
    def __init__(self, paths):
        super().__init__(paths, ENGINE)
        self.number = 0
        self.ready = False

        self.completed.connect(self.begin)

    def begin(self):
        draw = self.queue.draw
        def noted(requests, **options):
            draw(requests, **options)
            for request in requests:
                note("asked", [request.prompt, request.seed])
        self.queue.draw = noted
        self.timer = QTimer(self, interval=40)
        self.timer.timeout.connect(self.act)
        self.timer.start()
        global program
        program = self

    def act(self):
        subject = self.state.subject
        if not self.ready:
            kept = self.keeper.session().subjects
            if self.state.engine.phase == "ready" and subject and subject.cut_out and kept and kept[0].mask:
                self.ready = True
                note("ready", 0)
            return
        self.number += 1
        note("tick", 0)
        what = chance.choice(("type", "stroke", "stroke", "draw", "use"))
        if what == "type":
            self.state.update_values(prompt=f"a ball {self.number}")
            note("prompt", self.state.values.prompt)
        elif what == "stroke" and self.number < 200:
            if self.subjects.editing is None:
                self.window.editing.edit()
            place = (4.5 + 9 * (self.number % 20), 4.5 + 9 * (self.number // 20))
            document = self.subjects.editing.document
            document.begin_stroke(place, Brush(5))
            document.end_stroke()
            note("stroke", place)
        elif what == "draw" and self.subjects.editing is None and self.queue.waiting < 3:
            self.window.drawing.generate()
        elif what == "use" and self.subjects.editing is not None and chance.random() < 0.3:
            self.window.editor.use()

run.Program = Program
if __name__ == "__main__":
    sys.exit(run.run(sys.argv[3:]))
"""


def kill_once(folder: Path, seed: int) -> set[str]:
    """One session on a new profile, killed at a moment that ``seed`` chooses.

    Returns:
        the kinds of deeds that were done until then.

    Raises:
        AssertionError: something is lost, or the session itself went wrong.
    """
    folder.mkdir()
    write_paper_bundle(folder / "models" / "paper")
    script, notes = folder / "probe.py", folder / "notes.jsonl"
    script.write_text(PROBE, encoding="utf-8")
    notes.touch()
    places = {name: str(folder / name.lower()) for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")}
    places |= {"XDG_PICTURES_DIR": str(folder / "pictures"), "ECHOGEN_MODELS": str(folder / "models")}
    settings = folder / "xdg_config_home" / "echogen-desktop" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"bundle": "paper"}), encoding="utf-8")
    environment = {**os.environ, **places, "PYTHONPATH": str(ROOT)}
    output = folder / "stderr.txt"
    with output.open("wb") as errors:
        process = subprocess.Popen([sys.executable, script, notes, str(seed)], cwd=ROOT, env=environment, stderr=errors)
    try:
        deadline = time.monotonic() + 240
        while "ready" not in notes.read_text():
            assert process.poll() is None and time.monotonic() < deadline, "the program did not get ready"
            time.sleep(0.05)
        time.sleep(random.Random(seed).uniform(0.2, 4.0))
    finally:
        process.kill()
        process.wait(20)
    assert "Traceback" not in output.read_text(), output.read_text()  # a session that does not do its deeds loses none
    for name, place in places.items():
        os.environ[name] = place
    return check(notes, AppPaths.standard())


def check(notes: Path, paths: AppPaths) -> set[str]:
    """What was done more than a second before the end is on disk; pictures at once. Returns the kinds of deeds."""
    deeds = [json.loads(line) for line in notes.read_text().splitlines() if line.endswith("]")]
    killed = deeds[-1][2]
    session = SessionStore(paths.session).load()
    prompts = [(value, when) for kind, value, when in deeds if kind == "prompt"]
    old = [value for value, when in prompts if when < killed - SECOND]
    if old:
        newer = [value for value, when in prompts if when >= killed - SECOND]
        assert session.prompt in (old[-1], *newer), f"“{old[-1]}” is lost, “{session.prompt}” is there"
    strokes = [value for kind, value, when in deeds if kind == "stroke" and when < killed - SECOND]
    assets, drafts = AssetStore(paths.assets), DraftStore(paths.drafts)
    kept = session.subjects[session.current]
    draft, mask = drafts.load(kept.draft), assets.load_mask(kept.mask)
    assert mask is not None or killed <= SECOND  # the panel's first mask is as young as a stroke may be
    layers = [layer for layer in (mask, draft.base if draft is not None else None) if layer is not None]
    lost = [(x, y) for x, y in strokes if all(layer[int(y), int(x)] < SOLID for layer in layers)]
    assert not lost, f"{len(lost)} of {len(strokes)} strokes are lost"
    store = HistoryStore(paths.history, paths.pictures)
    try:
        store.rebuild()
        there = [[picture.prompt, picture.seed] for picture in store.pictures()]
        there += [[request.prompt, request.seed] for _, request in store.queue.read()]
        missing = [value for kind, value, _ in deeds if kind == "asked" and value not in there]
        assert not missing, f"pictures are lost: {missing}"
    finally:
        store.close()
    return {kind for kind, _, _ in deeds}


@pytest.fixture
def own_folders(private_folders, monkeypatch):
    """What ``kill_once`` sets is taken back."""
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_PICTURES_DIR"):
        monkeypatch.setenv(name, os.environ[name])


@pytest.mark.timeout(900)
def test_a_kill_loses_nothing_that_is_older_than_a_second(own_folders, tmp_path):
    done = set().union(*(kill_once(tmp_path / str(seed), seed) for seed in range(2)))
    assert done >= {"prompt", "stroke", "asked"}


@pytest.mark.long
@pytest.mark.timeout(14_400)
def test_two_hundred_kills(own_folders, tmp_path):
    done = [kill_once(tmp_path / str(seed), seed) for seed in range(1000, 1200)]
    for kind in ("prompt", "stroke", "asked"):
        assert sum(kind in kinds for kinds in done) > 50, f"{kind} is done too seldom"
