"""Python's garbage collection, in the window's thread only.

By itself Python looks for circular garbage in whichever thread happens to make an object too many. A thread of the
background work would then destroy widgets and timers, which Qt allows in their own thread only: a rare crash. So the
automatic collection is off, and a timer of the window's thread does it.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer, Slot

INTERVAL_MS = 500


class GarbageCollector(QObject):
    """Collects as often as Python would, with Python's own thresholds; the youngest objects first.

    While it lives, there is no other collection; ``stop`` gives Python its own back. The oldest generation waits until the
    start is over (``settle``): a look through all that a start makes would keep the window waiting.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._was_enabled = gc.isenabled()
        gc.disable()
        self._settled = False
        self._timer = QTimer(self)
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self._collect)
        self._timer.start()

    @Slot()
    def _collect(self) -> None:
        # The oldest generation whose time has come takes the younger ones along.
        for generation in (2, 1, 0) if self._settled else (1, 0):
            if gc.get_count()[generation] > gc.get_threshold()[generation]:
                gc.collect(generation)
                return

    def settle(self) -> None:
        """Freeze the objects of the start, so that later collections need not look through them."""
        gc.freeze()
        self._settled = True

    def stop(self) -> None:
        self._timer.stop()
        gc.unfreeze()
        if self._was_enabled:
            gc.enable()
