"""Progress of a job: counts, rate and the time left, as one line that is drawn over on a terminal."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import TextIO

from engine.time_left import time_left_words


@dataclass
class Count:
    """Requests by what became of them in this run."""

    drawn: int = 0
    there: int = 0
    failed: int = 0

    @property
    def done(self) -> int:
        return self.drawn + self.there + self.failed


class ProgressBar:
    """Shows a count of ``total``; at most twice a second on a terminal, and every ten seconds in a log."""

    def __init__(self, total: int, out: TextIO | None = None) -> None:
        self.total = total
        self._out = out or sys.stderr
        self._started = time.monotonic()
        self._shown = -1e9
        self._terminal = self._out.isatty()

    def show(self, count: Count, *, last: bool = False) -> None:
        now = time.monotonic()
        if not last and now - self._shown < (0.5 if self._terminal else 10):
            return
        self._shown = now
        words = self.words(count, now - self._started)
        end = "\n" if last or not self._terminal else ""
        print(f"\r{words:<100}" if self._terminal else words, end=end, file=self._out, flush=True)

    def words(self, count: Count, seconds: float) -> str:
        """The line. The rate is that of drawn pictures alone: finding one that is there takes no time."""
        share = count.done / self.total if self.total else 1.0
        bar = "█" * round(20 * share) + "░" * (20 - round(20 * share))
        words = f"{bar} {count.done} of {self.total}"
        if count.drawn and seconds > 0:
            rate = count.drawn / seconds
            words += f", {rate:.2f} a second" if rate >= 0.1 else f", {1 / rate:.0f} s each"
            if count.done < self.total:
                words += f", {time_left_words((self.total - count.done) / rate)}"
        if count.failed:
            words += f", {count.failed} failed"
        return words
