"""Measures the start of the window and the gaps of its event loop: python -m app.bench

Every round is a start of its own, with the model that ships and folders of its own: from the start of Python until the
window is exposed, then a timer of 5 milliseconds beats while the model is loaded and while pictures are drawn. The
figures of design.md, §10: visible within a second, without torch; while loading, gaps over 50 ms are at most 5 % of the time
and none is over 250 ms; while drawing, none is over 100 ms.

    --rounds N     starts (5); the first one only fills caches and is not counted
    --pictures N   pictures to draw in each (3)
    --json         one JSON object instead of a table

The exit code is 1 when a median misses its figure. Other work on the computer makes all of it worse.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BEAT_MS = 5
LONG = 0.05
LIMITS = {"visible": 1.0, "loading_long": 0.05, "loading_worst": 0.25, "drawing_worst": 0.1}
"""Seconds; ``loading_long``: the share of the time that gaps over ``LONG`` take."""
WORDS = {
    "visible": "window visible, s",
    "loading": "model loaded after, s",
    "loading_long": "share of gaps over 50 ms while loading",
    "loading_worst": "longest gap while loading, s",
    "drawing_worst": "longest gap while drawing, s",
}


def one_start(began: float, pictures: int, home: Path) -> dict[str, float]:
    """One round, in a process of its own.

    Args:
        began: ``time.monotonic`` of the parent, which shares its clock, when it started this process.
        home: an empty folder to keep everything in.
    """
    import gc

    from app.system import plain_imports

    gc.disable()  # as main.py does, and this
    plain_imports.restore()
    from PySide6.QtCore import Qt, QTimer

    from app.application import Program, make_application
    from app.store.paths import AppPaths

    application = make_application([])
    program = Program(AppPaths(home / "data", home / "config", home / "log", home / "pictures"))
    state, window = program.state, program.window
    found: dict[str, float] = {}
    gaps: list[float] = []
    beats = QTimer(timerType=Qt.TimerType.PreciseTimer)
    beats.setInterval(BEAT_MS)
    last = began

    def finish_phase(name: str) -> None:
        found[f"{name}_long"] = sum(gap for gap in gaps if gap > LONG) / max(sum(gaps), 1e-9)
        found[f"{name}_worst"] = max(gaps, default=0.0)
        gaps.clear()

    def beat() -> None:
        nonlocal last, pictures
        now = time.monotonic()
        if "visible" not in found:
            handle = window.windowHandle()
            if handle is not None and handle.isExposed():
                found["visible"] = now - began
                if "torch" in sys.modules:
                    raise AssertionError("torch was imported before the window was there")
        else:
            gaps.append(now - last)
        last = now
        if "loading_worst" not in found:
            if state.engine.phase == "ready" and state.subject is not None and state.subject.cut_out is not None:
                found["loading"] = now - began
                finish_phase("loading")
        elif not state.jobs.busy and not program.controller.saving:
            if pictures:
                pictures -= 1
                window.drawing.generate()
            else:
                finish_phase("drawing")
                beats.stop()
                window.close()

    beats.timeout.connect(beat)
    beats.start()
    program.ended.connect(application.quit)
    program.start()
    application.exec()
    return found


def measure(rounds: int, pictures: int) -> list[dict[str, float]]:
    """The figures of every counted start."""
    results = []
    for number in range(rounds + 1):
        with tempfile.TemporaryDirectory(prefix="echogen-bench-") as home:
            environment = {**os.environ, "ECHOGEN_MODELS": str(Path(home) / "models")}
            # A second start of a program always has its compiled files.
            environment.pop("PYTHONDONTWRITEBYTECODE", None)
            command = [sys.executable, "-m", "app.bench", "--pictures", str(pictures), "--home", home]
            command += ["--one", repr(time.monotonic())]
            done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        if number:
            results.append(json.loads(done.stdout))
    return results


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pictures", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one is not None:
        sys.stdout.write(json.dumps(one_start(arguments.one, arguments.pictures, arguments.home)))
        return 0
    results = measure(max(1, arguments.rounds), arguments.pictures)
    medians = {key: statistics.median(result[key] for result in results) for key in WORDS}
    if arguments.json:
        sys.stdout.write(json.dumps({"median": medians, "rounds": results}) + "\n")
    else:
        for key, words in WORDS.items():
            values = sorted(result[key] for result in results)
            limit = f"   ≤ {LIMITS[key]:g}" if key in LIMITS else ""
            sys.stdout.write(f"{words:40} {medians[key]:6.3f}   {values[0]:.3f} … {values[-1]:.3f}{limit}\n")
    return int(any(medians[key] > limit for key, limit in LIMITS.items()))


if __name__ == "__main__":
    sys.exit(main())
