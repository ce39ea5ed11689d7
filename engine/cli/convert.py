"""``python -m engine convert``: published files in, a bundle out. Done once; nothing in the files is ever run."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path

from engine.bundle.conversion_report import write_report
from engine.cli.terminal import progress
from engine.errors import DoesNotFit, InputError
from engine.files import check_apart
from engine.sentence import Sentence

EXAMPLE = (
    "convert --transformer echogen_2b.pth --tokenizer infinity_vae_d32reg.pth --text flan-t5-xl --semantic dinov2-base "
    "--content FLUX.1-schnell/vae --out echogen-2b"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--transformer", type=Path, required=True, metavar="FILE", help="echogen_2b.pth")
    parser.add_argument("--tokenizer", type=Path, required=True, metavar="FILE", help="infinity_vae_d32reg.pth")
    parser.add_argument("--text", type=Path, required=True, metavar="DIR", help="folder of google/flan-t5-xl")
    parser.add_argument("--semantic", type=Path, required=True, metavar="DIR", help="folder of facebook/dinov2-base")
    parser.add_argument("--content", type=Path, required=True, metavar="DIR", help="folder of the FLUX.1 autoencoder")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="bundle to make")
    parser.add_argument("--name", default="", help="name of the bundle; that of the published model if not given")
    parser.add_argument("--title", default="", help="what the window calls it")
    parser.add_argument(
        "--origin",
        action="append",
        default=[],
        metavar="PART=SOURCE=LICENCE",
        help="where a part comes from, for example content=black-forest-labs/FLUX.1-schnell=Apache-2.0",
    )

    parser.add_argument("--report", type=Path, metavar="FILE", help="write down what was found when it does not fit")


def run(args: argparse.Namespace) -> int:
    from engine.bundle.converter import PublishedParts, convert_bundle
    from engine.bundle.manifest import PARTS
    from engine.bundle.records import Origin

    published = (args.transformer, args.tokenizer, args.text, args.semantic, args.content)
    check_apart((args.out, args.report), published)
    origins = {}
    for text in args.origin:
        part, _, rest = text.partition("=")
        source, _, licence = rest.partition("=")
        if part not in PARTS or not source or not licence:
            raise InputError(
                Sentence("“{text}” is no origin.", text=text),
                Sentence("Write PART=SOURCE=LICENCE; the parts are {parts}.", parts=", ".join(PARTS)),
            )
        origins[part] = Origin(source, licence)
    cancel = threading.Event()
    previous = signal.signal(signal.SIGINT, lambda *_: cancel.set())
    try:
        manifest = convert_bundle(
            PublishedParts(*published, origins),
            args.out,
            name=args.name,
            title=args.title,
            on_progress=_Percent(),
            cancel=cancel,
        )
    except DoesNotFit as error:
        if args.report is not None:
            write_report(args.report, error)
        raise
    finally:
        signal.signal(signal.SIGINT, previous)
    progress.clear()
    print(f"{args.out}: {manifest.title}, {manifest.nbytes / 1e9:.1f} GB, {manifest.identity}")
    return 0


class _Percent:
    """Rewrites the line when the words or the whole percents change."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, fraction: float, text: str) -> None:
        line = f"{text}, {fraction:.0%}"
        if line != self._last:
            progress.show(line)
            self._last = line
