"""``python -m engine train``: the mini model's four stages in slices of minutes, and what goes with them.

train --stage tokenizer --minutes 60 --sprites DIR      one slice; goes on where the last one ended
train all --minutes 600 --sprites DIR                   all stages by the plan of the training file, as far as that goes
train --export DIR --sprites DIR                        write the bundle
train preview-data --out sheet.png --sprites DIR        look at what is trained on
train backgrounds --pool DIR --sprites DIR               paint all backgrounds ahead of a training
train travel --stage transformer --to DIR               small files to carry to another machine
train travel --stage transformer --from DIR --sprites DIR
train adopt --from resources/mini --sprites DIR         make checkpoints out of a bundle, to train it on
train cutout --minutes 60 --sprites DIR --textures DIR   the network that finds the subject of a photo
train cutout --export DIR --sprites DIR                 write it as the program uses it, and calibrate its estimate
train finetune --bundle BUNDLE --data DIR --out DIR --steps 1000   a converted model, on examples of your own
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.bundle.library import resolve_bundle
from engine.cli.targets import check_target
from engine.cli.terminal import above_zero, minutes, threads, whole
from engine.device.devices import choose_device, keep_memory
from engine.errors import CannotWrite, InputError
from engine.files import check_apart, not_written
from engine.sentence import Sentence
from engine.training.config import DEFAULT, STAGES

if TYPE_CHECKING:
    from engine.training.config import TrainingConfig
    from engine.training.team import Team

SPRITES_VARIABLE = "ECHOGEN_SPRITES"


EXAMPLE = "train --stage tokenizer --minutes 60 --sprites sprites"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Train the mini model.\n" + (__doc__ or "").partition("\n")[2]
    parser.add_argument(
        "action",
        nargs="?",
        choices=("all", "preview-data", "backgrounds", "travel", "adopt", "cutout", "finetune"),
        help="instead of one stage",
    )
    parser.add_argument("--config", type=Path, default=DEFAULT, help="training file; mini.toml comes along")
    parser.add_argument("--stage", choices=STAGES, help="what to train")
    parser.add_argument("--minutes", type=minutes, help="length of this slice")
    parser.add_argument(
        "--sprites",
        type=Path,
        nargs="+",
        metavar="DIR",
        help=f"folders of cut-outs with names.json (or {SPRITES_VARIABLE}); the first one's words come first",
    )
    parser.add_argument(
        "--textures", type=Path, metavar="DIR", help="folder of photographs as material for backgrounds"
    )
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="DIR", help="checkpoints and logs")
    parser.add_argument("--threads", type=threads, help="processor threads to use")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--variety", type=whole(1), help="backgrounds per scene, in blocks of eight")
    parser.add_argument("--scale", type=above_zero(1000), default=1.0, help="with all: the plan's minutes times this")
    parser.add_argument(
        "--slice", type=minutes, default=60.0, help="with all: a stage is saved and begun anew after so many minutes"
    )
    parser.add_argument(
        "--no-decay", action="store_true", help="keep the learning rate up: another slice is going to follow"
    )
    parser.add_argument("--export", type=Path, metavar="DIR", help="write the trained stages as a bundle")
    parser.add_argument(
        "--evaluation", type=Path, metavar="FILE", help="with --export: evaluation.json, for the model card"
    )
    parser.add_argument(
        "--pool", type=Path, metavar="DIR", help="keep painted backgrounds there: painting is what costs most"
    )
    parser.add_argument("--pairs", type=whole(1), help="with preview-data: how many; by default every prompt once")
    parser.add_argument(
        "--out",
        type=Path,
        help="with preview-data: picture to write; with finetune: folder for checkpoints and the result",
    )
    parser.add_argument("--bundle", metavar="BUNDLE", help="with finetune: name or folder of the model to begin with")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="with finetune: metadata.jsonl with its pictures, or Parquet shards"
    )
    parser.add_argument("--steps", type=whole(1, 10**9), help="with finetune: how many in all")
    parser.add_argument("--size", metavar="WxH", help="with finetune: one of the model's sizes; by default its first")
    parser.add_argument(
        "--passes",
        type=whole(1),
        default=1,
        help="with finetune: divide a step into so many passes, where memory is short",
    )
    parser.add_argument("--to", type=Path, metavar="DIR", help="with travel: folder to write to")
    parser.add_argument(
        "--from", dest="source", type=Path, metavar="DIR", help="with travel and adopt: folder to read from"
    )


def run(args: argparse.Namespace) -> int:
    check(args)
    import torch

    from engine.training import stages

    keep_memory()
    if args.threads:
        torch.set_num_threads(args.threads)
    if args.action == "finetune":
        return finetune(args)
    if args.action == "cutout":
        return cutout(args)
    config = stages.find_config(args.config)
    team = gather(args)
    device = team.device
    if args.action == "preview-data":
        return preview_data(args)
    if args.action == "backgrounds":
        return backgrounds(args, device)
    if args.action == "travel":
        return travel(args)
    if args.action == "adopt":
        from engine.training.adopt import adopt_bundle

        for path in adopt_bundle(args.source, config, sprites_folder(args), args.runs):
            print(path)
        return 0
    if args.export is not None:
        from engine.training.export import export

        manifest = export(config, args.runs, sprites_folder(args), args.export, args.evaluation)
        print(f"{args.export}: {manifest.title}, {manifest.nbytes / 2**20:.1f} MiB")
        return 0
    if args.action == "all":
        return follow_plan(args, config, team)
    from engine.training.loop import train

    stage = stages.make_stage(
        args.stage,
        config,
        sprites_folder(args),
        args.runs,
        device,
        variety=args.variety,
        textures=args.textures,
        pool=args.pool,
        team=team,
    )
    progress = train(stage, args.runs, args.minutes, decay=not args.no_decay, team=team)
    if team.writes:
        print(
            f"{args.stage}: {progress.steps} steps, {progress.pictures} pictures, {progress.seconds / 60:.0f} minutes"
        )
    team.leave()
    return 0


def check(args: argparse.Namespace) -> None:
    """Check the arguments before anything is loaded."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and (args.action not in (None, "all", "finetune") or args.export):
        raise InputError(
            Sentence("Only stages and fine-tuning take several processes."),
            Sentence("Start this command without a launcher."),
        )
    if args.action == "preview-data":
        if args.out is None:
            raise InputError(Sentence("There is no file to write."), Sentence("Name it with --out."))
        check_target(args.out)
    if args.action == "backgrounds" and args.pool is None:
        raise InputError(Sentence("There is no folder for the backgrounds."), Sentence("Name it with --pool."))
    if args.action == "travel" and (args.stage is None or (args.to is None) == (args.source is None)):
        raise InputError(
            Sentence("Travelling needs a stage and a direction."), Sentence("Add --stage, and either --to or --from.")
        )
    if args.action == "adopt" and args.source is None:
        raise InputError(
            Sentence("There is no bundle to begin from."),
            Sentence("Name it with --from, for example --from resources/mini."),
        )
    if args.action == "finetune" and None in (args.bundle, args.data, args.out, args.steps):
        raise InputError(
            Sentence("Fine-tuning needs a model, examples, a folder and a number of steps."),
            Sentence("Add --bundle, --data, --out, --steps."),
        )
    if args.action == "finetune":
        check_apart((args.out / "bundle",), (Path(args.bundle), args.data))
        args.bundle = resolve_bundle(args.bundle)
    check_apart((args.export,), (args.evaluation,))
    if args.action == "all" and args.minutes is None:
        raise InputError(Sentence("How long may it take?"), Sentence("Add --minutes."))
    if args.action == "cutout" and args.export is None and args.minutes is None:
        raise InputError(Sentence("How long may it take?"), Sentence("Add --minutes."))
    if args.action is None and args.export is None and args.stage is None:
        raise InputError(Sentence("There is nothing to train."), Sentence("Add --stage and --minutes."))
    if args.action is None and args.export is None and args.minutes is None:
        raise InputError(Sentence("How long may it take?"), Sentence("Add --minutes."))


def sprites_folder(args: argparse.Namespace) -> list[Path]:
    """The folders of cut-outs, from the argument or the environment."""
    folders = args.sprites or [Path(name) for name in os.environ.get(SPRITES_VARIABLE, "").split(os.pathsep) if name]
    if not folders:
        raise InputError(
            Sentence("Training needs a folder of cut-out pictures."),
            Sentence(
                "Name it with --sprites or {sprites_variable}; docs/training.md says which and where from.",
                sprites_variable=SPRITES_VARIABLE,
            ),
        )
    return folders


def training_device(name: str) -> str:
    """The device to train on, "cpu" or "cuda" of those that are tested; another one only where it is asked for.

    Raises:
        InputError: there is no such device.
    """
    device = choose_device(name)
    if name == "auto":
        return "cuda" if device.kind == "cuda" else "cpu"
    return name if name == "cuda" else device.torch_name


def gather(args: argparse.Namespace) -> Team:
    """The processes a launcher started, where it is networks that are trained; else this one alone."""
    from engine.training.team import join

    return join(training_device(args.device))


def finetune(args: argparse.Namespace) -> int:
    """A converted model's transformer, on examples; the result is a bundle in the folder."""
    from engine.training import finetune as tuning
    from engine.training.finetune_export import export_finetuned

    settings = tuning.read_settings(tuning.DEFAULT if args.config == DEFAULT else args.config)
    size = None
    if args.size is not None:
        width, _, height = args.size.partition("x")
        if not (width.isdecimal() and height.isdecimal()):
            raise InputError(Sentence("A size is written like 1024x768."))
        size = int(width), int(height)
    team = gather(args)
    training = tuning.Finetuning(
        args.bundle, args.data, args.out, args.steps, settings, size=size, passes=args.passes, team=team
    )
    training.run()
    manifest = export_finetuned(training, args.bundle, args.out / "bundle")
    if manifest is not None:
        print(f"{args.out / 'bundle'}: {manifest.title}, {training.step_number} steps")
    team.leave()
    return 0


def follow_plan(args: argparse.Namespace, config: TrainingConfig, team: Team) -> int:
    """The stages one after the other, as the training file plans them."""
    from engine.training import plan, stages

    entries = plan.read_plan(config)

    def build(entry: plan.Entry) -> Any:
        return stages.make_stage(
            entry.stage,
            config.with_training(entry.stage, entry.settings),
            sprites_folder(args),
            args.runs,
            team.device,
            variety=args.variety,
            textures=args.textures,
            pool=args.pool,
            team=team,
        )

    done, spent = plan.follow(
        entries, args.runs, args.minutes, build, scale=args.scale, slice_minutes=args.slice, team=team
    )
    team.leave()
    if not team.writes:
        return 0
    if done == len(entries):
        print(f"The plan is done: {done} of {done} parts.")
    else:
        print(f"Done: {done} of {len(entries)} parts; {spent:.0f} minutes of the next, {entries[done].stage}.")
    return 0


def cutout(args: argparse.Namespace) -> int:
    """The network for cut-outs: train it for a while, or export it."""
    from engine.training import cutout as stages
    from engine.training.loop import train

    settings = stages.read_settings(stages.DEFAULT if args.config == DEFAULT else args.config)
    if args.export is not None:
        from engine.preflight.shipped import things
        from engine.training.cutout_export import export_network
        from engine.training.things_export import export_things

        network, _ = stages.trained(args.runs, settings)
        paths = [export_network(network, args.export)]
        if not (args.export / things.NAME).exists():
            # The published encoder is never trained: once written it stays.
            paths.append(export_things(args.export))
        for path in paths:
            print(f"{path}: {path.stat().st_size / 1e6:.1f} MB", flush=True)
        calibrate_cutout(args, settings)
        return 0
    stage = stages.make_stage(sprites_folder(args), args.textures, args.pool, settings)
    progress = train(stage, args.runs, args.minutes, decay=not args.no_decay)
    print(f"cutout: {progress.steps} steps, {progress.pictures} pictures, {progress.seconds / 60:.0f} minutes")
    return 0


def calibrate_cutout(args: argparse.Namespace, settings: dict[str, Any]) -> None:
    """Fit the estimate of the overlap on composites of held-out subjects."""
    from engine.training.cutout import make_composer
    from engine.training.cutout_calibration import COMPOSITES, SIZE, calibrate

    seed = int(settings["seed"]) * 1000 + 3
    composer = make_composer(
        sprites_folder(args), args.textures, args.pool, settings, split="validation", size=SIZE, seed=seed, hinted=0.0
    )
    for kind, own in calibrate(args.export, composer, COMPOSITES).items():
        print(
            f"{kind}: {own['masks']:.0f} masks with a mean overlap of {own['overlap']:.3f};"
            f" the estimate is off by {own['error']:.3f}"
        )


def preview_data(args: argparse.Namespace) -> int:
    """A sheet: every scene and outfit once, reference and target side by side."""
    from engine.training import stages
    from engine.training.data import language
    from engine.training.data.subjects import SubjectPictures
    from engine.training.sample_sheet import save_pairs

    config = stages.find_config(args.config)
    subjects = SubjectPictures.from_folders(sprites_folder(args), int(config["data"]["subject_size"]))
    for words in subjects.skipped:
        print(f"Skipped: {words}")
    variety = args.variety or 1
    renderer = stages.make_renderer(config, subjects, "cpu", config.seed, variety, args.textures, args.pool)
    prompts = language.taught(config.outfits, config.more)
    asked = [language.PROMPTS.index(prompt) for prompt in prompts]
    count = args.pairs or len(asked)
    batch = renderer.batch(count, scene=[asked[row % len(asked)] for row in range(count)])
    try:
        save_pairs(args.out, batch.reference, batch.target)
    except ValueError as error:
        raise CannotWrite(Sentence("{out} cannot be written: {error}.", out=args.out, error=error)) from error
    except OSError as error:
        raise not_written(args.out, error, Sentence("Choose another name.")) from error
    for caption in batch.captions:
        print(caption)
    print(f"{args.out}: {len(batch.captions)} pairs of {len(subjects)} subjects, {len(subjects.skipped)} files skipped")
    return 0


def backgrounds(args: argparse.Namespace, device: str) -> int:
    """Paint all backgrounds of a training, for its own pictures and for its samples."""
    from engine.training import stages
    from engine.training.data.subjects import SubjectPictures

    config = stages.find_config(args.config)
    subjects = SubjectPictures.from_folders(sprites_folder(args), int(config["data"]["subject_size"]))
    whole = 0
    for seed, variety in ((config.seed, args.variety or 8), (config.seed + 1, 2)):
        renderer = stages.make_renderer(config, subjects, device, seed, variety, args.textures, args.pool)
        for count in renderer.paint_all():
            if count % 100 == 0:
                print(f"{whole + count} backgrounds", flush=True)
        whole += len(renderer.backgrounds)
    print(f"{args.pool}: {whole} backgrounds")
    return 0


def travel(args: argparse.Namespace) -> int:
    """Full checkpoint → small files, or the other way."""
    from engine.training import stages

    config = stages.find_config(args.config)
    if args.to is not None:
        for path in stages.pack_travel(args.stage, config, args.runs, args.to):
            print(f"{path}: {path.stat().st_size / 2**20:.1f} MiB")
        return 0
    stage = stages.make_stage(args.stage, config, sprites_folder(args), args.runs, "cpu", variety=1)
    steps = stages.unpack_travel(stage, config, args.source, args.runs)
    print(f"{args.runs / args.stage / 'full.pt'}: goes on after {steps} steps")
    return 0
