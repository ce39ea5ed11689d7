"""Draws the requests of a job, one after the other: the same code in this process and in every worker of Ray."""

from __future__ import annotations

import logging
import shutil
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.batch.batch_job import BatchJob, Planned, Record, RecordFile, picture_name
from engine.device.threads import spin_briefly
from engine.errors import Cancel, Cancelled, CannotWrite, DeviceLost, EchoGenError
from engine.events import Finished
from engine.files import disk_error, put_in_place
from engine.request import MAX_JSON_BYTES, CutOut, GenerationRequest
from engine.validation import Damage, parse_json, read_value

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WorkerOptions:
    """The settings of a worker; they travel to other machines.

    Attributes:
        folder: of the job, seen by all machines under this path.
        bundle: name or folder of the model.
        threads: of the processor, or None for torch's own choice.
        bundle_cache: folder on the machine's own disk that the model is copied to, once a machine; None to read it in place.
    """

    folder: str
    bundle: str
    device: str = "auto"
    memory: str = "auto"
    threads: int | None = None
    bundle_cache: str | None = None


class Worker:
    """An open engine and the records of what it draws. A context manager."""

    def __init__(self, options: WorkerOptions) -> None:
        spin_briefly()
        import torch

        from engine.bundle.library import resolve_bundle
        from engine.engine import Engine

        if options.threads is not None:
            torch.set_num_threads(options.threads)
        bundle = resolve_bundle(options.bundle)
        if options.bundle_cache is not None:
            bundle = copied_once(bundle, Path(options.bundle_cache))
        self.job = BatchJob(Path(options.folder))
        self.engine = Engine.open(bundle, options.device, options.memory)
        self._records = RecordFile(self.job)
        self._subject: tuple[str, CutOut] | None = None
        self._writer = ThreadPoolExecutor(1)
        self._written: Future[None] | None = None

    def draw(self, row: Planned, cancel: Cancel | None = None) -> Record | None:
        """Draw one request and write its record; its picture is written while the next one is drawn.

        Returns:
            The record, with the error where it failed; None when the picture was there already.

        Raises:
            CannotWrite, DeviceLost: nothing that follows could be drawn either.
            Cancelled: ``cancel`` was set.
        """
        name = picture_name(row.id)
        if self.job.has_picture(row.id):
            return None
        try:
            request = self._request(row)
            started = time.perf_counter()
            *_, finished = self.engine.generate(request, cancel=cancel, previews=False)
            assert isinstance(finished, Finished)
            seconds = time.perf_counter() - started
        except (CannotWrite, DeviceLost, Cancelled):
            raise
        except Exception as error:
            if not isinstance(error, EchoGenError):
                log.exception("request %s failed", row.id)
            return self.fail(row, str(error) if isinstance(error, EchoGenError) else f"{type(error).__name__}: {error}")
        record = Record(row.id, row.request, name, _rounded(finished.likeness), round(seconds, 4))
        self.flush()
        self._written = self._writer.submit(self._write, record, finished)
        return record

    def _write(self, record: Record, finished: Finished) -> None:
        from engine.photo.picture_file import save_picture

        path = self.job.folder / record.file
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise disk_error(path.parent, error) from error
        self._records.add(record)
        save_picture(path, finished.image, finished.request, finished.bits, likeness=finished.likeness)

    def flush(self) -> None:
        """Wait until the last picture is on the disk. Raises ``CannotWrite``."""
        written, self._written = self._written, None
        if written is not None:
            written.result()

    def fail(self, row: Planned, reason: str) -> Record:
        """Record that a request has no picture, and why."""
        record = Record(row.id, row.request, error=reason)
        self._records.add(record)
        return record

    def _request(self, row: Planned) -> GenerationRequest:
        try:
            data = read_value(parse_json(row.request, MAX_JSON_BYTES), dict[str, Any])
        except Damage as error:
            raise self.job.damaged_plan() from error
        request = GenerationRequest.from_json({**data, "subject": None})
        if not row.subject:
            return request
        if self._subject is None or self._subject[0] != row.subject:
            self._subject = row.subject, self.job.read_subject(row.subject)
        return replace(request, subject=self._subject[1])

    def close(self) -> None:
        """Finish the last picture and give back the memory. Raises ``CannotWrite``."""
        try:
            self.flush()
        finally:
            self._writer.shutdown()
            self.engine.close()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def copied_once(bundle: Path, cache: Path) -> Path:
    """A copy of a bundle on this machine's disk; the first worker makes it, the others wait for it.

    Raises:
        CannotWrite: the disk is full or may not be written.
    """
    from filelock import FileLock

    from engine.bundle.manifest import read_manifest

    target = cache / read_manifest(bundle).identity.replace("@", "-")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(cache / f"{target.name}.lock"):
            if not target.is_dir():
                partial = target.with_name(f".{target.name}.part")
                shutil.rmtree(partial, ignore_errors=True)
                shutil.copytree(bundle, partial)
                put_in_place(partial, target)
    except OSError as error:
        raise disk_error(cache, error) from error
    return target


def _rounded(likeness: float | None) -> float | None:
    return None if likeness is None else round(likeness, 4)
