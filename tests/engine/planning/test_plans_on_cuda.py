"""Every memory plan draws the same bits on a graphics card. Skipped where there is none."""

from __future__ import annotations

import pytest
import torch

from engine.model.streaming import stream_layers
from engine.sampling.guidance import Guidance
from engine.sampling.sampler import Sampler
from tests.engine.sampling.tiny import SCHEDULE, TOKENIZER, conditions, transformer

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a graphics card")

GUIDANCE = Guidance.of(len(SCHEDULE.grids), 3.0, 2.0, top_p=0.97)
PLANS = {
    "balanced": {"offload_content": True},
    "low": {"branches": "in-turn", "offload_states": True, "stream": {"content": True}},
    "streamed": {"branches": "in-turn", "offload_states": True, "stream": {"content": True, "image": True}},
}


def drawn(stream: dict | None = None, **options) -> list[torch.Tensor]:
    net = transformer().to("cuda")
    if stream is not None:
        stream_layers(net, "cuda", **stream)
    sampler = Sampler(net, TOKENIZER, **options)
    twice = []
    for seed in (7, 8):  # the second picture takes what the first one left in the caches
        twice += [scale.bits.cpu() for scale in sampler.draw(conditions(), GUIDANCE, SCHEDULE, seed)]
    return twice


@pytest.mark.parametrize("plan", PLANS)
def test_a_plan_changes_no_bit(plan: str):
    resident, other = drawn(), drawn(**PLANS[plan])
    assert all(torch.equal(a, b) for a, b in zip(resident, other, strict=True))
