"""``generate --view PHOTO``: further photos of the same subject, beside the one of --subject."""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.errors import InputError
from engine.ranges import MAX_VIEWS
from engine.request import CutOut
from engine.sentence import Sentence


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--view",
        type=Path,
        action="append",
        default=[],
        metavar="PHOTO",
        help=f"a further photo of the subject; may be given up to {MAX_VIEWS} times",
    )
    parser.add_argument(
        "--view-mask",
        type=Path,
        action="append",
        default=[],
        metavar="MASK",
        help="masks of these photos, in their order; found automatically without them",
    )


def check(args: argparse.Namespace) -> None:
    """Check the arguments without reading a photo."""
    if args.view and args.subject is None:
        raise InputError(
            Sentence("--view gives further photos of a subject."), Sentence("Give its first photo with --subject.")
        )
    if len(args.view) > MAX_VIEWS:
        raise InputError(
            Sentence("A subject has at most {most} photos.", most=MAX_VIEWS + 1), Sentence("Leave some of --view away.")
        )
    if args.view_mask and len(args.view_mask) != len(args.view):
        raise InputError(
            Sentence(
                "There are {count} further photos and {count2} masks for them.",
                count=len(args.view),
                count2=len(args.view_mask),
            ),
            Sentence("Give a --view-mask for each --view, or none."),
        )


def cut_outs(args: argparse.Namespace, side: int) -> tuple[CutOut, ...]:
    """The subject of each further photo."""
    from engine.photo.framing import cut_out
    from engine.photo.hints import Hint
    from engine.photo.load import load_photo
    from engine.photo.mask_file import read_mask
    from engine.preflight.segmenter import Segmenter
    from engine.weights.inventory import installed_helpers

    if not args.view:
        return ()
    segmenter = Segmenter.with_models(installed_helpers())
    found = []
    for index, path in enumerate(args.view):
        photo = load_photo(path)
        if args.view_mask:
            mask = read_mask(args.view_mask[index], photo)
        else:
            mask = segmenter.find_subject(photo, Hint(name=args.name)).mask
        found.append(cut_out(photo, mask, side, args.framing))
    return tuple(found)
