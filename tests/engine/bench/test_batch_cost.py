"""A job beside the engine alone, two workers beside one, a region beside the whole: what the figures are made of."""

from __future__ import annotations

import json
import os

import pytest

from engine.batch.worker import Worker
from engine.bench.batch_cost import measure_workers
from engine.cli import main
from engine.errors import InputError


def test_the_overhead_of_a_job_is_what_it_takes_beside_the_engine(tiny_bundle, capsys, monkeypatch):
    command = ["bench", "--bundle", str(tiny_bundle), "--device", "cpu", "--rounds", "2", "--pictures", "2"]
    assert main([*command, "--of", "batch", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["alone_seconds"] > 0 and found["frame_seconds"] > 0 and (found["rounds"], found["pictures"]) == (2, 2)
    work = (found["batch_work"] + found["frame_work"]) / found["alone_work"] - 1
    assert found["frame_work"] > 0 and found["work_overhead"] == pytest.approx(work)
    slow, real = 5 * found["alone_seconds"], Worker.draw

    def draw(self, row, cancel=None):
        import time

        time.sleep(slow)
        return real(self, row, cancel)

    monkeypatch.setattr(Worker, "draw", draw)
    assert main([*command, "--of", "batch", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["overhead"] > found["overhead"] + 1


def test_two_workers_are_told_by_when_their_pictures_were_written(tiny_bundle):
    jobs = []

    def run(job, options, total, workers):
        """A worker that needs 2 s a picture, after a minute in which it opens the model."""
        jobs.append((workers, options.threads, total))
        for number, row in enumerate(job.plan()):
            path = job.picture(row.id)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            when = 60 + 2 * (number // workers) + number % workers / workers
            os.utime(path, (when, when))

    found = measure_workers(str(tiny_bundle), "cpu", 2, 16, threads=1, run=run)
    assert jobs == [(1, 1, 16), (2, 1, 16), (2, 1, 16), (1, 1, 16)], "both sides in turns"
    assert found.one == pytest.approx(0.5) and found.times == pytest.approx(2, rel=0.15)
    with pytest.raises(InputError, match="at least 8 pictures"):
        measure_workers(str(tiny_bundle), "cpu", 1, 4, run=run)


def test_a_region_is_measured_beside_the_whole(tiny_bundle, capsys):
    command = ["bench", "--bundle", str(tiny_bundle), "--device", "cpu", "--rounds", "1", "--of", "regions"]
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["corner_share"] == pytest.approx(found["corner_seconds"] / found["whole_seconds"])
    assert found["corner_work_share"] > 0 and found["middle_work_share"] > 0
    assert main(command) == 0
    assert "A quarter at a corner" in capsys.readouterr().out
    assert main(["bench", "--config", "echogen-125m", "--random", "--of", "batch"]) == 2
