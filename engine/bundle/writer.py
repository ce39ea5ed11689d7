"""Writing bundles: beside their place, then moved there as a whole, so that a half-written bundle is never found."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from engine.bundle.manifest import FORMAT, MANIFEST, PARTS, BundleManifest, inside
from engine.bundle.records import BundleFile
from engine.encoders.names import own_name
from engine.errors import Cancelled, CannotWrite, os_reason
from engine.files import is_full, put_in_place, readable, replace_folder, write_atomically
from engine.sentence import Sentence

SHARD_BYTES = 512 * 10**6
_HASHING = 4  # files that are hashed at once


class BundleWriter:
    """Collects the files of one bundle in a folder beside ``folder``; ``finish`` moves it there.

    A context manager: what was written is removed again when the block ends without ``finish``.

    Args:
        resume: stands for what is written and how. Where it is given, weights files that are complete stay when the work is
            stopped or the disk is full, and when the process ends in the middle; the next writer with the same one goes on
            after them.

    Raises:
        CannotWrite: the folder holds something that is no bundle, or cannot be written.
    """

    def __init__(self, folder: Path, resume: str = "") -> None:
        self.folder = Path(folder).absolute()
        if self.folder.exists() and not (self.folder / MANIFEST).is_file() and not _is_empty(self.folder):
            raise CannotWrite(
                Sentence("{folder} holds something else than a model.", folder=self.folder),
                Sentence("Name a new or an empty folder."),
            )
        self._resume = resume
        self._work = self.folder.with_name(f".{self.folder.name}.{resume or secrets.token_hex(4)}.part")

    def __enter__(self) -> BundleWriter:
        with _errors_in_words(self.folder):
            self._work.mkdir(parents=True, exist_ok=bool(self._resume))
            for begun in self._work.rglob("*.tmp"):
                begun.unlink()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self._resume and isinstance(error, (Cancelled, CannotWrite, KeyboardInterrupt)) and self.stored_bytes:
            return
        shutil.rmtree(self._work, ignore_errors=True)

    @property
    def stored_bytes(self) -> int:
        """Bytes of the weights files that are complete."""
        return sum(path.stat().st_size for path in self._work.rglob("*.safetensors"))

    def stored(self, part: str) -> frozenset[str]:
        """Names of a part's weights that are in complete files already."""
        names: set[str] = set()
        for path in (self._work / part).glob("*.safetensors"):
            with safe_open(path, "pt") as file:
                names.update(file.keys())
        return frozenset(names)

    def add_weights(self, part: str, tensors: Iterable[tuple[str, Tensor]], shard_bytes: int = SHARD_BYTES) -> None:
        """Write a part's weights as they come, in files of at most ``shard_bytes`` (or one tensor, if that is larger).

        An encoder's weights may come under any spelling; they are stored under our own names. No more than one file's tensors
        are held at a time. Where files of this part are there already, these are the weights that ``stored`` does not name, in
        the order they always have.
        """
        if part not in PARTS:
            raise ValueError(f"{part!r} is no part of a bundle")
        shard: dict[str, Tensor] = {}
        held, count = 0, len(list((self._work / part).glob("*.safetensors")))
        for name, tensor in tensors:
            if shard and held + tensor.nbytes > shard_bytes:
                count += 1
                self._write_shard(part, count, shard)
                shard, held = {}, 0
            name = own_name(part, name)
            # A tensor that is part of a larger one, or shares its memory with another, is not to be written twice.
            shard[name] = (
                tensor.detach().to("cpu", copy=tensor.untyped_storage().nbytes() != tensor.nbytes).contiguous()
            )
            held += tensor.nbytes
        if shard or not count:
            self._write_shard(part, count + 1 if count else 0, shard)

    def _write_shard(self, part: str, number: int, shard: dict[str, Tensor]) -> None:
        path = self._work / part / (f"weights-{number:05d}.safetensors" if number else "weights.safetensors")
        with _errors_in_words(self.folder, sum(tensor.nbytes for tensor in shard.values())):
            path.parent.mkdir(exist_ok=True)
            begun = path.with_name(f"{path.name}.tmp")
            try:
                save_file(shard, begun, metadata={"format": "pt"})
            except Exception as error:  # the library has an exception of its own for a full disk
                begun.unlink(missing_ok=True)
                raise OSError(getattr(error, "errno", None) or _errno_in(str(error)), str(error)) from error
            begun.chmod(self._work.stat().st_mode & 0o666)  # the library gives its files to the owner alone
            with begun.open("rb+") as stream:
                os.fsync(stream.fileno())
            put_in_place(begun, path)

    def add_file(self, name: str, content: bytes | Path) -> None:
        """Write or copy one file, for example "text/tokenizer.json"."""
        target = self._work / inside(name)
        with _errors_in_words(self.folder):
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                target.write_bytes(content)
            else:
                shutil.copyfile(content, target)

    def finish(self, manifest: BundleManifest) -> BundleManifest:
        """Write the manifest with every file's size and hash, and move the bundle to its place.

        Args:
            manifest: its ``files`` are replaced by what was written.

        Returns:
            The manifest as it was written.
        """
        names = sorted(path.relative_to(self._work).as_posix() for path in self._work.rglob("*") if path.is_file())
        with ThreadPoolExecutor(_HASHING) as pool:  # hashing lets go of Python's lock
            files = dict(zip(map(inside, names), pool.map(BundleFile.of, map(self._work.joinpath, names)), strict=True))
        # Through the reader: what cannot be read again must not be written.
        manifest = BundleManifest.from_json(json.loads(_dumps(replace(manifest, files=files, format=FORMAT))))
        with _errors_in_words(self.folder):
            path = self._work / MANIFEST
            path.write_text(_dumps(manifest), encoding="utf-8")
            for written in [self._work / name for name in names] + [path]:
                with written.open("rb+") as stream:
                    os.fsync(stream.fileno())
            replace_folder(self._work, self.folder)
        return manifest


def write_bundle(
    folder: Path,
    manifest: BundleManifest,
    weights: Mapping[str, Mapping[str, Tensor]],
    files: Mapping[str, bytes | Path],
    *,
    dtype: torch.dtype | None = None,
) -> BundleManifest:
    """Write a whole bundle at once.

    Args:
        manifest: without ``files``.
        weights: the state dict of every one of ``PARTS``.
        files: everything else, by its path inside the bundle: "text/tokenizer.json", "README.md", "thumbs/snow.webp", …
        dtype: what floating-point weights are rounded to; None writes them as they are.

    Returns:
        The manifest with sizes and hashes.

    Raises:
        CannotWrite, BundleError: the folder cannot be written; the manifest does not fit its files.
    """
    with BundleWriter(folder) as writer:
        for part in PARTS:
            writer.add_weights(part, _rounded(weights[part], dtype))
        for name, content in files.items():
            writer.add_file(name, content)
        return writer.finish(manifest)


def rewrite_manifest(folder: Path, manifest: BundleManifest) -> None:
    """Replace the description of a bundle whose files stay as they are.

    Raises:
        CannotWrite: it cannot be written; the old one stays.
        BundleError: it could not be read again.
    """
    BundleManifest.from_json(json.loads(_dumps(manifest)))
    write_atomically(folder / MANIFEST, _dumps(manifest).encode())


def _rounded(state: Mapping[str, Tensor], dtype: torch.dtype | None) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in state.items():
        yield name, tensor.to(dtype) if dtype is not None and tensor.is_floating_point() else tensor


def _dumps(manifest: BundleManifest) -> str:
    return json.dumps(manifest.to_json(), indent=1, ensure_ascii=False) + "\n"


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


def _errno_in(text: str) -> int:
    """The number in "… (os error 28)"."""
    _, _, rest = text.partition("(os error ")
    digits = rest.partition(")")[0]
    return int(digits) if digits.isdecimal() else errno.EIO


@contextlib.contextmanager
def _errors_in_words(folder: Path, needed: int = 0) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if is_full(error):
            full = Sentence("The disk of {parent} is full.", parent=folder.parent)
            more = Sentence("{needed} more were to be written.", needed=readable(needed))
            raise CannotWrite(
                Sentence.row(full, more) if needed else full,
                Sentence("Make room, or choose another folder."),
                title=Sentence("The disk is full"),
            ) from error
        raise CannotWrite(
            Sentence("The model cannot be written to {folder}: {reason}.", folder=folder, reason=os_reason(error)),
            Sentence("Choose another folder."),
        ) from error
