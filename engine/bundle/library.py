"""Finds the bundles on this computer: the one that ships with the program, and those in the user's folder. Free of
torch."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from engine.bundle.manifest import MANIFEST, BundleManifest, read_manifest
from engine.errors import BundleError, CannotWrite, os_reason
from engine.files import is_file, put_back, put_back_all, replacing
from engine.sentence import NOTHING, Sentence

APP_NAME = "echogen-desktop"
DEFAULT_BUNDLE = "mini"


@dataclass(frozen=True)
class FoundBundle:
    """A bundle that lies on this computer.

    Attributes:
        manifest: what it says about itself, or None when that cannot be read.
        problem: why it cannot be read, or "".
    """

    name: str
    folder: Path
    manifest: BundleManifest | None
    problem: str = ""

    @property
    def title(self) -> str:
        return self.manifest.title if self.manifest is not None else self.name


def shipped_folder() -> Path:
    """Return the folder of the bundles that come with the program."""
    return Path(__file__).resolve().parents[2] / "resources"


def models_folder() -> Path:
    """Return the folder of the user's bundles: what ECHOGEN_MODELS says, else the folder that was chosen, else the
    standard one."""
    moved = os.environ.get("ECHOGEN_MODELS") or _chosen_folder()
    return Path(moved) if moved else Path(platformdirs.user_data_dir(APP_NAME, appauthor=False)) / "bundles"


def choose_models_folder(folder: Path) -> None:
    """Keep models in another folder from now on, in the window and on the command line. What lies in the old one stays there.

    Raises:
        CannotWrite: the folder cannot be made, or the choice cannot be remembered.
    """
    note = _folder_note()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(note) as part:
            part.write_text(str(folder.absolute()), encoding="utf-8")
    except OSError as error:
        raise CannotWrite(
            Sentence("{path} cannot be written: {reason}.", path=error.filename or folder, reason=os_reason(error)),
            Sentence("Choose another folder."),
        ) from error


def _folder_note() -> Path:
    """The file that remembers the chosen folder."""
    return Path(platformdirs.user_config_dir(APP_NAME, appauthor=False)) / "models-folder"


def _chosen_folder() -> str:
    try:
        text = _folder_note().read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""
    return text if Path(text).is_absolute() else ""


def find_bundles() -> list[FoundBundle]:
    """Every bundle on this computer, the shipped one first, then by title. Reads only the manifests."""
    shipped = [_found(folder) for folder in _folders(shipped_folder())]
    taken = {bundle.name for bundle in shipped}
    own = [_found(folder) for folder in _folders(models_folder()) if folder.name not in taken]
    return shipped + sorted(own, key=lambda bundle: bundle.title.lower())


def resolve_bundle(name_or_folder: str | Path) -> Path:
    """The folder of a bundle, from its name or its folder.

    Raises:
        BundleError: there is none; the sentence says which names there are.
    """
    text = os.fspath(name_or_folder)
    try:
        given = Path(text).expanduser()
    except RuntimeError:  # the home of a user there is none of
        given = Path(text)
    plain = given.name == text  # a name, not a path
    places = [shipped_folder() / text, models_folder() / text, given] if plain else [given]
    for folder in places:
        put_back(folder, MANIFEST)
        if is_file(folder / MANIFEST):
            return folder
    if not plain:
        raise BundleError(
            Sentence("There is no model in {text}: it has no {manifest}.", text=text, manifest=MANIFEST),
            Sentence("Choose another model, or get it again."),
        )
    names = ", ".join(bundle.name for bundle in find_bundles())
    there = Sentence("On this computer: {names}.", names=names) if names else NOTHING
    raise BundleError(
        Sentence("The model “{text}” is not on this computer.", text=text),
        Sentence.row(there, Sentence("Get it under Models, or name its folder.")),
    )


def _folders(place: Path) -> list[Path]:
    put_back_all(place, MANIFEST)
    try:
        # Names with a dot in front are bundles that are being written.
        return sorted(f for f in place.iterdir() if not f.name.startswith(".") and is_file(f / MANIFEST))
    except OSError:
        return []


def _found(folder: Path) -> FoundBundle:
    try:
        return FoundBundle(folder.name, folder, read_manifest(folder))
    except BundleError as error:
        return FoundBundle(folder.name, folder, None, error.sentence)
