"""Measures a history of tens of thousands of pictures: python -m app.gallery.bench

Makes an index of so many pictures in a folder of its own, and measures what a person waits for: opening the index and the
row of the newest pictures, which are part of every start; searches, in the index and until the gallery shows the answer; and
the gaps of the event loop while the gallery is scrolled from its beginning to its end, one step of the wheel every frame.

    --pictures N   how many (25,000)
    --home FOLDER  use the history of a user's data folder instead: a file "history.sqlite" in it
    --json         one JSON object instead of a table

Beside each figure stands the processor time that the window's thread took of it, which other work on the computer hardly
changes; the seconds it makes worse. The exit code is 1 when a figure is missed in seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication

from app.gallery.panel import GalleryPanel
from app.history.panel import HistoryPanel
from app.look import stylesheet
from app.store.history_store import HistoryStore
from app.store.picture_filter import PictureFilter
from app.store.thumb_bytes import make_thumb
from app.system import background
from app.system.garbage import GarbageCollector

LIMITS = {"open": 0.1, "row": 0.2, "search": 0.05, "search_shown": 0.1, "gap": 0.05}
"""Seconds. Opening and the row are shares of the start, of which 1.2 s are allowed."""
WORDS = {
    "open": "the index opened, s",
    "row": "the row of the newest pictures, s",
    "gallery": "the gallery opened, s",
    "search": "the slowest search, s",
    "search_shown": "the slowest search shown in the gallery, s",
    "gap": "the longest gap while scrolling, s",
    "gaps": "gaps over 50 ms while scrolling",
}
_SEARCHES = ("teapot snow", "zebra", "a", "beach")
_FRAME_MS = 16
_STEPS = 400


class Taken(NamedTuple):
    """The time something took: seconds, and seconds of processor time of this thread."""

    seconds: float
    processor: float


def fill(path: Path, count: int) -> None:
    """An index of ``count`` pictures, whose files are not there."""
    chance, rng = random.Random(1), np.random.default_rng(1)
    noise = rng.integers(0, 256, (24, 12, 12, 3), dtype=np.uint8)
    thumbs = [make_thumb(np.kron(pixels, np.ones((16, 16, 1), np.uint8))) for pixels in noise]
    names = ("duck", "bear", "backpack", "teapot", "mug", "shoe", "robot")
    places = ("in the snow", "on the beach", "in the jungle", "at night", "on a table")
    now, rows = time.time(), []
    for number in range(count):
        name = names[number // 11 % len(names)]
        prompt = f"a {name} {places[number // 4 % len(places)]}"
        created = now - (count - number) * 1200
        bundle = ("mini@1", "large@2")[number % 5 == 0]
        values = (f"/gone/{number}.png", created, prompt, name, chance.randrange(10**6), 256, 256, bundle)
        rows.append((*values, str(number // 4), 0, 3.0, int(number % 37 == 0), thumbs[number % len(thumbs)]))
    store = HistoryStore(path, path.parent)
    with store.database.transaction() as database:
        database.executemany(
            "INSERT INTO pictures (file, created, prompt, subject_name, seed, width, height, bundle, group_key, kept, "
            "seconds, starred, thumb) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
            rows,
        )
    store.close()


def measure(path: Path) -> dict[str, float]:
    """The figures of one index."""
    found: dict[str, float] = {}

    def note(key: str, taken: Sequence[Taken]) -> None:
        """The worst of several, in either measure."""
        found[key], found[f"{key}_cpu"] = (max(one[n] for one in taken) for n in (0, 1))

    taken, store = _timed(lambda: HistoryStore(path, path.parent))
    note("open", [taken])
    taken, history = _timed(lambda: HistoryPanel(store))
    note("row", [taken])
    note("search", [_timed(partial(store.ids, PictureFilter(words)))[0] for words in _SEARCHES])
    panel = GalleryPanel(store, history.commands)
    panel.resize(1366, 700)
    note("gallery", [_timed(lambda: _show(panel))[0]])
    shown = []
    for words in (*_SEARCHES, ""):
        panel.field.setText(words)
        panel._search.stop()
        shown.append(_timed(lambda: (panel.apply(), QApplication.processEvents()))[0])
    note("search_shown", shown)
    gaps = _scroll(panel)
    note("gap", gaps)
    for n, key in enumerate(("gaps", "gaps_cpu")):
        found[key] = float(sum(gap[n] > LIMITS["gap"] for gap in gaps))
    found["frame"] = statistics.median(gap.seconds for gap in gaps)
    background.shutdown()
    store.close()
    return found


def _show(panel: GalleryPanel) -> None:
    panel.show()
    panel.begin(None)
    QApplication.processEvents()


def _scroll(panel: GalleryPanel) -> list[Taken]:
    """The time between the frames of a way through the whole gallery."""
    bar, gaps = panel.view.verticalScrollBar(), list[Taken]()
    timer = QTimer(timerType=Qt.TimerType.PreciseTimer)
    timer.setInterval(_FRAME_MS)
    last = Taken(time.perf_counter(), time.thread_time())

    def frame() -> None:
        nonlocal last
        now = Taken(time.perf_counter(), time.thread_time())
        gaps.append(Taken(now.seconds - last.seconds, now.processor - last.processor))
        last = now
        # Slowly at first, as one reads; then in long strides, as one looks for something of last year.
        step = 60 if len(gaps) < _STEPS / 2 else bar.maximum() // (_STEPS // 2)
        bar.setValue(bar.value() + step)
        if len(gaps) >= _STEPS:
            timer.stop()
            QApplication.exit()

    timer.timeout.connect(frame)
    timer.start()
    QApplication.exec()
    return gaps[2:]


_Result = TypeVar("_Result")


def _timed(work: Callable[[], _Result]) -> tuple[Taken, _Result]:
    began = time.perf_counter(), time.thread_time()
    result = work()
    return Taken(time.perf_counter() - began[0], time.thread_time() - began[1]), result


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pictures", type=int, default=25_000)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QApplication.instance() or QApplication([])
    assert isinstance(application, QApplication)
    garbage = GarbageCollector()  # as in the program: Python's own would look through everything whenever it likes
    garbage.settle()
    stylesheet.install(application)
    with tempfile.TemporaryDirectory(prefix="echogen-bench-") as folder:
        path = options.home / "history.sqlite" if options.home else Path(folder) / "history.sqlite"
        if not options.home:
            fill(path, options.pictures)
        found = measure(path)
    garbage.stop()
    if options.json:
        sys.stdout.write(json.dumps(found) + "\n")
    else:
        for key, words in WORDS.items():
            limit = f"   ≤ {LIMITS[key]:g}" if key in LIMITS else ""
            sys.stdout.write(f"{words:44} {found[key]:8.3f} {found[f'{key}_cpu']:8.3f} cpu{limit}\n")
    return int(any(found[key] > limit for key, limit in LIMITS.items()))


if __name__ == "__main__":
    sys.exit(main())
