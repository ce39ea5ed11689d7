"""The place between two blocks."""

from __future__ import annotations

import threading

import pytest
import torch

from engine.errors import Cancelled
from engine.sampling.pace import Pace


def test_it_goes_on_until_it_is_stopped():
    cancel = threading.Event()
    pace = Pace(torch.device("cpu"), cancel)
    for _ in range(5):
        pace.step()
    cancel.set()
    with pytest.raises(Cancelled):
        pace.step()


def test_without_a_way_to_stop_it_always_goes_on():
    for _ in range(5):
        Pace(torch.device("cpu"), None).step()


def test_a_card_is_never_more_than_two_blocks_behind(monkeypatch: pytest.MonkeyPatch):
    """Otherwise everything would be in its queue already when the stop comes."""
    waited: list[int] = []
    recorded: list[int] = []

    class Event:
        def record(self, stream: str) -> None:
            assert stream == "the queue of cuda:1", "the first card has nothing to do"
            recorded.append(len(recorded))
            self.number = recorded[-1]

        def synchronize(self) -> None:
            waited.append(self.number)

    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: f"the queue of {device}")
    pace = Pace(torch.device("cuda:1"), None)
    for _ in range(6):
        pace.step()
    assert recorded == [0, 1, 2, 3, 4, 5]
    assert waited == [0, 1, 2, 3]
