"""Requests from folders: every subject in every prompt, with so many seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from engine.bundle.manifest import BundleManifest
from engine.errors import InputError
from engine.request import GenerationRequest
from engine.sentence import Sentence

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
NAME = "{subject}"  # in a prompt, stands for the subject's name


def read_prompts(path: Path) -> list[str]:
    """One prompt a line; empty lines are left out.

    Raises:
        InputError: the file cannot be read, or holds no prompt.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            Sentence("The prompts {path} cannot be read.", path=path),
            Sentence("Name a text file with one prompt a line."),
        ) from error
    prompts = [line.strip() for line in lines if line.strip()]
    if not prompts:
        raise InputError(Sentence("There are no prompts in {path}.", path=path), Sentence("Write one a line."))
    return prompts


def find_photos(folder: Path) -> list[tuple[str, Path]]:
    """(name, photo) of every photo in a folder, and of the first in each of its folders.

    Raises:
        InputError: the folder is not there, or holds no photos.
    """
    if not folder.is_dir():
        raise InputError(Sentence("There is no folder of subjects {folder}.", folder=folder))
    found = []
    for entry in sorted(folder.iterdir()):
        inside = sorted(entry.iterdir()) if entry.is_dir() else [entry]
        photos = [path for path in inside if path.suffix.lower() in SUFFIXES]
        if photos:
            name = entry.stem.rstrip("0123456789").replace("_", " ").replace("-", " ").strip()
            found.append((name or entry.stem, photos[0]))
    if not found:
        raise InputError(Sentence("There are no photos in {folder}.", folder=folder))
    return found


def make_requests(
    manifest: BundleManifest,
    photos: Sequence[tuple[str, Path]],
    prompts: Sequence[str],
    seeds: int,
    skipped: Callable[[Sentence], None],
) -> Iterator[GenerationRequest]:
    """Every photo's subject in every prompt with seeds 0, 1, …, at the model's own settings.

    Args:
        skipped: called with a sentence for every photo in which no subject is found.
    """
    import cv2

    from engine.photo.framing import cut_out
    from engine.photo.hints import Hint
    from engine.photo.load import load_photo
    from engine.preflight.segmenter import Segmenter
    from engine.weights.inventory import installed_helpers

    segmenter = Segmenter.with_models(installed_helpers())
    for name, path in photos:
        try:
            photo = load_photo(path)
            cv2.setRNGSeed(0)  # GrabCut's: the cut-out depends on this photo alone, and stays what it is on --resume
            mask = segmenter.find_subject(photo, Hint(name=name)).mask
            subject = cut_out(photo, mask, manifest.reference_size)
        except InputError as error:
            skipped(Sentence("{photo} is skipped: {error}", photo=path.name, error=error.sentence))
            continue
        for prompt in prompts:
            for seed in range(seeds):
                yield GenerationRequest(
                    prompt.replace(NAME, name), subject, subject_name=name, seed=seed, **manifest.request_defaults()
                )
