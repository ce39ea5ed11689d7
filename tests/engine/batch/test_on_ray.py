"""The same job on Ray Data: two workers, killed ones, a killed driver; every picture as without Ray, to the bit."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from engine.batch.batch_job import planned
from engine.cli import main
from engine.photo.picture_file import read_picture_file
from engine.requests_file import write_requests

pytest.importorskip("ray.data", reason="Ray is not installed: pip install 'ray[data]>=2.60,<3' pyarrow")
pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

COUNT = 60


@pytest.fixture(scope="module")
def job(wanted, tiny_bundle, tmp_path_factory):
    """A list of requests, and its pictures drawn without Ray: (list, folder, the rest of the command)."""
    place = tmp_path_factory.mktemp("ray")
    requests = [wanted[index % 8].with_seed(index) for index in range(COUNT)]
    write_requests(place / "requests.jsonl", requests)
    rest = ["--bundle", str(tiny_bundle), "--device", "cpu", "--threads", "1"]
    assert main(["batch", str(place / "requests.jsonl"), "--out", str(place / "here"), *rest]) == 0
    return place, [planned(request).id for request in requests], rest


def begin(place: Path, name: str, rest: list[str]) -> subprocess.Popen:
    command = ["batch", str(place / "requests.jsonl"), "--out", str(place / name), *rest, "--ray", "--workers", "2"]
    return subprocess.Popen(
        [sys.executable, "-m", "engine", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def pictures(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.glob("pictures/*/*.png")}


def wait_for(count: int, folder: Path, child: subprocess.Popen) -> None:
    deadline = time.monotonic() + 300
    while len(pictures(folder)) < count or len(list(folder.glob("records/*.jsonl"))) < 2:
        assert child.poll() is None and time.monotonic() < deadline, child.communicate()
        time.sleep(0.02)


def compare(place: Path, name: str, ids: list[str]) -> None:
    """Every picture once, and the same as without Ray."""
    assert len(pictures(place / name)) == len(ids)
    for identity in ids:
        here, there = (
            read_picture_file(place / run / f"pictures/{identity[:2]}/{identity}.png") for run in ("here", name)
        )
        assert here.bits == there.bits and here.request == there.request
        pixels = [(place / run / f"pictures/{identity[:2]}/{identity}.png").read_bytes() for run in ("here", name)]
        assert pixels[0] == pixels[1]


def test_a_worker_that_is_killed(job):
    place, ids, rest = job
    child = begin(place, "worker", rest)
    wait_for(5, place / "worker", child)
    record = min((place / "worker" / "records").glob("*.jsonl"))
    os.kill(int(record.stem.split("-")[-2]), signal.SIGKILL)
    before = pictures(place / "worker")
    out, err = child.communicate(timeout=400)
    assert child.returncode == 0, err
    assert json.loads(out)["pictures"] == COUNT and json.loads(out)["failed"] == 0
    assert before.items() <= pictures(place / "worker").items()
    compare(place, "worker", ids)
    assert (
        len(list((place / "worker" / "records").glob("*.jsonl"))) >= 3
    )  # two workers, and the one in the place of the dead


def test_a_driver_that_is_killed(job):
    place, ids, rest = job
    child = begin(place, "driver", rest)
    wait_for(5, place / "driver", child)
    workers = [int(path.stem.split("-")[-2]) for path in (place / "driver" / "records").glob("*.jsonl")]
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    deadline = time.monotonic() + 60
    while any(psutil.pid_exists(worker) for worker in workers):  # Ray ends them when the driver is gone
        assert time.monotonic() < deadline
        time.sleep(0.2)
    before = pictures(place / "driver")
    assert 5 <= len(before) < COUNT
    again = begin(place, "driver", [*rest, "--resume"])
    out, err = again.communicate(timeout=400)
    assert again.returncode == 0, err
    assert json.loads(out)["drawn"] <= COUNT - len(before)
    assert before.items() <= pictures(place / "driver").items()
    compare(place, "driver", ids)


def test_a_worker_that_cannot_begin(job, tmp_path):
    place, _, rest = job
    command = ["batch", str(place / "requests.jsonl"), "--out", str(tmp_path / "job"), *rest, "--ray", "--workers", "1"]
    run = subprocess.run(
        [sys.executable, "-m", "engine", *command, "--memory", "endless"], capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 2 and "“endless” is no memory plan" in run.stderr and "Traceback" not in run.stderr


def test_an_address_that_does_not_answer(job, tmp_path, capsys):
    place, _, rest = job
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
        command = ["batch", str(place / "requests.jsonl"), "--out", str(tmp_path / "job"), *rest]
        started = time.monotonic()
        assert main([*command, "--ray-address", address]) == 2
    assert f"No Ray answers at {address}" in capsys.readouterr().err and time.monotonic() - started < 30
    assert not (tmp_path / "job").exists()
