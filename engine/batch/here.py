"""Runs a job in this process."""

from __future__ import annotations

from engine.batch.batch_job import BatchJob
from engine.batch.progress import Count, ProgressBar
from engine.batch.worker import Worker, WorkerOptions
from engine.errors import InputError
from engine.sentence import Sentence


def run_here(job: BatchJob, options: WorkerOptions, total: int, *, strict: bool = False) -> Count:
    """Draw what is missing, one request after the other.

    Raises:
        InputError: ``strict`` is set and a request failed.
        CannotWrite, DeviceLost: nothing that follows could be drawn; what is drawn is safe.
    """
    count = Count()
    with Worker(options) as worker:
        bar = ProgressBar(total)  # opening the model is no part of the rate
        for row in job.plan():
            record = worker.draw(row)
            if record is None:
                count.there += 1
            elif record.error:
                count.failed += 1
                if strict:
                    raise InputError(Sentence("The request {id} failed: {error}", id=row.id[:12], error=record.error))
            else:
                count.drawn += 1
            bar.show(count)
        worker.flush()
        bar.show(count, last=True)
    return count
