"""Two processes train as one does: the same losses, checkpoints that do not know how many there were, one stop for all."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.errors import InputError
from engine.training import loop, stages
from engine.training.config import TrainingConfig
from engine.training.team import ALONE, Team, join
from tests.engine.training.processes import together
from tests.engine.training.test_decoder import placed
from tests.engine.training.worker import checkpoint_of, losses, stage_losses

GROUPS = [("tokenizer",), pytest.param(("content", "transformer", "decoder"), marks=pytest.mark.long)]
RATES = {"decoder": 0.1}
"""Of the learning rate: at a full one, what floats round differently grows tenfold every few steps of decoder and adversary."""
HALF = 10
GOLDEN = {
    "tokenizer": [0.740896285, 0.657435119, 0.603191793, 0.619577169, 0.633978844, 0.553702891],
    "content": [0.997026443, 0.883305371, 0.797755539, 0.824374259, 0.709011376, 0.763178527],
    "transformer": [0.830601633, 0.582555294, 0.52502352, 0.49469769, 0.454405636, 0.464987904],
}
"""Losses of the first steps on one processor core, measured before processes could train together; the transformer's again since it
draws what is left out before it turns bits over (the same numbers in another order). Another kind of processor sums in another
order, and Muon makes 4e-4 of that within a few steps; other numbers from chance make 1e-2 and more."""


@pytest.fixture(scope="module")
def config(tiny_file: Path) -> TrainingConfig:
    """Every stage, with everything a decoder's loss is made of."""
    return placed(TrainingConfig.load(tiny_file), perceptual=0.1, adversarial=0.5, texture=1.0)


@pytest.fixture(scope="module")
def common(config: TrainingConfig, sprites: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Of every job: the runs, and a pool of backgrounds, for painting takes longest."""
    runs, pool = tmp_path_factory.mktemp("runs"), tmp_path_factory.mktemp("pool")
    return {"config": config.values, "sprites": str(sprites), "runs": str(runs), "pool": str(pool)}


@pytest.fixture(scope="module", params=GROUPS)
def group(
    request: pytest.FixtureRequest, common: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """Losses of some stages in this process and in two, fresh and from each other's checkpoints after half of the steps."""
    folder = tmp_path_factory.mktemp("together")
    jobs, alone, half = {}, {}, {"alone": str(folder / "alone"), "two": str(folder / "half")}
    if "transformer" in request.param:  # the later stages are built on both autoencoders
        for name in ("tokenizer", "content"):
            stage_losses({**common, "stage": name, "steps": 1, "save": common["runs"]}, ALONE)
    for name in request.param:
        job = {**common, "kind": "stage", "stage": name, "steps": HALF, "rate": RATES.get(name, 1.0)}
        alone[name] = stage_losses({**job, "save": half["alone"]}, ALONE)
        jobs[name] = {**job, "save": half["two"]}
        jobs[f"resumed {name}"] = {**job, "resume": half["alone"]}
    jobs["stopped"] = {**common, "kind": "stopped", "runs": str(folder / "stopped")}
    two = dict(zip(jobs, together(list(jobs.values()), folder), strict=True))
    resumed = {name: stage_losses({**jobs[f"resumed {name}"], "resume": half["two"]}, ALONE) for name in alone}
    return {"alone": alone, "two": two, "resumed": resumed}


def test_two_processes_have_the_losses_of_one(group: dict[str, Any]):
    for name, expected in group["alone"].items():
        assert group["two"][name] == pytest.approx(expected, abs=1e-5), name
        assert len(expected) == 2 * HALF
        assert min(expected) < 0.97 * expected[0]


def test_what_one_process_began_two_go_on_with(group: dict[str, Any]):
    for name, expected in group["alone"].items():
        assert group["two"][f"resumed {name}"] == pytest.approx(expected[HALF:], abs=1e-5), name


def test_what_two_processes_began_one_goes_on_with(group: dict[str, Any]):
    for name, expected in group["alone"].items():
        assert group["resumed"][name] == pytest.approx(expected[HALF:], abs=1e-5), name


def test_a_signal_to_one_process_stops_all_after_the_step_and_a_checkpoint(group: dict[str, Any]):
    assert group["two"]["stopped"] == {"steps": 3, "all_told": True}


def test_one_process_alone_computes_what_it_did_before_there_were_teams(
    tiny: TrainingConfig, sprites: Path, tmp_path: Path
):
    for name, golden in GOLDEN.items():
        stage = stages.make_stage(name, tiny, sprites, tmp_path, variety=1)
        assert losses(stage, ALONE, len(golden)) == pytest.approx(golden, rel=2e-3), name
        loop._save(stage, checkpoint_of(stage, tmp_path), loop.Progress(), ALONE)


def test_rows_of_a_batch_are_dealt_evenly_or_not_at_all():
    team = Team(rank=1, count=3)
    assert team.own(list(range(6))) == [2, 3]
    assert team.own(torch.arange(6)).tolist() == [2, 3]
    with pytest.raises(
        InputError, match=r"batch of 4 does not divide among 3 processes\. Set the batch to a multiple of 3"
    ):
        team.rows(4)


def test_several_processes_without_accelerate_are_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(InputError, match=r"needs accelerate.*pip install .accelerate"):
        join("cpu")
