"""A region of a picture: inside of it tokens are drawn anew, outside every bit stays; of large scales only the neighbourhood runs."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from engine.errors import RequestError
from engine.model import block
from engine.model.config import ScaleSchedule
from engine.sampling.guidance import Guidance
from engine.sampling.region_tokens import NEAR, RegionTokens
from engine.sampling.sampler import Sampler
from tests.engine.sampling.tiny import CONFIG, TOKENIZER, conditions, transformer

SCHEDULE = ScaleSchedule(size=(192, 192), grids=((1, 1), (4, 4), (12, 12)), rotary_grid=(16, 16))
GUIDANCE = Guidance.of(3, 3.0, 3.0)


@pytest.fixture(scope="module")
def sampling() -> Sampler:
    return Sampler(transformer(), TOKENIZER)


def corner(side: int = 3) -> RegionTokens:
    """Nothing of the first scale, one token of the second, a corner of the third."""
    anew = [torch.zeros(grid, dtype=torch.bool) for grid in SCHEDULE.grids]
    anew[1][0, 0] = True
    anew[2][:side, :side] = True
    return RegionTokens(anew)


def drawn(sampling: Sampler, seed: int, **options) -> list[torch.Tensor]:
    return [scale.bits for scale in sampling.draw(conditions(), GUIDANCE, SCHEDULE, seed, **options)]


def test_small_scales_run_whole_and_large_ones_near_the_region():
    region = corner()
    assert region.first == 1
    assert sorted(region.run(1, 6).places.tolist()) == list(range(16)) and region.drawn(1).tolist() == [0]
    side = 3 + NEAR
    assert sorted(region.run(2, 6).places.tolist()) == [12 * y + x for y in range(side) for x in range(side)]
    assert region.drawn(2).tolist() == [12 * y + x for y in range(3) for x in range(3)]


def test_a_scale_in_which_nothing_is_drawn_runs_whole():
    empty = RegionTokens([torch.zeros(grid, dtype=torch.bool) for grid in SCHEDULE.grids])
    assert len(empty.run(2, 6).places) == 144 and empty.first == 3


def test_a_block_of_which_keys_alone_are_wanted_attends_to_nothing(monkeypatch):
    """Attention of no query is work for nothing, and not every device knows it."""
    sampling = Sampler(transformer(), TOKENIZER, cache_bytes=0)
    base = drawn(sampling, 1)
    longer = replace(SCHEDULE, grids=((1, 1), (4, 4), (8, 8), (12, 12)))
    kept = [*base[:2], torch.ones(8, 8, TOKENIZER.bits, dtype=torch.uint8)]
    asked: list[int] = []
    attend = block.attend

    def watched(query: torch.Tensor, *arguments, **options) -> torch.Tensor:
        asked.append(query.shape[2])
        return attend(query, *arguments, **options)

    monkeypatch.setattr(block, "attend", watched)
    list(sampling.draw(conditions(), Guidance.of(4, 3.0, 3.0), longer, 7, kept=kept))
    assert min(asked) > 0 and asked.count(64) == 5 * (CONFIG.blocks - 1), (
        "own, and each branch its content and its text"
    )


def depths(region: RegionTokens, scale: int, blocks: int) -> torch.Tensor:
    """Through how many blocks each token goes; -1 where it does not run."""
    found = torch.full((region.anew[scale].numel(),), -1)
    run = region.run(scale, blocks)
    for deep, place in enumerate(run.places.tolist()):
        found[place] = sum(deep < going for going in run.going)
    return found.view(region.anew[scale].shape)


def test_kept_tokens_go_less_deep_the_less_they_touch_the_region():
    region = corner()
    assert depths(region, 1, 6).tolist() == [[6, 5, 3, 3], [5, 5, 3, 3], [3] * 4, [3] * 4]
    near = depths(region, 2, 6)
    assert near[:5, :5].tolist() == [[6, 6, 6, 5, 3]] * 3 + [[5, 5, 5, 5, 3], [3, 3, 3, 3, 3]]
    assert (near[5:] == -1).all() and (near[:, 5:] == -1).all()
    assert depths(region, 0, 6).tolist() == [[3]], "nothing is drawn"
    assert sorted(set(region.run(2, 1).going)) == [9]


def test_the_deepest_come_first_and_what_is_drawn_keeps_its_order():
    region = corner()
    run = region.run(2, 6)
    assert run.going == (25, 25, 25, 16, 16, 9)
    assert run.places[:9].tolist() == region.drawn(2).tolist()


def test_a_token_that_stops_still_has_keys(monkeypatch):
    """Kept tokens that stop half way change the logits beside them a little; all of them before the first block, much more."""
    sampling, region = Sampler(transformer(replace(CONFIG, blocks=4)), TOKENIZER), corner()
    before, half_way = drawn(sampling, 7), RegionTokens._depths

    def logits(stop: int | None) -> torch.Tensor:
        def depths(self: RegionTokens, scale: int, blocks: int) -> torch.Tensor:
            found = half_way(self, scale, blocks)
            return found if stop is None else torch.where(found < 0, found, torch.where(found < blocks, stop, blocks))

        monkeypatch.setattr(RegionTokens, "_depths", depths)
        *_, last = sampling.draw(conditions(), GUIDANCE, SCHEDULE, 7, kept=before, region=region)
        assert last.logits is not None
        return last.logits

    exact = logits(3)
    assert 0 < (logits(None) - exact).abs().mean() < (logits(0) - exact).abs().mean() / 2


@pytest.mark.parametrize("greedy", [False, True])
def test_every_bit_outside_stays_and_inside_they_change(sampling: Sampler, greedy: bool):
    before, region = drawn(sampling, 7, greedy=greedy), corner()
    # Told from the scale before the first that is drawn: a preview begins with what is kept.
    after = drawn(sampling, 8, kept=before, region=region, greedy=greedy)
    assert len(after) == 3 and torch.equal(after[0], before[0])
    for scale in (1, 2):
        outside = ~region.anew[scale]
        assert torch.equal(after[scale][outside], before[scale][outside])
    again = drawn(sampling, 8, kept=before, region=region, greedy=greedy)
    assert all(torch.equal(one, other) for one, other in zip(after, again, strict=True))
    if not greedy:
        assert not torch.equal(after[2], before[2])


def test_a_region_begins_where_its_picture_is_remembered_and_draws_the_same(sampling: Sampler):
    """The first scale in which something is drawn has been computed, too: its logits follow from the bits before it."""
    knows, region = Sampler(transformer(), TOKENIZER), corner()
    before = drawn(knows, 7)
    unknown = Sampler(transformer(), TOKENIZER)
    assert knows._first_scales.nbytes > 0 == unknown._first_scales.nbytes
    ran: list[Sampler] = []

    def draw(who: Sampler) -> list[torch.Tensor]:
        hook = who.net.blocks[0].image.register_forward_hook(lambda *_: ran.append(who))
        after = drawn(who, 8, kept=before, region=region)
        hook.remove()
        return after

    assert all(torch.equal(one, other) for one, other in zip(draw(knows), draw(unknown), strict=True))
    assert ran.count(knows) == 1, "the last scale alone"
    assert ran.count(unknown) > 2


def test_a_scale_without_a_token_to_draw_is_taken_as_it_is(sampling: Sampler):
    before, region = drawn(sampling, 7), corner()
    region.anew[2][:] = False
    after = drawn(sampling, 8, kept=before, region=region)
    assert torch.equal(after[2], before[2])


def test_a_region_needs_all_scales_and_something_to_draw(sampling: Sampler):
    before = drawn(sampling, 7)
    with pytest.raises(RequestError, match="bits of all scales"):
        drawn(sampling, 8, kept=before[:2], region=corner())
    empty = RegionTokens([torch.zeros(grid, dtype=torch.bool) for grid in SCHEDULE.grids])
    with pytest.raises(RequestError, match="nothing is left to draw"):
        drawn(sampling, 8, kept=before, region=empty)
