"""The running tasks: one at a time for each model, how far it is, and who is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from engine.errors import EchoGenError
from engine.weights.inventory import Work
from engine.weights.state import Phase

_TELL_SECONDS = 0.1
Listener = Callable[[str], None]


class ModelTasks:
    """The tasks of all models, by their names. Everything happens in the event loop that ``run`` is called from."""

    def __init__(self) -> None:
        self._work: dict[str, Work] = {}
        self._listeners: list[Listener] = []
        self._turns = 0

    def of(self, name: str) -> Work:
        """The task of a model."""
        return self._work.get(name, Work())

    def _of(self, name: str) -> Work:
        return self._work.setdefault(name, Work())

    def others(self, name: str) -> list[tuple[str, Work]]:
        """The downloads of other models that come before this one's: those that arrive already, then those that were asked for
        earlier and whose servers have not answered yet, in the order in which they were asked for."""
        turn = self.of(name).turn
        working = [(other, work) for other, work in self._work.items() if other != name and work.downloads]
        arriving = [(other, work) for other, work in working if work.phase != "asking"]
        asking = [(other, work) for other, work in working if work.phase == "asking" and work.turn < turn]
        return arriving + sorted(asking, key=lambda one: one[1].turn)

    def forget(self, name: str) -> None:
        """Forget the earlier task; one that runs stays known."""
        if self.of(name).task is None:
            self._work.pop(name, None)

    # Listening

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Be told a model's name when its state changed. Returns what ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def tell(self, name: str, *, now: bool = True) -> None:
        """A model's state changed. Listeners hear of it at once, or at most ten times a second."""
        work = self._of(name)
        moment = time.monotonic()
        if not now and moment - work.told < _TELL_SECONDS:
            return
        work.told = moment
        for listener in tuple(self._listeners):
            listener(name)

    def enter(self, name: str, phase: Phase) -> None:
        """A model's task goes on to another phase."""
        work = self._of(name)
        work.phase, work.fraction = phase, 0.0
        work.meter.reset()
        self.tell(name)

    def move(self, name: str, fraction: float) -> None:
        """So much of the phase is done, 0 … 1."""
        self._of(name).fraction = fraction
        self.tell(name, now=False)

    # Running

    async def run(self, name: str, steps: Coroutine[Any, Any, None]) -> bool:
        """Run one piece of work on a model as a task of its own, so that it can be paused. It waits for one that runs already.

        Returns:
            False when it was paused, or what it waited for was: then it is not begun.
        """
        work = self._of(name)
        try:
            while work.task is not None:
                await asyncio.wait([work.task])
                if work.pausing:
                    steps.close()
                    return False
        except asyncio.CancelledError:
            steps.close()
            raise
        work.error, work.pausing = None, False
        self._turns += 1
        work.turn = self._turns
        work.task = asyncio.ensure_future(steps)
        try:
            await work.task
            work.phase = "absent"  # what it is now is read off the disk
            return True
        except asyncio.CancelledError:
            work.phase = "absent"
            if not work.pausing:
                raise
            return False
        except EchoGenError as error:
            work.phase, work.error = "failed", error
            raise
        except BaseException:
            work.phase = "absent"
            raise
        finally:
            work.task, work.fraction, work.downloads = None, 0.0, []
            work.meter.reset()
            self.tell(name)

    def pause(self, name: str) -> None:
        """Stop a model's task; everything that arrived stays."""
        work = self._work.get(name)
        if work is not None and work.task is not None and not work.task.done():
            work.pausing = True
            work.task.cancel()

    async def stop(self, name: str) -> None:
        """Pause, and wait until it has stopped."""
        work = self._work.get(name)
        if work is not None and work.task is not None:
            task = work.task
            self.pause(name)
            await asyncio.wait([task])

    async def stop_all(self) -> None:
        """Pause everything, and wait until it has stopped."""
        for name in tuple(self._work):
            await self.stop(name)
