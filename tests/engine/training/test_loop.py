"""The loop: learning rate, log, checkpoints on the way, a stop signal, a full disk."""

from __future__ import annotations

import csv
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from engine.errors import Cancelled, CannotWrite
from engine.training import checkpoint, loop
from engine.training.config import trapezoid


class Counter:
    """A stage that counts."""

    name = "counter"
    digest = "abc"

    def __init__(self) -> None:
        self.settings: dict[str, Any] = {"warmup": 4, "decay": 0.5, "batch": 3}
        self.value = 0
        self.rates: list[float] = []
        self.sheets: list[str] = []
        self.stop_at: int | None = None

    def step(self, rate: float) -> dict[str, float]:
        self.value += 1
        self.rates.append(rate)
        if self.value == self.stop_at:
            os.kill(os.getpid(), signal.SIGTERM)
        return {"loss": 1 / self.value, "pictures": 3.0}

    def sample(self, path: Path) -> None:
        self.sheets.append(path.name)

    def state(self) -> dict[str, Any]:
        return {"value": self.value}

    def load_state(self, state: dict[str, Any]) -> None:
        self.value = state["value"]


class Clock:
    """Time that runs by a second each time it is looked at."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        self.now += 1
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(loop, "time", clock)
    return clock


def test_the_trapezoid():
    assert [trapezoid(done, 0.25, 0.5) for done in (0.0, 0.125, 0.25, 0.5, 0.75, 1.0)] == [0, 0.5, 1, 1, 0.5, 0]
    assert trapezoid(0.0, 0.0, 0.0) == 1.0


def test_a_slice_warms_up_decays_logs_and_goes_on(tmp_path: Path, clock: Clock):
    stage = Counter()
    first = loop.train(stage, tmp_path, 2)
    assert first.steps == stage.value > 20
    assert first.pictures == 3 * first.steps
    assert stage.rates[0] == pytest.approx(0.25)
    assert max(stage.rates) == 1.0
    assert stage.rates[-1] < 0.1
    assert stage.sheets[-1] == f"sample-{first.steps:06d}.png"
    rows = list(csv.DictReader((tmp_path / "counter" / "log.csv").read_text(encoding="utf-8").splitlines()))
    assert len(rows) >= 2
    assert int(rows[-1]["pictures"]) == 3 * int(rows[-1]["steps"])
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])

    again = Counter()
    second = loop.train(again, tmp_path, 1, decay=False)
    assert again.value == second.steps > first.steps
    assert again.rates[-1] == 1.0  # without decay a later slice goes on at full rate
    # What a slice could go on from at full rate is kept from before the decay.
    early = checkpoint.load_full(tmp_path / "counter" / "before-decay.pt", "abc")
    assert early["progress"]["steps"] < first.steps


def test_a_stop_signal_finishes_the_step_and_saves(tmp_path: Path, clock: Clock):
    stage = Counter()
    stage.stop_at = 5
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Cancelled, match="after 5 steps; everything is saved") as raised:
        loop.train(stage, tmp_path, 10)
    assert raised.value.exit_code == 130
    assert checkpoint.load_full(tmp_path / "counter" / "full.pt", "abc")["stage"] == {"value": 5}
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_full_disk_on_the_way_is_said_and_only_the_last_one_ends_the_run(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    loop.train(Counter(), tmp_path, 0.5)
    monkeypatch.setattr(loop, "SAVE_EVERY", 10.0)
    saved: list[int] = []

    def full_disk(path: Path, state: dict[str, Any], digest: str) -> None:
        saved.append(state["progress"]["steps"])
        raise CannotWrite(f"The checkpoint {path.name} could not be written.")

    monkeypatch.setattr(checkpoint, "save_full", full_disk)
    with pytest.raises(CannotWrite):
        loop.train(Counter(), tmp_path, 2, decay=False)
    assert len(saved) > 2
    assert capsys.readouterr().err.count("could not be written") == len(saved) - 1
    monkeypatch.undo()
    assert checkpoint.load_full(tmp_path / "counter" / "full.pt", "abc")["progress"]["steps"] < saved[0]


def test_a_log_and_sheets_that_cannot_be_written_end_no_training(
    tmp_path: Path, clock: Clock, capsys: pytest.CaptureFixture[str]
):
    """A disk that was full for a moment ended a training of days, without its last checkpoint."""

    class Full(Counter):
        def sample(self, path: Path) -> None:
            super().sample(path)
            raise OSError(28, "No space left on device")

    (tmp_path / "counter" / "log.csv").mkdir(parents=True)
    stage = Full()
    progress = loop.train(stage, tmp_path, 30)
    told = capsys.readouterr().err
    assert told.count("No space left on device") == len(stage.sheets) > 1 and "Is a directory" in told
    kept = checkpoint.load_full(tmp_path / "counter" / "full.pt", "abc")
    assert kept["progress"]["steps"] == progress.steps == stage.value
