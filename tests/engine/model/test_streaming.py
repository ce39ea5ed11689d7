"""Layers that only visit the device: the same bits, and no more than the unit at work there."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from types import SimpleNamespace

import psutil
import pytest
import torch

from engine.device.devices import GIB
from engine.device.streamed_unit import may_pin
from engine.errors import Cancelled
from engine.model.streaming import Streaming, stream_layers
from engine.model.transformer import Transformer
from engine.sampling.guidance import Guidance
from engine.sampling.sampler import Sampler
from tests.engine.sampling.tiny import CONFIG, SCHEDULE, TOKENIZER, conditions, transformer

SCALES = len(SCHEDULE.grids)
GUIDANCE = Guidance.of(SCALES, 3.0, 2.0, top_p=0.97)


def drawn(net: Transformer, **options) -> list[torch.Tensor]:
    sampler = Sampler(net, TOKENIZER, **options)
    return [scale.bits for scale in sampler.draw(conditions(), GUIDANCE, SCHEDULE, 7)]


def streamed(**which: bool) -> tuple[Transformer, Streaming]:
    net = transformer()
    return net, stream_layers(net, "cpu", **which)


@pytest.mark.parametrize("which", [{}, {"image": True}, {"content": False, "image": True}])
@pytest.mark.parametrize("branches", ["together", "in-turn"])
def test_streaming_changes_no_bit(which: dict[str, bool], branches: str):
    plain = drawn(transformer())
    net, streaming = streamed(**which)
    assert all(torch.equal(a, b) for a, b in zip(plain, drawn(net, branches=branches), strict=True))
    assert not any(unit.there for unit in streaming.units)


def test_one_unit_at_a_time_is_on_the_device():
    net, streaming = streamed(image=True)
    drawn(net)
    largest = max(unit.nbytes for unit in streaming.units)
    assert 0 < streaming.most_bytes == largest
    assert sum(unit.nbytes for unit in streaming.units) > 3 * largest


class Arrived:
    """Stands for an event of a graphics card."""

    def record(self, stream: object) -> None: ...


@pytest.fixture
def copies_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copying beside the work, as on a graphics card, without one."""
    stream = SimpleNamespace(wait_event=lambda event: None)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: contextlib.nullcontext())
    monkeypatch.setattr(torch.cuda, "Event", Arrived)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: stream)
    monkeypatch.setattr(torch.Tensor, "record_stream", lambda tensor, stream: None)


@pytest.mark.parametrize("branches", ["together", "in-turn"])
def test_of_what_is_copied_ahead_no_more_than_the_next_unit_is_there(copies_ahead: None, branches: str):
    """Preparing a picture and drawing it go through the layers in another order. What was copied for the one stayed on the
    card during the other: all content layers at once."""
    net = transformer(replace(CONFIG, blocks=6))
    plain = drawn(transformer(replace(CONFIG, blocks=6)))
    streaming = stream_layers(net, "cpu", image=True)
    streaming._copies = object()
    sampler = Sampler(net, TOKENIZER, branches=branches)
    begun = counted(streaming)
    for words in range(3):
        found = [scale.bits for scale in sampler.draw(conditions(words), GUIDANCE, SCHEDULE, 7)]
        assert words or all(torch.equal(a, b) for a, b in zip(plain, found, strict=True))
        assert sum(unit.there for unit in streaming.units) == 0
        assert sum(unit.arriving for unit in streaming.units) <= 1
    assert streaming.most_bytes <= 2 * max(unit.nbytes for unit in streaming.units)
    assert begun["used"] > 0.9 * begun["copied"] > 0


def counted(streaming: Streaming) -> dict[str, int]:
    """How many units are copied ahead from now on, and how many of those copies a layer uses."""
    begun = {"copied": 0, "used": 0}
    for unit in streaming.units:

        def begin(stream: object, unit=unit, begin=unit.begin_copy) -> None:
            begun["copied"] += not unit.arriving
            begin(stream)

        def enter(unit=unit, enter=unit.enter) -> None:
            begun["used"] += unit.arriving
            enter()

        unit.begin_copy, unit.enter = begin, enter
    return begun


def test_memory_is_fixed_to_its_place_only_where_there_is_plenty(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=10 * GIB))
    assert may_pin(torch.device("cuda"), 4 * GIB) and not may_pin(torch.device("cuda"), 6 * GIB)
    assert not may_pin(torch.device("cpu"), GIB)


def test_all_matrices_of_the_layers_are_streamed_and_each_once():
    net, streaming = streamed(image=True)
    matrices = [
        parameter
        for name, parameter in net.named_parameters()
        if name.startswith("blocks.") and parameter.ndim == 2 and not name.endswith("modulation")
    ]
    assert sum(unit.nbytes for unit in streaming.units) == sum(matrix.nbytes for matrix in matrices)


def test_weights_are_the_same_memory_before_and_after():
    net = transformer()
    before = {name: parameter.data_ptr() for name, parameter in net.named_parameters()}
    stream_layers(net, "cpu", image=True)
    drawn(net)
    assert {name: parameter.data_ptr() for name, parameter in net.named_parameters()} == before


def test_a_stop_in_the_middle_leaves_nothing_on_the_device():
    net, streaming = streamed(image=True)

    class AfterSome:
        checks = 0

        def is_set(self) -> bool:
            self.checks += 1
            return self.checks > 5

    with pytest.raises(Cancelled):
        list(Sampler(net, TOKENIZER).draw(conditions(), GUIDANCE, SCHEDULE, cancel=AfterSome()))
    assert not any(unit.there for unit in streaming.units)
    assert all(torch.equal(a, b) for a, b in zip(drawn(transformer()), drawn(net), strict=True))


def test_a_layer_that_fails_goes_home_too():
    net, streaming = streamed()
    with pytest.raises(RuntimeError):
        net.blocks[0].content(torch.zeros(1, 3, 5), torch.zeros(1, 6, net.config.width), None)
    assert not any(unit.there for unit in streaming.units)
