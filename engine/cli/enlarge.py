"""``python -m engine enlarge``: a picture two or four times as large."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from engine.errors import CannotWrite
from engine.files import is_folder
from engine.sentence import Sentence

EXAMPLE = "enlarge robot.png --factor 4 --out large.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("picture", type=Path, metavar="PICTURE", help="any picture")
    parser.add_argument("--out", type=Path, required=True, help="picture to write (PNG, WebP or JPEG)")
    parser.add_argument("--factor", type=int, choices=(2, 4), default=2, help="how many times as large")
    parser.add_argument("--no-metadata", action="store_true", help="leave out in words what drew it")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    from engine.photo.enlarge import METHOD, save_larger

    if not is_folder(args.out.parent):
        raise CannotWrite(
            Sentence("The folder {parent} does not exist.", parent=args.out.parent),
            Sentence("Make it first, or name another one."),
        )
    size = save_larger(args.picture, args.out, args.factor, metadata=not args.no_metadata)
    print(f"{size[0]} × {size[1]}, by {METHOD}", file=sys.stderr)
    if args.json:
        print(json.dumps({"file": str(args.out), "size": list(size), "method": METHOD}))
    else:
        print(args.out)
    return 0
