"""Which parameters the matrices' optimiser gets."""

from __future__ import annotations

from torch import nn

from engine.training.optimiser import in_blocks, is_large, split_matrices


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        block = nn.ModuleDict({"attention": nn.Linear(64, 64), "modulation": nn.Linear(64, 64)})
        self.text = nn.ModuleDict({"blocks": nn.ModuleList([block])})
        self.head = nn.Linear(64, 64)
        self.convolution = nn.Conv2d(32, 48, 3)
        self.first = nn.Conv2d(3, 48, 3)


def test_of_transformers_only_what_lies_in_blocks():
    module = Small()
    matrices, rest = split_matrices(module, in_blocks)
    assert [id(parameter) for parameter in matrices] == [id(module.text["blocks"][0]["attention"].weight)]  # type: ignore[index]
    assert len(matrices) + len(rest) == len(list(module.parameters()))


def test_of_convolutional_networks_whatever_has_no_short_side():
    module = Small()
    matrices, _ = split_matrices(module, is_large)
    chosen = {id(parameter) for parameter in matrices}
    assert {id(module.convolution.weight), id(module.head.weight)} <= chosen
    assert not chosen & {id(module.first.weight), id(module.head.bias)}
