"""Whole states change their place."""

import torch

from engine.device.to_device import moved
from engine.model.block import KeyValue


def test_tensors_move_wherever_they_are_and_the_rest_stays():
    state = (KeyValue(torch.zeros(2), torch.ones(3)), [torch.ones(1), None], "words", 5)
    there = moved(state, "meta")
    assert isinstance(there[0], KeyValue)
    assert {there[0].keys.device.type, there[0].values.device.type, there[1][0].device.type} == {"meta"}
    assert there[0].mask is None
    assert there[1][1] is None and there[2:] == ("words", 5)
    assert state[0].keys.device.type == "cpu"


def test_what_is_there_already_is_not_copied():
    tensor = torch.zeros(4)
    assert moved([tensor], "cpu")[0].data_ptr() == tensor.data_ptr()
