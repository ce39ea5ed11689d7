"""``evaluate --likeness``: how a bundle's likeness is to be read, measured on its own pictures of photos."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import InputError
from engine.sentence import Sentence

if TYPE_CHECKING:
    from engine.bundle.manifest import BundleManifest
    from engine.request import GenerationRequest


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--likeness",
        action="store_true",
        help="with --photos: measure only how well the model's encoder tells its pictures of one thing from those of another",
    )
    parser.add_argument(
        "--keep-scale",
        action="store_true",
        help="with --likeness: write what was measured into the model's description, so that a likeness is shown",
    )


def run(args: argparse.Namespace) -> int:
    if args.photos is None:
        raise InputError(Sentence("The likeness is measured on photos."), Sentence("Name their folder with --photos."))
    from engine.bundle.library import resolve_bundle
    from engine.bundle.manifest import read_manifest
    from engine.bundle.writer import rewrite_manifest
    from engine.engine import Engine
    from engine.evaluation.likeness_scale import best_scale, draw_things

    folder = resolve_bundle(args.bundle)
    manifest = read_manifest(folder)
    requests = of_photos(args.photos, args.masks, manifest, args.quick)
    with Engine.open(folder, "auto") as engine:
        things = draw_things(engine, requests, show)
        scale = best_scale(engine.features, things)
    if args.keep_scale:
        rewrite_manifest(folder, replace(manifest, likeness=scale))
    print(json.dumps({"bundle": manifest.identity, "pictures": len(things), "tells": scale.tells, **asdict(scale)}))
    return 0


def of_photos(photos: Path, masks: Path | None, manifest: BundleManifest, quick: bool) -> list[GenerationRequest]:
    """A request for each thing of a folder of photos, in one scene or in three."""
    from engine.evaluation.photo_folder import QUICK_SCENES, SEED, find_subjects
    from engine.request import GenerationRequest
    from engine.training.data import language

    requests: list[GenerationRequest] = []
    for subject in find_subjects(photos, masks):
        cut = subject.shot().cut_out(manifest.reference_size)
        for key in QUICK_SCENES[:1] if quick else QUICK_SCENES:
            prompt = language.canonical_prompt(language.BY_KEY[key], subject.name)
            seed = SEED + len(requests)
            requests.append(GenerationRequest(prompt, cut, seed=seed, **manifest.request_defaults()))
    if len({request.subject.digest for request in requests if request.subject is not None}) < 2:
        raise InputError(Sentence("Things are told apart: there must be photos of at least two."))
    return requests


def show(share: float) -> None:
    print(f"Drawing, {share:.0%}", file=sys.stderr)
