"""``python -m engine evaluate``: how good a bundle's pictures are, in figures and in sheets; and training of the judges.

``evaluate cutouts`` measures cut-outs of photos against masks made by hand.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.cli import dreambench, likeness
from engine.cli.terminal import minutes, progress, threads, whole
from engine.errors import InputError, SubjectNotFound
from engine.files import ensure_folder, write_json
from engine.sentence import Sentence

if TYPE_CHECKING:
    from PIL import Image

    from engine.evaluation.judges import Judges
    from engine.training.drawer import Drawer


EXAMPLE = "evaluate --photos photos --out evaluation --quick"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what",
        nargs="?",
        choices=("cutouts", "dreambench"),
        help="measure cut-outs, or pictures as the papers do; else pictures as the mini is measured",
    )
    parser.add_argument(
        "--without-network",
        action="store_true",
        help="with cutouts: by colours and edges alone, as where no network can be used",
    )
    parser.add_argument("--bundle", default="mini", help="name or folder of the model")
    parser.add_argument(
        "--photos",
        type=Path,
        metavar="DIR",
        help="a folder of photos for each subject: what most figures are taken of, and a sheet of their own",
    )
    parser.add_argument(
        "--masks", type=Path, metavar="DIR", help="masks of the photos, SUBJECT_PHOTO.png; else the program finds them"
    )
    parser.add_argument(
        "--textures", type=Path, metavar="DIR", help="with --photos: photographs as material of the true renders"
    )
    parser.add_argument(
        "--subjects", type=Path, metavar="DIR", help="cut-outs (PNG or WebP with transparency) never trained on"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for evaluation.json, the sheets and the report")
    parser.add_argument("--count", type=whole(2), default=50, help="with --subjects: subjects to tell apart, 2 or more")
    parser.add_argument(
        "--prompts", type=whole(1), default=2, help="with --subjects: prompts for each subject, 1 or more"
    )
    parser.add_argument("--as-given", action="store_true", help="with --subjects: leave them their own colours")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="photos in three scenes, everything on; at most ten cut-outs in one scene, without a sheet",
    )
    likeness.add_arguments(parser)
    parser.add_argument("--threads", type=threads, help="processor threads to use")
    parser.add_argument(
        "--train-judges", action="store_true", help="train the embedder and the classifier that judge the pictures"
    )
    parser.add_argument("--minutes", type=minutes, default=25.0, help="with --train-judges: minutes for each judge")
    parser.add_argument("--sprites", type=Path, metavar="DIR", help="with --train-judges: cut-outs to train on")
    parser.add_argument(
        "--runs", type=Path, default=Path("runs"), metavar="DIR", help="with --train-judges: folder of checkpoints"
    )
    dreambench.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    if args.what == "cutouts":
        return evaluate_cutouts(args)
    if args.without_network:
        raise InputError(
            Sentence("--without-network belongs to the measure of cut-outs."), Sentence("Write: evaluate cutouts.")
        )
    if args.what == "dreambench":
        return dreambench.run(args)
    dreambench.refuse(args)
    if args.train_judges:
        return train_judges(args)
    if args.likeness:
        return likeness.run(args)
    if (args.subjects is None and args.photos is None) or args.out is None:
        raise InputError(
            Sentence("An evaluation needs pictures and a folder."),
            Sentence("Name photos with --photos or cut-outs with --subjects, and --out."),
        )
    if args.masks is not None and args.photos is None:
        raise InputError(Sentence("--masks belong to photos."), Sentence("Name their folder with --photos."))
    ensure_folder(args.out)

    import torch

    from engine.evaluation.judges import Judges

    if args.threads:
        torch.set_num_threads(args.threads)
    judges = Judges.load()
    figures: dict[str, Any] = {}
    sheets: list[tuple[str, Image.Image]] = []
    if args.subjects is not None:
        figures = evaluate_cut_outs(args, judges)
    if args.photos is not None:
        measured, sheets = evaluate_photos(args, judges)
        figures = merged(figures, measured)
    figures["judges"] = judges.figures
    write_json(args.out / "evaluation.json", figures)
    if sheets:
        from engine.evaluation.report import write_report

        write_report(figures, sheets, args.out / "report.html")
    print(json.dumps({key: value for key, value in figures.items() if key not in ("by_scene", "judges")}))
    return 0


def evaluate_cutouts(args: argparse.Namespace) -> int:
    """Figures of cut-outs on photos with masks; with --out also as JSON, and a page with the photos, worst first."""
    from engine.evaluation.cutout_measure import figures_of, find_cases, measure
    from engine.evaluation.cutout_report import WORDS, write_cutout_report
    from engine.preflight.segmenter import Segmenter

    if args.photos is None or args.masks is None:
        raise InputError(
            Sentence("Cut-outs are measured on photos with masks."),
            Sentence("Name their folders with --photos and --masks."),
        )
    cases = find_cases(args.photos, args.masks)
    if args.out is not None:
        ensure_folder(args.out)
    results = measure(cases, Segmenter(network=None) if args.without_network else Segmenter(), show)
    figures = figures_of(results)
    if args.out is not None:
        write_json(args.out / "cutouts.json", figures)
        write_cutout_report(results, figures, args.out / "cutouts.html")
    print(f"{'':14}overlap  ≥ 0.90  < 0.70  boundary F")
    for way, own in figures["ways"].items():
        values = f"{own['overlap']:7.3f} {own['right']:7.0%} {own['wrong']:7.0%} {own['boundary_f']:11.3f}"
        print(f"{WORDS[way]:14}{values}")
    print(
        f"{figures['photos']} photos; sure of {figures['sure']}, {figures['sure_in_error']} of them in error;"
        f" {figures['seconds']} s to the first mask"
    )
    return 0


def evaluate_cut_outs(args: argparse.Namespace, judges: Judges) -> dict[str, Any]:
    """Figures of drawn cut-outs, by the judges of our own; writes their sheet."""
    from engine.bundle.library import resolve_bundle
    from engine.evaluation import scoring as work
    from engine.training.drawer import Drawer

    count, prompts = (min(args.count, 10), 1) if args.quick else (args.count, args.prompts)
    subjects = work.choose_subjects(args.subjects, count)
    drawer = Drawer.open(resolve_bundle(args.bundle))
    reference_size = drawer.bundle.manifest.reference_size
    case = work.make_case(subjects, drawer.schedule.size[0], reference_size, prompts, not args.as_given)
    figures = work.evaluate(drawer, case, judges, tell=show)
    if not args.quick:
        show(1.0, "Drawing the sheet")
        rows = range(min(work.SHEET_SUBJECTS, len(case.subjects)))
        cut_outs = [(case.subjects.names[row], case.cut_out(row)) for row in rows]
        work.write_sheet(drawer, cut_outs, args.out / "sheet.png")
    return figures


def evaluate_photos(args: argparse.Namespace, judges: Judges) -> tuple[dict[str, Any], list[tuple[str, Image.Image]]]:
    """Figures of real photos by the judge of photos, and their sheets. A single photo is drawn and not measured."""
    from engine.bundle.library import resolve_bundle
    from engine.evaluation.photo_case import PhotoCase
    from engine.evaluation.photo_evaluation import PhotoEvaluation
    from engine.evaluation.photo_folder import JudgedPhotos, find_subjects
    from engine.evaluation.photo_sheets import photo_sheets
    from engine.evaluation.picture_source import PictureSource
    from engine.training.config import DEFAULT, TrainingConfig

    if len(find_subjects(args.photos, args.masks)) < 2:
        from engine.training.drawer import Drawer

        progress.note("A single subject is drawn, not measured: subjects are told apart.")
        draw_photos(Drawer.open(resolve_bundle(args.bundle)), args.photos, args.masks, args.out / "photos.png")
        return {}, []
    show(0.0, "Looking at the photos")
    photos = JudgedPhotos.load(args.photos, args.masks, skipped=progress.note)
    source = PictureSource.open(args.bundle)
    taught = TrainingConfig.load(DEFAULT)
    same = taught.layout_count == source.bundle.manifest.layouts > 0
    case = PhotoCase.make(photos, source.side, source.size[0], args.textures, taught if same else None)
    work = PhotoEvaluation(source, case, judges, quick=args.quick, tell=show)
    judged, renders, coded = work.run()
    sheets = photo_sheets(case, judged, renders, coded, source.bundle.manifest.title)
    for name, _, sheet in sheets:
        sheet.save(args.out / f"{name}.png")
    return work.figures, [(title, sheet) for _, title, sheet in sheets]


def merged(cut_outs: dict[str, Any], photos: dict[str, Any]) -> dict[str, Any]:
    """Both evaluations in one: of what both measure, that of photos counts; the other one is kept under a name of its own."""
    figures = {**cut_outs, **photos}
    for name, value in cut_outs.items():
        if name in photos and isinstance(value, dict) and isinstance(photos[name], dict):
            figures[name] = {**value, **photos[name]}
    if "scene_accuracy" in cut_outs and "scene_accuracy" in photos:
        figures["scene_accuracy_cut_outs"] = cut_outs["scene_accuracy"]
    return figures


def train_judges(args: argparse.Namespace) -> int:
    """Both judges one after the other; each goes on from its last checkpoint."""
    if args.sprites is None:
        raise InputError(
            Sentence("The judges are trained on renders of cut-outs."),
            Sentence("Name a folder of them with --sprites."),
        )
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


def draw_photos(drawer: Drawer, folder: Path, masks: Path | None, path: Path) -> None:
    """A sheet of photos to look at."""
    from engine.evaluation.photo_folder import find_subjects
    from engine.evaluation.scoring import write_sheet

    cut_outs = []
    for subject in find_subjects(folder, masks):
        try:
            cut = subject.shot().cut_out(drawer.bundle.manifest.reference_size)
        except InputError as error:
            progress.note(f"{subject.chosen.name} is skipped: {error}")
        else:
            cut_outs.append((subject.name, cut))
    if not cut_outs:
        raise SubjectNotFound(Sentence("No subject was found in the photos of {folder}.", folder=folder))
    write_sheet(drawer, cut_outs, path)


def show(fraction: float, text: str) -> None:
    """Progress on the terminal."""
    progress.show(f"{text}, {fraction:.0%}")
