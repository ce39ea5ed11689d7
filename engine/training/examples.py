"""Examples to fine-tune with: a subject, words, and the picture they should make; from a folder or from Parquet shards.

A folder has ``metadata.jsonl``, one JSON object a line::

    {"image": "cat.jpg", "mask": "cat_mask.png", "caption": "a cat in the snow", "target": "cat_in_snow.jpg"}

``mask`` may be missing where the image has transparency. ``prompt`` may stand for ``caption``. ``target_mask``, optional, says where
the subject is in the target: its tokens then count more. Parquet shards (``*.parquet``) have the same columns; pictures are the
bytes of a file, as they are or in the struct ``{"bytes", "path"}`` that ``datasets`` writes.
"""

from __future__ import annotations

import importlib
import random
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image

from engine.errors import EchoGenError, InputError
from engine.photo.framing import cut_out
from engine.photo.load import load_photo
from engine.photo.mask_file import read_mask
from engine.request import CutOut
from engine.sentence import Sentence
from engine.text import shortened
from engine.validation import parse_json

METADATA = "metadata.jsonl"
PICTURES = ("image", "mask", "target", "target_mask")
_KEPT_GROUPS = 4
_MAX_ROW = 2**20


@dataclass(frozen=True, eq=False)
class TrainingExample:
    """One example at the sizes of a model.

    Attributes:
        subject: the cut-out.
        caption: the words.
        target: RGB uint8 (H, W, 3).
        inside: how much the subject covers of the target, float32 (H, W) in 0 … 1; all 0 where nobody said.
    """

    subject: CutOut
    caption: str
    target: np.ndarray
    inside: np.ndarray


class Rows(Protocol):
    """The raw examples of a folder.

    Attributes:
        skipped: sentences about those that cannot be used.
    """

    skipped: list[str]

    def __len__(self) -> int: ...

    def row(self, index: int) -> Mapping[str, Any]:
        """One of them: ``caption``, and pictures as paths or bytes, None where there is none."""


class Examples:
    """The examples of a folder.

    Args:
        folder: with ``metadata.jsonl`` or ``*.parquet``.
        size: (width, height) the targets are brought to: scaled to cover it, the middle kept.
        reference_size: side of the cut-outs in pixels.

    Raises:
        InputError: there are none, or what reads Parquet is not installed.
    """

    def __init__(self, folder: Path, size: tuple[int, int], reference_size: int) -> None:
        self.size, self.reference_size = size, reference_size
        shards = sorted(folder.glob("*.parquet"))
        self._rows: Rows = _Shards(shards) if shards else _Folder(folder)
        if not len(self._rows):
            raise InputError(
                Sentence("There are no examples in {folder}.", folder=folder),
                Sentence("It needs a file metadata.jsonl or Parquet shards; docs/training.md shows both."),
            )

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def skipped(self) -> list[str]:
        return self._rows.skipped

    def __getitem__(self, index: int) -> TrainingExample:
        """Read one. Raises ``EchoGenError`` with the reason where it cannot be used."""
        row = self._rows.row(index)
        photo, target = load_photo(row["image"]), load_photo(row["target"])
        mask = photo.alpha if row["mask"] is None else read_mask(row["mask"], photo)
        if mask is None:
            raise InputError(
                Sentence("The picture {name} has neither a mask nor transparency.", name=_called(row["image"]))
            )
        inside = np.zeros((target.height, target.width), np.uint8)
        if row["target_mask"] is not None:
            inside = read_mask(row["target_mask"], target)
        return TrainingExample(
            cut_out(photo, mask, self.reference_size),
            row["caption"],
            cover(target.rgb, self.size),
            cover(inside, self.size).astype(np.float32) / 255,
        )


def cover(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Pixels uint8 (H, W) or (H, W, 3) scaled until they cover (width, height), and the middle of that."""
    height, width = pixels.shape[:2]
    factor = max(size[0] / width, size[1] / height)
    scaled = max(size[0], round(width * factor)), max(size[1], round(height * factor))
    resized = np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).resize(scaled, Image.Resampling.LANCZOS))
    left, top = (scaled[0] - size[0]) // 2, (scaled[1] - size[1]) // 2
    return resized[top : top + size[1], left : left + size[0]]


class Order:
    """In which order examples come: all of them once, then all again in another order.

    It depends on the seed alone, and its place is two numbers: a training goes on with any number of processes.

    Args:
        count: of the examples.
    """

    def __init__(self, count: int, seed: int) -> None:
        self.count, self.seed = count, seed
        self.epoch = self.place = 0
        self._shuffled: tuple[int, list[int]] | None = None

    def next(self, batch: int) -> list[tuple[int, int]]:
        """The next examples, each as (epoch, index)."""
        found = []
        for _ in range(batch):
            found.append((self.epoch, self._of_epoch()[self.place]))
            self.place += 1
            if self.place == self.count:
                self.epoch, self.place = self.epoch + 1, 0
        return found

    def _of_epoch(self) -> list[int]:
        if self._shuffled is None or self._shuffled[0] != self.epoch:
            order = list(range(self.count))
            random.Random(f"order {self.seed} {self.epoch}").shuffle(order)
            self._shuffled = self.epoch, order
        return self._shuffled[1]

    def state(self) -> dict[str, int]:
        return {"epoch": self.epoch, "place": self.place, "count": self.count}

    def load_state(self, state: Mapping[str, int]) -> None:
        """Go on from there. Raises ``InputError`` where the examples have become more or fewer."""
        if state["count"] != self.count:
            raise InputError(
                Sentence(
                    "This training began with {before} examples, and now there are {now}.",
                    before=state["count"],
                    now=self.count,
                ),
                Sentence("Use the data it began with, or another folder for the new training."),
            )
        self.epoch, self.place = state["epoch"], state["place"]


class _Folder:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.skipped: list[str] = []
        self._rows: list[dict[str, Any]] = []
        path = folder / METADATA
        if not path.is_file():
            return
        try:
            # Not splitlines: a caption may hold other ends of lines.
            lines = path.read_text(encoding="utf-8-sig").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(Sentence("{path} cannot be read: {reason}.", path=path, reason=error)) from error
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                self._rows.append(_checked(parse_json(line, _MAX_ROW)))
            except ValueError as error:
                self.skipped.append(f"Line {number} of {METADATA} is skipped: {shortened(error)}.")

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, index: int) -> Mapping[str, Any]:
        return _in_folder(self._rows[index], self.folder)


class _Shards:
    """Row groups are read when one of their rows is wanted; the last few are kept."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.skipped: list[str] = []
        try:
            parquet = importlib.import_module("pyarrow.parquet")
        except ImportError as error:
            raise InputError(
                Sentence("Reading Parquet needs pyarrow."),
                Sentence("Install it with: pip install {package}", package="pyarrow"),
            ) from error
        self._folder = paths[0].parent
        self._files: list[Any] = []
        self._groups: list[tuple[int, int]] = []
        sizes: list[int] = []
        for path in paths:
            try:
                file = parquet.ParquetFile(path)
            except Exception as error:  # the library raises many kinds for a damaged file
                self.skipped.append(f"{path.name} is skipped: {shortened(error)}.")
                continue
            missing = [name for name in ("image", "target") if name not in file.schema_arrow.names]
            if missing or not {"caption", "prompt"} & set(file.schema_arrow.names):
                self.skipped.append(f"{path.name} is skipped: it has no column “{(missing or ['caption'])[0]}”.")
                continue
            for group in range(file.num_row_groups):
                self._groups.append((len(self._files), group))
                sizes.append(file.metadata.row_group(group).num_rows)
            self._files.append(file)
        self._ends = list(accumulate(sizes))
        self._kept: OrderedDict[int, list[dict[str, Any]]] = OrderedDict()

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def row(self, index: int) -> Mapping[str, Any]:
        group = bisect_right(self._ends, index)
        if group not in self._kept:
            file, number = self._groups[group]
            names = [name for name in self._files[file].schema_arrow.names if name in (*PICTURES, "caption", "prompt")]
            self._kept[group] = self._files[file].read_row_group(number, columns=names).to_pylist()
            if len(self._kept) > _KEPT_GROUPS:
                self._kept.popitem(last=False)
        self._kept.move_to_end(group)
        row = self._kept[group][index - (self._ends[group - 1] if group else 0)]
        try:
            return _in_folder(_checked(row), self._folder)
        except ValueError as error:
            raise InputError(
                Sentence("Row {row} of the shards cannot be used: {reason}.", row=index + 1, reason=error)
            ) from error


def _checked(row: Any) -> dict[str, Any]:
    """A row with its needed fields. Raises ``ValueError`` with the reason."""
    if not isinstance(row, dict):
        raise ValueError("it is no object")
    found = {name: row.get(name) for name in PICTURES}
    for name, value in found.items():
        if isinstance(value, dict):  # as ``datasets`` stores pictures
            found[name] = value.get("bytes") or value.get("path")
        if not isinstance(found[name], (str, bytes, type(None))):
            raise ValueError(f"“{name}” is no picture")
    for name in ("image", "target"):
        if not found[name]:
            raise ValueError(f"“{name}” is missing")
    caption = row.get("caption", row.get("prompt"))
    if not isinstance(caption, str) or not caption.strip():
        raise ValueError("“caption” is missing")
    return {**found, "caption": caption}


def _in_folder(row: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The row with paths instead of names."""
    return {
        name: folder / value if name in PICTURES and isinstance(value, str) else value for name, value in row.items()
    }


def _called(source: Path | bytes) -> str:
    return "of this row" if isinstance(source, bytes) else source.name


def usable(examples: Examples, index: int, skipped: set[int]) -> tuple[int, TrainingExample]:
    """The example of an index, or the next one after it that can be used. The same in every process.

    Args:
        skipped: indices that turned out to be unusable; new ones are added.

    Raises:
        InputError: no example can be used.
    """
    reason: EchoGenError | None = None
    for step in range(len(examples)):
        at = (index + step) % len(examples)
        if at in skipped:
            continue
        try:
            return at, examples[at]
        except EchoGenError as error:
            reason = error
            skipped.add(at)
    raise InputError(Sentence("None of the {count} examples can be used.", count=len(examples))) from reason
