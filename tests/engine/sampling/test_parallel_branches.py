"""Branches on threads of their own."""

from __future__ import annotations

import threading

import pytest
import torch
from torch import Tensor

from engine.sampling.parallel_branches import run_side_by_side
from tests.engine.conftest import Cores


def shares(number: int) -> list[int]:
    def share() -> Tensor:
        torch.ones(2, 2) @ torch.ones(2, 2)
        return torch.tensor(torch.get_num_threads())

    return [int(value) for value in run_side_by_side([share] * number)]


@pytest.mark.parametrize(("there", "branches", "each"), [(2, 2, 1), (4, 2, 2), (4, 3, 1), (3, 2, 1)])
def test_each_has_its_share_of_the_cores(there: int, branches: int, each: int, cores: Cores):
    cores(there)
    assert shares(branches) == [each] * branches
    assert shares(branches) == [each] * branches
    assert torch.get_num_threads() == there


def test_threads_begun_later_have_all_cores(cores: Cores):
    cores(4)
    shares(2)
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert found == [4]


def test_results_come_in_the_order_of_the_tasks(cores: Cores):
    cores(2)
    second_is_done = threading.Event()

    def first() -> Tensor:
        assert second_is_done.wait(10)
        return torch.tensor(1)

    def second() -> Tensor:
        second_is_done.set()
        return torch.tensor(2)

    assert [int(value) for value in run_side_by_side([first, second])] == [1, 2]


def test_nothing_remembers_gradients(cores: Cores):
    cores(2)
    weight = torch.ones(2, requires_grad=True)
    assert not any(value.requires_grad for value in run_side_by_side([lambda: weight * 2] * 2))


def test_an_error_is_raised_when_all_have_ended(cores: Cores):
    cores(2)
    go_on, ended = threading.Event(), threading.Event()

    def fails() -> Tensor:
        go_on.set()
        raise torch.OutOfMemoryError("no memory")

    def works() -> Tensor:
        assert go_on.wait(10)
        ended.set()
        return torch.tensor(0)

    with pytest.raises(torch.OutOfMemoryError):
        run_side_by_side([fails, works])
    assert ended.is_set()
    assert shares(2) == [1, 1]
