"""What the program itself does under Ray, with something simple in Ray's place; the real one is in test_on_ray.py."""

from __future__ import annotations

import socket
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from engine.batch import on_ray
from engine.batch.batch_job import BatchJob, planned
from engine.batch.on_ray import TRIES, RayDrawing
from engine.batch.progress import Count
from engine.batch.worker import WorkerOptions
from engine.bundle.manifest import read_manifest
from engine.errors import CannotWrite, EchoGenError, InputError
from engine.request import GenerationRequest

pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install pyarrow")


class RayError(Exception):
    """In place of the base of Ray's own errors."""


@pytest.fixture
def ray(monkeypatch):
    """A Ray that does nothing: what its functions do is set by the test."""
    ray, data = ModuleType("ray"), ModuleType("ray.data")
    ray.data = data  # type: ignore[attr-defined]
    ray.exceptions = SimpleNamespace(RayError=RayError)  # type: ignore[attr-defined]
    ray.init = lambda **given: None  # type: ignore[attr-defined]
    ray.shutdown = lambda: None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setitem(sys.modules, "ray.data", data)
    return ray


def refuse(error: Exception):
    def init(**_):
        raise error

    return init


def test_an_actor_draws_a_part(wanted, tiny_bundle, tmp_path):
    job = BatchJob.open(tmp_path / "job", read_manifest(tiny_bundle).identity, resume=False)
    rows = [*wanted[:2], GenerationRequest("a ball", size=(32, 32)), wanted[2]]
    job.write_plan(rows)
    plan = list(job.plan())
    ending = planned(wanted[2]).id
    for _ in range(TRIES):
        job.begin(ending)  # three workers began it, and none came to its end
    told: list[Count] = []
    tally = SimpleNamespace(add=SimpleNamespace(remote=told.append))
    actor = RayDrawing(WorkerOptions(str(job.folder), str(tiny_bundle), "cpu"), tally)
    batch = {
        name: np.array([getattr(row, name) for row in plan], dtype=object) for name in ("id", "subject", "request")
    }
    done = actor(batch)
    assert set(done["id"]) == {planned(request).id for request in wanted[:2]}  # what failed is not checked off
    assert told == [Count(drawn=2, failed=2)]
    assert {identity for identity in batch["id"] if job.has_picture(identity)} == set(done["id"])
    errors = {identity: record.error for identity, record in job.records().items() if record.error}
    assert errors[ending] == f"It ended its worker {TRIES} times."
    assert "does not draw 32 × 32" in errors[planned(rows[2]).id]
    assert not any((job.folder / "begun").iterdir())
    assert set(actor(batch)["id"]) >= set(done["id"]) and told[1].there == 2
    actor._worker.close()


def test_what_ray_raises_in_words():
    told = RuntimeError("layers of Ray")
    told.cause = InputError("“endless” is no memory plan.")  # type: ignore[attr-defined]
    outer = RuntimeError("more layers")
    outer.__cause__ = told
    assert on_ray._in_words(outer) is told.cause  # type: ignore[attr-defined]
    text = on_ray._in_words(RuntimeError("The actor died.\n  engine.errors.CannotWrite: The disk is full.\n"))
    assert isinstance(text, CannotWrite) and str(text) == "The disk is full."
    assert str(on_ray._in_words(RuntimeError())) == "Ray gave up: RuntimeError Go on with --resume."


def test_a_ray_that_cannot_start(ray):
    ray.init = refuse(Exception("The current node timed out during startup.\nMore."))
    with pytest.raises(EchoGenError, match=r"Ray could not be started: The current node timed out during startup\."):
        on_ray.connect(None, 2, 1)


def test_one_core_more_than_the_workers_take(ray):
    given: list[dict] = []
    ray.init = lambda **options: given.append(options)
    on_ray.connect(None, 2, 3)
    assert given[0]["num_cpus"] == 7 and given[0]["address"] == "local"


@pytest.mark.parametrize("error", [RayError("wrong token"), RuntimeError("version mismatch")])
def test_a_cluster_that_does_not_take_us_in(ray, error):
    ray.init = refuse(error)
    with socket.socket() as head:
        head.bind(("127.0.0.1", 0))
        head.listen()
        with pytest.raises(InputError, match="does not take this program in"):
            on_ray.connect(f"127.0.0.1:{head.getsockname()[1]}", None, 1)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "no address", "127.0.0.1:port", "127.0.0.1:99999"])
def test_an_address_that_does_not_answer_is_said_before_ray_tries_for_minutes(ray, address):
    ray.init = refuse(AssertionError("Ray was asked"))
    for ask in (on_ray.check_reachable, lambda address: on_ray.connect(address, None, 1)):
        with pytest.raises(InputError, match=f"No Ray answers at {address}") as caught:
            ask(address)
        assert "ray status" in str(caught.value)


@pytest.mark.parametrize(
    ("resources", "workers", "message"),
    [
        ({"CPU": 3.0}, 5, "room for 2 workers here, not for 5, with --threads 1 each"),
        ({"CPU": 1.0}, None, "room for 0 workers here, not for 1"),
        ({"CPU": 9.0, "GPU": 2.0}, 3, "has 2 graphics cards here, and 3 workers"),
    ],
)
def test_more_workers_than_there_is_room_for(ray, tmp_path, resources, workers, message):
    ray.cluster_resources = lambda: resources
    with pytest.raises(InputError, match=message):
        on_ray.run_on_ray(BatchJob(tmp_path), WorkerOptions(str(tmp_path), "mini"), 4, workers=workers)


def test_the_checkpoint_is_left_out_where_ray_has_none(ray, tmp_path):
    context = SimpleNamespace()
    on_ray._keep_checkpoint(context, BatchJob(tmp_path))
    assert not hasattr(context, "checkpoint_config")
    kept = ModuleType("ray.data.checkpoint")
    kept.CheckpointConfig = lambda **given: given  # type: ignore[attr-defined]
    sys.modules["ray.data.checkpoint"] = kept
    try:
        on_ray._keep_checkpoint(context, BatchJob(tmp_path))
    finally:
        del sys.modules["ray.data.checkpoint"]
    assert context.checkpoint_config == {"id_column": "id", "checkpoint_path": str(tmp_path / "checkpoint")}
