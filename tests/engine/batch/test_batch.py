"""``python -m engine batch`` in one process: sorted, resumed, and nothing lost to bad input."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from engine.batch import batch_job
from engine.batch.batch_job import BatchJob, planned
from engine.batch.progress import Count, ProgressBar
from engine.bundle.manifest import read_manifest
from engine.cli import main
from engine.engine import Engine
from engine.errors import CannotWrite, InputError, RequestError
from engine.events import Finished, Timing
from engine.photo.picture_file import read_picture_file
from engine.request import GenerationRequest, ScaleBits

parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed: pip install pyarrow")


@pytest.fixture
def words(tiny_bundle, listed, tmp_path) -> list[str]:
    """A command that works."""
    return ["batch", str(listed), "--out", str(tmp_path / "job"), "--bundle", str(tiny_bundle), "--device", "cpu"]


def table(folder: Path) -> list[dict]:
    return parquet.read_table(folder / "manifest.parquet").to_pylist()


def test_every_request_has_its_picture(words, wanted, tmp_path, tiny_bundle, capsys):
    assert main(words) == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["pictures"], summary["drawn"], summary["failed"], summary["skipped"]) == (8, 8, 0, 0)
    rows = {row["id"]: row for row in table(tmp_path / "job")}
    assert rows.keys() == {planned(request).id for request in wanted}
    with Engine.open(tiny_bundle, "cpu") as engine:
        for request in wanted[:3]:
            row = rows[planned(request).id]
            carried = read_picture_file(tmp_path / "job" / row["file"])
            *_, alone = engine.generate(request)
            assert carried.bits == alone.bits and carried.request == alone.request
            assert row["seconds"] > 0 and row["error"] == "" and row["likeness"] is None
            assert json.loads(row["request"])["prompt"] == request.prompt


def test_sorted_by_subject_then_prompt(wanted, tmp_path):
    job = BatchJob.open(tmp_path / "job", "some@1", resume=False)
    assert job.write_plan([*wanted, wanted[0]]) == (8, 1)
    order = [(row.subject, json.loads(row.request)["prompt"]) for row in job.plan()]
    assert order == sorted(order) and len(set(order)) == 4
    assert len(list((tmp_path / "job" / "subjects").iterdir())) == 2


@pytest.mark.parametrize("moment", ["rmtree", "put_in_place"])
def test_a_kill_between_two_plans_loses_neither_half_nor_all_of_it(wanted, tmp_path, monkeypatch, moment):
    """A run that is killed while it takes the old plan away, or before the new one has its name, is gone on with."""
    folder = tmp_path / "job"
    job = BatchJob.open(folder, "some@1", resume=False)
    job.write_plan(wanted[:3])
    real = getattr(batch_job.shutil, moment, None) or getattr(batch_job, moment)

    class Killed(BaseException):
        pass

    def killed(path: Path, *rest, **options) -> None:
        if folder / "plan" in (path, *rest):
            if moment == "rmtree":
                next((folder / "plan").iterdir()).unlink()
            raise Killed
        real(path, *rest, **options)

    with monkeypatch.context() as patch:
        patch.setattr(batch_job.shutil if moment == "rmtree" else batch_job, moment, killed)
        with pytest.raises(Killed):
            job.write_plan(wanted)
    again = BatchJob.open(folder, "some@1", resume=True)
    with again.alone():
        assert again.planned_count() == len(wanted)
    with pytest.raises(InputError, match="holds a job already"):
        BatchJob.open(folder, "some@1", resume=False)


def test_an_id_depends_on_all_of_a_request_and_on_nothing_else(wanted):
    ids = {planned(request).id for request in wanted}
    assert len(ids) == len(wanted)
    again = type(wanted[0]).loads(wanted[0].dumps())
    assert planned(again) == planned(wanted[0])


@pytest.mark.long
def test_killed_and_resumed(words, wanted, tmp_path):
    """kill -9 in the middle: what is there stays as it is, the rest is drawn."""
    folder = tmp_path / "job"
    child = subprocess.Popen([sys.executable, "-m", "engine", *words], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while len(list(folder.glob("pictures/*/*.png"))) < 2 and child.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    before = {path: path.stat().st_mtime_ns for path in folder.glob("pictures/*/*.png")}
    with next(folder.glob("records/*.jsonl")).open("a") as file:
        file.write('{"id": "half a li')
    assert 2 <= len(before) < len(wanted)
    assert main(words) == 2  # an old job is not gone on with unasked
    assert main([*words, "--resume"]) == 0
    after = {path: path.stat().st_mtime_ns for path in folder.glob("pictures/*/*.png")}
    assert len(after) == len(wanted) and before.items() <= after.items()
    assert sorted(row["id"] for row in table(folder) if row["file"]) == sorted(planned(r).id for r in wanted)


def test_a_failure_is_a_row_and_is_tried_again(words, wanted, listed, tmp_path, capsys):
    other = type(wanted[0])("a ball", size=(32, 32))
    listed.write_text(listed.read_text() + other.dumps() + "\n")
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["failed"] == 1
    bad = next(row for row in table(tmp_path / "job") if row["id"] == planned(other).id)
    assert "does not draw 32 × 32" in bad["error"] and not bad["file"]
    assert main([*words, "--resume", "--strict"]) == 2
    assert "does not draw 32 × 32" in capsys.readouterr().err


def test_a_broken_line(words, listed, tmp_path, capsys):
    lines = listed.read_text().splitlines()
    listed.write_text("\n".join([*lines[:2], "{broken", lines[2]]))
    assert main(words) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["skipped"] == 1 and json.loads(out)["pictures"] == 3
    assert "Line 3 is skipped" in err
    strict = [*words, "--strict"]
    strict[strict.index("--out") + 1] = str(tmp_path / "other")
    assert main(strict) == 2
    assert "Line 3 is skipped" in capsys.readouterr().err
    assert main(strict[:-1]) == 0  # nothing was begun, so there is nothing to resume


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_memory_of_ten_thousand_pictures(words, listed, monkeypatch):
    """Drawing is left out: what is measured is what the job itself keeps."""
    listed.write_text("\n".join(GenerationRequest("a ball", seed=seed).dumps() for seed in range(10_000)))
    image, bits = np.zeros((64, 64, 3), np.uint8), ScaleBits((np.zeros((1, 1, 8), np.uint8),))
    used: list[int] = []

    def generate(self, request, **_):
        used.append(psutil.Process().memory_info().rss)
        yield Finished(request, image, bits, Timing())

    monkeypatch.setattr(Engine, "generate", generate)
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    assert main(words) == 0
    assert len(used) == 10_000 and max(used[1_000:]) < 1.05 * used[1_000]


def test_a_full_disk_ends_the_run_and_loses_nothing(words, tmp_path, monkeypatch, capsys):
    real = os.fsync
    left = [6]  # the job, two subjects, three pictures

    def full(handle):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    assert main(words) == CannotWrite.exit_code
    assert "full" in capsys.readouterr().err
    monkeypatch.setattr(os, "fsync", real)
    drawn = len(list((tmp_path / "job").glob("pictures/*/*.png")))
    assert 0 < drawn < 8
    assert main([*words, "--resume"]) == 0
    assert json.loads(capsys.readouterr().out)["drawn"] == 8 - drawn


def test_a_subject_that_is_missing(words, listed, tmp_path, monkeypatch, capsys):
    keep = BatchJob._keep_subject
    monkeypatch.setattr(BatchJob, "_keep_subject", lambda self, digest, subject: None)
    assert main(words) == 2
    assert all("subject" in row["error"] for row in table(tmp_path / "job"))
    monkeypatch.setattr(BatchJob, "_keep_subject", keep)
    assert main([*words, "--resume"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["pictures"] == 8


def test_a_folder_of_something_else_is_refused(words, tmp_path, capsys):
    (tmp_path / "job" / "plan").mkdir(parents=True)
    (tmp_path / "job" / "plan" / "mine.txt").write_text("mine")
    for given in (words, [*words, "--resume"]):
        assert main(given) == 2
        assert "holds other files and no job" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "job").rglob("*")] == ["plan", "mine.txt"]


def test_two_runs_on_one_job(words, tmp_path, capsys):
    with BatchJob.open(
        tmp_path / "job", read_manifest(Path(words[words.index("--bundle") + 1])).identity, resume=False
    ).alone():
        assert main([*words, "--resume"]) == 2
    assert "Another run is drawing the job" in capsys.readouterr().err


def test_gone_on_with_without_the_list(words, tmp_path, monkeypatch, capsys):
    short = [words[0], *words[2:]]
    assert main(short) == 2 and "either a file of requests" in capsys.readouterr().err
    assert main([*short, "--resume"]) == 2 and "no job to go on with" in capsys.readouterr().err
    assert not (tmp_path / "job").exists(), "nothing is left of a name that was mistaken"
    with monkeypatch.context() as context:
        context.setattr("engine.cli.batch.run_here", lambda job, options, total, strict: Count())
        assert main(words) == 2
    assert main([*short, "--resume"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["drawn"] == 8


@pytest.mark.parametrize("damage", ["no table", "no text", "no request"])
def test_a_plan_that_is_damaged_is_one_sentence(words, tmp_path, monkeypatch, capsys, damage):
    with monkeypatch.context() as context:
        context.setattr("engine.cli.batch.run_here", lambda job, options, total, strict: Count())
        main(words)
    part = next((tmp_path / "job" / "plan").iterdir())
    rows = parquet.read_table(part)
    match damage:
        case "no table":
            part.write_bytes(part.read_bytes()[:100])
        case "no text":
            parquet.write_table(rows.set_column(2, "request", [list(range(len(rows)))]), part)
        case "no request":
            parquet.write_table(rows.set_column(2, "request", [["[]"] * len(rows)]), part)
    capsys.readouterr()
    assert main([words[0], *words[2:], "--resume"]) == 2
    said = capsys.readouterr().err + "".join(str(row["error"]) for row in table(tmp_path / "job"))
    assert f"The plan of the job in {tmp_path / 'job'} is damaged. Give the requests again, with --resume." in said
    assert "Error:" not in said
    assert main([*words, "--resume"]) == 0, "as it was said"


def test_another_model_in_the_same_folder(words, tmp_path, capsys):
    assert main(["make-bundle", "--config", "tiny", "--seed", "5", str(tmp_path / "other")]) == 0
    assert main(words) == 0
    words[words.index("--bundle") + 1] = str(tmp_path / "other")
    assert main([*words, "--resume"]) == 2
    assert "was begun with" in capsys.readouterr().err


def test_requests_from_folders(words, tiny_bundle, tmp_path, capsys):
    subjects = tmp_path / "subjects"
    (subjects / "ball2").mkdir(parents=True)
    (subjects / "ball2" / "00.png").write_bytes((tiny_bundle / "examples" / "ball.png").read_bytes())
    (subjects / "note.jpg").write_text("no picture")
    (tmp_path / "prompts.txt").write_text("a {subject} in the snow\n\na red {subject}\n")
    made = [*words[:1], *words[2:], "--subjects", str(subjects), "--prompts", str(tmp_path / "prompts.txt")]
    assert main([*made, "--seeds", "2", "--bundle-cache", str(tmp_path / "cache")]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["pictures"] == 4 and json.loads(out)["skipped"] == 1 and "note.jpg is skipped" in err
    prompts = {json.loads(row["request"])["prompt"] for row in table(tmp_path / "job")}
    assert prompts == {"a ball in the snow", "a red ball"}
    assert len(list((tmp_path / "cache").glob("random-tiny-*/bundle.json"))) == 1
    assert main([*made, "--seeds", "2", "--resume"]) == 0  # the cut-outs are found as they were
    assert json.loads(capsys.readouterr().out)["drawn"] == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--subjects", "x"], "either a file of requests or --subjects"),
        (["--workers", "2"], "Workers are Ray's. Add --ray, or leave --workers out."),
    ],
)
def test_wrong_arguments(words, change, message, capsys):
    assert main([*words, *change]) == 2
    assert message in capsys.readouterr().err


def test_what_is_forgotten_is_said_with_the_way_on(tmp_path, capsys):
    assert main(["batch", "--out", str(tmp_path / "job")]) == 2
    assert "What is planned in the folder goes on by --resume alone." in capsys.readouterr().err
    photo = tmp_path / "photo.jpg"
    photo.touch()
    (tmp_path / "prompts.txt").write_text("a cup\n")
    words = [
        "batch",
        "--subjects",
        str(photo),
        "--prompts",
        str(tmp_path / "prompts.txt"),
        "--out",
        str(tmp_path / "j"),
    ]
    assert main(words) == 2
    assert f"There is no folder of subjects {photo}." in capsys.readouterr().err, "the photo itself does exist"


def test_a_file_that_is_no_text_is_one_sentence_and_not_one_for_each_line(words, tmp_path, capsys):
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"\xff\xd8\xff\x00\x10JFIF\n" * 300)
    words[1] = str(photo)
    assert main(words) == 2
    assert (
        capsys.readouterr()
        .err.strip()
        .splitlines()[-1]
        .endswith("photo.jpg is no list of requests. Name a file of JSON lines in UTF-8.")
    )


def test_likeness_is_still_understood_and_no_longer_offered(words, capsys):
    """Every picture is measured where the model can tell: the option did nothing."""
    with pytest.raises(SystemExit):
        main(["batch", "--help"])
    assert "--likeness" not in capsys.readouterr().out
    assert main([*words, "--likeness"]) == 0


def test_nothing_is_begun_without_the_file(words, tmp_path, capsys):
    words[1] = str(tmp_path / "none.jsonl")
    assert main(words) == 2
    assert "There is no file" in capsys.readouterr().err and not (tmp_path / "job").exists()


def test_ray_that_is_not_there(words, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main([*words, "--ray"]) == 2
    assert "pip install 'ray[data]>=2.60,<3' pyarrow" in capsys.readouterr().err and not (tmp_path / "job").exists()


def test_a_request_that_ends_its_worker_is_counted(tmp_path):
    job = BatchJob.open(tmp_path, "some@1", resume=False)
    assert [job.begin("a"), job.begin("a"), job.begin("b")] == [1, 2, 1]
    job.end("a")
    assert job.begin("a") == 1


def test_progress_in_words():
    bar = ProgressBar(100)
    assert bar.words(Count(), 5) == "░" * 20 + " 0 of 100"
    assert bar.words(Count(drawn=20, there=30, failed=2), 10).endswith(
        "52 of 100, 2.00 a second, about 25 s left, 2 failed"
    )
    assert bar.words(Count(drawn=1), 100).endswith("100 s each, about 2.8 h left")


def test_errors_of_our_own_become_records(words, wanted, tmp_path, monkeypatch):
    def refuse(self, request, **_):
        raise RequestError("No.") if request.seed else KeyError("what")

    monkeypatch.setattr(Engine, "generate", refuse)
    assert main(words) == 2
    assert {row["error"] for row in table(tmp_path / "job")} == {"No.", "KeyError: 'what'"}
