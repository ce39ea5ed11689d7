"""The loop every stage runs in: time, learning rate, checkpoints, log, stop signal."""

from __future__ import annotations

import contextlib
import csv
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from engine.errors import Cancelled, CannotWrite
from engine.sentence import Sentence
from engine.time_left import time_left_words
from engine.training import checkpoint
from engine.training.config import trapezoid
from engine.training.team import ALONE, Team, speaks

SAVE_EVERY = 120.0  # seconds
SAMPLE_EVERY = 420.0
REPORT_EVERY = 20.0


class TrainingStage(Protocol):
    """One thing that is trained.

    Attributes:
        name: "tokenizer", "content" or "transformer".
        digest: of the configuration, checked when a checkpoint is read.
        settings: the stage's ``training`` table.
    """

    name: str
    digest: str
    settings: dict[str, Any]

    def step(self, rate: float) -> dict[str, float]:
        """One step with the learning rate times ``rate``; returns figures to report (``pictures`` among them)."""

    def sample(self, path: Path) -> None:
        """Write a sheet a person can judge by."""

    def state(self) -> dict[str, Any]: ...

    def load_state(self, state: dict[str, Any]) -> None: ...


@dataclass
class Progress:
    """Counters that survive a resume. ``seconds`` is time spent training, over all slices."""

    steps: int = 0
    pictures: int = 0
    seconds: float = 0.0
    figures: dict[str, float] = field(default_factory=dict)


def train(stage: TrainingStage, runs: Path, minutes: float, *, decay: bool = True, team: Team = ALONE) -> Progress:
    """Train for some minutes, going on from the last checkpoint.

    Args:
        runs: folder of checkpoints, logs and sheets; one folder per stage.
        minutes: length of this slice.
        decay: let the learning rate fall to zero at the slice's end. Without it a later slice goes on at full rate.
        team: the processes that train the stage together. All go by the first one's clock, and it alone writes; what
            stops one of them stops all.

    Raises:
        Cancelled: a stop signal came; the step was finished and everything saved.
        CannotWrite: a checkpoint could not be written; the one before is intact.
    """
    folder = runs / stage.name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "full.pt"
    progress = Progress()
    if path.exists():
        state = checkpoint.load_full(path, stage.digest)
        stage.load_state(state["stage"])
        progress = Progress(**state["progress"])
        say(f"{stage.name}: going on after {progress.steps} steps, {progress.pictures} pictures")
    stopped: list[int] = []
    previous = {s: signal.signal(s, lambda number, _: stopped.append(number)) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        was_stopped = _run(stage, folder, path, progress, minutes * 60, decay, stopped, team)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    if was_stopped:
        raise Cancelled(Sentence("Stopped after {steps} steps; everything is saved.", steps=progress.steps))
    return progress


def seconds_of(runs: Path, stage: TrainingStage) -> float:
    """Seconds a stage has been trained so far, by its checkpoint; 0 without one."""
    path = runs / stage.name / "full.pt"
    return float(checkpoint.load_full(path, stage.digest)["progress"]["seconds"]) if path.exists() else 0.0


def _run(
    stage: TrainingStage,
    folder: Path,
    path: Path,
    progress: Progress,
    seconds: float,
    decay: bool,
    stopped: list[int],
    team: Team,
) -> bool:
    """Train until the time is over, or until a signal stops one of the processes. Returns whether one did."""
    started = saved = reported = sampled = team.agreed(time.monotonic())
    before, fresh = progress.seconds, 0
    kept = False
    while not (was_stopped := team.any(bool(stopped))):
        now = team.agreed(time.monotonic())
        done = (now - started) / seconds
        if done >= 1:
            break
        warm = min(1.0, (fresh + 1) / max(1, stage.settings["warmup"]))
        falling = trapezoid(done, 0.0, stage.settings["decay"]) if decay else 1.0
        if decay and not kept and falling < 1:
            # What a later slice can go on from at full rate.
            _save(stage, folder / "before-decay.pt", progress, team)
            kept = True
        figures = team.figures(stage.step(warm * falling))
        fresh += 1
        progress.steps += 1
        progress.pictures += round(figures.pop("pictures"))
        progress.seconds = before + team.agreed(time.monotonic()) - started
        for name, value in figures.items():
            progress.figures[name] = 0.95 * progress.figures.get(name, value) + 0.05 * value
        now = team.agreed(time.monotonic())
        if now - reported > REPORT_EVERY:
            reported = now
            rate = fresh / (now - started) * stage.settings["batch"]
            if team.writes:
                with _or_say():
                    _report(stage, folder, progress, rate, seconds - (now - started))
        if now - saved > SAVE_EVERY:
            saved = now
            with _or_say():
                _save(stage, path, progress, team)
        if now - sampled > SAMPLE_EVERY:
            sampled = now
            with _or_say():
                stage.sample(folder / f"sample-{progress.steps:06d}.png")
    _save(stage, path, progress, team)
    with _or_say():
        stage.sample(folder / f"sample-{progress.steps:06d}.png")
    return was_stopped


def _save(stage: TrainingStage, path: Path, progress: Progress, team: Team) -> None:
    """The state is that of any process: the first one writes it, and all know whether it could."""
    failed: CannotWrite | None = None
    if team.writes:
        try:
            checkpoint.save_full(path, {"stage": stage.state(), "progress": vars(progress).copy()}, stage.digest)
        except CannotWrite as error:
            failed = error
    if team.any(failed is not None):
        raise failed or CannotWrite(Sentence("The checkpoint {name} could not be written.", name=path.name))


@contextlib.contextmanager
def _or_say() -> Iterator[None]:
    """Say what cannot be written on the way, and go on: it is tried again later, and only the last checkpoint ends the run."""
    try:
        yield
    except (CannotWrite, OSError) as error:
        say(str(error))


def _report(stage: TrainingStage, folder: Path, progress: Progress, rate: float, left: float) -> None:
    words = " ".join(f"{name} {value:.4g}" for name, value in progress.figures.items())
    say(f"{stage.name} step {progress.steps}  {words}  {rate:.1f} pictures/s  {time_left_words(left)}")
    log = folder / "log.csv"
    row = {
        "steps": progress.steps,
        "pictures": progress.pictures,
        "seconds": round(progress.seconds),
        **progress.figures,
    }
    new = not log.exists()
    with log.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, row.keys())
        if new:
            writer.writeheader()
        writer.writerow(row)


def say(text: str) -> None:
    """One line on stderr; of several processes only the first one speaks."""
    if not speaks():
        return
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
