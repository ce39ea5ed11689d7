"""All stages by one command: slices add up, decay comes last, and what was stopped goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.cli import main
from engine.errors import Cancelled, InputError
from engine.training import loop, plan
from engine.training.config import TrainingConfig
from engine.training.plan import Entry, follow, read_plan
from engine.training.team import Team

PLAN = (Entry("tokenizer", 10.0, {}), Entry("content", 4.0, {"batch": 2}))


class Recorded:
    """Stands for the loop: notes what it was asked to train, and for how long it did."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.slices: list[tuple[str, float, bool]] = []
        self.seconds: dict[str, float] = {}
        self.stop_after: float | None = None
        monkeypatch.setattr(loop, "train", self.train)
        monkeypatch.setattr(loop, "seconds_of", lambda runs, stage: self.seconds.get(stage.stage, 0.0))

    def train(self, stage: Any, runs: Path, minutes: float, *, decay: bool, team: Team) -> None:
        ran = minutes if self.stop_after is None else min(minutes, self.stop_after)
        self.slices.append((stage.stage, round(ran, 3), decay))
        self.seconds[stage.stage] = self.seconds.get(stage.stage, 0.0) + ran * 60
        if ran < minutes:
            raise Cancelled()


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    return Recorded(monkeypatch)


def test_slices_add_up_and_only_the_last_of_a_stage_decays(recorded, tmp_path):
    assert follow(PLAN, tmp_path, 100, lambda entry: entry, slice_minutes=4) == (2, 0.0)
    assert recorded.slices == [
        ("tokenizer", 4, False),
        ("tokenizer", 4, False),
        ("tokenizer", 2, True),
        ("content", 4, True),
    ]


def test_a_short_rest_joins_the_slice_before(recorded, tmp_path):
    follow(PLAN[:1], tmp_path, 100, lambda entry: entry, slice_minutes=9)
    assert recorded.slices == [("tokenizer", 10, True)]


def test_calls_go_on_where_the_last_one_ended(recorded, tmp_path):
    assert follow(PLAN, tmp_path, 6, lambda entry: entry) == (0, 6.0)
    assert json.loads((tmp_path / plan.FILE).read_text()) == {"done": 0, "minutes": 6.0}
    assert follow(PLAN, tmp_path, 6, lambda entry: entry) == (1, 2.0)
    assert follow(PLAN, tmp_path, 6, lambda entry: entry) == (2, 0.0)
    assert [minutes for _, minutes, _ in recorded.slices] == [6, 4, 2, 2]
    assert follow(PLAN, tmp_path, 6, lambda entry: entry) == (2, 0.0) and len(recorded.slices) == 4


def test_what_was_stopped_counts_for_as_long_as_it_ran(recorded, tmp_path):
    recorded.stop_after = 3
    with pytest.raises(Cancelled):
        follow(PLAN, tmp_path, 8, lambda entry: entry)
    recorded.stop_after = None
    assert follow(PLAN, tmp_path, 2, lambda entry: entry) == (0, 5.0)


def test_the_scale_shortens_everything(recorded, tmp_path):
    follow(PLAN, tmp_path, 100, lambda entry: entry, scale=0.1)
    assert [minutes for _, minutes, _ in recorded.slices] == [1.0, 0.4]


def test_plans_that_cannot_be(tiny, tmp_path):
    with pytest.raises(InputError, match="no plan"):
        read_plan(tiny)
    for entry in ({"stage": "nose", "minutes": 3}, {"stage": "content"}, {"stage": "content", "minutes": 0}):
        with pytest.raises(InputError):
            read_plan(TrainingConfig({**tiny.values, "plan": [entry]}))
    for damage in ("{", "[]", '{"done": -1, "minutes": 0}', '{"done": 0, "minutes": NaN}', "9" * 100_000):
        (tmp_path / plan.FILE).write_text(damage)
        with pytest.raises(InputError, match="damaged"):
            follow(PLAN, tmp_path, 1, lambda entry: entry)


def test_the_shipped_plan_is_one(tiny):
    entries = read_plan(TrainingConfig.load())
    assert [entry.stage for entry in entries][-1] == "decoder"
    config = TrainingConfig.load().with_training("decoder", entries[-1].settings)
    settings = config["decoder"]["training"]
    assert (settings["drawn_share"], settings["average"]) == (0.45, 0.96)
    assert config.digest("decoder") == TrainingConfig.load().digest("decoder"), "its checkpoints go on"


def test_the_command_trains_all_stages(tiny_file: Path, sprites: Path, tmp_path: Path, capsys):
    file = tmp_path / "planned.toml"
    stages = ("tokenizer", "content", "transformer")
    file.write_text(tiny_file.read_text() + "".join(f'\n[[plan]]\nstage = "{s}"\nminutes = 0.005\n' for s in stages))
    command = ["train", "all", "--config", str(file), "--sprites", str(sprites), "--runs", str(tmp_path / "runs")]
    assert main([*command, "--minutes", "5", "--variety", "1"]) == 0
    assert "The plan is done: 3 of 3 parts." in capsys.readouterr().out
    assert all((tmp_path / "runs" / stage / "full.pt").exists() for stage in stages)
