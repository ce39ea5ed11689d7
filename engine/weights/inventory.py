"""Inventory of the models on the disk and in the catalogue. Reads names and small files, never weights. Free of torch."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from engine.bundle.conversion_report import read_report, report_file
from engine.bundle.library import find_bundles, models_folder, shipped_folder
from engine.bundle.manifest import MANIFEST, BundleManifest, read_manifest
from engine.errors import BundleError, CannotWrite, EchoGenError, SizeNotAgreed
from engine.files import aside_of, disk_error, is_file, is_there, put_in_place, readable
from engine.process.messages import Originals
from engine.sentence import NOTHING, Sentence
from engine.weights.catalogue import MODELS, PARTS, Model, Role, chosen_parts, find_model
from engine.weights.settings import DownloadSettings, load_choices
from engine.weights.state import Meter, ModelState, PartState, Phase, licence_words
from engine.weights.transfer.download import STATE, PartDownload

_SPARE_BYTES = 300 * 10**6


def parts_folder(models: Path | None = None) -> Path:
    """Return the folder of fetched parts; each has one folder in it."""
    return (models or models_folder()) / "parts"


def installed_helper(role: Role) -> Path | None:
    """The folder of a complete pre-flight network ("grounding", "segmentation", "naming"), or None; of several the one the user
    chose. Quick: nothing is hashed."""
    chosen = {key for keys in load_choices().values() for key in keys}
    keys = sorted((part.key for part in PARTS.values() if part.role == role), key=lambda key: key not in chosen)
    found = (installed_part(key) for key in keys)
    return next((folder for folder in found if folder is not None), None)


def installed_part(key: str) -> Path | None:
    """The folder of a part of the catalogue, or None where it is not complete. Quick: nothing is hashed."""
    folder = parts_folder() / key
    return folder if is_file(folder / STATE) and PartDownload(PARTS[key], folder).complete else None


def installed_upscaler(factor: int) -> Path | None:
    """The folder of the network that enlarges ``factor`` times, or None where it is not installed."""
    return installed_part(f"swin2sr-x{factor}")


def installed_helpers() -> dict[str, Path]:
    """The pre-flight networks that are here, by role, as ``Segmenter.with_models`` takes them."""
    roles: tuple[Role, ...] = ("naming", "grounding", "segmentation")
    found = ((role, installed_helper(role)) for role in roles)
    return {role: folder for role, folder in found if folder is not None}


@dataclass
class Work:
    """The task under way with one model.

    Attributes:
        turn: the number of the task in the order in which all were asked for.
    """

    turn: int = 0
    phase: Phase = "absent"
    task: asyncio.Task[None] | None = None
    fraction: float = 0.0
    error: EchoGenError | None = None
    downloads: list[PartDownload] = field(default_factory=list)
    meter: Meter = field(default_factory=Meter)
    pausing: bool = False
    told: float = 0.0


@dataclass
class Inventory:
    """The models in a folder, under these settings."""

    folder: Path
    settings: DownloadSettings

    def names(self) -> list[str]:
        """Every model: those that came with the program, the catalogue, then others the user has."""
        own = [bundle.name for bundle in find_bundles() if bundle.name not in MODELS]
        shipped = [name for name in own if (shipped_folder() / name / MANIFEST).is_file()]
        others = [name for name in own if name not in shipped]
        return [*shipped, *MODELS, *others]

    def state(self, name: str, work: Work) -> ModelState:
        """One model as it is now. Raises ``InputError`` when there is none of this name."""
        folder, manifest, problem = self._bundle(name)
        model = MODELS.get(name)
        if model is None:
            if folder is None and work.task is None:  # nor is it being imported
                find_model(name)  # says which there are
            return self._own(name, folder, manifest, problem, work)
        downloads = work.downloads or self.downloads(model)
        done, total = sum(d.arrived for d in downloads), sum(d.total for d in downloads)
        complete = bool(downloads) and all(download.complete for download in downloads)
        installed = manifest is not None if model.bundle else complete
        phase = work.phase
        if phase == "absent":
            phase = "ready" if installed else "paused" if done else "absent"
        moving = phase == "fetching"
        size = manifest.nbytes if manifest is not None else total if installed else model.bundle_bytes
        return ModelState(
            name=name,
            title=model.title,
            description=model.description,
            licence=licence_words([d.part.licence.name for d in downloads]) or "MIT",
            phase=phase,
            installed=installed,
            bundle=model.bundle,
            fetchable=model.fetched,
            done=done if not installed or done == total else 0,
            total=total,
            size=size,
            rate=work.meter.rate(done) if moving else 0.0,
            left=work.meter.left(done, total) if moving else None,
            silent=moving and done < total and work.meter.silent,
            fraction=work.fraction if phase != "fetching" else (done / total if total else 0.0),
            parts=tuple(
                PartState(d.part.key, d.part.title, d.part.licence.name, d.arrived, d.total) for d in downloads
            ),
            error=work.error or self._why_not(name, problem, installed),
            originals=done if model.bundle and installed else 0,
            folder=folder if model.bundle else (parts_folder(self.folder) if installed else None),
        )

    def _why_not(self, name: str, problem: Sentence, installed: bool) -> EchoGenError | None:
        """Return the reason why a model of the catalogue is not there although something of it is: its bundle, or its
        last conversion."""
        if problem:
            return BundleError(problem)
        report = None if installed else read_report(report_file(self.folder, name))
        return report.error if report is not None else None

    def _own(
        self, name: str, folder: Path | None, manifest: BundleManifest | None, problem: Sentence, work: Work
    ) -> ModelState:
        return ModelState(
            name=name,
            title=manifest.title if manifest is not None else name,
            description=manifest.description if manifest is not None else "",
            licence=manifest.licence if manifest is not None else "",
            phase=work.phase if work.phase != "absent" else "ready" if manifest is not None else "failed",
            installed=manifest is not None,
            shipped=folder is not None and folder.parent == shipped_folder(),
            fetchable=False,
            size=manifest.nbytes if manifest is not None else 0,
            fraction=work.fraction,
            error=work.error or (BundleError(problem) if problem else None),
            folder=folder,
        )

    def _bundle(self, name: str) -> tuple[Path | None, BundleManifest | None, Sentence]:
        for place in (shipped_folder(), self.folder):
            folder = place / name
            if is_file(folder / MANIFEST):
                try:
                    return folder, read_manifest(folder), NOTHING
                except BundleError as error:
                    return folder, None, error.sentence
        return None, None, NOTHING

    def downloads(self, model: Model) -> list[PartDownload]:
        """The model's parts with what is here of them; none for what is only imported."""
        if not model.fetched:
            return []
        parts = chosen_parts(model, self.choices(model))
        return [PartDownload(part, parts_folder(self.folder) / part.key) for part in parts]

    def choices(self, model: Model) -> tuple[str, ...]:
        """Parts the user chose where the model has a choice."""
        offered = {key for group in model.choices for key in group}
        return tuple(key for key in self.settings.choices.get(model.name, ()) if key in offered)

    def check_sizes(self, downloads: list[PartDownload]) -> None:
        """Check that the server's files are about as large as the user was shown and said yes to. Raises ``SizeNotAgreed``."""
        larger = [d for d in downloads if not d.complete and d.is_more_than(self._shown(d))]
        if larger:
            first = larger[0]
            raise SizeNotAgreed(
                Sentence(
                    "The server has {total} for {part}, and {first} was shown to you.",
                    total=readable(first.total),
                    part=first.part.title,
                    first=readable(self._shown(first)),
                ),
                Sentence("Nothing was fetched yet. Agree to the size to go on."),
            )

    def _shown(self, download: PartDownload) -> int:
        """Bytes of a part that the user was shown, or agreed to since."""
        key = download.part.key
        return max(download.part.expected_bytes, self.settings.sizes.get(key, 0))

    def check_space(
        self, model: Model, downloads: list[PartDownload], besides: Iterable[tuple[str, Work]], free: int
    ) -> None:
        """There must be room for what is still to be written of a model, besides what comes before it. One that was asked for
        earlier and does not fit is about to be refused, and takes no room: so it does not matter whose server answers first.

        Args:
            besides: other models that are fetched or made meanwhile, by their names, in their order. free: bytes.

        Raises:
            CannotWrite: there is not.
        """
        needed = space_for(model, downloads, self.folder)
        others = 0
        for name, work in besides:
            wanted = space_for(MODELS[name], work.downloads, self.folder)
            if work.phase != "asking" or others + wanted + _SPARE_BYTES <= free:
                others += wanted
        if needed + others + _SPARE_BYTES > free:
            raise CannotWrite(
                Sentence(
                    "{needed} more is needed besides {others} for what is being fetched already, and {free} is free "
                    "in {folder}.",
                    needed=readable(needed),
                    others=readable(others),
                    free=readable(free),
                    folder=self.folder,
                )
                if others
                else Sentence(
                    "{needed} more is needed, {free} is free in {folder}.",
                    needed=readable(needed),
                    free=readable(free),
                    folder=self.folder,
                ),
                Sentence("Make room, or choose another folder for the models."),
                title=Sentence("The disk is nearly full"),
            )


def originals_of(downloads: list[PartDownload]) -> Originals:
    """The fetched files of a model as the converter wants them."""
    by_role = {download.part.role: download for download in downloads}

    def file(role: Role) -> Path:
        download = by_role[role]
        files = download.plan.files if download.plan is not None else []
        return next(download.folder / f.name for f in files if f.name.endswith((".pth", ".safetensors")))

    return Originals(
        transformer=file("transformer"),
        tokenizer=file("tokenizer"),
        text=by_role["text"].folder,
        semantic=by_role["semantic"].folder,
        content=by_role["content"].folder,
        origins=tuple((d.part.role, d.part.repository, d.part.licence.name) for d in downloads),
    )


def space_for(model: Model, downloads: list[PartDownload], models: Path) -> int:
    """Bytes that are still to be written: of the download, and of the bundle that is made from it.

    Args:
        models: the folder of models; what a conversion has completed there need not be written again.
    """
    total = sum(download.total for download in downloads)
    missing = total - sum(download.arrived for download in downloads)
    if not model.bundle:
        return missing
    made = sum(path.stat().st_size for work in conversions(models, model.name) for path in work.rglob("*.safetensors"))
    return missing + max(0, min(model.bundle_bytes, total) - made)


def conversions(models: Path, name: str) -> list[Path]:
    """Folders of conversions that were stopped, or are going on; the bundle's writer makes them beside the bundle's place."""
    return list(models.glob(f".{name}.*.part"))


def existing_folder(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    while not is_there(folder) and folder != folder.parent:
        folder = folder.parent
    return folder


def remove_folder(folder: Path) -> None:
    """Remove a folder and all in it, and what an earlier try has left. Raises ``CannotWrite``."""
    # Renamed first: what is half removed must not be found as a model. Not as one that steps aside, which would come back; one
    # that did goes before.
    aside, doomed = aside_of(folder), folder.with_name(f".{folder.name}.gone")
    try:
        if aside.exists():
            shutil.rmtree(aside)
        if folder.exists():
            shutil.rmtree(doomed, ignore_errors=True)
            put_in_place(folder, doomed)
        if doomed.exists():
            shutil.rmtree(doomed)
    except OSError as error:
        raise disk_error(folder.parent, error) from error


def keep_licences(folder: Path, target: Path) -> None:
    """Copy the licence files of a part, so that they stay when its files go. Raises ``CannotWrite``."""
    try:
        for path in folder.glob("*"):
            if path.name.upper().startswith(("LICENSE", "LICENCE", "NOTICE")):
                target.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target / path.name)
    except OSError as error:
        raise disk_error(target.parent, error) from error
