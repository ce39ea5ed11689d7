"""``python -m engine evaluate dreambench``: the field's own measure of subject-driven pictures, on top of ``batch``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from engine.cli import batch
from engine.cli.terminal import whole
from engine.errors import InputError
from engine.files import ensure_folder, write_atomically, write_json
from engine.sentence import Sentence

JOB = "job"  # folder of the pictures, in the folder of the evaluation
_OWN = ("networks", "resume", "bundle_cache", "ray", "ray_address", "workers")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``evaluate dreambench`` to those of the other evaluations."""
    own = parser.add_argument_group("dreambench")
    own.add_argument("--seeds", type=whole(1), default=4, metavar="N", help="pictures of each prompt")
    own.add_argument(
        "--judge",
        choices=("papers", "imagenet", "all"),
        default="papers",
        help="CLIP and DINO, an ImageNet network from a package, or both",
    )
    own.add_argument(
        "--networks",
        type=Path,
        metavar="DIR",
        help="folder with clip-vit-base-patch32 and dino-vits16 as the hub has them (that of the models)",
    )
    batch.add_worker_arguments(own)


def refuse(args: argparse.Namespace) -> None:
    """Raise ``InputError`` when another evaluation is given what only this one knows."""
    for name in _OWN:
        if getattr(args, name):
            raise InputError(
                Sentence("--{name} belongs to “evaluate dreambench”.", name=name.replace("_", "-")),
                Sentence("Leave it out."),
            )


def run(args: argparse.Namespace) -> int:
    from engine.bundle.library import resolve_bundle
    from engine.bundle.manifest import read_manifest
    from engine.evaluation.dreambench import Benchmark, measure, read_prompts, results
    from engine.evaluation.dreambench_report import report
    from engine.evaluation.embedders import load_judges
    from engine.evaluation.photo_folder import find_subjects
    from engine.weights.inventory import parts_folder

    if args.photos is None or args.out is None:
        raise InputError(
            Sentence("DreamBench needs photos and a folder."), Sentence("Name them with --photos and --out.")
        )
    batch.check_workers(args)
    prompts, seeds = read_prompts(args.photos), args.seeds
    if args.quick:
        prompts, seeds = (prompts[0][:3], prompts[1][:3]), 1
    benchmark = Benchmark(find_subjects(args.photos, args.masks), prompts, seeds)
    manifest = read_manifest(resolve_bundle(args.bundle))
    judges = load_judges(args.networks or parts_folder(), args.judge)  # what is missing is said before hours of drawing
    ensure_folder(args.out)
    skipped: list[str] = []

    def skip(words: str) -> None:
        skipped.append(words)
        show(words)

    drawn = argparse.Namespace(**{**vars(args), "out": args.out / JOB})
    job = batch.open_job(drawn)
    with job.alone():
        total, _ = job.write_plan(benchmark.requests(manifest, skip))
        if not total:
            raise InputError(Sentence("There is nothing to measure: no subject could be cut out."))
        batch.draw(drawn, job, total)
        for judge in judges:
            judge.to(_device(args))
        scores, references = measure(job, benchmark, judges, skip, lambda count: show(f"Measured {count} of {total}"))
    if not scores:
        raise InputError(
            Sentence("There is nothing to measure: no picture could be drawn."),
            Sentence("{folder} says why.", folder=job.folder),
        )
    figures = {"bundle": manifest.identity, "seeds": seeds, **results(scores, references, total), "skipped": skipped}
    write_json(args.out / "dreambench.json", figures)
    write_atomically(args.out / "dreambench.html", report(figures, JOB).encode())
    print(json.dumps({key: figures[key] for key in ("bundle", "pictures_measured", "pictures_asked", "figures")}))
    return 0


def _device(args: argparse.Namespace) -> str:
    """Return the device for measuring, and give torch its threads: this machine's device, unless pictures are drawn
    elsewhere."""
    import torch

    from engine.device.devices import choose_device

    if args.threads:
        torch.set_num_threads(args.threads)
    return "cpu" if args.ray_address is not None else choose_device(args.device).torch_name


def show(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
