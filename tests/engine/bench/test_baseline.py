"""The baseline draws the same bits: it is a fair measure only if it does the same job."""

from __future__ import annotations

import pytest
import torch

from engine.bench.baseline import Baseline
from engine.bench.random_models import CONFIGS, random_prompt, random_subject, random_transformer
from engine.sampling.guidance import Guidance
from engine.sampling.sampler import Conditions, Sampler


@pytest.mark.parametrize(("text", "subject"), [(3.0, 3.0), (3.0, 2.0)], ids=["equal", "unequal"])
def test_it_draws_the_same_bits(text: float, subject: float):
    config = CONFIGS["tiny"]
    net = random_transformer(config.transformer, torch.device("cpu"), torch.float32)
    guidance = Guidance.of(len(config.schedule.grids), text, subject, temperature=0.8, top_p=0.97)
    conditions = Conditions(random_prompt(config.transformer, 1, 6), random_subject(config.transformer, 1))
    ours = Sampler(net, config.tokenizer).draw(conditions, guidance, config.schedule, 5)
    plain = Baseline(net, config.tokenizer).draw(conditions.prompt, conditions.subject, guidance, config.schedule, 5)
    for drawn, bits in zip(ours, plain, strict=True):
        assert torch.equal(drawn.bits, bits), f"scale {drawn.scale}"


def test_random_networks_are_the_same_every_time():
    config = CONFIGS["tiny"].transformer
    one, other = (random_transformer(config, torch.device("cpu"), torch.bfloat16).state_dict() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert one["blocks.0.image.qkv"].dtype == torch.bfloat16
    assert one["head.weight"].dtype == torch.float32
