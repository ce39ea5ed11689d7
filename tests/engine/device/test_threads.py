"""Spinning of threads that wait, asked of the library that does the waiting."""

import os
import re
import subprocess
import sys

import pytest

from engine.device.threads import SPINS

ENTRANCES = {
    "a child": "from engine.process.spawn import give_way; give_way()",
    "the command line": "from engine.cli import main; main(['models', 'list', '--json'])",
    "a worker": """
from engine.batch import worker
try:
    worker.Worker(worker.WorkerOptions('nowhere', 'no such bundle'))
except worker.EchoGenError:
    pass""",
}


def _spins(code: str, **variables: str) -> int:
    """Turns of the waiting loop that libgomp, which writes down its settings when it is loaded, goes by."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    ended = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport torch"],
        env=environment | {"OMP_DISPLAY_ENV": "VERBOSE"} | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"GOMP_SPINCOUNT = '(\w+)'", ended.stderr)
    if found is None:
        pytest.skip("torch brings another library than libgomp here")
    return -1 if found[1] == "INFINITE" else int(found[1])


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_waiting_threads_spin_briefly(entrance):
    assert _spins(ENTRANCES[entrance]) == SPINS


def test_what_the_user_has_set_stays():
    assert _spins(ENTRANCES["a child"], GOMP_SPINCOUNT="77") == 77
    assert _spins(ENTRANCES["a child"], OMP_WAIT_POLICY="PASSIVE") == 0
