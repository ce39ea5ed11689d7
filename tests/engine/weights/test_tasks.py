"""One piece of work at a time for each model, and how it ends when it is not left alone."""

from __future__ import annotations

import asyncio

import pytest

from engine.weights.tasks import ModelTasks

NAME = "cut-out"


def test_who_waits_is_stopped_and_the_work_with_them():
    """Ctrl+C on the command line cancels the waiting, and not the work: nobody has paused it."""
    tasks, ended = ModelTasks(), []

    async def steps() -> None:
        tasks.enter(NAME, "fetching")
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    async def go() -> None:
        waiting = asyncio.create_task(tasks.run(NAME, steps()))
        await asyncio.sleep(0.01)
        assert tasks.of(NAME).phase == "fetching"
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert ended and tasks.of(NAME).task is None and tasks.of(NAME).phase == "absent"

    asyncio.run(go())


def test_a_pause_of_what_is_not_going_on_does_not_stop_what_comes_later():
    tasks, done = ModelTasks(), []

    async def steps() -> None:
        await asyncio.sleep(0)
        done.append(True)

    async def go() -> bool:
        tasks.pause(NAME)  # never begun
        await tasks.stop(NAME)
        assert await tasks.run(NAME, steps())
        tasks.pause(NAME)  # over
        return await tasks.run(NAME, steps())

    assert asyncio.run(go()) and len(done) == 2
