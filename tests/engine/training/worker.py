"""One of the processes of ``test_team.py`` and ``test_finetune.py``: trains what it is told, and says the losses.

Started with the variables a launcher sets. Arguments: a JSON file with the jobs, and the file for process 0's answers.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from engine.errors import Cancelled
from engine.training import loop, stages
from engine.training.config import TrainingConfig
from engine.training.finetune import Finetuning
from engine.training.finetune_export import export_finetuned
from engine.training.sharding import whole
from engine.training.team import Team, join


def losses(stage: Any, team: Team, steps: int, rate: float = 1.0) -> list[float]:
    return [team.figures(stage.step(rate))["loss"] for _ in range(steps)]


def build(job: dict[str, Any], name: str, team: Team) -> Any:
    return stages.make_stage(
        name,
        TrainingConfig(job["config"]),
        Path(job["sprites"]),
        Path(job["runs"]),
        team.device,
        variety=1,
        pool=Path(job["pool"]),
        team=team,
    )


def checkpoint_of(stage: Any, folder: str | Path) -> Path:
    path = Path(folder) / stage.name / "full.pt"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def stage_losses(job: dict[str, Any], team: Team) -> list[float]:
    """Losses of a stage's steps; they go on from a checkpoint where ``resume`` names its folder, and leave one in ``save``."""
    stage = build(job, job["stage"], team)
    if "resume" in job:
        stage.load_state(loop.checkpoint.load_full(checkpoint_of(stage, job["resume"]), stage.digest)["stage"])
    found = losses(stage, team, job["steps"], job.get("rate", 1.0))
    if "save" in job:
        loop._save(stage, checkpoint_of(stage, job["save"]), loop.Progress(steps=job["steps"]), team)
        found += losses(stage, team, job["steps"], job.get("rate", 1.0))
    return found


def stopped(job: dict[str, Any], team: Team) -> dict[str, Any]:
    """A slice whose last process gets SIGTERM in its third step: how many steps the checkpoint has, and who was told."""
    stage = build(job, "tokenizer", team)
    step, count = stage.step, 0

    def counted(rate: float) -> dict[str, float]:
        nonlocal count
        count += 1
        if count == 3 and team.rank == team.count - 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return step(rate)

    stage.step = counted
    told = False
    try:
        loop.train(stage, Path(job["runs"]), 5, team=team)
    except Cancelled:
        told = True
    steps = loop.checkpoint.load_full(checkpoint_of(stage, job["runs"]), stage.digest)["progress"]["steps"]
    return {"steps": steps, "all_told": not team.any(not told)}


def as_on_cards(team: Team, precision: str) -> None:
    """accelerate reads a configuration with ``fsdp_version: 2`` on cards only; here it is told of one on processors."""
    from accelerate import FullyShardedDataParallelPlugin
    from accelerate.utils import DistributedType

    state = team.accelerator.state
    state.distributed_type, state._mixed_precision = DistributedType.FSDP, precision
    state.fsdp_plugin = FullyShardedDataParallelPlugin(fsdp_version=2, auto_wrap_policy="TRANSFORMER_BASED_WRAP")


def finetune_losses(job: dict[str, Any], team: Team) -> dict[str, Any]:
    """Losses of a fine-tuning's next steps; ``save`` leaves a checkpoint after ``steps`` and goes on for as many."""
    if "precision" in job:
        as_on_cards(team, job["precision"])
    training = Finetuning(
        Path(job["bundle"]),
        Path(job["data"]),
        Path(job["out"]),
        job["all_steps"],
        job["settings"],
        passes=job.get("passes", 1),
        team=team,
    )
    found = [training.step()["loss"] for _ in range(job["steps"])]
    if job.get("save"):
        training.save()
        found += [training.step()["loss"] for _ in range(job["steps"])]
    if "bundle_out" in job:
        export_finetuned(training, Path(job["bundle"]), Path(job["bundle_out"]))
    sharded = sum(hasattr(value, "to_local") for value in training.average.weights.values())
    mean = sum(float(whole(value).double().abs().sum()) for value in training.average.weights.values())
    return {"losses": found, "sharded": sharded, "mean": mean}


JOBS: dict[str, Callable[[dict[str, Any], Team], Any]] = {
    "stage": stage_losses,
    "stopped": stopped,
    "finetune": finetune_losses,
}


def main() -> None:
    torch.set_num_threads(1)
    jobs, answers = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2])
    team = join("cpu")
    found = [JOBS[job["kind"]](job, team) for job in jobs]
    if team.writes:
        answers.write_text(json.dumps(found), encoding="utf-8")
    team.leave()


if __name__ == "__main__":
    main()
