"""``python -m engine example``: draw the subject and prompt a bundle brings along."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli.drawing_progress import show_loading
from engine.cli.generate import check_places, draw
from engine.errors import InputError
from engine.request import MAX_SEED, GenerationRequest
from engine.sentence import Sentence

if TYPE_CHECKING:
    from engine.bundle.loader import Bundle


EXAMPLE = 'example --out duck.png --prompt "a duck toy in the snow" --seed 7'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, default=Path("example.png"), help="picture to write: .png, .webp or .jpg")
    parser.add_argument("--bundle", default="mini", help="name or folder of the model")
    parser.add_argument("--example", type=int, default=1, metavar="N", help="which of its examples, from 1")
    parser.add_argument("--prompt", help="another prompt for the example's subject")
    parser.add_argument("--seed", type=int, help="0 to 4294967295; the example's own if not given")
    parser.add_argument("--previews", type=Path, metavar="DIR", help="write the forming picture after every scale")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--memory", default="auto", help="memory plan: auto, resident, balanced, low, int8 or streamed")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")


def run(args: argparse.Namespace) -> int:
    if args.seed is not None and not 0 <= args.seed <= MAX_SEED:
        raise InputError(Sentence("The seed must be a whole number from 0 to {most}.", most=MAX_SEED))
    check_places(args.out, args.previews)
    from engine.engine import Engine

    with Engine.open(args.bundle, args.device, args.memory, on_progress=show_loading) as engine:
        request = example_request(engine.bundle, args.example, args.prompt, args.seed)
        draw(engine, request, args.out, previews=args.previews, as_json=args.json)
    return 0


def example_request(
    bundle: Bundle, number: int = 1, prompt: str | None = None, seed: int | None = None
) -> GenerationRequest:
    """The request of one of a bundle's examples, from 1.

    Raises:
        InputError: the bundle has no such example.
    """
    from engine.photo.framing import cut_out
    from engine.photo.hints import Hint
    from engine.photo.load import load_photo
    from engine.preflight.segmenter import Segmenter

    examples = bundle.manifest.examples
    if not 1 <= number <= len(examples):
        count = len(examples)
        raise InputError(
            Sentence("{manifest} brings no example {number} along.", manifest=bundle.manifest.title, number=number),
            Sentence("It has {count} example{value}.", count=count, value="" if count == 1 else "s")
            if count
            else Sentence("Use generate with a photo of your own."),
        )
    example = examples[number - 1]
    photo = load_photo(bundle.folder / example.image)
    mask = Segmenter().find_subject(photo, Hint(name=example.subject_name)).mask
    return GenerationRequest(
        prompt=example.prompt if prompt is None else prompt,
        subject=cut_out(photo, mask, bundle.manifest.reference_size),
        subject_name=example.subject_name,
        seed=example.seed if seed is None else seed,
        **bundle.manifest.request_defaults(),
    )
