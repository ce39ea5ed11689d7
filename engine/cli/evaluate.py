"""``python -m engine evaluate``: how good a bundle's pictures are, in figures and in sheets; and training of the judges."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import CannotWrite, InputError, SubjectNotFound

if TYPE_CHECKING:
    from engine.evaluation.drawing import Drawer
    from engine.request import CutOut

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bundle", default="mini", help="name or folder of the model (mini)")
    parser.add_argument(
        "--subjects", type=Path, metavar="DIR", help="cut-outs (PNG or WebP with transparency) never trained on"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for evaluation.json and the contact sheets")
    parser.add_argument("--count", type=int, default=50, help="subjects to tell apart (50)")
    parser.add_argument("--prompts", type=int, default=2, help="prompts for each subject (2)")
    parser.add_argument(
        "--photos",
        type=Path,
        metavar="DIR",
        help="photos, or folders of photos, for a sheet of their own; not measured",
    )
    parser.add_argument("--as-given", action="store_true", help="leave the subjects their own colours")
    parser.add_argument("--quick", action="store_true", help="one prompt a subject, at most ten subjects, no sheets")
    parser.add_argument("--threads", type=int, help="processor threads to use")
    parser.add_argument(
        "--train-judges", action="store_true", help="train the embedder and the classifier that judge the pictures"
    )
    parser.add_argument("--minutes", type=float, default=25.0, help="with --train-judges: minutes for each judge (25)")
    parser.add_argument("--sprites", type=Path, metavar="DIR", help="with --train-judges: cut-outs to train on")
    parser.add_argument(
        "--runs", type=Path, default=Path("runs"), metavar="DIR", help="with --train-judges: folder of checkpoints"
    )


def run(args: argparse.Namespace) -> int:
    if args.train_judges:
        return train_judges(args)
    if args.subjects is None or args.out is None:
        raise InputError("An evaluation needs subjects and a folder.", "Name them with --subjects and --out.")
    if args.count < 2 or args.prompts < 1:
        raise InputError("At least two subjects and one prompt are needed.")
    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(f"The folder {args.out} cannot be made: {error.strerror}.") from error

    import torch

    from engine.bundle.library import resolve_bundle
    from engine.evaluation import evaluate as work
    from engine.evaluation.drawing import Drawer
    from engine.evaluation.judges import Judges

    if args.threads:
        torch.set_num_threads(args.threads)
    judges = Judges.load()
    count, prompts = (min(args.count, 10), 1) if args.quick else (args.count, args.prompts)
    subjects = work.choose_subjects(args.subjects, count)
    drawer = Drawer.open(resolve_bundle(args.bundle))
    manifest = drawer.bundle.manifest
    case = work.make_case(subjects, drawer.schedule.size[0], manifest.reference_size, prompts, not args.as_given)
    figures = work.evaluate(drawer, case, judges, tell=show)
    figures["judges"] = judges.figures
    work.write_figures(figures, args.out / "evaluation.json")
    if not args.quick:
        show(1.0, "Drawing the sheet")
        rows = range(min(work.SHEET_SUBJECTS, len(case.subjects)))
        cut_outs = [(case.subjects.names[row], case.cut_out(row)) for row in rows]
        work.write_sheet(drawer, cut_outs, args.out / "sheet.png")
    if args.photos is not None:
        draw_photos(drawer, args.photos, args.out / "photos.png")
    print(json.dumps({key: value for key, value in figures.items() if key not in ("by_scene", "judges")}))
    return 0


def train_judges(args: argparse.Namespace) -> int:
    """Both judges one after the other; each goes on from its last checkpoint."""
    if args.sprites is None:
        raise InputError("The judges are trained on renders of cut-outs.", "Name a folder of them with --sprites.")
    import torch

    from engine.evaluation.judge_training import train_judge
    from engine.evaluation.judges import FOLDER

    if args.threads:
        torch.set_num_threads(args.threads)
    out = args.out or FOLDER
    for name in ("scenes", "embedder"):
        train_judge(name, args.sprites, args.runs, args.minutes, out)
        print(out / f"{name}.safetensors", flush=True)
    return 0


def draw_photos(drawer: Drawer, folder: Path, path: Path) -> None:
    """A sheet of real photos: the first of every folder, or every one. They are for looking at only."""
    from engine.evaluation.evaluate import write_sheet

    cut_outs = []
    for photo, name in find_photos(folder):
        try:
            cut_outs.append((name, cut_out_photo(photo, name, drawer.bundle.manifest.reference_size)))
        except InputError as error:
            show(1.0, f"{photo.name} is skipped: {error}")
    if not cut_outs:
        raise SubjectNotFound(f"No subject was found in the photos of {folder}.")
    show(1.0, "Drawing the sheet of photos")
    write_sheet(drawer, cut_outs, path)


def find_photos(folder: Path) -> list[tuple[Path, str]]:
    """(photo, name of its subject) of every photo in a folder, and of the first in each of its folders."""
    if not folder.is_dir():
        raise InputError(f"The folder of photos {folder} does not exist.")
    found = []
    for entry in sorted(folder.iterdir()):
        photos = sorted(entry.iterdir()) if entry.is_dir() else [entry]
        photos = [photo for photo in photos if photo.suffix.lower() in PHOTO_SUFFIXES]
        if photos:
            words = entry.stem.rstrip("0123456789").replace("_", " ").replace("-", " ").strip()
            found.append((photos[0], words or entry.stem))
    if not found:
        raise InputError(f"There are no photos in {folder}.")
    return found


def cut_out_photo(path: Path, name: str, side: int) -> CutOut:
    """The subject of a photo, as the program finds it."""
    from engine.photo.framing import cut_out
    from engine.photo.load import load_photo
    from engine.preflight.hints import Hint
    from engine.preflight.segmenter import Segmenter

    photo = load_photo(path)
    return cut_out(photo, Segmenter().find_subject(photo, Hint(name=name)).mask, side)


class _Progress:
    """Progress on stderr, a line for every per cent."""

    def __init__(self) -> None:
        self.last = ""

    def __call__(self, fraction: float, text: str) -> None:
        words = f"{text}, {fraction:.0%}"
        if words != self.last:
            self.last = words
            print(words, file=sys.stderr, flush=True)


show = _Progress()
