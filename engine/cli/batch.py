"""``python -m engine batch``: many pictures, in this process or with Ray on many devices. docs/batch.md has the examples."""

from __future__ import annotations

import argparse
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path

from engine.batch.batch_job import MANIFEST, BatchJob
from engine.batch.here import run_here
from engine.batch.making import find_photos, make_requests, read_prompts
from engine.batch.progress import Count
from engine.batch.worker import WorkerOptions
from engine.bundle.library import resolve_bundle
from engine.bundle.manifest import read_manifest
from engine.cli.terminal import progress, threads, whole
from engine.errors import EchoGenError, ExitCode, InputError
from engine.request import GenerationRequest
from engine.requests_file import BrokenLine, read_requests
from engine.sentence import Sentence

EXAMPLE = "batch --subjects photos --prompts prompts.txt --seeds 2 --out job"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "requests",
        type=Path,
        nargs="?",
        metavar="REQUESTS",
        help="JSON lines, one request each; else --subjects, or --resume alone for what is planned in the folder",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the job")
    parser.add_argument("--subjects", type=Path, metavar="DIR", help="photos; a folder in it counts as one subject")
    parser.add_argument(
        "--prompts", type=Path, metavar="FILE", help="with --subjects: one prompt a line, {subject} for the name"
    )
    parser.add_argument(
        "--seeds", type=whole(1), default=1, metavar="N", help="with --subjects: pictures of each prompt, 1 or more"
    )
    parser.add_argument("--strict", action="store_true", help="end at the first broken line or failed picture")
    # Every picture is measured, where the model can tell. Commands that were written down before still name it.
    parser.add_argument("--likeness", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--bundle", default="mini", help="name or folder of the model")
    add_worker_arguments(parser)
    parser.add_argument("--threads", type=threads, help="processor threads of each worker")


def add_worker_arguments(parser: argparse._ActionsContainer) -> None:
    """Add the arguments that say where a job is drawn, for every command that draws one."""
    parser.add_argument("--resume", action="store_true", help="go on with the job in the folder")
    parser.add_argument("--bundle-cache", type=Path, metavar="DIR", help="copy the model there first, once a machine")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--memory", default="auto", help="memory plan: auto, resident, balanced, low, int8 or streamed")
    parser.add_argument("--ray", action="store_true", help="use all devices of this machine, through Ray")
    parser.add_argument(
        "--ray-address", metavar="HOST:PORT", help="use a Ray cluster; auto for the one of this machine"
    )
    parser.add_argument("--workers", type=whole(1), help="with Ray: how many; one for each device if not given")


def run(args: argparse.Namespace) -> int:
    check(args)
    source = _Source(args)
    source.check()
    job = open_job(args)
    with job.alone():
        planned = (job.planned_count(), 0) if source.empty else job.write_plan(source)
        if not planned[0]:
            raise InputError(Sentence("There is nothing to draw: no request could be read."))
        count, pictures, failed = draw(args, job, planned[0], strict=args.strict)
    summary = {
        "pictures": pictures,
        "drawn": count.drawn,
        "failed": failed,
        "skipped": source.skipped,
        "repeated": planned[1],
        "manifest": str(args.out / MANIFEST),
    }
    print(json.dumps(summary))
    return int(ExitCode.BAD_INPUT) if not pictures or (args.strict and failed) else int(ExitCode.DONE)


def check(args: argparse.Namespace) -> None:
    """Everything that can be wrong without reading a request."""
    check_workers(args)
    if args.requests is not None and args.subjects is not None:
        raise InputError(Sentence("A batch needs either a file of requests or --subjects with --prompts."))
    if args.requests is None and args.subjects is None and not args.resume:
        raise InputError(
            Sentence("A batch needs either a file of requests or --subjects with --prompts."),
            Sentence("What is planned in the folder goes on by --resume alone."),
        )
    if args.subjects is not None and args.prompts is None:
        raise InputError(Sentence("--subjects need prompts."), Sentence("Name a file of them with --prompts."))


def check_workers(args: argparse.Namespace) -> None:
    """That the workers can be had, before anything is written.

    Raises:
        InputError: a library is missing, or no Ray answers.
    """
    if args.workers is not None and not args.ray and args.ray_address is None:
        raise InputError(Sentence("Workers are Ray's."), Sentence("Add --ray, or leave --workers out."))
    if importlib.util.find_spec("pyarrow") is None:
        raise InputError(
            Sentence("A batch keeps its tables with pyarrow, which is not installed."),
            Sentence("Install it with: pip install pyarrow."),
        )
    if args.ray or args.ray_address is not None:
        from engine.batch.on_ray import check_reachable

        check_reachable(args.ray_address)


def open_job(args: argparse.Namespace) -> BatchJob:
    """The job in the folder ``args.out``, of the bundle ``args.bundle``. Raises as ``BatchJob.open`` does."""
    return BatchJob.open(args.out, read_manifest(resolve_bundle(args.bundle)).identity, resume=args.resume)


def draw(args: argparse.Namespace, job: BatchJob, total: int, *, strict: bool = False) -> tuple[Count, int, int]:
    """Draw what a job still lacks, where the arguments say, and write its manifest, also when the run ends early.

    Returns:
        The counts of this run, how many pictures there are in all, and how many requests have none.
    """
    options = WorkerOptions(
        str(job.folder),
        # By name where it was named: on another machine the model may lie elsewhere.
        args.bundle if not Path(args.bundle).exists() else str(resolve_bundle(args.bundle).absolute()),
        args.device,
        args.memory,
        args.threads,
        str(args.bundle_cache.absolute()) if args.bundle_cache is not None else None,
    )
    try:
        if args.ray or args.ray_address is not None:
            from engine.batch.on_ray import run_on_ray

            count = run_on_ray(job, options, total, address=args.ray_address, workers=args.workers)
        else:
            count = run_here(job, options, total, strict=strict)
    except BaseException as error:
        _keep_manifest(job, error)
        raise
    return count, *job.write_manifest()


class _Source:
    """The requests that the arguments ask for; what is skipped is told and counted."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self.empty = args.requests is None and args.subjects is None
        self.skipped = 0

    def check(self) -> None:
        """That what is named is there, before a job is begun."""
        if self.empty and not BatchJob(self._args.out).is_planned():
            raise InputError(
                Sentence("There is no job to go on with in {folder}.", folder=self._args.out),
                Sentence("Name the folder of one, or what is to be drawn."),
            )
        if self._args.requests is not None:
            if not self._args.requests.is_file():
                raise InputError(
                    Sentence("There is no file {requests}.", requests=self._args.requests),
                    Sentence("Name a file of JSON lines."),
                )
            return
        if self._args.subjects is not None:
            self._photos, self._prompts = find_photos(self._args.subjects), read_prompts(self._args.prompts)

    def __iter__(self) -> Iterator[GenerationRequest]:
        if self._args.requests is None:
            manifest = read_manifest(resolve_bundle(self._args.bundle))
            yield from make_requests(manifest, self._photos, self._prompts, self._args.seeds, self._skip)
            return
        for entry in read_requests(self._args.requests):
            if isinstance(entry, BrokenLine):
                self._skip(entry.sentence)
            else:
                yield entry

    def _skip(self, words: Sentence) -> None:
        if self._args.strict:
            raise InputError(words, Sentence("Mend it, or leave --strict out."))
        self.skipped += 1
        progress.note(words)


def _keep_manifest(job: BatchJob, error: BaseException) -> None:
    """The manifest of a run that ended early, as far as the disk allows."""
    try:
        job.write_manifest()
    except EchoGenError as other:
        error.add_note(str(other))
