"""Finding published files in a folder the user has: a download folder, a USB stick, another program's cache.

Nothing is opened but small JSON files: what a folder holds is told by file names and by ``config.json``.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.bundle.manifest import MANIFEST
from engine.errors import CannotWrite, InputError
from engine.files import disk_error, is_folder, readable, replace_folder
from engine.process.messages import Originals
from engine.sentence import Sentence
from engine.validation import Damage, read_entries, read_json
from engine.weights.catalogue import PARTS, Part

_MAX_DEPTH = 6
_MAX_FOLDERS = 20_000
_MAX_CONFIG = 2**20
# What config.json calls them → the role they have.
_MODEL_TYPES = {
    "t5": "text",
    "dinov2": "semantic",
    "grounding-dino": "grounding",
    "sam2": "segmentation",
    "sam2_video": "segmentation",
    "qwen2_5_vl": "naming",
    "swin2sr": "enlarging",
}


@dataclass(frozen=True)
class FoundFiles:
    """The contents of a folder.

    Attributes:
        bundles: folders that are bundles already.
        transformers, tokenizers: checkpoint files, by the model they belong to ("2b", "125m").
        text, semantic, content: folders of encoders.
        helpers: part of the catalogue → its folder.
    """

    bundles: tuple[Path, ...] = ()
    transformers: tuple[tuple[str, Path], ...] = ()
    tokenizers: tuple[tuple[str, Path], ...] = ()
    text: Path | None = None
    semantic: Path | None = None
    content: Path | None = None
    helpers: tuple[tuple[str, Path], ...] = ()

    def originals(self) -> list[tuple[str, Originals]]:
        """The models that can be made: name and files.

        Raises:
            InputError: a model is begun, and something of it is missing; the sentence says what.
        """
        tokenizers = dict(self.tokenizers)
        made = []
        for size, transformer in self.transformers:
            file = _TOKENIZER_NAMES[size]
            needed: dict[Sentence, Path | None] = {
                Sentence("the visual tokenizer ({file})", file=file): tokenizers.get(size),
                Sentence("the text encoder (a folder of flan-t5-xl)"): self.text,
                Sentence("the semantic encoder (a folder of dinov2-base)"): self.semantic,
                Sentence("the content encoder (the folder “vae” of FLUX.1)"): self.content,
            }
            missing = [what for what, path in needed.items() if path is None]
            if missing:
                raise InputError(
                    Sentence(
                        "{transformer} is there, but {missing} {are} not.",
                        transformer=transformer.name,
                        missing=_listed(missing),
                        are="is" if len(missing) == 1 else "are",
                    ),
                    Sentence("Put all files of the model into one folder, then import it."),
                )
            tokenizer, text, semantic, content = (path for path in needed.values() if path is not None)
            made.append(
                (f"echogen-{size}", Originals(transformer, tokenizer, text, semantic, content, _origins(content)))
            )
        return made

    @property
    def empty(self) -> bool:
        return not (self.bundles or self.transformers or self.helpers)


_TOKENIZER_NAMES = {"2b": "infinity_vae_d32reg.pth", "125m": "infinity_vae_d16.pth"}


def scan_folder(folder: Path) -> FoundFiles:
    """See what a folder and the folders in it hold. Reads names and config files only.

    Raises:
        InputError: there is no such folder.
    """
    if not is_folder(folder):
        raise InputError(
            Sentence("There is no folder {folder}.", folder=folder), Sentence("Choose the folder the files lie in.")
        )
    bundles: list[Path] = []
    transformers: dict[str, Path] = {}
    tokenizers: dict[str, Path] = {}
    encoders: dict[str, Path] = {}
    helpers: dict[str, Path] = {}
    for place, names in _folders_below(folder):
        if MANIFEST in names:
            bundles.append(place)
            continue
        for name in names:
            lower = name.lower()
            if not lower.endswith((".pth", ".pt", ".safetensors")):
                continue
            if "echogen" in lower:
                transformers.setdefault("2b" if "2b" in lower else "125m", place / name)
            elif "vae_d32" in lower or "vae_d16" in lower:
                tokenizers.setdefault("2b" if "d32" in lower else "125m", place / name)
        role, config = _role(place, names)
        if role in ("text", "semantic", "content"):
            if role not in encoders and _has_weights(names):
                encoders[role] = place
        elif role:
            part = _helper_part(role, config)
            if part is not None and _has_weights(names):
                helpers.setdefault(part.key, place)
    return FoundFiles(
        tuple(bundles),
        tuple(transformers.items()),
        tuple(tokenizers.items()),
        encoders.get("text"),
        encoders.get("semantic"),
        encoders.get("content"),
        tuple(helpers.items()),
    )


def copy_folder(source: Path, target: Path, on_progress: Callable[[int, int], None] = lambda done, total: None) -> None:
    """Copy a folder beside its place, then move it there as a whole. Links are followed; blocks. For one process at a time.

    Raises:
        CannotWrite: there is not enough room, or the folder cannot be written; what was there stays.
    """
    files = [path for path in sorted(source.rglob("*")) if path.is_file() and not path.name.endswith(".part")]
    total = sum(path.stat().st_size for path in files)
    work = begun_copy(target)
    shutil.rmtree(work, ignore_errors=True)  # of an import that was killed
    done = 0
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(target.parent).free
        if total > free:
            raise CannotWrite(
                Sentence(
                    "{total} is to be copied, {free} is free in {parent}.",
                    total=readable(total),
                    free=readable(free),
                    parent=target.parent,
                ),
                Sentence("Make room, or choose another folder for the models."),
                title=Sentence("The disk is nearly full"),
            )
        for path in files:
            into = work / path.relative_to(source)
            into.parent.mkdir(parents=True, exist_ok=True)
            with path.open("rb") as reader, into.open("wb") as writer:
                while block := reader.read(4 * 2**20):
                    writer.write(block)
                    done += len(block)
                    on_progress(done, total)
                writer.flush()
                os.fsync(writer.fileno())
        replace_folder(work, target)
    except OSError as error:
        raise disk_error(target.parent, error) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def begun_copy(target: Path) -> Path:
    """The folder that ``copy_folder`` fills; only an import that was killed leaves it."""
    return target.with_name(f".{target.name}.copy")


def _folders_below(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """Folders and the files in them, not too deep; what cannot be read is passed over."""
    for count, (place, folders, names) in enumerate(os.walk(folder)):
        if count == _MAX_FOLDERS:
            return
        depth = len(Path(place).relative_to(folder).parts)
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if depth < _MAX_DEPTH else []
        yield Path(place), sorted(names)


def _role(place: Path, names: list[str]) -> tuple[str, dict[str, Any]]:
    if "config.json" not in names:
        return "", {}
    try:
        config = read_json(place / "config.json", dict[str, Any], _MAX_CONFIG)
    except (OSError, Damage):
        return "", {}
    if config.get("_class_name") == "AutoencoderKL":
        return "content", config
    return _MODEL_TYPES.get(str(config.get("model_type", "")), ""), config


def _helper_part(role: str, config: dict[str, Any]) -> Part | None:
    """The part of the catalogue that a helper is; of the two sizes of the naming model its width tells, and of an upscaler its factor."""
    if role == "naming":
        large = read_entries(config.get("text_config", config), int).get("hidden_size", 0) > 3000
        return PARTS["qwen2.5-vl-7b" if large else "qwen2.5-vl-3b"]
    if role == "enlarging":
        return PARTS.get(f"swin2sr-x{config.get('upscale', 2)}")  # transformers leaves out what is the default
    return next((part for part in PARTS.values() if part.role == role), None)


def _has_weights(names: list[str]) -> bool:
    return any(name.endswith(".safetensors") or name.startswith("pytorch_model") for name in names)


def _origins(content: Path) -> tuple[tuple[str, str, str], ...]:
    """Return the sources of the parts. Which of the two FLUX.1 releases it is, only the folder's place can say."""
    named = [PARTS[key] for key in ("echogen-2b-transformer", "infinity-vae-d32", "flan-t5-xl", "dinov2-base")]
    origins = [(part.role, part.repository, part.licence.name) for part in named]
    place = "/".join(content.absolute().parts[-6:]).lower()
    for word, key in (("schnell", "flux-schnell-vae"), ("dev", "flux-dev-vae")):
        if f"flux.1-{word}" in place:
            part = PARTS[key]
            return (*origins, ("content", part.repository, part.licence.name))
    if "z-image" in place:
        part = PARTS["flux-vae"]
        return (*origins, ("content", part.repository, part.licence.name))
    either = (
        f"{PARTS['flux-schnell-vae'].licence.name} or {PARTS['flux-dev-vae'].licence.name}, depending on the release"
    )
    return (*origins, ("content", "black-forest-labs/FLUX.1", either))


def _listed(items: list[Sentence]) -> Sentence:
    """ "a, b and c"."""
    *before, last = items
    if not before:
        return last
    row = before[0]
    for item in before[1:]:
        row = Sentence("{row}, {item}", row=row, item=item)
    return Sentence("{row} and {item}", row=row, item=last)
