"""``python -m engine models``: see, get, import, verify and remove models."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import getpass
import json
import signal
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.cli.terminal import Help, example_line
from engine.cli.terminal import progress as line
from engine.errors import BundleError, Cancelled, ExitCode, InputError, LicenceNotAccepted, SizeNotAgreed
from engine.sentence import Sentence

if TYPE_CHECKING:
    from engine.weights.state import ModelState
    from engine.weights.store import ModelStore

EXAMPLE = "models get cut-out naming"
_TELL_SECONDS = 0.3
_PHASES = {
    "asking": "Asking the server",
    "checking": "Checking",
    "converting": "Converting",
    "importing": "Copying",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(
        name: str, text: str, words: str, *, model: bool = True, several: bool = False
    ) -> argparse.ArgumentParser:
        about = text[0].upper() + text[1:] + "."
        epilog = example_line(f"models {name} {words}".strip())
        made = actions.add_parser(name, help=text, description=about, epilog=epilog, formatter_class=Help)
        if several:
            made.add_argument("model", nargs="+", help="names of models, for example echogen-2b cut-out naming")
        elif model:
            made.add_argument("model", help="name of the model, for example echogen-2b")
        made.add_argument("--json", action="store_true", help="print one JSON object a line")
        return made

    action("list", "say which models there are, and which there could be", "", model=False)
    get = action(
        "get",
        "download models, check them and make them ready; goes on where it stopped",
        "cut-out naming",
        several=True,
    )
    get.add_argument("--accept-licences", action="store_true", help="accept the licences of its parts without asking")
    get.add_argument(
        "--choose", action="append", default=[], metavar="PART", help="take this part where the model has a choice"
    )
    get.add_argument("--from", dest="base_url", metavar="URL", help="download from this mirror of the hub, from now on")
    get.add_argument(
        "--accept-sizes", action="store_true", help="go on without asking where the server has more than was expected"
    )
    get.add_argument("--token", action="store_true", help="ask for an access token, for parts that need an account")
    get.add_argument(
        "--remove-originals", action="store_true", help="remove the downloaded files when the model is converted"
    )
    add = action("import", "take models from a folder or a USB stick", "folder-with-models", model=False)
    add.add_argument("folder", type=Path, help="folder with a bundle, or with the published files")
    action("verify", "check every byte of a model", "echogen-2b")
    action(
        "rehearse", "go the whole way to a model with small random files and a server on this computer", "echogen-2b"
    )
    remove = action("remove", "take a model off this computer", "echogen-2b --originals")
    remove.add_argument("--originals", action="store_true", help="remove only the downloaded files it was made from")


def run(args: argparse.Namespace) -> int:
    if args.action == "rehearse":
        return _rehearse(args)
    from engine.weights.store import ModelStore

    store = ModelStore()
    match args.action:
        case "list":
            return _list(store, args.json)
        case "get":
            return _get(store, args)
        case "import":
            names = _follow(store, store.import_folder(args.folder))
            for name in names:
                _say(store.state(name), args.json)
            return ExitCode.DONE
        case "verify":
            return _verify(store, args)
        case _:
            return _remove(store, args)


def _rehearse(args: argparse.Namespace) -> int:
    """Print a line for every part and step. Takes a minute or two."""
    from engine.bench.rehearsal import rehearse

    rehearse(args.model, lambda line: print(json.dumps({"line": line.strip()}) if args.json else line, flush=True))
    return ExitCode.DONE


def _list(store: ModelStore, as_json: bool) -> int:
    states = store.models(everything=True)
    for state in states:
        if as_json:
            print(json.dumps(to_json(state)))
        else:
            print(f"{state.name:<16} {describe(state)}")
            if state.description:
                print(f"{'':<16} {state.description}")
    if not as_json:
        from engine.files import readable

        print(f"{readable(store.free_bytes())} free in {store.folder}", file=sys.stderr)
    return ExitCode.DONE


def _get(store: ModelStore, args: argparse.Namespace) -> int:
    if args.base_url:
        store.set_base_url(args.base_url)
    if args.choose:
        _choose(store, args.model, args.choose)
    if args.token:
        _ask_token(store)
    wanted = [name for name in args.model if not store.state(name).installed]
    _accept(store, wanted, args.accept_licences)
    for name in args.model:
        state = _fetch(store, name, args.accept_sizes)
        if args.remove_originals:
            _follow(store, store.remove_originals(name))
            state = store.state(name)
        _say(state, args.json)
        if not args.json:
            _tell_more(store, state, args.model)
    return ExitCode.DONE


def _fetch(store: ModelStore, name: str, accept_sizes: bool) -> ModelState:
    """Get one model. Where the server has more than was shown, a person is asked; without one, only the option counts."""
    try:
        return _follow(store, store.get(name))
    except SizeNotAgreed as error:
        if not accept_sizes:
            if not sys.stdin.isatty():
                raise SizeNotAgreed(
                    error.fact, Sentence("Nothing was fetched yet. Add --accept-sizes to go on.")
                ) from error
            print(f"{error.fact} Go on? Type yes: ", end="", file=sys.stderr, flush=True)
            if sys.stdin.readline().strip().lower() != "yes":
                raise Cancelled(Sentence("Nothing was fetched.")) from error
        store.accept_sizes(name)
        return _follow(store, store.get(name))


def _choose(store: ModelStore, models: list[str], parts: list[str]) -> None:
    """Take each part in the model that has it to choose from; the first model refuses what none of them has."""
    from engine.weights.catalogue import find_model

    chosen: dict[str, list[str]] = {}
    for part in parts:
        having = (name for name in models if any(part in group for group in find_model(name).choices))
        chosen.setdefault(next(having, models[0]), []).append(part)
    for name, own in chosen.items():
        store.choose(name, *own)


def _tell_more(store: ModelStore, state: ModelState, got: list[str]) -> None:
    """Tell the next steps: make room, and get the files that make the model complete."""
    from engine.files import readable
    from engine.weights.catalogue import MODELS

    if state.originals:
        print(
            f"The downloaded files are not needed any more ({readable(state.originals)}): "
            f"python -m engine models remove {state.name} --originals",
            file=sys.stderr,
        )
    for name in MODELS[state.name].companions:
        other = store.state(name)
        if not other.installed and name not in got:
            print(
                f"Goes well with it: {other.title} ({readable(other.total)}). {other.description} "
                f"python -m engine models get {name}",
                file=sys.stderr,
            )


def _accept(store: ModelStore, models: list[str], without_asking: bool) -> None:
    """Show the licences that were not accepted yet, and ask. Without a person to ask, only the option counts."""
    missing = [licence for name in models for licence in store.licences(name) if not licence.accepted]
    if not missing:
        return
    for licence in missing:
        print(f"{licence.title} ({licence.repository}): {licence.licence}. {licence.summary}", file=sys.stderr)
        print(f"  {licence.url}", file=sys.stderr)
    if not without_asking:
        if not sys.stdin.isatty():
            raise LicenceNotAccepted(
                Sentence("The licences above have to be accepted before anything is fetched."),
                Sentence("Read them, then add --accept-licences."),
            )
        print("Do you accept these licences? Type yes: ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() != "yes":
            raise Cancelled(Sentence("Nothing was fetched."))
    for name in models:
        store.accept_licences(name)


def _ask_token(store: ModelStore) -> None:
    """From the keyboard without showing it, or from a pipe; never from the arguments, which others can see."""
    token = getpass.getpass("Access token: ") if sys.stdin.isatty() else sys.stdin.readline()
    if not store.tokens.set(token):
        print("This computer has no keyring: the token is kept for this run only.", file=sys.stderr)


def _verify(store: ModelStore, args: argparse.Namespace) -> int:
    state = store.state(args.model)
    if not state.installed and not state.partial:
        raise BundleError(
            Sentence("{state} is not on this computer.", state=state.title),
            Sentence("Get it: python -m engine models get {state}", state=state.name),
        )
    wrong = _follow(store, store.verify(args.model))
    if args.json:
        print(json.dumps({"name": state.name, "damaged": list(wrong)}))
    elif not wrong:
        print(f"{state.title}: every byte is right.")
    if wrong:
        step = (
            Sentence("Get it again: python -m engine models get {name}", name=state.name)
            if state.fetchable
            else Sentence("Copy it anew from its source.")
        )
        shown = ", ".join(wrong[:3]) + (f" and {len(wrong) - 3} more" if len(wrong) > 3 else "")
        raise BundleError(Sentence("{model} is damaged: {shown}.", model=state.title, shown=shown), step)
    return ExitCode.DONE


def _remove(store: ModelStore, args: argparse.Namespace) -> int:
    from engine.files import readable

    state = store.state(args.model)
    if args.originals:
        freed = _follow(store, store.remove_originals(args.model))
    else:
        if not state.installed and not state.partial:
            raise InputError(Sentence("{state} is not on this computer.", state=state.title))
        _follow(store, store.remove(args.model))
        freed = (state.size if state.installed and state.bundle else 0) + state.done
    if args.json:
        print(json.dumps({"name": state.name, "freed": freed}))
    else:
        print(f"{readable(freed)} are free again." if freed else "Nothing was there to be removed.")
    return ExitCode.DONE


def _follow(store: ModelStore, work: Coroutine[Any, Any, Any]) -> Any:
    """Run work and tell on stderr how it goes. Ctrl+C pauses: what arrived stays."""
    told: dict[str, tuple[str, float]] = {}

    def tell(name: str) -> None:
        try:
            state = store.state(name)
        except InputError:  # gone: removed, or not imported after all
            return
        phase, moment = told.get(name, ("", 0.0))
        now = time.monotonic()
        if not state.working or (state.phase == phase and now - moment < _TELL_SECONDS):
            return
        told[name] = (state.phase, now)
        line.show(progress(state))

    async def main() -> Any:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        # Where that is not possible (Windows), asyncio.run itself turns Ctrl+C into a cancelled task.
        with contextlib.suppress(NotImplementedError, RuntimeError):
            loop.add_signal_handler(signal.SIGINT, task.cancel)
        return await task

    end = store.subscribe(tell)
    try:
        return asyncio.run(main())
    except asyncio.CancelledError as error:
        raise Cancelled(
            Sentence("Stopped."), Sentence("What has arrived stays; the same command goes on from there.")
        ) from error
    finally:
        end()
        line.clear()


def progress(state: ModelState) -> str:
    """One line of progress: “EchoGen 2B: 6.1 GB of 26.4 GB, 38 MB/s, about 4 min left”."""
    from engine.files import readable
    from engine.time_left import time_left_words

    if state.phase != "fetching":
        share = f", {state.fraction:.0%}" if state.fraction else ""
        return f"{state.title}: {_PHASES.get(state.phase, state.phase)}{share}"
    words = f"{state.title}: {readable(state.done)} of {readable(state.total)}"
    if state.rate >= 1:
        words += f", {readable(int(state.rate))}/s"
    return words if state.left is None else f"{words}, {time_left_words(state.left)}"


def describe(state: ModelState) -> str:
    """One line of the list: “EchoGen 2B, ready, 13.1 GB, MIT and Apache-2.0”."""
    from engine.files import readable

    if state.installed:
        words = f"ready, {readable(state.size)}"
    elif state.error is not None:
        words = state.error.fact
    elif state.partial:
        words = f"{readable(state.done)} of {readable(state.total)} is here; “models get {state.name}” goes on"
    elif state.fetchable:
        words = f"not here, {readable(state.total)} to download"
    else:
        words = "not here; import it from a folder"
    return ", ".join(filter(None, [state.title, words, state.licence]))


def to_json(state: ModelState) -> dict[str, Any]:
    """A model as ``models --json`` prints it."""
    return {
        "name": state.name,
        "title": state.title,
        "licence": state.licence,
        "phase": state.phase,
        "installed": state.installed,
        "shipped": state.shipped,
        "draws": state.bundle,
        "done": state.done,
        "total": state.total,
        "size": state.size,
        "originals": state.originals,
        "folder": str(state.folder) if state.folder is not None else None,
        "error": str(state.error) if state.error is not None else None,
        "parts": [
            {"key": part.key, "licence": part.licence, "done": part.done, "total": part.total} for part in state.parts
        ],
    }


def _say(state: ModelState, as_json: bool) -> None:
    print(json.dumps(to_json(state)) if as_json else f"{state.name}: {describe(state)}")
