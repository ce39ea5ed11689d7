"""From a training file and a folder of cut-outs to a stage that can be trained, exported or carried to another machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from engine.errors import InputError
from engine.sentence import Sentence
from engine.training.autoencoder_stages import ContentStage, TokenizerStage
from engine.training.checkpoint import load_full, load_travel, save_full, save_travel
from engine.training.config import DEFAULT, STAGES, TrainingConfig
from engine.training.data.subjects import SubjectPictures
from engine.training.loop import Progress
from engine.training.render.renderer import Renderer
from engine.training.team import ALONE, Team


def find_config(path: Path) -> TrainingConfig:
    """Read a training file; the name of the one that comes along ("mini.toml") is enough."""
    if not path.exists() and path == Path(DEFAULT.name):
        path = DEFAULT
    return TrainingConfig.load(path)


def make_renderer(
    config: TrainingConfig,
    subjects: SubjectPictures,
    device: torch.device | str,
    seed: int,
    variety: int,
    textures: Path | None = None,
    pool: Path | None = None,
) -> Renderer:
    """A renderer of a training file's sizes."""
    data = config["data"]
    return Renderer(
        subjects,
        size=int(data["picture_size"]),
        reference_size=int(data["reference_size"]),
        device=device,
        seed=seed,
        variety=variety,
        outfits=config.outfits,
        more=config.more,
        textures=textures,
        pool=pool,
        layouts=config.layouts,
    )


def make_stage(
    name: str,
    config: TrainingConfig,
    sprites: Path | Sequence[Path],
    runs: Path,
    device: torch.device | str = "cpu",
    *,
    variety: int | None = None,
    textures: Path | None = None,
    pool: Path | None = None,
    team: Team = ALONE,
) -> Any:
    """Build one stage on the training split, with the validation split for its samples.

    Args:
        sprites: folder of cut-outs, or several.
        runs: folder of the stages' checkpoints; the transformer reads both autoencoders from there.
        variety: blocks of eight backgrounds per scene; by default what the device's memory and speed suggest.
        textures: folder of photographs for the backgrounds. pool: folder that keeps painted backgrounds between slices.
        team: the processes that train it together.

    Raises:
        InputError: there is no such stage, the folder cannot be used, or an autoencoder is not trained yet.
    """
    if name not in STAGES:
        raise InputError(
            Sentence("There is no stage “{name}”.", name=name),
            Sentence("The stages are {stages}.", stages=", ".join(STAGES)),
        )
    size = int(config["data"]["subject_size"])
    on_card = torch.device(device).type != "cpu"
    training = SubjectPictures.from_folders(sprites, size, "train")
    validation = SubjectPictures.from_folders(sprites, size, "validation")
    renderer = make_renderer(config, training, device, config.seed, variety or (16 if on_card else 8), textures, pool)
    # Where layouts are taught by name, those are what is drawn, whoever stands in them.
    own = config.seed + (0 if config.layouts else 1)
    held_out = make_renderer(config, validation, device, own, 2, textures, pool)
    if name == "tokenizer":
        return TokenizerStage(config, renderer, held_out, team)
    if name == "content":
        return ContentStage(config, renderer, held_out, team)
    if name == "decoder":
        from engine.training.decoder import DecoderStage

        return DecoderStage(config, renderer, held_out, runs, team)
    from engine.training.transformer_stage import TransformerStage

    return TransformerStage(config, renderer, held_out, runs, team)


def pack_travel(stage: str, config: TrainingConfig, runs: Path, folder: Path) -> list[Path]:
    """Write a stage's travel checkpoint from its full one. Returns the files.

    Raises:
        InputError: there is no full checkpoint yet, or it is damaged. CannotWrite: the disk is full.
    """
    path = runs / stage / "full.pt"
    if not path.exists():
        raise InputError(
            Sentence("The {stage} stage has no checkpoint in {runs} yet.", stage=stage, runs=runs),
            Sentence("Train it first: --stage {stage}.", stage=stage),
        )
    state = load_full(path, config.digest(stage))
    weights, average = state["stage"]["module"], state["stage"]["average"]
    return save_travel(folder / stage, weights, average, config.digest(stage), int(state["progress"]["steps"]))


def unpack_travel(stage: Any, config: TrainingConfig, folder: Path, runs: Path) -> int:
    """Make a full checkpoint out of a travel one, for ``stage`` as it was just built. Returns the steps it had.

    Moments are not carried: they begin anew, and the warm-up that begins every slice lets them find their size. The
    renderer begins at a place of its own, so that nothing is seen twice.

    Raises:
        InputError: files are missing, damaged, or of another training. CannotWrite: the disk is full.
    """
    weights, average, steps = load_travel(folder / stage.name, config.digest(stage.name))
    stage.module.load_state_dict(weights)
    stage.average.weights = {name: value.to(stage.device) for name, value in average.items()}
    stage.average.steps = steps
    stage.renderer.generator.manual_seed(config.seed + 7919 * (steps + 1))
    stage.renderer.chance.seed(config.seed + 7919 * (steps + 1))
    progress = Progress(steps=steps, pictures=steps * int(stage.settings["batch"]))
    path = runs / stage.name / "full.pt"
    save_full(path, {"stage": stage.state(), "progress": vars(progress).copy()}, config.digest(stage.name))
    return steps
