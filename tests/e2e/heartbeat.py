"""Gaps of the window's event loop that the program itself is to blame for.

A timer beats every 5 ms. What is late only because another program had the processor cost this process no processor time:
a gap counts with the smaller of the time that passed and the processor time of all threads of this process in it. A thread
that holds Python's lock while the window waits counts, too.
"""

from __future__ import annotations

import time

from PySide6.QtCore import Qt, QTimer


class OwnHeartbeat:
    """Measures from its making until ``stop``.

    Attributes:
        gaps: seconds of each gap.
        seconds: how long it measured.
    """

    def __init__(self) -> None:
        self.gaps: list[float] = []
        self.seconds = 0.0
        self._last = self._read()
        self._timer = QTimer(interval=5, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def _read(self) -> tuple[float, float]:
        return time.perf_counter(), time.process_time()

    def _beat(self) -> None:
        now = self._read()
        passed, worked = now[0] - self._last[0], now[1] - self._last[1]
        self.gaps.append(min(passed, worked))
        self.seconds += passed
        self._last = now

    def stop(self) -> OwnHeartbeat:
        self._beat()
        self._timer.stop()
        return self

    @property
    def longest(self) -> float:
        return max(self.gaps)

    def share_over(self, limit: float) -> float:
        """The part of the time that lay in gaps longer than ``limit`` seconds."""
        return sum(gap for gap in self.gaps if gap > limit) / self.seconds
