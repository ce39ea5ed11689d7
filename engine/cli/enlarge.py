"""``python -m engine enlarge``: a picture two or four times as large."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from engine.cli.generate import check_places
from engine.cli.terminal import progress
from engine.errors import InputError
from engine.files import check_apart
from engine.sentence import Sentence

EXAMPLE = "enlarge robot.png --factor 4 --out large.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("picture", type=Path, metavar="PICTURE", help="any picture")
    parser.add_argument("--out", type=Path, required=True, help="picture to write (PNG, WebP or JPEG)")
    parser.add_argument("--factor", type=int, choices=(2, 4), default=2, help="how many times as large")
    parser.add_argument(
        "--by",
        choices=("auto", "swin2sr", "lanczos"),
        default="auto",
        help="a network that draws fine detail (models get enlarging), or resampling; auto: the network where it is installed",
    )
    parser.add_argument("--device", default="auto", help="where the network computes: auto, cpu, cuda, cuda:1 or mps")
    parser.add_argument("--no-metadata", action="store_true", help="leave out in words what drew it")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    from engine.photo.enlarge import METHOD, Way, by_lanczos, save_larger

    check_places(args.out, None)
    check_apart((args.out,), (args.picture,))
    network = _network(args.by, args.factor)
    way: Way = by_lanczos
    method = METHOD
    if network is not None:
        from engine.enlarging.swin2sr import METHOD as NETWORK
        from engine.enlarging.swin2sr import by_network

        way, method = by_network(network, args.device, lambda share: progress.show(f"{NETWORK}, {share:.0%}")), NETWORK
    try:
        size = save_larger(
            args.picture,
            args.out,
            args.factor,
            metadata=not args.no_metadata,
            way=way,
            method=method,
            tell=progress.note,
        )
    finally:
        progress.clear()
    print(f"{size[0]} × {size[1]}, by {method}", file=sys.stderr)
    if args.json:
        print(json.dumps({"file": str(args.out), "size": list(size), "method": method}))
    else:
        print(args.out)
    return 0


def _network(wanted: str, factor: int) -> Path | None:
    """The folder of the network that is to be used, or None for resampling. Raises ``InputError``."""
    if wanted == "lanczos":
        return None
    from engine.weights.inventory import installed_upscaler

    folder = installed_upscaler(factor)
    if folder is None and wanted == "swin2sr":
        raise InputError(
            Sentence("The network that enlarges {factor} times is not installed.", factor=factor),
            Sentence("Get it: python -m engine models get enlarging (98 MB, Apache-2.0)."),
        )
    return folder
