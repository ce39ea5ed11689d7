"""Several photos of one subject in the sampler."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
import torch

from engine.model.transformer import Transformer
from engine.sampling.guidance import Guidance
from engine.sampling.sampler import Conditions, Sampler
from tests.engine.sampling.tiny import SCHEDULE, TOKENIZER, conditions, subject, transformer

SCALES = len(SCHEDULE.grids)
EQUAL = Guidance.of(SCALES, 3.0, 3.0)
APART = Guidance.of(SCALES, 3.0, 2.0, 4.0)


@pytest.fixture(scope="module")
def net() -> Transformer:
    return transformer()


def logits(sampling: Sampler, given: Conditions, guidance: Guidance) -> torch.Tensor:
    drawn = sampling.draw(given, guidance, SCHEDULE, 7, greedy=True)
    return torch.cat([scale.logits for scale in drawn if scale.logits is not None])


@pytest.mark.parametrize("guidance", [EQUAL, APART])
def test_equal_photos_draw_what_one_draws(net, guidance):
    given = conditions()
    one = logits(Sampler(net, TOKENIZER), given, guidance)
    for count in (1, 3):
        views = tuple(replace(subject(0), key=f"view {index}") for index in range(count))
        several = logits(Sampler(net, TOKENIZER), replace(given, views=views), guidance)
        assert torch.allclose(one, several, atol=2e-4)


def test_another_photo_counts_and_the_order_does_not(net):
    given = conditions()
    first = logits(Sampler(net, TOKENIZER), replace(given, views=(subject(1), subject(2))), EQUAL)
    other = logits(Sampler(net, TOKENIZER), replace(given, views=(subject(2), subject(1))), EQUAL)
    assert torch.allclose(first, other, atol=2e-4)
    assert not torch.allclose(first, logits(Sampler(net, TOKENIZER), given, EQUAL), atol=1e-2)


def test_each_photo_is_prepared_once(net):
    sampling, ran = Sampler(net, TOKENIZER), Counter()
    hook = net.content_projection.register_forward_hook(lambda *_: ran.update(["photo"]))
    try:
        logits(sampling, conditions(), EQUAL)
        before = ran["photo"]
        logits(sampling, replace(conditions(), views=(subject(1),)), EQUAL)
        assert ran["photo"] == before + 1, "the first photo was known"
        logits(sampling, replace(conditions(), subject=subject(1), views=(subject(0),)), EQUAL)
        logits(sampling, conditions(thing=1), EQUAL)
        assert ran["photo"] == before + 1
        assert not sampling.missing(replace(conditions(), views=(subject(1),)), EQUAL, SCHEDULE)
    finally:
        hook.remove()
