"""``python -m engine generate``: a photo and a sentence in, pictures out."""

from __future__ import annotations

import argparse
import json
import secrets
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.bundle.library import resolve_bundle
from engine.bundle.manifest import BundleManifest, read_manifest
from engine.cli import best_of, lists, views
from engine.cli.drawing_progress import follow, preview_file, show_loading
from engine.cli.place import Finish, as_it_is, check_place, take_place
from engine.cli.targets import check_target
from engine.cli.terminal import progress
from engine.errors import InputError, RequestError
from engine.events import Finished
from engine.files import check_apart, ensure_folder
from engine.placement import Placement
from engine.preset import read_preset
from engine.request import MAX_SEED, CutOut, GenerationRequest, ScaleBits
from engine.sentence import Sentence

if TYPE_CHECKING:
    from engine.engine import Engine
    from engine.photo.picture_file import PictureFile


EXAMPLE = 'generate --subject robot.jpg --name "toy robot" --prompt "a toy robot in the snow" --out snow.png --count 4'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--subject", type=Path, metavar="PHOTO", help="photo of the subject; without one, only the prompt counts"
    )
    parser.add_argument(
        "--prompt", help="where the subject should be; {red|blue} draws one picture with each, {subject} is its --name"
    )
    parser.add_argument(
        "--out",
        type=Path,
        help="picture to write: .png, .webp or .jpg; only a PNG carries what made it. With --requests not needed",
    )
    parser.add_argument(
        "--mask", type=Path, help="mask of the subject, as large as the photo; found automatically without one"
    )
    views.add_arguments(parser)
    parser.add_argument("--name", default="", help="what the subject is, for finding it in the photo")
    parser.add_argument("--negative-prompt", default="", help="what to avoid")
    parser.add_argument("--framing", choices=("fit", "reference"), default="fit", help="how the cut-out is placed")
    parser.add_argument("--bundle", default="mini", help="name or folder of the model")
    parser.add_argument("--seed", type=int, help="0 to 4294967295; drawn and printed if not given")
    parser.add_argument("--count", type=int, default=1, help="pictures, 1 to 1000, with seeds that follow each other")
    best_of.add_arguments(parser)
    parser.add_argument("--size", help="WIDTHxHEIGHT or a ratio such as 4:3; the model's first size if not given")
    parser.add_argument(
        "--place",
        metavar="X,Y,SIZE[,TURN][,mirrored]",
        help="where the subject stands: its centre and size in shares of the picture, its turn in degrees; chosen by the "
        "seed if not given. Only for models that know placement, such as mini",
    )
    parser.add_argument(
        "--region",
        type=Path,
        metavar="MASK",
        help="white where the picture of --from, or the photo of --photo, is drawn anew; everything outside stays",
    )
    parser.add_argument(
        "--photo",
        type=Path,
        metavar="PHOTO",
        help="put the subject into this photo, at --place or into --region; everything else of the photo stays",
    )
    parser.add_argument(
        "--preset", type=Path, metavar="FILE", help="strengths, temperature, size, place and what to avoid of a preset"
    )
    parser.add_argument("--prompt-strength", type=float, help=f"how closely to follow the prompt, 0 to 20; {_OWN}")
    parser.add_argument(
        "--subject-strength", type=float, help=f"how closely to keep the subject (identity), 0 to 20; {_OWN}"
    )
    parser.add_argument(
        "--look-strength", type=float, help="fine look of the subject, 0 to 20; as the subject strength if not given"
    )
    parser.add_argument("--temperature", type=float, help=f"above 1 more varied, below 1 calmer, 0.01 to 10; {_OWN}")
    parser.add_argument(
        "--top-p", type=float, help=f"share of the likely choices that is drawn from, 0 to 1; 0 is all; {_OWN}"
    )
    parser.add_argument(
        "--keep-scales", type=int, metavar="K", help="keep the first K scales of the picture given by --from, 1 or more"
    )
    parser.add_argument(
        "--from", dest="source", type=Path, metavar="PNG", help="an EchoGen picture to take everything not given from"
    )
    lists.add_arguments(parser)
    parser.add_argument("--previews", type=Path, metavar="DIR", help="write the forming picture after every scale")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--memory", default="auto", help="memory plan: auto, resident, balanced, low, int8 or streamed")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")


_OWN = "the model's own value if not given"


def run(args: argparse.Namespace) -> int:
    check(args)
    folder = resolve_bundle(args.bundle)
    manifest = read_manifest(folder)
    base, finish = take_place(args, complete_request(args, build_request(args), manifest), manifest)
    listed = lists.listed_requests(args, base, manifest)
    if args.requests is not None:
        lists.write(args.requests, listed)
        return 0
    targets = lists.targets(args.out, listed) or numbered(args.out, args.count)
    previews = preview_files(args.previews, targets, manifest)
    check_apart([*targets, args.sheet, *previews], _sources(args))
    from engine.engine import Engine
    from engine.planning.job import make_job

    for request in [one.request for one in listed] or [base]:
        make_job(request, manifest)  # what does not fit the model is said before it is opened
    if args.best_of is not None:
        best_of.check_request(base, manifest)
    with Engine.open(folder, args.device, args.memory, on_progress=show_loading) as engine:
        if args.seed is None:
            progress.note(f"Seed {base.seed}")
        if args.best_of is not None:
            for target, finished in best_of.draw(engine, base, args.out, args.best_of, finish):
                print(json.dumps(_result(target, finished)) if args.json else target, flush=True)
        elif listed:
            jobs = [(target, one.request) for target, one in zip(targets, listed, strict=True)]
            drawn: list[Path] = []
            try:
                draw_jobs(engine, jobs, previews=args.previews, as_json=args.json, told=drawn.append)
            finally:
                if args.sheet is not None and drawn:
                    lists.save_sheet(args.sheet, [file if file in drawn else None for file in targets], listed)
        else:
            draw(engine, base, args.out, count=args.count, previews=args.previews, as_json=args.json, finish=finish)
    return 0


def check(args: argparse.Namespace) -> None:
    """Everything that can be wrong without opening a model is said before one is opened."""
    best_of.check(args)
    if not 1 <= args.count <= 1000:
        raise InputError(Sentence("The number of pictures must be from 1 to 1000."))
    if args.seed is not None and not 0 <= args.seed <= MAX_SEED - args.count + 1:
        raise InputError(Sentence("The seed must be a whole number from 0 to {most}.", most=MAX_SEED - args.count + 1))
    views.check(args)
    check_place(args)
    lists.check(args)
    if args.prompt is None and args.source is None and not lists.is_list(args):
        raise InputError(
            Sentence("There is no prompt."),
            Sentence('Say where the subject should be, for example --prompt "a toy robot in the snow".'),
        )
    if args.requests is not None:
        check_apart([args.requests], _sources(args))
        check_target(args.requests)
        return  # nothing is drawn: no picture needs a place
    if args.out is None:
        raise InputError(
            Sentence("The picture has no file to go to."), Sentence("Name one, for example --out picture.png.")
        )
    for file in (args.out, args.sheet):
        check_apart([file], _sources(args))  # their pictures have numbers, which only the list itself can tell
    check_places(args.out, args.previews)
    if args.sheet is not None:
        check_places(args.sheet, None)


def _sources(args: argparse.Namespace) -> tuple[Path | None, ...]:
    """The files that the pictures are drawn from."""
    single = (args.subject, args.mask, args.source, args.photo, args.region, args.prompts, args.preset)
    return *single, *args.view, *args.view_mask


def check_places(out: Path, previews: Path | None) -> None:
    """That pictures can be written where they are to go, as far as it can be told beforehand."""
    if out.suffix.lower() not in (".png", ".webp", ".jpg", ".jpeg"):
        raise InputError(
            Sentence("“{out}” is no kind of picture that can be written.", out=out.name),
            Sentence("Use .png, .webp or .jpg."),
        )
    check_target(out)
    if previews is not None:
        ensure_folder(previews)


def build_request(args: argparse.Namespace) -> GenerationRequest:
    """The values of the arguments and of the picture given by --from; the bundle's defaults come later."""
    request = GenerationRequest(prompt=args.prompt or "")
    if args.source is not None:
        from engine.photo.picture_file import read_picture_file

        found = read_picture_file(args.source)
        request = found.request
        if args.photo is not None:
            request = replace(request, kept=None, region=None)
        elif args.region is not None and (request.region is None or request.region.window is None):
            request = replace(request, kept=_bits(found, args.source), region=None)
        elif args.region is not None:
            request = replace(request, kept=None)  # the region says still that it is of a photo, see ``take_place``
        elif request.region is not None:
            # Drawn again to the bit; with scales kept it is those of the finished picture that stay.
            request = request if args.keep_scales is None else replace(request, kept=_bits(found, args.source))
        elif args.keep_scales is not None:
            request = replace(request, kept=_bits(found, args.source).first(args.keep_scales))
        else:
            request = replace(request, kept=None)
    if args.preset is not None:
        request = read_preset(args.preset).applied(request)
    given: dict[str, Any] = {
        name: getattr(args, name)
        for name in ("prompt", "prompt_strength", "subject_strength", "look_strength", "temperature", "top_p")
        if getattr(args, name) is not None
    }
    if args.negative_prompt:
        given["negative_prompt"] = args.negative_prompt
    if args.name:
        given["subject_name"] = args.name
    if args.place is not None:
        given["placement"] = Placement.parse(args.place)
    return replace(request, **given)


def _bits(found: PictureFile, source: Path) -> ScaleBits:
    """The bits of a picture of which something is kept. Raises ``InputError`` where it has lost them."""
    if found.bits is None:
        raise InputError(
            Sentence("{source} has lost its bits: nothing of it can be kept.", source=source.name),
            Sentence("Draw it anew without --region and --keep-scales, or name it with --photo, too, as any photo."),
        )
    return found.bits


def complete_request(
    args: argparse.Namespace, request: GenerationRequest, manifest: BundleManifest
) -> GenerationRequest:
    """Fill in what only the bundle knows: its defaults, sizes, and the side of the cut-out."""
    if args.source is None and args.preset is None:
        defaults = manifest.request_defaults()
        request = replace(request, **{k: v for k, v in defaults.items() if getattr(args, k, None) is None})
    if request.bundle not in ("", manifest.identity) and request.kept is None:
        progress.note(f"Made with {request.bundle}; drawn anew with {manifest.identity}.")
        request = replace(request, bundle="")
    if request.placement is not None and args.place is None and manifest.placed_content is None:
        progress.note(f"{manifest.title} chooses itself where the subject stands.")
        request = replace(request, placement=None)
    if request.kept is not None and args.place is None:
        # The kept scales show the subject where the seed of their picture put it, not where the new seed would.
        request = replace(request, placement=manifest.place(request))
    if args.size:
        request = replace(request, size=choose_size(args.size, list(manifest.sizes)))
    if args.subject is not None:
        subject = make_cut_out(args, manifest.reference_size)
        request = replace(request, subject=subject, views=views.cut_outs(args, manifest.reference_size))
    seed = args.seed
    if seed is None:
        seed = (
            request.seed
            if args.source is not None and args.keep_scales is None and args.region is None and args.photo is None
            else secrets.randbelow(MAX_SEED - args.count + 2)
        )
        if request.kept is not None:
            seed = min(manifest.with_layout_of(seed, request.seed), MAX_SEED - args.count + 1)
    return request.with_seed(seed)


def make_cut_out(args: argparse.Namespace, side: int) -> CutOut:
    """Cut the subject out of ``--subject``, with ``--mask`` or by finding it; ``side`` pixels square."""
    from engine.photo.framing import cut_out
    from engine.photo.hints import Hint
    from engine.photo.load import load_photo
    from engine.photo.mask_file import read_mask
    from engine.photo.notes import photo_notes
    from engine.preflight.segmenter import Segmenter
    from engine.weights.inventory import installed_helpers

    photo = load_photo(args.subject)
    if args.mask is not None:
        mask = read_mask(args.mask, photo)
    else:
        segmenter = Segmenter.with_models(installed_helpers())
        mask = segmenter.find_subject(photo, Hint(name=args.name)).mask
    for note in (*photo.notes, *photo_notes(photo, mask, side)):
        progress.note(note)
    return cut_out(photo, mask, side, args.framing)


def choose_size(text: str, sizes: list[tuple[int, int]]) -> tuple[int, int]:
    """The offered size for "WxH" (exactly) or "W:H" (the nearest ratio, within 8 %).

    Raises:
        RequestError: the bundle does not offer it; the sentence lists what it offers.
    """
    offered = ", ".join(f"{w}x{h}" for w, h in sizes)
    separator = ":" if ":" in text else "x"
    try:
        width, height = (int(part) for part in text.lower().split(separator))
        ratio = width / height
        if width < 1 or height < 1:
            raise ValueError
    except (ValueError, ZeroDivisionError) as error:
        raise RequestError(
            Sentence("“{text}” is no size.", text=text),
            Sentence("Write one of {offered}, or a ratio such as 4:3.", offered=offered),
        ) from error
    if separator == "x":
        if (width, height) not in sizes:
            raise RequestError(
                Sentence("This model does not draw {width}x{height}.", width=width, height=height),
                Sentence("It draws {offered}.", offered=offered),
            )
        return width, height
    nearest = min(sizes, key=lambda size: abs(size[0] / size[1] / ratio - 1))
    if abs(nearest[0] / nearest[1] / ratio - 1) > 0.08:
        raise RequestError(
            Sentence("This model does not draw the ratio {text}.", text=text),
            Sentence("It draws {offered}.", offered=offered),
        )
    return nearest


def draw(
    engine: Engine,
    base: GenerationRequest,
    out: Path,
    *,
    count: int = 1,
    previews: Path | None = None,
    as_json: bool = False,
    finish: Finish = as_it_is,
) -> list[Path]:
    """Draw ``count`` pictures with seeds that follow each other and write them. Ctrl+C stops between two blocks."""
    requests = base.several(count, engine.bundle.manifest.seed_step(base))
    targets = numbered(out, count)
    draw_jobs(engine, list(zip(targets, requests, strict=True)), previews=previews, as_json=as_json, finish=finish)
    return targets


def preview_files(previews: Path | None, targets: Sequence[Path], manifest: BundleManifest) -> list[Path]:
    """The files that --previews may write for these pictures; none without it."""
    if previews is None:
        return []
    scales = max(len(schedule.grids) for schedule in manifest.schedules)
    return [preview_file(previews, target.stem, scale) for target in targets for scale in range(scales)]


def numbered(out: Path, count: int) -> list[Path]:
    """Return the paths of so many pictures: "out.png" for one; "out-1.png", "out-2.png", … for more."""
    return [out] if count == 1 else [out.with_name(f"{out.stem}-{index}{out.suffix}") for index in range(1, count + 1)]


def draw_jobs(
    engine: Engine,
    jobs: Sequence[tuple[Path, GenerationRequest]],
    *,
    previews: Path | None = None,
    as_json: bool = False,
    finish: Finish = as_it_is,
    told: Callable[[Path], object] | None = None,
) -> None:
    """Draw each request and write it to its file, of which ``told`` is told, one after the other. Ctrl+C stops between two
    blocks, a second one at once."""
    from engine.into_photo import save_finished

    cancel = threading.Event()
    previous = signal.getsignal(signal.SIGINT) if _in_main_thread() else None

    def stop(*_: object) -> None:
        cancel.set()
        progress.show("Stopping …")
        signal.signal(signal.SIGINT, signal.default_int_handler)

    if previous is not None:
        signal.signal(signal.SIGINT, stop)
    try:
        for index, (target, request) in enumerate(jobs):
            which = f"Picture {index + 1} of {len(jobs)}, " if len(jobs) > 1 else ""
            finished = follow(engine, request, cancel, previews, target.stem, which)
            finished = finish(finished)
            save_finished(target, finished)
            if told is not None:
                told(target)
            progress.clear()
            if as_json:
                print(json.dumps(_result(target, finished)), flush=True)
            else:
                print(target, flush=True)
    finally:
        if previous is not None:
            signal.signal(signal.SIGINT, previous)


def _result(target: Path, finished: Finished) -> dict[str, Any]:
    height, width = finished.image.shape[:2]
    return {
        "file": str(target),
        "seed": finished.request.seed,
        "size": [width, height],
        "bundle": finished.request.bundle,
        "timing": asdict(finished.timing),
        "likeness": None if finished.likeness is None else round(finished.likeness, 4),
        "notes": list(finished.notes),
    }


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
