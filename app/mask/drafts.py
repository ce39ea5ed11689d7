"""Unfinished work on a mask, kept on disk while its editor is open: nothing painted is lost by a crash. Free of Qt.

One file for each, under a name that its owner chose: its pixels are a PNG, its strokes are numbers, the rest is JSON.
Whatever is damaged, or of another version, counts as not there; a copy of it is kept aside.
"""

from __future__ import annotations

import io
import json
import logging
import re
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import cv2
import numpy as np
from msgspec import Meta, Struct

from app.mask.brush import Brush, Point
from app.mask.layers import with_edge
from app.mask.strokes import Edge, MaskMarks, Painted
from app.store.json_file import put_aside
from engine import CannotWrite, Placement, Sentence, parse_json, read_value, write_atomically
from engine.photo import Box, Click

log = logging.getLogger(__name__)

_SUFFIX = ".draft"
_NAME = re.compile(r"[0-9a-f]{64}")
_VERSION = 1
_MOST = 24
"""So many drafts are kept; the oldest are forgotten."""
_MAX_MARKS = 64 * 2**20


class _Painted(Struct):
    """A stroke or area in a draft's file; its points are in a list of their own."""

    points: Annotated[int, Meta(ge=1)]
    brush: Brush | None
    include: bool


class _Marks(Struct):
    """The JSON in a draft's file, beside pixels and points."""

    version: Literal[1]
    clicks: tuple[Click, ...]
    box: Box | None
    painted: tuple[_Painted, ...]
    edge: Edge
    candidate: int
    placement: Placement | None = None


@dataclass(frozen=True, eq=False)
class Draft:
    """Work on a mask that was neither used nor discarded.

    Attributes:
        name: 64 hexadecimal digits.
        base: uint8 (H, W), the mask before its edge.
        marks: clicks, box, strokes and edge.
        placement: where the subject was put in a photo that it goes into, or None.
    """

    name: str
    base: np.ndarray
    marks: MaskMarks
    placement: Placement | None = None

    def mask(self) -> np.ndarray:
        """uint8 (H, W), with its edge applied; ``base`` itself where there is none."""
        return with_edge(self.base, self.marks.edge)


class DraftStore:
    """Keeps drafts in a folder, which is made when the first one is written. May be used from several threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, draft: Draft) -> None:
        """Write a draft in the place of the one of the same name. Raises ``CannotWrite``."""
        write_atomically(self._file(draft.name), _packed(draft))
        files = sorted(self._files(), key=_age)
        for file in files[:-_MOST]:
            file.unlink(missing_ok=True)

    def load(self, name: str) -> Draft | None:
        """The draft of a name, or None when there is none that can be read."""
        file = self._file(name)
        try:
            return _unpacked(name, file.read_bytes())
        except FileNotFoundError:
            return None
        except Exception:  # a damaged file raises anything
            log.warning("unfinished work on a mask cannot be read", exc_info=True)
            put_aside(file)
            return None

    def names(self) -> set[str]:
        """The names of all."""
        return {file.stem for file in self._files()}

    def clear(self, name: str) -> None:
        """Forget a draft."""
        try:
            self._file(name).unlink(missing_ok=True)
        except OSError:
            log.info("a draft cannot be removed", exc_info=True)

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}{_SUFFIX}"

    def _files(self) -> list[Path]:
        found = self.folder.glob(f"*{_SUFFIX}") if self.folder.is_dir() else ()
        return [file for file in found if _NAME.fullmatch(file.stem)]


def _age(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:  # another thread has just removed it
        return 0.0


def _packed(draft: Draft) -> bytes:
    good, pixels = cv2.imencode(".png", draft.base, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not good:
        raise CannotWrite(Sentence("{file} cannot be packed.", file=f"{draft.name}{_SUFFIX}"))
    marks = draft.marks
    paths = [np.asarray(item.path, np.float64).reshape(-1, 2) for item in marks.painted]
    points = io.BytesIO()
    np.save(points, np.concatenate(paths) if paths else np.zeros((0, 2)), allow_pickle=False)
    described = {
        "version": _VERSION,
        "clicks": [asdict(click) for click in marks.clicks],
        "box": asdict(marks.box) if marks.box is not None else None,
        "edge": asdict(marks.edge),
        "candidate": marks.candidate,
        "placement": draft.placement.to_json() if draft.placement is not None else None,
        "painted": [
            {"points": len(item.path), "brush": asdict(item.brush) if item.brush else None, "include": item.include}
            for item in marks.painted
        ],
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mask.png", pixels.tobytes())
        archive.writestr("paths.npy", points.getvalue())
        archive.writestr("marks.json", json.dumps(described))
    return out.getvalue()


def _unpacked(name: str, content: bytes) -> Draft:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        pixels = cv2.imdecode(np.frombuffer(archive.read("mask.png"), np.uint8), cv2.IMREAD_GRAYSCALE)
        points = np.load(io.BytesIO(archive.read("paths.npy")), allow_pickle=False)
        found = read_value(parse_json(archive.read("marks.json"), _MAX_MARKS), _Marks)
    if pixels is None:
        raise ValueError("not a draft of this program")
    painted, begin = [], 0
    for item in found.painted:
        path: tuple[Point, ...] = tuple((float(x), float(y)) for x, y in points[begin : begin + item.points])
        begin += item.points
        if not path:
            raise ValueError("a stroke without points")
        painted.append(Painted(path, item.brush, item.include))
    marks = MaskMarks(found.clicks, found.box, tuple(painted), found.edge, found.candidate)
    return Draft(name, pixels, marks, found.placement)
