"""Published weights that do not fit are refused, key by key."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.model.keys import from_published, published_keys
from tests.engine.sampling.tiny import CONFIG, transformer


@pytest.fixture
def net():
    return transformer()


@pytest.fixture
def published(net) -> dict[str, Tensor]:
    """What a checkpoint of this network would hold, with the dead weights and constants a real one has."""
    ours = net.state_dict()
    tensors = {}
    for name, key in published_keys(CONFIG).items():
        if key.kind != "live":
            tensors[name] = torch.zeros(CONFIG.width)
        elif key.rows is None:
            tensors[name] = ours[key.ours]
        else:
            tensors[name] = torch.full((1, 1, 6, CONFIG.width), 9.0)
            tensors[name][0, 0, list(key.rows)] = ours[key.ours]
    return tensors


def read(net, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return dict(from_published(CONFIG, tensors, {name: value.shape for name, value in net.state_dict().items()}))


def test_everything_live_arrives_and_nothing_else(net, published: dict[str, Tensor]):
    arrived, ours = read(net, published), net.state_dict()
    assert arrived.keys() == ours.keys()
    assert all(torch.equal(arrived[name], ours[name]) for name in ours)


def test_published_shapes_with_extra_axes_are_read(net, published: dict[str, Tensor]):
    name = "block_chunks.0.module.0.sa.scale_mul_1H11"
    published[name] = published[name].view(1, -1, 1, 1)
    assert torch.equal(read(net, published)["blocks.0.image.log_scale"], net.blocks[0].image.log_scale)


def test_a_missing_key_is_said(net, published: dict[str, Tensor]):
    del published["head.weight"]
    with pytest.raises(ValueError, match=r"1 missing, for example head\.weight"):
        read(net, published)


def test_an_unknown_key_is_said(net, published: dict[str, Tensor]):
    published["extra.weight"] = torch.zeros(1)
    with pytest.raises(ValueError, match=r"1 unknown, for example extra\.weight"):
        read(net, published)


def test_a_constant_that_is_not_zero_is_said(net, published: dict[str, Tensor]):
    name = "block_chunks.0.module.0.sa.zero_k_bias"
    published[name] = torch.ones(CONFIG.width)
    with pytest.raises(ValueError, match=r"zero_k_bias should be zero"):
        read(net, published)


def test_a_wrong_shape_is_said(net, published: dict[str, Tensor]):
    published["head.bias"] = torch.zeros(3)
    with pytest.raises(ValueError, match=r"head\.bias has shape \(3,\)"):
        read(net, published)
