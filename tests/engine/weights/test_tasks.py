"""One piece of work at a time for each model, and how it ends when it is not left alone."""

from __future__ import annotations

import asyncio

import pytest

from engine.errors import NetworkError
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


def test_other_work_waits_its_turn_and_is_done_itself():
    """A check or an import that is asked for during a download is not done because the download is."""
    tasks, order = ModelTasks(), []

    async def steps(what: str) -> None:
        await asyncio.sleep(0)
        order.append(what)

    async def go() -> list[bool]:
        return await asyncio.gather(*(tasks.run(NAME, steps(what)) for what in ("fetch", "import", "check")))

    assert asyncio.run(go()) == [True, True, True]
    assert order == ["fetch", "import", "check"] and tasks.of(NAME).task is None


@pytest.mark.parametrize("forgotten", [False, True])
def test_a_pause_stops_what_waits_as_well(forgotten):
    """``forgotten``: the choice of its parts was changed meanwhile, which forgets how the last task ended."""
    tasks, done = ModelTasks(), []

    async def steps() -> None:
        await asyncio.sleep(0.05)
        done.append(True)

    async def go() -> list[bool]:
        both = asyncio.gather(tasks.run(NAME, steps()), tasks.run(NAME, steps()))
        await asyncio.sleep(0.01)
        if forgotten:
            tasks.forget(NAME)
        tasks.pause(NAME)
        return await both

    assert asyncio.run(go()) == [False, False] and not done


def test_what_waits_goes_on_after_a_failure_and_can_be_cancelled_alone():
    tasks, done = ModelTasks(), []

    async def fail() -> None:
        await asyncio.sleep(0.01)
        raise NetworkError("The server is gone.")

    async def steps(what: str) -> None:
        done.append(what)

    async def go() -> None:
        first = asyncio.create_task(tasks.run(NAME, fail()))
        second = asyncio.create_task(tasks.run(NAME, steps("second")))
        third = asyncio.create_task(tasks.run(NAME, steps("third")))
        await asyncio.sleep(0)
        second.cancel()
        results = await asyncio.gather(first, second, third, return_exceptions=True)
        assert [type(result) for result in results] == [NetworkError, asyncio.CancelledError, bool]

    asyncio.run(go())
    assert done == ["third"]
