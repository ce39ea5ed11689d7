"""A whole picture under every memory plan that is exact: the same bits and pixels as with everything resident."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine import CutOut, Finished, GenerationRequest, Started
from engine.bundle.loader import load_bundle
from engine.bundle.manifest import read_manifest
from engine.device.devices import GIB, Device
from engine.engine import Engine
from engine.errors import NotEnoughMemory
from engine.planning import plans as plans_module
from engine.planning.part_placement import placements
from engine.planning.plans import PLANS, all_plans, plan_for
from engine.sampling.sampler import Sampler

# What the plans are for, and where they are tried: what they send to the card stays here.
CARD = Device("cuda", "Card", 24 * GIB, 23 * GIB, 2, half=True)
HERE = Device("cpu", "CPU", 16 * GIB, 12 * GIB, 2)


def cut_out() -> CutOut:
    pixels = np.full((56, 56, 4), 255, np.uint8)
    pixels[10:46, 16:40] = (200, 30, 60, 255)
    return CutOut(pixels)


def a_request() -> GenerationRequest:
    return GenerationRequest("a ball in the snow", cut_out(), seed=7, prompt_strength=3.0, subject_strength=2.0)


def draw(folder, plan) -> Finished:
    request = a_request()
    with Engine(load_bundle(folder, placements(plan, HERE)), HERE, plan) as engine:
        *_, first = engine.generate(request)
        *_, again = engine.generate(request)
    assert isinstance(first, Finished) and isinstance(again, Finished)
    assert np.array_equal(first.image, again.image)
    return first


@pytest.fixture(scope="module")
def plans(large):
    """The large model's plans, in float32 as a small network has them."""
    found = all_plans(large, CARD)
    return {plan.key: replace(plan, dtype="float32", text_dtype="float32", cache_bytes=2**26) for plan in found}


@pytest.fixture(scope="module")
def resident(tiny_bundle, plans) -> Finished:
    return draw(tiny_bundle, plans["resident"])


@pytest.mark.parametrize("key", [key for key in PLANS[1:] if key != "int8"])
def test_a_plan_changes_neither_bits_nor_pixels(tiny_bundle, plans, resident, key):
    other = draw(tiny_bundle, plans[key])
    assert len(other.bits) == len(resident.bits)
    assert all(np.array_equal(a, b) for a, b in zip(other.bits, resident.bits, strict=True))
    # The decoder's strips may be cut elsewhere, which moves sums by a rounding.
    assert np.abs(other.image.astype(int) - resident.image.astype(int)).max() <= 1


class PretendedCard(Device):
    """The processor, planned for as if it were a card."""

    @property
    def torch_name(self) -> str:
        return "cpu"


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> PretendedCard:
    for name in ("synchronize", "empty_cache"):
        monkeypatch.setattr(torch.cuda, name, lambda: None)
    monkeypatch.setattr("engine.planning.faults.free_memory", lambda device: device.free)
    # Without what a driver takes for itself, there are plans for the smallest network, too.
    monkeypatch.setitem(plans_module._RESERVE, "cuda", 0)
    return PretendedCard("cuda", "Card", GIB, GIB, 2, half=True)


def run_out_of_memory(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Let the sampler's first ``times`` pictures fail after two scales, as a card does."""
    original, left = Sampler.draw, [times]

    def draw(self, *args, **kwargs):
        for number, scale in enumerate(original(self, *args, **kwargs)):
            if number == 2 and left[0]:
                left[0] -= 1
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
            yield scale

    monkeypatch.setattr(Sampler, "draw", draw)


def test_when_memory_runs_out_the_next_plan_draws_the_same_bits_and_it_is_said(tiny_bundle, card, monkeypatch):
    plan = plan_for(read_manifest(tiny_bundle), card)
    assert plan.key == "resident"
    with Engine(load_bundle(tiny_bundle, placements(plan, card)), card, plan) as engine:
        *_, expected = engine.generate(a_request())
        run_out_of_memory(monkeypatch, times=1)
        events = list(engine.generate(a_request()))
        starts = [event for event in events if isinstance(event, Started)]
        assert [start.notes for start in starts] == [
            (),
            ("Memory ran out with the plan “Fast”; “Balanced” is used now.",),
        ]
        assert isinstance(events[-1], Finished) and events[-1].notes == starts[1].notes
        assert all(np.array_equal(a, b) for a, b in zip(events[-1].bits, expected.bits, strict=True))
        assert engine.info.plan.startswith("Balanced: needs ")
        # It stays so: the next picture begins with the smaller plan, and says nothing.
        *_, again = engine.generate(a_request())
        assert again.notes == () and all(np.array_equal(a, b) for a, b in zip(again.bits, expected.bits, strict=True))


def test_it_is_tried_once_more_and_not_again(tiny_bundle, card, monkeypatch):
    plan = plan_for(read_manifest(tiny_bundle), card)
    with Engine(load_bundle(tiny_bundle, placements(plan, card)), card, plan) as engine:
        run_out_of_memory(monkeypatch, times=2)
        events = engine.generate(a_request())
        with pytest.raises(NotEnoughMemory, match=r"needs about .* and 1\.0 GB of Card, 1 GB is free"):
            list(events)
        *_, drawn = engine.generate(a_request())  # the engine is still good for the next one
        assert isinstance(drawn, Finished)
