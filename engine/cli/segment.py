"""``python -m engine segment``: a photo in; the mask of its subject, and the subject on transparency, out."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli.targets import check_target
from engine.errors import InputError
from engine.files import check_apart
from engine.photo.hints import Box, Click, Hint, SubjectProposal
from engine.sentence import Sentence

if TYPE_CHECKING:
    import numpy as np

    from engine.photo.load import Photo

LARGEST_SIDE = 512
EXAMPLE = "segment --photo cat.jpg --box 10,20,300,400 --out mask.png --cutout cat.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--photo", type=Path, required=True, help="photo of the subject")
    parser.add_argument("--out", type=Path, required=True, metavar="MASK", help="mask to write, a grey PNG")
    parser.add_argument("--name", default="", help="what the subject is, for finding it in the photo")
    parser.add_argument("--box", type=box, metavar="X0,Y0,X1,Y1", help="a box around the subject, in photo pixels")
    parser.add_argument(
        "--click",
        type=click,
        action="append",
        default=[],
        metavar="X,Y[,-]",
        help="a point of the subject; with ,- behind it a point of the background; may be given several times",
    )
    parser.add_argument(
        "--cutout",
        type=Path,
        metavar="PNG",
        help="write the subject on transparency, as large as in the photo, its edge free of the background's colours",
    )
    parser.add_argument(
        "--size", type=int, help=f"write it in a square of that many pixels instead, 1 to {LARGEST_SIDE}"
    )
    parser.add_argument(
        "--framing",
        choices=("fit", "reference"),
        default="fit",
        help="reference: write the published box on white, as published models see it",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def box(text: str) -> Box:
    """ "x0,y0,x1,y1" → ``Box``."""
    try:
        x0, y0, x1, y1 = (_coordinate(part) for part in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"“{text}” is no box; write left,top,right,bottom, for example 10,20,300,400"
        ) from error
    if x0 == x1 or y0 == y1:
        raise argparse.ArgumentTypeError(f"the box “{text}” has no inside")
    return Box(x0, y0, x1, y1)


def click(text: str) -> Click:
    """ "x,y" → a click on the subject; "x,y,-" → one on the background."""
    parts = text.split(",")
    try:
        if len(parts) not in (2, 3) or (len(parts) == 3 and parts[2].strip() not in ("+", "-")):
            raise ValueError(text)
        return Click(_coordinate(parts[0]), _coordinate(parts[1]), len(parts) == 2 or parts[2].strip() == "+")
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"“{text}” is no point; write x,y or x,y,- for the background") from error


def run(args: argparse.Namespace) -> int:
    from engine.photo.load import load_photo
    from engine.photo.mask_file import write_mask
    from engine.photo.notes import photo_notes
    from engine.photo.picture_file import save_plain
    from engine.preflight.segmenter import Segmenter
    from engine.weights.inventory import installed_helpers

    for target in (args.out, args.cutout):
        if target is not None:
            check_png(target)
    check_apart((args.out, args.cutout), (args.photo,))
    photo = load_photo(args.photo)
    check_hints(args, photo.width, photo.height)
    hint = Hint(name=args.name.strip(), box=args.box, clicks=tuple(args.click))
    helpers = installed_helpers()
    proposal = Segmenter.with_models(helpers).find_subject(photo, hint)
    write_mask(args.out, proposal.mask)
    if args.cutout is not None:
        save_plain(args.cutout, compose(args, photo, proposal.mask))
    notes = (*photo.notes, *photo_notes(photo, proposal.mask))
    report(args, proposal, notes)
    return 0


def compose(args: argparse.Namespace, photo: Photo, mask: np.ndarray) -> np.ndarray:
    """The picture for --cutout: RGBA uint8 (H, W, 4), or RGB for the published framing."""
    from engine.photo.framing import cut_out
    from engine.preflight.transparency import cropped, of_cut_out, on_transparency

    if args.framing == "reference":
        return cut_out(photo, mask, args.size or LARGEST_SIDE, args.framing, args.box).rgb
    if args.size is None:
        return cropped(on_transparency(photo.rgb, mask))
    clean = replace(photo, rgb=on_transparency(photo.rgb, mask)[..., :3])
    return of_cut_out(cut_out(clean, mask, args.size))


def check_png(target: Path) -> None:
    """Say before any work that a mask or a cut-out cannot be written here."""
    if target.suffix.lower() != ".png":
        raise InputError(
            Sentence("“{target}” is no PNG.", target=target.name), Sentence("Masks and cut-outs are written as .png.")
        )
    check_target(target)


def check_hints(args: argparse.Namespace, width: int, height: int) -> None:
    """Boxes and clicks beside the photo are mistakes, not hints."""
    if args.size is not None and not 1 <= args.size <= LARGEST_SIDE:
        raise InputError(
            Sentence("The side of the cut-out must be from 1 to {largest_side} pixels.", largest_side=LARGEST_SIDE)
        )
    for point in args.click:
        if not (0 <= point.x < width and 0 <= point.y < height):
            raise InputError(
                Sentence(
                    "The click {x:g},{y:g} lies outside the photo, which is {width} × {height} pixels.",
                    x=point.x,
                    y=point.y,
                    width=width,
                    height=height,
                )
            )
    if args.box is not None:
        x0, x1 = sorted((args.box.x0, args.box.x1))
        y0, y1 = sorted((args.box.y0, args.box.y1))
        if x1 <= 0 or y1 <= 0 or x0 >= width or y0 >= height:
            raise InputError(
                Sentence(
                    "The box lies outside the photo, which is {width} × {height} pixels.", width=width, height=height
                )
            )


_MEANS = {
    "alpha": "by the photo's own transparency",
    "network": "by the network that ships",
    "grabcut": "by colours and edges",
    "sam": "by the large cut-out model",
}


def certainty(proposal: SubjectProposal) -> str:
    """Say in one line how sure the cut-out is and by what means it was made."""
    means = _MEANS.get(proposal.method, f"by {proposal.method}")
    return f"Found {means}, {proposal.score:.0%} sure."


def report(args: argparse.Namespace, proposal: SubjectProposal, photo_notes: tuple[str, ...]) -> None:
    """Print how the subject was found, as a sentence or with ``--json``."""
    notes = (*photo_notes, *proposal.notes)
    if args.json:
        result = {
            "mask": str(args.out),
            "cutout": str(args.cutout) if args.cutout is not None else None,
            "name": proposal.name,
            "name_score": round(proposal.name_score, 4),
            "method": proposal.method,
            "score": round(proposal.score, 4),
            "sure": proposal.sure,
            "boxes": [
                {
                    "box": [round(b.x0, 1), round(b.y0, 1), round(b.x1, 1), round(b.y1, 1)],
                    "score": round(b.score, 4),
                    "label": b.label,
                }
                for b in proposal.boxes
            ],
            "share": round(float((proposal.mask >= 128).mean()), 6),
            "notes": list(notes),
        }
        print(json.dumps(result), flush=True)
        return
    print(certainty(proposal), file=sys.stderr)
    for note in notes:
        print(note, file=sys.stderr)
    if not proposal.sure and args.box is None and not args.click:
        print("Not sure about this cut-out. Look at it, and name a --box if it is wrong.", file=sys.stderr)
    print(args.out)
    if args.cutout is not None:
        print(args.cutout, flush=True)


def _coordinate(text: str) -> float:
    number = float(text)
    if number != number or abs(number) == float("inf"):
        raise ValueError(text)
    return number
