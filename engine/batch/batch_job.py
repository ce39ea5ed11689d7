"""A job on the disk: one folder that knows what is to be drawn, what is drawn, and what failed.

::

    job.json            the model, so that pictures of two models never mix
    plan/*.parquet      the requests, sorted by subject, then prompt, so that the engine's caches serve
    subjects/*.json     each cut-out once, named by its digest
    pictures/ab/*.png   named by the request's id; a picture that is there is whole, and done
    begun/              under Ray, requests that a worker is at: one that ends its workers is found by it
    records/*.jsonl     what became of each request; every worker appends to a file of its own
    manifest.parquet    the records in one table, written at the end of every run

A worker writes the record first and the picture second, by a temporary file and a rename. So whenever it dies, what has a
picture has a record, and what has none is drawn again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import socket
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from msgspec import Struct

from engine.errors import InputError
from engine.files import disk_error, put_in_place, write_atomically, write_json
from engine.request import MAX_JSON_BYTES, CutOut, GenerationRequest
from engine.sentence import Sentence
from engine.validation import Damage, parse_json, read_json, read_value

JOB = "job.json"
MANIFEST = "manifest.parquet"
FORMAT = 1
_MAX_DESCRIPTION = 2**16
_PART_ROWS = 32
"""Requests in one file of the plan. A file takes milliseconds whatever is in it, and is in memory as a whole."""
_COLUMNS = ("id", "request", "file", "likeness", "seconds", "error")


class _Begun(Struct):
    """The contents of ``job.json``."""

    format: int
    bundle: str


@dataclass(frozen=True)
class Planned:
    """A request as the plan holds it: its JSON without the subject, and the subject's digest ("" for none)."""

    id: str
    subject: str
    request: str


@dataclass(frozen=True)
class Record:
    """The outcome of a request.

    Attributes:
        file: of the picture, relative to the job's folder; "" when it failed.
        likeness: how alike the picture is to its cut-out, 0 … 1, or None where the model's encoder cannot tell.
        seconds: of drawing, without waiting and writing.
        error: one sentence, or "".
    """

    id: str
    request: str
    file: str = ""
    likeness: float | None = None
    seconds: float | None = None
    error: str = ""


def pixels_digest(subject: CutOut) -> str:
    """Hex digest of all four planes of a cut-out and its framing; the same however its PNG was packed."""
    head = f"{subject.pixels.shape} {subject.framing} {subject.photo} {subject.mask} {'cut below ' if subject.cut_below else ''}"
    if subject.cut_beside:
        head += f"cut {subject.cut_beside} "
    return hashlib.sha256(head.encode() + subject.pixels.tobytes()).hexdigest()


def planned(request: GenerationRequest) -> Planned:
    """A request with its id: the SHA-256 of its JSON, the cut-out by its digest."""
    subject = pixels_digest(request.subject) if request.subject is not None else ""
    data = replace(request, subject=None).to_json()
    data["subject"] = subject or None
    text = json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return Planned(hashlib.sha256(text.encode()).hexdigest(), subject, text)


def picture_name(identity: str) -> str:
    """Return the path of a picture within the job's folder. There are 256 folders, so that none grows too long to be
    listed."""
    return f"pictures/{identity[:2]}/{identity}.png"


class BatchJob:
    """The folder of a job."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self._plan, self._new_plan = self.folder / "plan", self.folder / ".plan.new"

    @classmethod
    def open(cls, folder: Path, bundle: str, *, resume: bool) -> BatchJob:
        """Begin a job in a folder, or go on with the one that is there.

        Args:
            bundle: identity of the model, "name@digest".

        Raises:
            InputError: the folder holds a job and ``resume`` is off, one of another model, or other files.
            CannotWrite: the folder cannot be written.
        """
        job = cls(folder)
        found = job._described()
        if found is None and job._holds_something():
            raise InputError(
                Sentence("The folder {folder} holds other files and no job.", folder=folder),
                Sentence("Name an empty or a new folder."),
            )
        # One that ended before its plan was written, at a broken line perhaps, holds nothing to go on with.
        begun = found is not None and (job.is_planned() or (job.folder / "pictures").is_dir())
        if begun and not resume:
            raise InputError(
                Sentence("The folder {folder} holds a job already.", folder=folder),
                Sentence("Go on with it by --resume, or name another folder."),
            )
        if begun and found != bundle:
            raise InputError(
                Sentence(
                    "The job in {folder} was begun with {found}, and {bundle} is to draw.",
                    folder=folder,
                    found=found,
                    bundle=bundle,
                ),
                Sentence("Name another folder, or the model it was begun with."),
            )
        if not begun:
            write_json(job.folder / JOB, {"format": FORMAT, "bundle": bundle})
        return job

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other runs off the job; the system lets go of it however this one ends. A new plan that an earlier run had
        written, and not put in its place before it was killed, is put there.

        Raises:
            InputError: another run is at it.
            CannotWrite: the folder cannot be written.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self.folder / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise InputError(
                Sentence("Another run is drawing the job in {folder}.", folder=self.folder),
                Sentence("Wait until it ends, or name another folder."),
            ) from error
        except NotImplementedError:
            pass  # network storage that knows no locks
        except OSError as error:
            raise disk_error(self.folder, error) from error
        try:
            self._take_new_plan()
            yield
        finally:
            lock.release()

    def _holds_something(self) -> bool:
        try:
            return any(self.folder.iterdir())
        except OSError:
            return False  # not there yet; whether it can be made is seen when it is written

    def _described(self) -> str | None:
        path = self.folder / JOB
        try:
            data = read_json(path, _Begun, _MAX_DESCRIPTION)
            if data.format != FORMAT:
                raise InputError(
                    Sentence("The job in {folder} was begun by another version.", folder=self.folder),
                    Sentence("Name another folder."),
                )
            return data.bundle
        except FileNotFoundError:
            return None
        except NotADirectoryError as error:
            raise InputError(
                Sentence("{folder} is no folder.", folder=self.folder), Sentence("Name another one.")
            ) from error
        except (OSError, Damage) as error:
            raise InputError(Sentence("{path} is damaged.", path=path), Sentence("Name another folder.")) from error

    # The plan

    def write_plan(self, requests: Iterable[GenerationRequest]) -> tuple[int, int]:
        """Sort requests by subject, then prompt, and write them in small parts.

        Returns:
            How many there are, and how many more were the same as an earlier one.
        """
        unique: dict[str, tuple[str, str, int, Planned]] = {}
        repeated = 0
        for request in requests:
            row = planned(request)
            repeated += row.id in unique
            unique[row.id] = (row.subject, request.prompt, request.seed, row)
            if request.subject is not None:
                self._keep_subject(row.subject, request.subject)
        ordered = [row for *_, row in sorted(unique.values(), key=lambda entry: (*entry[:3], entry[3].id))]
        del unique
        partial = self.folder / ".plan.part"
        try:
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            for start in range(0, len(ordered), _PART_ROWS):
                part = [asdict(row) for row in ordered[start : start + _PART_ROWS]]
                _write_table(part, partial / f"part-{start:09}.parquet", ("id", "subject", "request"))
            shutil.rmtree(self._new_plan, ignore_errors=True)
            put_in_place(partial, self._new_plan)  # whole from here on: whoever is killed below has lost nothing
        except OSError as error:
            raise disk_error(self._plan, error) from error
        self._take_new_plan()
        return len(ordered), repeated

    def _take_new_plan(self) -> None:
        if not self._new_plan.is_dir():
            return
        try:
            shutil.rmtree(self._plan, ignore_errors=True)
            put_in_place(self._new_plan, self._plan)
        except OSError as error:
            raise disk_error(self._plan, error) from error

    def plan(self) -> Iterator[Planned]:
        """The requests in the order they are drawn in; one part is in memory at a time. Raises ``InputError``: it is damaged."""
        from pyarrow import ArrowException, parquet

        for part in self.parts():
            try:
                # Not read_table, which looks at the file as a data set of many: ten times as long.
                with parquet.ParquetFile(part) as file:
                    rows = read_value(file.read().to_pylist(), list[Planned])
            except (ArrowException, OSError, Damage) as error:
                raise self.damaged_plan() from error
            yield from rows

    def damaged_plan(self) -> InputError:
        """The error for a plan that cannot be read."""
        return InputError(
            Sentence("The plan of the job in {folder} is damaged.", folder=self.folder),
            Sentence("Give the requests again, with --resume."),
        )

    def parts(self) -> list[Path]:
        """The files of the plan, in order."""
        return sorted(self._plan.glob("part-*.parquet"))

    def is_planned(self) -> bool:
        """Return True if an earlier run has written a plan."""
        return bool(self.parts()) or self._new_plan.is_dir()

    def planned_count(self) -> int:
        """Return the number of requests in the plan of an earlier run; 0 without one. Raises ``InputError``: it is damaged."""
        from pyarrow import ArrowException, parquet

        try:
            return sum(parquet.read_metadata(part).num_rows for part in self.parts())
        except (ArrowException, OSError) as error:
            raise self.damaged_plan() from error

    def _keep_subject(self, digest: str, subject: CutOut) -> None:
        path = self._subject_file(digest)
        if not path.is_file():
            write_atomically(path, json.dumps(subject.to_json()).encode())

    def _subject_file(self, digest: str) -> Path:
        return self.folder / "subjects" / f"{digest}.json"

    def read_subject(self, digest: str) -> CutOut:
        """A cut-out by its digest. Raises ``InputError``: it is gone or damaged."""
        try:
            subject = CutOut.from_json(read_json(self._subject_file(digest), dict[str, Any], MAX_JSON_BYTES))
        except (OSError, Damage) as error:
            raise InputError(
                Sentence("The subject {digest} of this request is missing.", digest=digest[:12]),
                Sentence("Start again with --resume."),
            ) from error
        return subject

    # What became of it

    def picture(self, identity: str) -> Path:
        """Return the path of the picture of an id, whether it is drawn or not."""
        return self.folder / picture_name(identity)

    def has_picture(self, identity: str) -> bool:
        return self.picture(identity).is_file()

    def begin(self, identity: str) -> int:
        """Note that a worker begins a request, where other workers see it. Returns how often one has, without an ``end``."""
        path = self.folder / "begun" / identity
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab") as file:
                file.write(b".")
            return path.stat().st_size
        except OSError as error:
            raise disk_error(path.parent, error) from error

    def end(self, identity: str) -> None:
        """The worker that began a request has lived to the end of it."""
        (self.folder / "begun" / identity).unlink(missing_ok=True)

    def records(self) -> dict[str, Record]:
        """The record of each id: of its picture where there is one, else of its last failure.

        A line that a dying worker left half written is skipped.
        """
        found: dict[str, Record] = {}
        for path in sorted((self.folder / "records").glob("*.jsonl"), key=lambda path: path.stat().st_mtime):
            with path.open(encoding="utf-8", errors="replace") as file:
                for line in file:
                    record = _read_record(line)
                    if record is None or (record.file and not self.has_picture(record.id)):
                        continue
                    before = found.get(record.id)
                    if before is None or not before.file or record.file:
                        found[record.id] = record
        return found

    def write_manifest(self) -> tuple[int, int]:
        """Write ``manifest.parquet``. Returns how many pictures there are, and how many requests have none.

        Raises:
            CannotWrite: the disk is full; the old manifest stays.
        """
        records = self.records()
        for row in self.plan():
            if row.id not in records:
                if self.has_picture(row.id):  # its record was lost with the power
                    records[row.id] = Record(row.id, row.request, picture_name(row.id))
                else:
                    records[row.id] = Record(
                        row.id, row.request, error=Sentence("It was not drawn; go on with --resume.")
                    )
        target = self.folder / MANIFEST
        partial = target.with_name(f".{MANIFEST}.{secrets.token_hex(4)}.part")
        try:
            _write_table([asdict(record) for record in records.values()], partial, _COLUMNS)
            put_in_place(partial, target)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise disk_error(self.folder, error) from error
        pictures = sum(1 for record in records.values() if record.file)
        return pictures, len(records) - pictures


class RecordFile:
    """The records of one worker, appended line by line."""

    def __init__(self, job: BatchJob) -> None:
        name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}.jsonl"
        self.path = job.folder / "records" / name

    def add(self, record: Record) -> None:
        """Append a record. Raises ``CannotWrite``."""
        line = json.dumps(asdict(record), ensure_ascii=False) + "\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(line)
        except OSError as error:
            raise disk_error(self.path.parent, error) from error


def _read_record(line: str) -> Record | None:
    try:
        return read_value(parse_json(line, 2 * MAX_JSON_BYTES), Record)
    except Damage:
        return None


def _write_table(rows: list[dict[str, Any]], path: Path, columns: tuple[str, ...]) -> None:
    import pyarrow
    from pyarrow import parquet

    numbers = ("likeness", "seconds")
    kinds = [(name, pyarrow.float64() if name in numbers else pyarrow.string()) for name in columns]
    parquet.write_table(pyarrow.Table.from_pylist(rows, pyarrow.schema(kinds)), path, compression="zstd")
