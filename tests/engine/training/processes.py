"""Starts ``worker.py`` in several processes on this machine, as a launcher does."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
WORKER = Path(__file__).with_name("worker.py")


def launcher_variables(rank: int, count: int, port: int) -> dict[str, str]:
    numbers = {
        "RANK": rank,
        "LOCAL_RANK": rank,
        "WORLD_SIZE": count,
        "LOCAL_WORLD_SIZE": count,
        "MASTER_PORT": port,
        "OMP_NUM_THREADS": 1,
    }
    return {"MASTER_ADDR": "127.0.0.1", **{name: str(number) for name, number in numbers.items()}}


def together(jobs: list[dict[str, Any]], folder: Path, count: int = 2) -> list[Any]:
    """The answers of process 0 to some jobs, done by so many processes."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "jobs.json").write_text(json.dumps(jobs), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    outputs = [folder / f"said-{rank}.txt" for rank in range(count)]
    started = []
    for rank in range(count):
        with outputs[rank].open("w", encoding="utf-8") as out:
            started.append(
                subprocess.Popen(
                    [sys.executable, str(WORKER), str(folder / "jobs.json"), str(folder / "answers.json")],
                    cwd=ROOT,
                    env={**os.environ, **launcher_variables(rank, count, port), "PYTHONPATH": str(ROOT)},
                    stdout=out,
                    stderr=subprocess.STDOUT,
                )
            )
    try:
        codes = [process.wait(timeout=120) for process in started]
    finally:
        for process in started:
            process.kill()
            process.wait()
    assert codes == [0] * count, "\n".join(path.read_text(encoding="utf-8") for path in outputs)
    return json.loads((folder / "answers.json").read_text(encoding="utf-8"))
