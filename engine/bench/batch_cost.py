"""Two figures of ``batch``: what a job costs beside drawing, and what a second worker of Ray brings.

Both sides are measured in turns, in the same minutes: a machine that is busy now and then is so for both.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path

from engine.batch.batch_job import BatchJob, Planned
from engine.batch.worker import Worker, WorkerOptions
from engine.bench.pictures import some_request
from engine.bundle.library import resolve_bundle
from engine.bundle.manifest import read_manifest
from engine.engine import Engine
from engine.errors import InputError
from engine.request import GenerationRequest
from engine.sentence import Sentence

Run = Callable[[BatchJob, WorkerOptions, int, int], object]
"""Draws a job: the job, its options, how many pictures, how many workers."""


_BLOCK = 3
"""Pictures that one side draws before it is the other's turn: a machine that is busy for half a minute is so for both."""


@dataclass(frozen=True)
class BatchCost:
    """The cost of ``batch`` beside that of the engine, whose caller has the picture in memory.

    Attributes:
        alone_seconds, batch_seconds: of a picture, drawn by the engine alone and by a job; medians of the blocks.
        frame_seconds: of a picture, what writing the plan and the manifest of this job take.
        overhead: of a job over the engine, as a share: the median over the blocks of their quotients, and the frame.
        alone_work, batch_work, frame_work, work_overhead: the same in seconds of the processor, all threads together, and
            means: what a machine pays that has no core to spare for writing beside drawing.
        rounds, pictures: how often, and pictures of each side in a round.
    """

    alone_seconds: float
    batch_seconds: float
    frame_seconds: float
    overhead: float
    alone_work: float
    batch_work: float
    frame_work: float
    work_overhead: float
    rounds: int
    pictures: int


@dataclass(frozen=True)
class _Spent:
    """Seconds on the clock, and of the processor."""

    seconds: float
    work: float


def measure_batch(
    bundle: str, device: str, rounds: int, pictures: int, on_round: Callable[[int], None] = lambda index: None
) -> BatchCost:
    """Draw the same pictures by the engine alone and as a job, in turns: one round to warm up, ``rounds`` that count.

    Both sides meet a subject and a prompt for the first time in every round, and draw the rest of it with them known. The job
    ends every block with its picture on the disk, which a job does once: it is charged a little more than it takes.
    """
    import pyarrow.parquet  # noqa: F401 - takes as long as a picture, once: no part of what a picture costs

    alone: list[_Spent] = []
    drawn: list[_Spent] = []
    with tempfile.TemporaryDirectory() as folder:
        job = BatchJob.open(Path(folder) / "job", read_manifest(resolve_bundle(bundle)).identity, resume=False)
        with Worker(WorkerOptions(str(job.folder), bundle, device)) as worker:
            requests = _requests(worker.engine, rounds + 1, pictures)
            plan = _spent(lambda: job.write_plan(requests))
            subjects = [list(rows) for _, rows in groupby(job.plan(), key=lambda row: row.subject)]
            for index, rows in enumerate(subjects):
                if index:
                    on_round(index - 1)
                # Other colours than those of any job, so that no cache knows them.
                others = [_request(worker.engine, index + 10_000, seed) for seed in range(pictures)]
                for start in range(0, pictures, _BLOCK):
                    block = slice(start, start + _BLOCK)
                    sides = [
                        (partial(_by_engine, worker, others[block]), alone),
                        (partial(_by_job, worker, rows[block]), drawn),
                    ]
                    for side, spent in sides if (index + start // _BLOCK) % 2 else reversed(sides):
                        took, count = _spent(side), len(rows[block])
                        if index:
                            spent.append(_Spent(took.seconds / count, took.work / count))
            manifest = _spent(job.write_manifest)
    frame = _Spent(
        (plan.seconds + manifest.seconds) / len(requests),
        (plan.work + manifest.work) / len(requests),
    )
    alone_seconds = statistics.median(side.seconds for side in alone)
    alone_work = statistics.fmean(side.work for side in alone)
    batch_work = statistics.fmean(side.work for side in drawn)
    quotient = statistics.median(job.seconds / engine.seconds for job, engine in zip(drawn, alone, strict=True))
    return BatchCost(
        alone_seconds=alone_seconds,
        batch_seconds=statistics.median(side.seconds for side in drawn),
        frame_seconds=frame.seconds,
        overhead=quotient - 1 + frame.seconds / alone_seconds,
        alone_work=alone_work,
        batch_work=batch_work,
        frame_work=frame.work,
        work_overhead=(batch_work + frame.work) / alone_work - 1,
        rounds=rounds,
        pictures=pictures,
    )


def _by_engine(worker: Worker, requests: Sequence[GenerationRequest]) -> None:
    for request in requests:
        for _ in worker.engine.generate(request, previews=False):
            pass


def _by_job(worker: Worker, rows: Sequence[Planned]) -> None:
    for row in rows:
        record = worker.draw(row)
        assert record is not None and not record.error, record
    worker.flush()


def _spent(work: Callable[[], object]) -> _Spent:
    seconds, processor = time.perf_counter(), time.process_time()
    work()
    return _Spent(time.perf_counter() - seconds, time.process_time() - processor)


@dataclass(frozen=True)
class WorkerGain:
    """The gain by a second worker.

    Attributes:
        one, two: pictures a second of one and of two workers, with the same threads each; medians of the rounds.
        times: the median over the rounds of their quotients.
    """

    one: float
    two: float
    times: float
    threads: int
    rounds: int
    pictures: int


def measure_workers(
    bundle: str,
    device: str,
    rounds: int,
    pictures: int,
    threads: int = 1,
    run: Run | None = None,
    on_round: Callable[[int], None] = lambda index: None,
) -> WorkerGain:
    """Draw jobs on a Ray of this machine with one worker and with two, in turns.

    Counted are the pictures between the first quarter and the last: starting Ray and opening the model are not, nor the end, where
    one worker has nothing left.

    Args:
        pictures: of a job; eight at least.
        run: what draws a job; Ray by default.

    Raises:
        InputError: too few pictures, or Ray is not installed.
    """
    if pictures < 8:
        raise InputError(Sentence("To tell how fast workers are takes at least 8 pictures a job."))
    run = run or _on_ray
    identity = read_manifest(resolve_bundle(bundle)).identity
    with Engine.open(bundle, device) as engine:
        requests = _requests(engine, 1, pictures)
    found: dict[int, list[float]] = {1: [], 2: []}
    for index in range(rounds):
        on_round(index)
        for workers in (1, 2) if index % 2 == 0 else (2, 1):
            with tempfile.TemporaryDirectory() as folder:
                job = BatchJob.open(Path(folder) / "job", identity, resume=False)
                total, _ = job.write_plan(requests)
                run(job, WorkerOptions(str(job.folder), bundle, device, threads=threads), total, workers)
                found[workers].append(_rate(job))
    return WorkerGain(
        statistics.median(found[1]),
        statistics.median(found[2]),
        statistics.median(two / one for one, two in zip(found[1], found[2], strict=True)),
        threads,
        rounds,
        pictures,
    )


def _on_ray(job: BatchJob, options: WorkerOptions, total: int, workers: int) -> None:
    from engine.batch.on_ray import run_on_ray

    run_on_ray(job, options, total, workers=workers)


def _rate(job: BatchJob) -> float:
    """Pictures a second in the middle half of a job, by the times its files were written at."""
    times = sorted(path.stat().st_mtime_ns for path in (job.folder / "pictures").rglob("*.png"))
    first, last = len(times) // 4, len(times) - 1 - len(times) // 4
    return (last - first) / max((times[last] - times[first]) / 1e9, 1e-9)


def _requests(engine: Engine, subjects: int, pictures: int) -> list[GenerationRequest]:
    return [_request(engine, subject, seed) for subject in range(subjects) for seed in range(pictures)]


def _request(engine: Engine, subject: int, seed: int) -> GenerationRequest:
    return replace(some_request(engine, subject), seed=seed)
