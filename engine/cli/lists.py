"""Lists of prompts for ``generate``: which there are, where their pictures go, and the sheet of all of them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from engine.bundle.manifest import BundleManifest
from engine.errors import InputError
from engine.prompt_list import (
    ListedPrompt,
    ListedRequest,
    make_requests,
    parse_prompt,
    read_prompt_file,
    scene_prompts,
)
from engine.request import GenerationRequest
from engine.sentence import Sentence


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--prompts",
        type=Path,
        metavar="FILE",
        help="draw a list: one prompt a line with {red|blue} for alternatives, or a CSV with the column prompt",
    )
    parser.add_argument("--all-scenes", action="store_true", help="draw every scene the model offers")
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="with a list: all its pictures on one sheet, too")
    parser.add_argument(
        "--requests", type=Path, metavar="FILE", help="with a list: write it as JSON lines for batch, and draw nothing"
    )


def is_list(args: argparse.Namespace) -> bool:
    """Return True if more than one prompt is drawn. Raises ``InputError`` for a prompt whose braces do not match."""
    return args.prompts is not None or args.all_scenes or len(_written_out(args)) > 1


def _written_out(args: argparse.Namespace) -> tuple[ListedPrompt, ...]:
    """The prompts that --prompt stands for: with braces, every prompt that a line of a list would be."""
    if args.prompt is None or not set(args.prompt) & set("{}"):
        return ()
    return parse_prompt(args.prompt, args.name).prompts


def check(args: argparse.Namespace) -> None:
    """Check the arguments without a model."""
    if not is_list(args):
        for only in _written_out(args):
            args.prompt = only.prompt
        if args.sheet is not None or args.requests is not None:
            raise InputError(
                Sentence("--sheet and --requests are for lists."),
                Sentence("Name one with --prompts, or use --all-scenes."),
            )
        return
    if (args.prompt is not None) + (args.prompts is not None) + args.all_scenes > 1:
        raise InputError(
            Sentence("There is more than one list of prompts."), Sentence("Use --prompt, --prompts or --all-scenes.")
        )
    if args.region is not None or args.photo is not None or args.keep_scales is not None:
        raise InputError(
            Sentence("A list draws whole pictures."), Sentence("Leave --region, --photo and --keep-scales out.")
        )


def listed_requests(
    args: argparse.Namespace, base: GenerationRequest, manifest: BundleManifest
) -> tuple[ListedRequest, ...]:
    """The pictures of the list that the arguments name; how many is said. None without a list.

    Raises:
        InputError: the list cannot be used, or the model has no scenes.
    """
    if not is_list(args):
        return ()
    name = base.subject_name
    if args.all_scenes:
        scenes = manifest.language.scenes if manifest.language is not None else ()
        if not scenes:
            raise InputError(
                Sentence("{manifest} has no list of scenes: it takes any words.", manifest=manifest.title),
                Sentence("Write a list of prompts."),
            )
        prompts = scene_prompts((scene.label, scene.sentence(name)) for scene in scenes)
    elif args.prompts is None:
        prompts = _written_out(args)
    else:
        found = read_prompt_file(args.prompts, name)
        prompts = found.prompts
        for note in found.notes:
            print(note, file=sys.stderr)
    listed = make_requests(prompts, base, args.count)
    of_each = f", {args.count} of each" if args.count > 1 else ""
    print(f"{_counted(len(prompts), 'prompt')}{of_each}: {_counted(len(listed), 'picture')}", file=sys.stderr)
    return listed


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def targets(out: Path, listed: Sequence[ListedRequest]) -> list[Path]:
    """Return the paths of the pictures: "out-01.png", "out-02.png", …"""
    digits = len(str(len(listed)))
    return [out.with_name(f"{out.stem}-{index:0{digits}d}{out.suffix}") for index in range(1, len(listed) + 1)]


def write(file: Path, listed: Sequence[ListedRequest]) -> None:
    """Write the list for ``batch``. Raises ``CannotWrite``."""
    from engine.requests_file import write_requests

    write_requests(file, [one.request for one in listed])
    print(file)


def save_sheet(sheet: Path, files: Sequence[Path | None], listed: Sequence[ListedRequest]) -> None:
    """One sheet of the pictures that were drawn; those that were not, None, leave their place empty."""
    from engine.photo.load import load_photo
    from engine.photo.picture_file import save_plain
    from engine.photo.sheet import draw_sheet

    pictures = [load_photo(file).rgb if file is not None else None for file in files]
    save_plain(sheet, draw_sheet(pictures, [(one.row, one.column) for one in listed]))
    print(sheet, file=sys.stderr)
