"""Answers that are left in the middle leave nothing behind."""

from __future__ import annotations

import asyncio
import gc
from types import AsyncGeneratorType

import httpx

from engine.weights.transfer.requests import abandon, make_client, open_stream
from tests.engine.weights.hub_server import COMMIT, Repository

CONTENT = bytes(2**21)


def suspended() -> list[str]:
    """Names of the HTTP library's generators of an answer's body that have begun and not ended."""
    running = (
        found for found in gc.get_objects() if isinstance(found, AsyncGeneratorType) and found.ag_frame is not None
    )
    body = ("__aiter__", "aiter_raw", "_receive_response_body")
    return [found.__qualname__ for found in running if found.__name__ in body]


def test_an_abandoned_answer_ends(hub):
    hub.repositories["them/net"] = Repository({"weights.bin": CONTENT})

    async def leave_in_the_middle() -> tuple[int, list[str], list[str]]:
        async with (
            make_client() as client,
            open_stream(client, f"{hub.url}/them/net/resolve/{COMMIT}/weights.bin", {}) as response,
        ):
            chunks = response.aiter_raw()
            first = await anext(chunks)
            await asyncio.sleep(0.1)  # more arrives meanwhile
            second = await anext(chunks)
            before = suspended()
            await abandon(response, chunks)
            return len(first) + len(second), before, suspended()

    taken, before, after = asyncio.run(leave_in_the_middle())
    assert taken < len(CONTENT), "it was in the middle"
    assert before and not after


def test_an_abandoned_answer_ends_even_when_more_of_it_has_arrived():
    """The network's layer hands out what it has before it says that it is closed: asking once is not enough."""

    class Answer:
        closed = False

        async def aclose(self) -> None:
            self.closed = True

        async def body(self):
            for block in (b"first", b"arrived before", b"and this too"):
                yield block
            assert self.closed
            raise httpx.ReadError("closed")

    async def leave_in_the_middle() -> bool:
        answer = Answer()
        chunks = answer.body()
        assert await anext(chunks) == b"first"
        await abandon(answer, chunks)
        return chunks.ag_frame is None  # asyncio itself ends what is left over

    assert asyncio.run(leave_in_the_middle())
