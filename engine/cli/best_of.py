"""``generate --best-of N``: several pictures of one request, written in the order of their likeness."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from engine.bundle.manifest import BundleManifest
from engine.cli import lists
from engine.cli.place import Finish, as_it_is
from engine.errors import InputError, Outdone
from engine.events import Finished, Started
from engine.request import GenerationRequest
from engine.sampling.contest import Contest
from engine.sentence import Sentence

if TYPE_CHECKING:
    from engine.engine import Engine

MOST = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--best-of",
        type=int,
        metavar="N",
        help="draw N pictures with seeds S, S+1, … and write the most alike first; what is clearly behind after its coarse "
        "scales is given up",
    )


def check(args: argparse.Namespace) -> None:
    """Check the arguments without the model; ``args.count`` says from here on how many seeds are needed."""
    if args.best_of is None:
        return
    if not 2 <= args.best_of <= MOST:
        raise InputError(
            Sentence("The best is chosen of 2 to {most} pictures.", most=MOST),
            Sentence("Write for example --best-of 4."),
        )
    if args.count != 1:
        raise InputError(
            Sentence("--count and --best-of exclude each other."), Sentence("--best-of says how many are drawn.")
        )
    if args.previews is not None:
        raise InputError(
            Sentence("What is given up leaves no previews."), Sentence("Leave --best-of or --previews away.")
        )
    if lists.is_list(args):
        raise InputError(
            Sentence("The best is chosen of pictures of one prompt."), Sentence("Leave --best-of away, or the list.")
        )
    args.count = args.best_of


def check_request(request: GenerationRequest, manifest: BundleManifest) -> None:
    """That the pictures can be told by their likeness."""
    if manifest.likeness is None or not manifest.likeness.tells:
        raise InputError(
            Sentence("{manifest} cannot tell how alike its pictures are.", manifest=manifest.title),
            Sentence("Use --count, and choose for yourself."),
        )
    if request.subject is None:
        raise InputError(
            Sentence("Without a subject there is nothing to be alike."), Sentence("Give its photo with --subject.")
        )


def draw(
    engine: Engine, base: GenerationRequest, out: Path, count: int, finish: Finish = as_it_is
) -> list[tuple[Path, Finished]]:
    """Draw ``count`` pictures and write those that were not given up. Ctrl+C stops between two blocks.

    Returns:
        What was written where, the most alike first.
    """
    from engine.into_photo import save_finished

    cancel, contest = threading.Event(), Contest()
    in_main = threading.current_thread() is threading.main_thread()
    previous = signal.signal(signal.SIGINT, lambda *_: cancel.set()) if in_main else None
    found: list[Finished] = []
    try:
        for index, request in enumerate(base.several(count, engine.bundle.manifest.seed_step(base))):
            which = f"Picture {index + 1} of {count}, seed {request.seed}"
            try:
                finished = _drawn(engine, request, cancel, contest, first=index == 0)
            except Outdone:
                print(f"{which}: given up, another one is more alike", file=sys.stderr)
                continue
            found.append(finished)
            print(f"{which}: likeness {finished.likeness or 0:.0%}", file=sys.stderr)
    finally:
        if previous is not None:
            signal.signal(signal.SIGINT, previous)
    found.sort(key=lambda finished: -(finished.likeness or 0.0))
    written = []
    for number, finished in enumerate(found, 1):
        target = out.with_name(f"{out.stem}-{number}{out.suffix}")
        finished = finish(finished)
        save_finished(target, finished)
        written.append((target, finished))
    return written


def _drawn(
    engine: Engine, request: GenerationRequest, cancel: threading.Event, contest: Contest, *, first: bool
) -> Finished:
    for event in engine.generate(request, cancel=cancel, previews=False, contest=contest):
        if isinstance(event, Started) and first:
            for note in event.notes:
                print(note, file=sys.stderr)
        if isinstance(event, Finished):
            return event
    raise AssertionError("a generation ends with Finished or an error")
