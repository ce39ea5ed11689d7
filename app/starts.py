"""Measures a start beside an earlier state of the program: python -m app.starts --before COMMIT

Three moments: the window can be seen, the model is ready, and a cold picture of the command line is there. Both states run in
turns, each start in a process of its own with folders of its own, so that a busy computer slows both. Beside the seconds stands
the processor time, of the program with its children, which other work on the computer hardly changes.

    --before COMMIT  the state to compare with; it is unpacked into a temporary folder (121d701)
    --rounds N       starts of each (3); the first of each only fills caches and is not counted
    --json           one JSON object instead of a table

The exit code is 1 when one of the three takes more than half of the processor time it took before.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BEFORE = "121d701"
LONGEST = 300
"""Seconds after which a start is given up: one that hangs would hold up the comparison for ever."""
MOMENTS = {"visible": "window visible", "ready": "model ready", "picture": "cold picture"}

# Runs in either state, so it uses only what both have. argv: the parent's clock at the start, a folder for everything.
_WINDOW = """
import gc, json, os, sys, time
gc.disable()  # both states start like this; what follows, main.py does before anything else of the window
began, home = float(sys.argv[1]), sys.argv[2]
try:
    from app.system import plain_imports
    plain_imports.restore()
except ImportError:
    pass
from pathlib import Path
from PySide6.QtCore import QTimer
from app.application import Program, make_application
from app.store.paths import AppPaths
home = Path(home)
application = make_application([])
program = Program(AppPaths(home / "data", home / "config", home / "log", home / "pictures"))
found = {}

def spent_by_children():
    import psutil
    times = []
    for child in psutil.Process().children(recursive=True):
        try:
            times.append(child.cpu_times())
        except psutil.Error:
            pass
    return sum(t.user + t.system + getattr(t, "children_user", 0) + getattr(t, "children_system", 0) for t in times)

def note(name):
    seconds, own = time.monotonic() - began, time.process_time()
    # What looks at the children is loaded after the clocks are read: the window is there before it has any.
    found[name] = [seconds, own + spent_by_children()]

def tick():
    handle = program.window.windowHandle()
    if "visible" not in found and handle is not None and handle.isExposed():
        note("visible")
    if "visible" in found and program.state.engine.phase == "ready":
        note("ready")
        timer.stop()
        program.window.close()

timer = QTimer()
timer.setInterval(1)  # what begins once the window is there is not to be counted
timer.timeout.connect(tick)
timer.start()
program.ended.connect(application.quit)
program.start()
application.exec()
sys.stdout.write(json.dumps(found))
sys.stdout.flush()
os._exit(0)
"""


def unpack(commit: str, folder: Path) -> None:
    """Put the files of a commit into a folder."""
    packed = subprocess.run(["git", "archive", commit], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")


def start(state: Path, compiled: str) -> dict[str, tuple[float, float]]:
    """One start of the window and one of the command line: (seconds, seconds of processor time) of every moment.

    Args:
        compiled: folder for Python's compiled files, which a second start of a program always has.
    """
    with tempfile.TemporaryDirectory(prefix="echogen-starts-") as home:
        environment = {
            **os.environ,
            "ECHOGEN_MODELS": str(Path(home) / "models"),
            "PYTHONPATH": str(state),
            "PYTHONPYCACHEPREFIX": compiled,
        }
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        began = time.monotonic()
        command = [sys.executable, "-c", _WINDOW, repr(began), home]
        done = subprocess.run(
            command, cwd=state, env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=LONGEST
        )
        found = {name: (values[0], values[1]) for name, values in json.loads(done.stdout).items()}
        before, began = _children(), time.monotonic()
        command = [
            sys.executable,
            "-m",
            "engine",
            "example",
            "--device",
            "cpu",
            "--out",
            str(Path(home) / "picture.png"),
        ]
        subprocess.run(command, cwd=state, env=environment, capture_output=True, check=True, timeout=LONGEST)
        found["picture"] = (time.monotonic() - began, _children() - before)
        return found


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(before: str, rounds: int) -> dict[str, dict[str, list[tuple[float, float]]]]:
    """ "before" and "now" → moment → what every counted start took."""
    results: dict[str, dict[str, list[tuple[float, float]]]] = {
        state: {moment: [] for moment in MOMENTS} for state in ("before", "now")
    }
    with (
        tempfile.TemporaryDirectory(prefix="echogen-before-") as folder,
        tempfile.TemporaryDirectory(prefix="echogen-compiled-") as compiled,
    ):
        unpack(before, Path(folder))
        for number in range(rounds + 1):
            for state, place in (("before", Path(folder)), ("now", ROOT)):
                found = start(place, compiled)
                if number:
                    for moment, values in found.items():
                        results[state][moment].append(values)
    return results


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--before", default=BEFORE)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    try:
        results = measure(arguments.before, max(1, arguments.rounds))
    except subprocess.TimeoutExpired:
        sys.exit(f"A start did not end within {LONGEST} s.")
    medians = {
        moment: {
            state: tuple(statistics.median(values[n] for values in results[state][moment]) for n in (0, 1))
            for state in results
        }
        for moment in MOMENTS
    }
    if arguments.json:
        sys.stdout.write(json.dumps({"medians": medians, "rounds": results}) + "\n")
    else:
        sys.stdout.write(f"{'':18}{'before':>18}{'now':>18}{'share':>16}\n")
        for moment, words in MOMENTS.items():
            (wall, cpu), (wall_now, cpu_now) = medians[moment]["before"], medians[moment]["now"]
            shown = f"{wall:7.2f} s {cpu:6.2f} cpu{wall_now:7.2f} s {cpu_now:6.2f} cpu"
            sys.stdout.write(f"{words:18}{shown}{wall_now / wall:8.2f} {cpu_now / cpu:6.2f} cpu\n")
    return int(any(values["now"][1] > values["before"][1] / 2 for values in medians.values()))


if __name__ == "__main__":
    sys.exit(main())
