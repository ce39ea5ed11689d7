"""The work of baseline and sampler: counted at a tiny size, equal to a formula, and by the formula what it should be."""

from __future__ import annotations

import json

import pytest
import torch
from torch.nn import functional as F

from engine.bench.baseline import Baseline
from engine.bench.comparison import Comparer
from engine.bench.random_models import CONFIGS, BenchConfig
from engine.bench.work import multiply_adds
from tests.parity.cases import DATA


def test_products_and_attention_are_counted():
    left, right = torch.randn(3, 5), torch.randn(5, 7)
    query, keys = torch.randn(2, 4, 6, 8), torch.randn(2, 4, 10, 8)
    assert multiply_adds(lambda: left @ right) == 3 * 5 * 7
    with torch.inference_mode():
        attention = multiply_adds(lambda: F.scaled_dot_product_attention(query, keys, keys))
        masked = multiply_adds(lambda: F.scaled_dot_product_attention(query, keys, keys, attn_mask=torch.zeros(6, 10)))
    assert attention == masked == 2 * (2 * 4 * 6 * 10 * 8)


class Formula:
    """Multiply-adds of one branch, from the mathematics."""

    def __init__(self, config: BenchConfig) -> None:
        self.sizes, self.grids, self.length = config.transformer, config.schedule.tokens, config.text_tokens
        self.square = self.sizes.width**2
        self.feed_forward = 2 * self.sizes.width * self.sizes.hidden

    def text(self, dead: bool = False) -> int:
        """Global vector, tokens, and their keys and values everywhere."""
        wide, width = self.sizes.text_width, self.sizes.width
        layers = 2 * self.sizes.blocks - (0 if dead else 1)
        pool = self.length * (wide * 2 * width + 2 * width) + self.square
        return pool + self.length * (wide * width + self.square + layers * 2 * self.square)

    def subject(self) -> int:
        sizes = self.sizes
        semantic = sizes.semantic_tokens * (sizes.semantic_width * sizes.width + self.square * (1 + 2 * sizes.blocks))
        content = sizes.content_tokens * (sizes.content_width * sizes.width + self.square)
        return sizes.semantic_width * sizes.width + semantic + content

    def stream(self, dead: bool = False) -> int:
        """The modulations and the content stream; its last block only makes keys and values."""
        tokens, width = self.sizes.content_tokens, self.sizes.width
        linear = tokens * (4 * self.square + self.feed_forward)
        attention = tokens * (tokens + self.length) * 2 * width
        updates = self.sizes.blocks - (0 if dead else 1)
        return 24 * self.square + self.sizes.blocks * tokens * 2 * self.square + updates * (linear + attention)

    def scale(self, index: int) -> int:
        sizes, count = self.sizes, 2 if index == 0 else self.grids[index]
        keys_so_far = 2 + sum(self.grids[1 : index + 1])
        keys = keys_so_far + sizes.content_tokens + self.length + sizes.semantic_tokens
        block = count * (7 * self.square + self.feed_forward) + count * keys * 2 * sizes.width
        head = 2 * self.square + self.grids[index] * 2 * sizes.bits * sizes.width
        return sizes.blocks * block + head

    def embedding(self) -> int:
        """The tokens of all scales, the same for every branch."""
        return sum(self.grids[1:]) * self.sizes.bits * self.sizes.width

    def scales(self) -> int:
        return sum(self.scale(index) for index in range(1, len(self.grids)))

    def first(self, dead: bool = False) -> int:
        return self.text(dead) + self.stream(dead) + self.scale(0)

    def plans(self) -> dict[str, int]:
        again = 2 * self.scales() + self.embedding()
        known = again + self.first() + self.subject()
        return {
            "baseline": 3 * (self.first(dead=True) + self.subject() + self.scales()) + self.embedding(),
            "first_run": known,
            # The null subject belongs to the weights: it is there whatever the length.
            "first_run_new_length": known + self.first(),
            "reroll": again,
            "reroll_unequal": 3 * self.scales() + self.embedding(),
        }


def test_what_runs_is_what_the_formula_says():
    config = CONFIGS["tiny"]
    wanted = Formula(config).plans()
    comparer = Comparer(config, torch.device("cpu"))
    given, sampler = comparer.conditions(), comparer.sampler(config.text_tokens)
    plain = Baseline(comparer.net, config.tokenizer)
    assert given.subject is not None
    subject = given.subject
    schedule = config.schedule
    counted = {
        "baseline": lambda: plain.draw(given.prompt, subject, comparer.equal, schedule, 0),
        "first_run": lambda: comparer.draw(sampler, given, comparer.equal, 0),
        "reroll": lambda: comparer.draw(sampler, given, comparer.equal, 1),
    }
    for name, run in counted.items():
        assert multiply_adds(run) == wanted[name], name
    sampler.prepare(given, comparer.unequal, schedule)
    assert multiply_adds(lambda: comparer.draw(sampler, given, comparer.unequal, 1)) == wanted["reroll_unequal"]
    other = comparer.sampler(config.text_tokens + 1)
    counted_new = multiply_adds(lambda: comparer.draw(other, comparer.conditions(), comparer.equal, 0))
    assert counted_new == wanted["first_run_new_length"]


@pytest.mark.parametrize(("name", "published"), [("echogen-125m", "125m 256px"), ("echogen-2b", "2b 1024px")])
def test_nothing_is_computed_twice_at_published_sizes(name: str, published: str):
    """Against the work of the published program and of what can be spared of it, worked out beside the golden numbers."""
    plans = json.loads((DATA / "flops.json").read_text())[published]["plans_GMAC"]
    ours = {plan: count / 1e9 for plan, count in Formula(CONFIGS[name]).plans().items()}
    assert ours["baseline"] == pytest.approx(plans["reference"], rel=0.01)
    assert ours["first_run"] == pytest.approx(plans["same, unconditional stream cached"], rel=0.02)
    assert ours["first_run_new_length"] == pytest.approx(plans["2 branches (cfg_t==cfg_i), no dead work"], rel=0.02)
    assert ours["reroll"] == pytest.approx(plans["same prompt+subject again, new seed"], rel=0.01)
