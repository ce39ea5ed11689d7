"""``python -m engine make-bundle``: a bundle with random weights. It draws noise, at any size, without a trained model."""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.cli.terminal import whole

EXAMPLE = "make-bundle random-tiny --config tiny"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder to make")
    parser.add_argument("--config", default="tiny", help="tiny, tiny-wide, tiny-placed or echogen-125m")
    parser.add_argument("--seed", type=whole(0), default=0, help="seed of the weights, from 0")


def run(args: argparse.Namespace) -> int:
    from engine.bench.random_bundle import make_random_bundle

    manifest = make_random_bundle(args.folder, args.config, args.seed)
    print(f"{args.folder}: {manifest.title}, {manifest.nbytes / 1e6:.1f} MB")
    return 0
