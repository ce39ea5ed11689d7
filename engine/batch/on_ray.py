"""Runs a job on Ray Data: an actor with an open engine for each device, of one machine or of a cluster.

Ray reads the parts of the plan, hands them out as actors become free, starts dead actors again and repeats their part; what of
a part has its picture is not drawn again. Ray's own checkpoint, where the version has one, spares even the question.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import socket
import threading
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from engine import errors
from engine.batch.batch_job import BatchJob, Planned
from engine.batch.progress import Count, ProgressBar
from engine.batch.worker import Worker, WorkerOptions
from engine.errors import DeviceLost, EchoGenError, InputError
from engine.sentence import Sentence

TRIES = 3  # of a request that ends its worker, before it is told as failed


def require_ray() -> Any:
    """The library. Raises ``InputError`` with the way to get it."""
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise InputError(
            Sentence("Ray is not installed."), Sentence("Install it with: pip install 'ray[data]>=2.60,<3' pyarrow.")
        ) from error
    return ray


def connect(address: str | None, workers: int | None, threads: int) -> Any:
    """Connect to a cluster, or start Ray on this machine. Returns the library.

    Args:
        address: HOST:PORT of a cluster's head, "auto" for the one this machine belongs to, None to start one here.
        workers, threads: what a Ray of our own offers on a machine without graphics cards.

    Raises:
        InputError: Ray is not installed, or the address does not answer.
        EchoGenError: Ray cannot be started here.
    """
    # Read when Ray is imported: a worker without a card keeps what the user set, and nothing is reported to anybody.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray = require_ray()
    quiet: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    if address is None:
        cores = workers * threads if workers is not None else max(os.cpu_count() or 1, threads)
        # One more for what is not drawing: reading the plan, counting.
        try:
            # "local": without it, a Ray that somebody else runs on this machine would be taken.
            ray.init(address="local", num_cpus=cores + 1, include_dashboard=False, **quiet)
        except Exception as error:  # it raises whatever its processes ended with
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            raise EchoGenError(
                Sentence("Ray could not be started: {reason}", reason=reason),
                Sentence("Leave --ray out, or look into Ray's own log."),
            ) from error
        return ray
    _answers(address)
    try:
        ray.init(address=address, **quiet)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError, ray.exceptions.RayError) as error:
        if address == "auto":
            raise _no_answer(address) from error
        raise InputError(
            Sentence("The Ray at {address} does not take this program in.", address=address),
            Sentence(
                "Give it the cluster's token (docs/batch.md says how), and have one version of Ray on all machines."
            ),
        ) from error
    return ray


def rows_a_task(total: int) -> int:
    """Requests of one task: so few that all devices end at about the same time, so many that a subject's prompts stay together."""
    return min(max(total // 32, 1), 32)


def check_reachable(address: str | None) -> None:
    """That Ray is installed and, where an address is given, that something answers there. Raises ``InputError``."""
    require_ray()
    if address is not None:
        _answers(address)


def _answers(address: str) -> None:
    """Ask the address itself: Ray tries for minutes before it gives up."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if address == "auto":
        return
    try:
        with socket.create_connection((host, int(port)), timeout=5):
            return
    except (OSError, ValueError, OverflowError) as error:
        raise _no_answer(address) from error


def _no_answer(address: str) -> InputError:
    return InputError(
        Sentence("No Ray answers at {address}.", address=address),
        Sentence("Look with `ray status` on the head machine; the address is HOST:6379."),
    )


class RayDrawing:
    """One actor: an engine that stays open, and its parts of the plan."""

    def __init__(self, options: WorkerOptions, tally: Any) -> None:
        self._worker = Worker(options)
        self._tally = tally

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        count, drawn = Count(), []
        for identity, subject, request in zip(batch["id"], batch["subject"], batch["request"], strict=True):
            row = Planned(str(identity), str(subject), str(request))
            tries = self._worker.job.begin(row.id)
            try:
                if tries <= TRIES:
                    record = self._worker.draw(row)
                else:
                    record = self._worker.fail(row, Sentence("It ended its worker {tries} times.", tries=TRIES))
            except DeviceLost:
                logging.getLogger(__name__).exception("the device is lost; this worker ends and is started again")
                os._exit(1)
            self._worker.job.end(row.id)
            if record is None:
                count.there += 1
            elif record.error:
                count.failed += 1
            else:
                count.drawn += 1
            if record is None or not record.error:
                drawn.append(identity)
        self._worker.flush()  # what Ray checks off is on the disk
        self._tally.add.remote(count)
        # Failures are left out: what Ray does not check off it hands out again when the job goes on.
        return {"id": np.array(drawn, dtype=object)}


class _Tally:
    """Adds up what the actors report."""

    def __init__(self) -> None:
        self.count = Count()

    def add(self, more: Count) -> None:
        self.count.drawn += more.drawn
        self.count.there += more.there
        self.count.failed += more.failed

    def get(self) -> Count:
        return self.count


def _nothing_to_write(data: Any) -> Any:
    """The sink of the pipeline: pictures are written by the actors; Ray checks off the ids that arrive here."""

    class Done(data.Datasink):
        def write(self, blocks: Iterable[Any], ctx: Any) -> None:
            for _ in blocks:
                pass

    return Done()


def run_on_ray(
    job: BatchJob, options: WorkerOptions, total: int, *, address: str | None = None, workers: int | None = None
) -> Count:
    """Draw what is missing with all devices of a machine or a cluster.

    Args:
        workers: how many; by default one a graphics card, and without cards one for each ``options.threads`` cores.

    Raises:
        InputError: Ray is not installed or does not answer.
        EchoGenError: no worker can open the model, or the disk is full.
    """
    threads = options.threads or 1
    bar = ProgressBar(total)
    # Ray prints what its machines tell, tracebacks too. It belongs in the log: stdout is for results, stderr for sentences.
    with contextlib.redirect_stdout(_Log()) as told, contextlib.redirect_stderr(told):
        ray = connect(address, workers, threads)
        try:
            return _run(ray, job, options, bar, workers, threads)
        finally:
            ray.shutdown()


def _run(ray: Any, job: BatchJob, options: WorkerOptions, bar: ProgressBar, workers: int | None, threads: int) -> Count:
    resources = ray.cluster_resources()
    on_cards = options.device.startswith("cuda") or (options.device == "auto" and resources.get("GPU", 0) >= 1)
    needs: dict[str, Any] = {"num_gpus": 1} if on_cards else {"num_cpus": threads}
    # One core is left to read the plan; without it the workers would wait for ever.
    most = int(resources.get("GPU", 0)) if on_cards else int((resources.get("CPU", 0) - 1) // threads)
    size = workers or most
    if not 1 <= size <= most:
        available, asked = max(0, most), max(1, size)
        raise InputError(
            Sentence(
                "Ray has {available} graphics cards here, and {asked} workers take one each.",
                available=available,
                asked=asked,
            )
            if on_cards
            else Sentence(
                "Ray has room for {available} workers here, not for {asked}, with --threads {threads} each and one "
                "core to read the plan.",
                available=available,
                asked=asked,
                threads=threads,
            ),
            Sentence("Ask for fewer with --workers or --threads, or add machines."),
        )
    context = ray.data.DataContext.get_current().copy()
    context.enable_progress_bars = False
    _keep_checkpoint(context, job)
    tally = ray.remote(_Tally).options(num_cpus=0, max_restarts=-1).remote()
    # What goes wrong is said once, in words; Ray's own log has all.
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    with ray.data.DataContext.current(context), warnings.catch_warnings():
        # Ray says what is wanted here: a picture that is written and not yet checked off is looked at again.
        warnings.simplefilter("ignore", UserWarning)
        rows = ray.data.read_parquet(str(job.folder / "plan"))
        # The files of the plan say nothing of the work: small blocks are what lets all actors have some.
        parts = rows.repartition(target_num_rows_per_block=rows_a_task(bar.total))
        drawn = parts.map_batches(
            RayDrawing,
            fn_constructor_args=(options, tally),
            compute=ray.data.ActorPoolStrategy(size=size, max_tasks_in_flight_per_actor=2),
            batch_size=None,
            **needs,
        )
        with _Reports(ray, tally, bar) as reports:
            try:
                drawn.write_datasink(_nothing_to_write(ray.data))
            except Exception as error:
                raise _in_words(error) from error
    return reports.count


def _keep_checkpoint(context: Any, job: BatchJob) -> None:
    """Ray's own checkpoint by rows, where the installed version has it."""
    try:
        from ray.data.checkpoint import CheckpointConfig
    except ImportError:
        return
    context.checkpoint_config = CheckpointConfig(id_column="id", checkpoint_path=str(job.folder / "checkpoint"))


def _in_words(error: BaseException) -> EchoGenError:
    """The worker's own sentence, which Ray wraps in layers of its own."""
    fault: BaseException | None = error
    while fault is not None:
        inner = getattr(fault, "cause", None)
        if isinstance(fault, EchoGenError):
            return fault
        fault = inner if isinstance(inner, BaseException) else fault.__cause__
    logging.getLogger(__name__).debug("Ray failed", exc_info=error)
    lines = [line for line in str(error).strip().splitlines() if line.strip()] or [type(error).__name__]
    # Of an actor that could not begin Ray keeps only the text.
    if reason := re.search(r"engine\.errors\.(\w+): (.+)", lines[-1]):
        return getattr(errors, reason[1], EchoGenError)(Sentence.row(reason[2]))
    return EchoGenError(Sentence("Ray gave up: {line}", line=lines[-1]), Sentence("Go on with --resume."))


class _Log(io.TextIOBase):
    """Takes what is printed into the log."""

    def write(self, text: str) -> int:
        if text.strip():
            logging.getLogger(__name__).debug("Ray: %s", text.strip())
        return len(text)


class _Reports:
    """Shows progress from a thread of its own while the pipeline holds this one."""

    def __init__(self, ray: Any, tally: Any, bar: ProgressBar) -> None:
        self._ray, self._tally, self._bar = ray, tally, bar
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self.count = Count()

    def _follow(self) -> None:
        while not self._ended.wait(0.5):
            self._ask()
            self._bar.show(self.count)

    def _ask(self) -> None:
        try:
            self.count = self._ray.get(self._tally.get.remote(), timeout=10)
        except Exception:  # a count that is late is no reason to stop drawing
            logging.getLogger(__name__).debug("the count is late", exc_info=True)

    def __enter__(self) -> _Reports:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._ask()
        self._bar.show(self.count, last=True)
