"""The loop over scales: what it computes does not depend on what it kept, and it computes nothing twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import is_dataclass, replace

import pytest
import torch
from torch import Tensor, nn

from engine.device.to_device import moved
from engine.errors import Cancelled, RequestError
from engine.model.transformer import Transformer
from engine.sampling.first_scales import SMALL, FirstScales
from engine.sampling.guidance import Guidance
from engine.sampling.sampler import Conditions, DrawnScale, Sampler
from tests.engine.conftest import Cores
from tests.engine.sampling.tiny import CONFIG, SCHEDULE, TOKENIZER, conditions, transformer

SCALES = len(SCHEDULE.grids)
EQUAL = Guidance.of(SCALES, 3.0, 3.0, top_p=0.97)
UNEQUAL = Guidance.of(SCALES, 3.0, 2.0, temperature=0.7, top_p=0.97)
APART = Guidance.of(SCALES, 3.0, 2.0, 4.0)


@pytest.fixture(scope="module")
def net() -> Transformer:
    return transformer()


def sampler(net: Transformer, **options) -> Sampler:
    return Sampler(net, TOKENIZER, **options)


def bits_of(scales: list[DrawnScale]) -> list[Tensor]:
    return [drawn.bits for drawn in scales]


def same(ours: list[Tensor], others: list[Tensor]) -> bool:
    return len(ours) == len(others) and all(torch.equal(a, b) for a, b in zip(ours, others, strict=True))


def drawn(sampling: Sampler, given: Conditions, guidance: Guidance = EQUAL, seed: int = 7, **options) -> list[Tensor]:
    return bits_of(list(sampling.draw(given, guidance, SCHEDULE, seed, **options)))


@contextmanager
def counting(net: Transformer) -> Iterator[Counter]:
    """How often each kind of layer ran; known at the end."""
    counted: Counter = Counter()
    ran: list[str] = []  # appended to by several threads

    def watch(kind: str, layer: nn.Module):
        def count(_module, _inputs, output) -> None:
            ran.append(kind)

        return layer.register_forward_hook(count)

    hooks = [watch("content", block.content) for block in net.blocks]
    hooks += [watch("image", block.image) for block in net.blocks]
    hooks += [watch("semantic", net.semantic_projection), watch("text", net.text_projection)]
    hooks += [watch("head", net.head)]
    try:
        yield counted
    finally:
        counted.update(ran)
        for hook in hooks:
            hook.remove()


class CancelAfter:
    """Set from its n-th look on."""

    def __init__(self, checks: int) -> None:
        self.left = checks

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0


# What a picture is


def test_the_shapes_of_a_picture(net: Transformer):
    scales = list(sampler(net).draw(conditions(), EQUAL, SCHEDULE, 7))
    assert [scale.scale for scale in scales] == list(range(SCALES))
    for scale, grid in zip(scales, SCHEDULE.grids, strict=True):
        assert scale.bits.shape == (*grid, CONFIG.bits)
        assert scale.bits.dtype == torch.uint8
        assert scale.summed.shape == (1, CONFIG.bits, *SCHEDULE.grids[-1])
        assert scale.logits is not None
        assert scale.logits.shape == (grid[0] * grid[1], 2 * CONFIG.bits)


def test_seed_prompt_subject_and_negative_all_matter(net: Transformer):
    sampling = sampler(net)
    base = drawn(sampling, conditions())
    assert not same(base, drawn(sampling, conditions(), seed=8))
    others = [conditions(words=1), conditions(thing=1), conditions(thing=None), conditions(negative=3)]
    for other in others:
        assert not same(base, drawn(sampling, other)), other


def test_earlier_scales_do_not_know_of_later_strengths(net: Transformer):
    late = replace(EQUAL, text=(3.0, 3.0, 3.0, 9.0))
    sampling = sampler(net)
    base, other = drawn(sampling, conditions()), drawn(sampling, conditions(), late)
    assert same(base[:3], other[:3])
    assert not torch.equal(base[3], other[3])


# What is not computed twice


@pytest.mark.parametrize("guidance", [EQUAL, UNEQUAL, APART], ids=["equal", "unequal", "apart"])
@pytest.mark.parametrize("thing", [0, None], ids=["subject", "no-subject"])
def test_a_cache_hit_changes_no_bit(net: Transformer, guidance: Guidance, thing: int | None):
    sampling = sampler(net)
    given = conditions(thing=thing)
    first = drawn(sampling, given, guidance)
    with counting(net) as counted:
        assert same(first, drawn(sampling, given, guidance))
    assert counted["content"] == counted["text"] == counted["semantic"] == 0
    fresh = drawn(sampler(net, cache_bytes=0), given, guidance)
    assert same(first, fresh)


@pytest.mark.parametrize(
    ("guidance", "thing", "branches"), [(EQUAL, 0, 2), (UNEQUAL, 0, 3), (APART, 0, 4), (EQUAL, None, 2)]
)
def test_the_content_stream_runs_once_per_branch(
    net: Transformer, guidance: Guidance, thing: int | None, branches: int
):
    with counting(net) as counted:
        drawn(sampler(net), conditions(thing=thing), guidance)
    assert counted["content"] == branches * CONFIG.blocks
    assert counted["image"] == (branches + SCALES - 1) * CONFIG.blocks  # scale 0 by branch, the others together


@pytest.mark.parametrize(
    ("change", "content", "text", "semantic"),
    [
        ({"words": 1}, 1, 1, 0),  # the subject's features stay, and the null branch too: the length is the same
        ({"words": 1, "length": 6}, 2, 2, 0),
        ({"thing": 1}, 1, 0, 1),
        ({"thing": None}, 1, 0, 0),  # the text-only branch takes the place of the full one
        ({"negative": 3}, 1, 1, 0),
    ],
    ids=["prompt", "longer-prompt", "subject", "no-subject", "negative"],
)
def test_what_is_left_to_do_after_a_change(net: Transformer, change: dict, content: int, text: int, semantic: int):
    sampling = sampler(net)
    drawn(sampling, conditions())
    with counting(net) as counted:
        drawn(sampling, conditions(**change))
    assert counted["content"] == content * CONFIG.blocks
    assert (counted["text"], counted["semantic"]) == (text, semantic)


def test_going_back_to_an_earlier_prompt_costs_nothing(net: Transformer):
    sampling = sampler(net)
    first = drawn(sampling, conditions())
    drawn(sampling, conditions(words=1, thing=2))
    assert not sampling.missing(conditions(), EQUAL, SCHEDULE)
    with counting(net) as counted:
        assert same(first, drawn(sampling, conditions()))
    assert counted["content"] == 0


def test_preparing_ahead_leaves_only_the_scales(net: Transformer):
    sampling = sampler(net)
    assert sampling.missing(conditions(), EQUAL, SCHEDULE)
    sampling.prepare(conditions(), EQUAL, SCHEDULE)
    assert not sampling.missing(conditions(), EQUAL, SCHEDULE)
    assert sampling.missing(conditions(), UNEQUAL, SCHEDULE)
    with counting(net) as counted:
        drawn(sampling, conditions())
    assert counted["content"] == 0
    assert counted["image"] == (SCALES - 1) * CONFIG.blocks


def test_the_negative_prompt_shares_its_text_with_a_prompt_of_the_same_words(net: Transformer):
    sampling = sampler(net)
    drawn(sampling, Conditions(conditions(negative=3).negative, conditions().subject))
    with counting(net) as counted:
        drawn(sampling, conditions(negative=3))
    assert counted["text"] == 1  # the prompt's own


def test_a_small_budget_changes_no_bit_and_is_kept_to(net: Transformer):
    spacious = sampler(net)
    wanted = [drawn(spacious, conditions(words), UNEQUAL) for words in range(3)]
    budget = spacious.cache.nbytes // 4
    tight = sampler(net, cache_bytes=budget)
    for words in (0, 1, 2, 1, 0):
        assert same(wanted[words], drawn(tight, conditions(words), UNEQUAL))
        assert 0 < tight.cache.nbytes <= budget


# What changes nothing


def storages(value) -> dict[int, int]:
    """The bytes of every piece of memory that tensors of a value hold on to, by its address."""
    if isinstance(value, Tensor):
        return {value.untyped_storage().data_ptr(): value.untyped_storage().nbytes()}
    inner = value if isinstance(value, (tuple, list)) else vars(value).values() if is_dataclass(value) else ()
    return {place: size for item in inner for place, size in storages(item).items()}


def test_what_is_kept_holds_no_more_memory_than_is_counted(net: Transformer):
    """Keys that were half of a larger tensor held all of it: a third more than the memory plan was told."""
    sampling = sampler(net)
    drawn(sampling, conditions(), UNEQUAL)
    kept = {key: entry for key, entry in sampling.cache._entries.items() if key[0] in ("text", "subject")}
    assert len(kept) == 4
    for value, counted in kept.values():
        assert sum(storages(value).values()) == counted


def test_looking_at_the_scales_changes_no_bit(net: Transformer):
    """A consumer may do what it likes between two scales, even with torch's own random numbers."""
    plain = drawn(sampler(net), conditions())
    watched = []
    for scale in sampler(net).draw(conditions(), EQUAL, SCHEDULE, 7):
        torch.rand(scale.scale + 1)
        scale.summed.clone().mul_(0)
        watched.append(scale.bits)
    assert same(plain, watched)


def test_drawing_does_not_touch_the_global_random_numbers(net: Transformer):
    state = torch.get_rng_state()
    drawn(sampler(net), conditions())
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("guidance", [EQUAL, UNEQUAL, APART], ids=["equal", "unequal", "apart"])
def test_kept_scales_that_are_its_own_change_no_bit(net: Transformer, guidance: Guidance):
    sampling = sampler(net)
    whole = list(sampling.draw(conditions(), guidance, SCHEDULE, 7))
    for count in range(1, SCALES):
        rest = list(sampling.draw(conditions(), guidance, SCHEDULE, 7, kept=bits_of(whole[:count])))
        assert [scale.scale for scale in rest] == list(range(count - 1, SCALES))
        assert rest[0].logits is None
        assert torch.equal(rest[0].summed, whole[count - 1].summed)
        assert same(bits_of(rest), bits_of(whole[count - 1 :]))


def test_the_first_scales_of_a_picture_are_not_computed_again(net: Transformer):
    sampling = sampler(net)
    base = drawn(sampling, conditions(), UNEQUAL)
    with counting(net) as counted:
        known = drawn(sampling, conditions(), UNEQUAL, seed=8, kept=base[:3])
    assert counted["image"] == CONFIG.blocks
    with counting(net) as counted:
        assert same(known, drawn(sampler(net), conditions(), UNEQUAL, seed=8, kept=base[:3]))
    assert counted["image"] == CONFIG.blocks * (3 + SCALES - 1)
    with counting(net) as counted:
        drawn(sampling, conditions(1), UNEQUAL, seed=8, kept=base[:3])
    assert counted["image"] > CONFIG.blocks, "another prompt's are its own"


def test_first_scales_are_kept_within_their_budget(net: Transformer):
    tight = sampler(net, cache_bytes=0)
    spacious = sampler(net)
    base = drawn(spacious, conditions())
    assert same(base, drawn(tight, conditions())) and same(base, drawn(tight, conditions()))
    assert tight._first_scales.nbytes == 0
    records = FirstScales(spacious._first_scales.nbytes)
    assert records.begin("picture", SCHEDULE.tokens, 1).scales == SCALES - 2
    assert records.begin("picture", (1, 4, SMALL + 1, 4, 9), 1).scales == 1
    of_all = sum(SCHEDULE.tokens[1:-1])
    sparing = sampler(net, cache_bytes=8 * spacious._first_scales.nbytes * SCHEDULE.tokens[1] // of_all)
    drawn(sparing, conditions())
    assert 0 < sparing._first_scales.nbytes < spacious._first_scales.nbytes, "the first of them, not the last"
    with counting(net) as counted:
        drawn(sparing, conditions())
    # There is no room for the branches' scale 0, which is therefore done again, and for one of the scales between.
    assert counted["image"] == CONFIG.blocks * (2 + SCALES - 2)


def test_kept_scales_of_another_picture_change_the_rest(net: Transformer):
    sampling = sampler(net)
    other = drawn(sampling, conditions(words=1), seed=9)
    base = drawn(sampling, conditions())
    mixed = drawn(sampling, conditions(), kept=other[:2])
    assert same(mixed[:1], other[1:2])  # the last kept scale comes first, for its preview
    assert not same(mixed[1:], base[2:])


def test_a_stopped_picture_leaves_nothing_wrong_behind(net: Transformer):
    """Stopped at every place there is, the next picture is as if nothing had been."""
    wanted = drawn(sampler(net), conditions(), UNEQUAL)
    checks = 0
    while True:
        sampling = sampler(net)
        cancel = CancelAfter(checks)
        try:
            drawn(sampling, conditions(), UNEQUAL, cancel=cancel)
        except Cancelled:
            assert same(wanted, drawn(sampling, conditions(), UNEQUAL))
            checks += 1
            continue
        break
    assert checks == (3 + SCALES - 1) * CONFIG.blocks


@pytest.mark.parametrize("checks", [0, 3, 6])
def test_at_most_one_block_runs_after_a_stop(net: Transformer, checks: int):
    with counting(net) as counted, pytest.raises(Cancelled):
        drawn(sampler(net), conditions(), EQUAL, cancel=CancelAfter(checks))
    assert counted["image"] == checks


def test_stopping_before_the_last_scale_needs_no_more_than_not_asking_for_it(net: Transformer):
    drawing = sampler(net).draw(conditions(), EQUAL, SCHEDULE, 7)
    first = [next(drawing) for _ in range(2)]
    drawing.close()
    assert same(bits_of(first), drawn(sampler(net), conditions())[:2])


@pytest.mark.parametrize("order", ["in-turn", "side-by-side"])
@pytest.mark.parametrize("guidance", [EQUAL, UNEQUAL, APART], ids=["equal", "unequal", "apart"])
def test_the_order_of_branches_changes_nothing(
    net: Transformer, guidance: Guidance, order: str, cores: Cores, monkeypatch: pytest.MonkeyPatch
):
    cores(4)
    monkeypatch.setattr("engine.sampling.sampler.MEETING_TOKENS", SCHEDULE.tokens[1])
    together = list(sampler(net).draw(conditions(length=4), guidance, SCHEDULE, 7))
    apart = list(sampler(net, branches=order).draw(conditions(length=4), guidance, SCHEDULE, 7))
    assert same(bits_of(together), bits_of(apart))
    for one, other in zip(together, apart, strict=True):
        assert torch.allclose(one.logits, other.logits, atol=1e-4)


@pytest.mark.parametrize(("guidance", "apart"), [(EQUAL, True), (UNEQUAL, False)], ids=["equal", "unequal"])
def test_branches_go_side_by_side_where_each_has_a_core(
    net: Transformer, guidance: Guidance, apart: bool, cores: Cores, monkeypatch: pytest.MonkeyPatch
):
    cores(2)
    monkeypatch.setattr("engine.sampling.sampler.MEETING_TOKENS", 0)
    sampling = sampler(net, branches="side-by-side")
    with counting(net) as counted:
        drawn(sampling, conditions(), guidance)
    branches = 2 if apart else 3
    # Scale 0 is each branch's own; behind it three branches on two cores go together.
    assert counted["image"] == CONFIG.blocks * (branches + (SCALES - 1) * (branches if apart else 1))


def test_side_by_side_branches_meet_at_small_scales(net: Transformer, cores: Cores, monkeypatch: pytest.MonkeyPatch):
    cores(2)
    monkeypatch.setattr("engine.sampling.sampler.MEETING_TOKENS", SCHEDULE.tokens[1])
    wanted = drawn(sampler(net), conditions())
    sampling = sampler(net, branches="side-by-side")
    with counting(net) as counted:
        assert same(wanted, drawn(sampling, conditions()))
    # Each branch's scale 0; one scale together; the others apart.
    assert counted["image"] == CONFIG.blocks * (2 + 1 + 2 * (SCALES - 2))


def test_side_by_side_stops_between_two_blocks_and_goes_on_as_before(
    net: Transformer, cores: Cores, monkeypatch: pytest.MonkeyPatch
):
    cores(2)
    monkeypatch.setattr("engine.sampling.sampler.MEETING_TOKENS", SCHEDULE.tokens[1])
    sampling = sampler(net, branches="side-by-side")
    wanted = drawn(sampling, conditions())
    for checks in (1, CONFIG.blocks, 2 * CONFIG.blocks + 1):
        with pytest.raises(Cancelled):
            drawn(sampling, conditions(), cancel=CancelAfter(checks), seed=70 + checks)
        assert same(wanted, drawn(sampling, conditions()))


@pytest.mark.parametrize("branches", ["together", "in-turn"])
def test_states_that_rest_elsewhere_give_the_same(net: Transformer, monkeypatch: pytest.MonkeyPatch, branches: str):
    plain = drawn(sampler(net, branches=branches), conditions())
    visits: Counter = Counter()

    def visit(value, device):
        assert device.type == "cpu"
        visits[type(value).__name__] += 1
        return moved(value, device)

    monkeypatch.setattr("engine.sampling.sampler.moved", visit)
    resting = sampler(net, branches=branches, offload_states=True)
    assert same(plain, drawn(resting, conditions()))
    runs = 1 if branches == "together" else 2
    blocks = CONFIG.blocks
    assert visits["list"] == 2 * blocks * runs * (SCALES - 1)
    assert visits["BranchState"] == 2


def test_content_layers_may_wait_elsewhere(net: Transformer):
    """They are fetched once for all branches, are there while the stream runs, and go home after it, stopped or not."""
    wanted = drawn(sampler(net), conditions(), UNEQUAL)
    other_net = transformer()
    sampling = sampler(other_net, offload_content=True)
    home = [parameter.data_ptr() for block in other_net.blocks for parameter in block.content.parameters()]
    fetched: Counter = Counter()

    def watch(block: nn.Module, _inputs) -> None:
        at = [parameter.data_ptr() for parameter in block.parameters()]
        assert not set(at) & set(home)
        fetched[tuple(at)] += 1

    for block in other_net.blocks:
        block.content.register_forward_pre_hook(watch)
    with pytest.raises(Cancelled):
        drawn(sampling, conditions(), UNEQUAL, cancel=CancelAfter(1))
    fetched.clear()
    assert same(wanted, drawn(sampling, conditions(), UNEQUAL))
    assert list(fetched.values()) == [3] * CONFIG.blocks  # three branches saw one and the same copy
    assert home == [parameter.data_ptr() for block in other_net.blocks for parameter in block.content.parameters()]
    fetched.clear()
    assert same(wanted, drawn(sampling, conditions(), UNEQUAL))
    assert not fetched


# Dials


def test_look_equal_to_identity_is_the_published_formula(net: Transformer):
    sampling = sampler(net)
    assert same(
        drawn(sampling, conditions(), UNEQUAL),
        drawn(sampling, conditions(), Guidance.of(SCALES, 3.0, 2.0, 2.0, temperature=0.7, top_p=0.97)),
    )


def test_each_subject_path_is_seen_only_by_its_dial(net: Transformer):
    """Without look the content latents do not matter; without identity and look the subject does not."""
    sampling = sampler(net)
    given, other = conditions(thing=0), conditions(thing=1)
    assert given.subject is not None
    assert other.subject is not None
    other_look = Conditions(given.prompt, replace(given.subject, key="look", content=other.subject.content))
    other_kind = Conditions(given.prompt, replace(other.subject, key="kind", content=given.subject.content))
    identity_only = Guidance.of(SCALES, 3.0, 3.0, 0.0)
    text_only = Guidance.of(SCALES, 3.0, 0.0, 0.0)
    assert same(drawn(sampling, given, identity_only), drawn(sampling, other_look, identity_only))
    assert not same(drawn(sampling, given, identity_only), drawn(sampling, other_kind, identity_only))
    assert not same(drawn(sampling, given), drawn(sampling, other_look))
    assert same(drawn(sampling, given, text_only), drawn(sampling, conditions(thing=None), text_only))


# Wrong input


def test_kept_scales_have_to_fit(net: Transformer):
    sampling = sampler(net)
    bits = drawn(sampling, conditions())
    with pytest.raises(RequestError, match="The kept scale 2 has"):
        drawn(sampling, conditions(), kept=[bits[0], bits[2]])
    with pytest.raises(RequestError, match="nothing is left to draw"):
        drawn(sampling, conditions(), kept=bits)
