"""``python -m engine bench``: how fast this machine is, beside a plain implementation or with a whole bundle."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from engine.cli.terminal import progress, whole
from engine.errors import InputError
from engine.sentence import Sentence

if TYPE_CHECKING:  # the command line starts without torch
    from engine.sampling.guidance import BranchOrder


EXAMPLE = "bench --bundle mini --rounds 5"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", help="sizes of a published network: echogen-125m or echogen-2b")
    parser.add_argument("--random", action="store_true", help="random weights; all that --config can do")
    parser.add_argument("--bundle", metavar="NAME", help="measure whole pictures with this bundle instead")
    parser.add_argument(
        "--of",
        choices=("pictures", "regions", "batch", "workers"),
        default="pictures",
        help="whole pictures; redrawing a quarter beside the whole; with --bundle: a job of `batch` beside the engine alone; "
        "two workers of Ray beside one",
    )
    parser.add_argument(
        "--pictures", type=whole(1, 1000), default=12, help="of a job, with --of batch or workers, 1 to 1000"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), help="of the blocks (bfloat16 on cuda)")
    parser.add_argument(
        "--rounds", type=whole(1, 100), default=3, help="how often everything is measured in turns, 1 to 100"
    )
    parser.add_argument(
        "--branches",
        choices=("together", "side-by-side", "in-turn"),
        help="how guidance's branches run (side by side on the processor, else together)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    if (args.config is None) == (args.bundle is None):
        raise InputError(
            Sentence("There is nothing to measure."), Sentence("Name either --config with --random, or --bundle.")
        )
    if args.config is not None and args.of not in ("pictures", "regions"):
        raise InputError(Sentence("A configuration draws no jobs."), Sentence("Leave out --of, or name a --bundle."))
    if args.config is not None and not args.random:
        raise InputError(
            Sentence("A configuration has no weights of its own."), Sentence("Add --random, or name a --bundle.")
        )
    result = _compare(args) if args.config is not None else _whole(args)
    progress.clear()
    if args.json:
        print(json.dumps(result))
    else:
        for line in describe(result):
            print(line)
    return 0


def _compare(args: argparse.Namespace) -> dict[str, Any]:
    import torch

    from engine.bench.comparison import Comparer
    from engine.bench.random_models import bench_config
    from engine.device.devices import choose_device, keep_memory

    config = bench_config(args.config)
    chosen = choose_device(args.device)
    device = torch.device(chosen.torch_name)
    if chosen.kind == "cpu":
        keep_memory()  # as the engine does, and for both sides
    dtype = args.dtype or ("bfloat16" if device.type == "cuda" and chosen.half else "float32")
    branches: BranchOrder = args.branches or ("side-by-side" if chosen.kind == "cpu" else "together")
    comparer = Comparer(config, device, getattr(torch, dtype), branches=branches)
    about: dict[str, Any] = {
        "config": config.name,
        "device": chosen.words,
        "threads": torch.get_num_threads(),
        "dtype": dtype,
        "branches": branches,
    }

    def on_round(index: int) -> None:
        _say(f"Round {index + 1} of {args.rounds}")

    if args.of == "regions":
        from engine.bench.regions import measure_random_regions

        return about | {"of": args.of} | asdict(measure_random_regions(comparer, args.rounds, on_round))
    found = comparer.compare(args.rounds, on_round)
    return about | asdict(found)


def _whole(args: argparse.Namespace) -> dict[str, Any]:
    def on_round(index: int) -> None:
        _say(f"Round {index + 1} of {args.rounds}")

    about = {"bundle": args.bundle, "device": args.device, "of": args.of}
    if args.of == "batch":
        from engine.bench.batch_cost import measure_batch

        return about | asdict(measure_batch(args.bundle, args.device, args.rounds, args.pictures, on_round))
    if args.of == "workers":
        from engine.bench.batch_cost import measure_workers

        found = measure_workers(args.bundle, args.device, args.rounds, args.pictures, on_round=on_round)
        return about | asdict(found)
    if args.of == "regions":
        from engine.bench.regions import measure_regions
        from engine.engine import Engine

        with Engine.open(args.bundle, args.device) as engine:
            about |= {"bundle": engine.info.bundle, "device": engine.info.device}
            return about | asdict(measure_regions(engine, args.rounds, on_round))
    return _pictures(args)


def _pictures(args: argparse.Namespace) -> dict[str, Any]:
    from engine.bench.pictures import measure_pictures
    from engine.engine import Engine

    with Engine.open(args.bundle, args.device) as engine:
        found = measure_pictures(engine, args.rounds, lambda index: _say(f"Round {index + 1} of {args.rounds}"))
        return {"bundle": engine.info.bundle, "device": engine.info.device} | asdict(found)


def describe(result: dict[str, Any]) -> list[str]:
    """The result for people."""
    if "of" in result:
        return _parts[result["of"]](result)
    if "bundle" in result:
        return [
            f"{result['bundle']} on {result['device']}",
            f"New subject and prompt: {result['first_run_seconds']:.2f} s, "
            f"first preview after {result['first_preview_seconds']:.2f} s",
            f"Another seed:           {result['reroll_seconds']:.2f} s",
            f"Previews:               {result['previews_share']:.1%} of the time",
        ]
    seconds, work = result["seconds"], result["multiply_adds"]
    lines = [
        f"{result['config']}, random weights, {result['dtype']} on {result['device']}",
        f"Bare matrix product: {result['matmul_rate'] / 1e9:.0f} G multiply-adds a second; "
        f"ours reaches {result['matmul_fraction']:.0%} of it",
        f"{'':32}{'seconds':>9}{'G multiply-adds':>17}{'times as fast':>15}",
    ]
    for name, words, ratio in (
        ("baseline", "Plain baseline", None),
        ("first_run", "First run, known length", "first_run_ratio"),
        ("first_run_new_length", "First run, new length", "first_run_new_length_ratio"),
        ("reroll", "Re-roll", "reroll_ratio"),
        ("reroll_unequal", "Re-roll, different strengths", "reroll_ratio_unequal"),
    ):
        times = f"{result[ratio]:.2f}" if ratio else ""
        lines.append(f"{words:32}{seconds[name]:9.3f}{work[name] / 1e9:17.1f}{times:>15}")
    scales = " ".join(f"{second:.3f}" for second in seconds["scales"])
    lines.append(f"Stages: content stream {seconds['content_stream']:.3f} s; scales {scales} s")
    lines.append(
        f"Visual decoder, not in the above: {seconds['decode']:.3f} s. Peak {result['peak_bytes'] / 1e9:.1f} GB"
    )
    return lines


def _regions(result: dict[str, Any]) -> list[str]:
    return [
        f"{result.get('bundle') or result['config']} on {result['device']}, subject and prompt known",
        f"A new picture:           {result['new_seconds']:.2f} s; the seed picks place and layout, where the model has them",
        f"Another at its place:    {result['whole_seconds']:.2f} s",
        f"A quarter at a corner:   {result['corner_seconds']:.2f} s, {result['corner_share_of_new']:.0%} and "
        f"{result['corner_share']:.0%} of them",
        f"A quarter in the middle: {result['middle_seconds']:.2f} s, {result['middle_share_of_new']:.0%} and "
        f"{result['middle_share']:.0%} of them",
        f"In processor time:       {result['corner_work_share']:.0%} and {result['middle_work_share']:.0%} of another at its place",
    ]


def _batch(result: dict[str, Any]) -> list[str]:
    return [
        f"{result['bundle']}: {result['rounds']} rounds of {result['pictures']} pictures on each side",
        f"{'':18}{'on the clock':>14}{'processor time':>16}",
        *(
            f"{name:18}{1000 * result[f'{side}_seconds']:11.1f} ms{1000 * result[f'{side}_work']:13.1f} ms"
            for name, side in (("The engine alone", "alone"), ("A job", "batch"), ("Plan and manifest", "frame"))
        ),
        f"{'Overhead':18}{result['overhead']:14.1%}{result['work_overhead']:16.1%}",
    ]


def _workers(result: dict[str, Any]) -> list[str]:
    return [
        f"{result['bundle']}: {result['rounds']} rounds of {result['pictures']} pictures, threads of a worker: {result['threads']}",
        f"One worker:  {result['one']:.3f} pictures a second",
        f"Two workers: {result['two']:.3f} pictures a second, {result['times']:.2f} times as many",
    ]


_parts = {"regions": _regions, "batch": _batch, "workers": _workers}


def _say(text: str) -> None:
    progress.show(text)
