"""``python -m engine batch``: many pictures, in this process or with Ray on many devices. docs/batch.md has the examples."""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from engine.batch.here import run_here
from engine.batch.job import MANIFEST, Job
from engine.batch.making import find_photos, make_requests, read_prompts
from engine.batch.worker import WorkerOptions
from engine.bundle.library import resolve_bundle
from engine.bundle.manifest import BundleManifest, read_manifest
from engine.errors import EchoGenError, ExitCode, InputError
from engine.request import MAX_SEED, GenerationRequest
from engine.requests_file import BrokenLine, read_requests


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "requests", type=Path, nargs="?", metavar="REQUESTS", help="JSON lines, one request each; else --subjects"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the job")
    parser.add_argument("--subjects", type=Path, metavar="DIR", help="photos; a folder in it counts as one subject")
    parser.add_argument(
        "--prompts", type=Path, metavar="FILE", help="with --subjects: one prompt a line, {subject} for the name"
    )
    parser.add_argument(
        "--seeds", type=int, default=1, metavar="N", help="with --subjects: pictures of each prompt (1)"
    )
    parser.add_argument("--resume", action="store_true", help="go on with the job in the folder")
    parser.add_argument("--strict", action="store_true", help="end at the first broken line or failed picture")
    parser.add_argument("--likeness", action="store_true", help="measure how alike each picture is to its cut-out")
    parser.add_argument("--bundle", default="mini", help="name or folder of the model (mini)")
    parser.add_argument("--bundle-cache", type=Path, metavar="DIR", help="copy the model there first, once a machine")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--memory", default="auto", help="memory plan: auto, resident, balanced, low, int8 or streamed")
    parser.add_argument("--threads", type=int, help="processor threads of each worker")
    parser.add_argument("--ray", action="store_true", help="use all devices of this machine, through Ray")
    parser.add_argument(
        "--ray-address", metavar="HOST:PORT", help="use a Ray cluster; auto for the one of this machine"
    )
    parser.add_argument("--workers", type=int, help="with Ray: how many; one for each device if not given")


def run(args: argparse.Namespace) -> int:
    check(args)
    folder = resolve_bundle(args.bundle)
    manifest = read_manifest(folder)
    on_ray = args.ray or args.ray_address is not None
    if on_ray:
        from engine.batch.on_ray import check_reachable

        check_reachable(args.ray_address)  # before anything is written
    source = _Source(args, manifest)
    source.check()
    job = Job.open(args.out, manifest.identity, resume=args.resume)
    total, repeated = job.write_plan(source)
    if not total:
        raise InputError("There is nothing to draw: no request could be read.")
    from engine.evaluation.likeness import imagenet_likeness

    options = WorkerOptions(
        str(job.folder),
        # By name where it was named: on another machine the model may lie elsewhere.
        args.bundle if not Path(args.bundle).exists() else str(folder.absolute()),
        args.device,
        args.memory,
        args.threads,
        str(args.bundle_cache.absolute()) if args.bundle_cache is not None else None,
        imagenet_likeness if args.likeness else None,
    )
    try:
        if on_ray:
            from engine.batch.on_ray import run_on_ray

            count = run_on_ray(job, options, total, address=args.ray_address, workers=args.workers)
        else:
            count = run_here(job, options, total, strict=args.strict)
    except BaseException as error:
        _keep_manifest(job, error)
        raise
    pictures, failed = job.write_manifest()
    summary = {
        "pictures": pictures,
        "drawn": count.drawn,
        "failed": failed,
        "skipped": source.skipped,
        "repeated": repeated,
        "manifest": str(args.out / MANIFEST),
    }
    print(json.dumps(summary))
    return int(ExitCode.BAD_INPUT) if not pictures or (args.strict and failed) else int(ExitCode.DONE)


def check(args: argparse.Namespace) -> None:
    """Everything that can be wrong without reading a request."""
    if importlib.util.find_spec("pyarrow") is None:
        raise InputError(
            "A batch keeps its tables with pyarrow, which is not installed.",
            "Install it with: pip install 'echogen-desktop[batch]'.",
        )
    if (args.requests is None) == (args.subjects is None):
        raise InputError("A batch needs either a file of requests or --subjects with --prompts.")
    if args.subjects is not None and args.prompts is None:
        raise InputError("--subjects need prompts.", "Name a file of them with --prompts.")
    if not 1 <= args.seeds <= MAX_SEED:
        raise InputError("At least one seed is needed.")
    for name in ("threads", "workers"):
        if getattr(args, name) is not None and getattr(args, name) < 1:
            raise InputError(f"--{name} must be at least 1.")


class _Source:
    """The requests that the arguments ask for; what is skipped is told and counted."""

    def __init__(self, args: argparse.Namespace, manifest: BundleManifest) -> None:
        self._args, self._manifest = args, manifest
        self.skipped = 0

    def check(self) -> None:
        """That what is named is there, before a job is begun."""
        if self._args.requests is not None:
            if not self._args.requests.is_file():
                raise InputError(f"There is no file {self._args.requests}.", "Name a file of JSON lines.")
            return
        self._photos, self._prompts = find_photos(self._args.subjects), read_prompts(self._args.prompts)

    def __iter__(self) -> Iterator[GenerationRequest]:
        if self._args.requests is None:
            yield from make_requests(self._manifest, self._photos, self._prompts, self._args.seeds, self._skip)
            return
        for entry in read_requests(self._args.requests):
            if isinstance(entry, BrokenLine):
                self._skip(str(entry))
            else:
                yield entry

    def _skip(self, words: str) -> None:
        if self._args.strict:
            raise InputError(words, "Mend it, or leave --strict out.")
        self.skipped += 1
        print(words, file=sys.stderr)


def _keep_manifest(job: Job, error: BaseException) -> None:
    """The manifest of a run that ended early, as far as the disk allows."""
    try:
        job.write_manifest()
    except EchoGenError as other:
        error.add_note(str(other))
