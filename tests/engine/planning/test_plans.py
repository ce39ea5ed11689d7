"""Which plan is chosen for which card, and what it says."""

import itertools
import subprocess
import sys
from dataclasses import replace

import pytest

from engine.device.devices import GIB, Device
from engine.errors import InputError, NotEnoughMemory
from engine.model.schedules import published_schedule
from engine.planning.plans import PLANS, all_plans, best_plan, out_of_memory, plan_for, step_down


def card(total, free=None, host=None):
    free = free if free is not None else total - 0.6
    host_free = int(host * GIB) if host is not None else None
    return Device("cuda", "Card", int(total * GIB), int(free * GIB), 8, half=True, host_free=host_free)


def processor(total):
    return Device("cpu", "CPU", int(total * GIB), int((total - 1.5) * GIB), 8)


@pytest.mark.parametrize(
    ("gigabytes", "key"), [(80, "resident"), (24, "resident"), (16, "balanced"), (12, "low"), (8, "streamed")]
)
def test_each_class_of_cards_gets_the_fastest_plan_that_fits(large, gigabytes, key):
    plan = plan_for(large, card(gigabytes))
    assert plan.key == key
    assert plan.fits
    assert plan.words.startswith(f"{plan.title}: needs ")
    assert f"you have {gigabytes} GB" in plan.words


def test_the_figures_of_the_large_model(large):
    square = published_schedule()
    needed = {plan.key: plan.needed / GIB for plan in all_plans(large, card(24), square)}
    assert 18 < needed["resident"] < 22
    assert 12.5 < needed["balanced"] < 15.1
    assert 8 < needed["low"] < 9.4
    assert 6 < needed["int8"] < 7.2
    assert 3 < needed["streamed"] < 5


def test_plans_go_down_in_memory_and_say_which_change_the_numbers(large, small):
    assert [plan.key for plan in all_plans(large, card(24))] == list(PLANS)
    for manifest in (large, small):
        plans = all_plans(manifest, card(24))
        assert all(above.needed > below.needed for above, below in itertools.pairwise(plans))
        assert len({(plan.dtype, plan.text_dtype) for plan in plans}) == 1
        assert [plan.key for plan in plans if plan.rounded] == [plan.key for plan in plans if plan.eight_bits]
    fast, low, compact = all_plans(large, processor(64))
    assert (fast.dtype, low.dtype, compact.dtype) == ("float32", "bfloat16", "bfloat16")
    assert (fast.rounded, low.rounded, compact.rounded) == (False, True, True)
    assert not any("differ a little" in note for note in fast.notes)
    assert all(any("differ a little" in note for note in plan.notes) for plan in (low, compact))
    assert {plan.dtype for plan in all_plans(small, processor(64))} == {"float32"}


def test_eight_bits_are_taken_only_when_asked_for_or_when_nothing_exact_fits(large):
    # Streaming keeps 18 GB in the computer's memory, eight bits 12 GB.
    assert plan_for(large, card(8, host=28)).key == "streamed"
    assert plan_for(large, card(8, host=12)).key == "int8"
    assert plan_for(large, card(8, host=28), "int8").key == "int8"
    assert plan_for(large, card(8, host=12), "streamed").key == "streamed"
    assert plan_for(large, processor(48)).key == "resident"
    assert plan_for(large, processor(24)).key == "low"
    assert plan_for(large, processor(19)).key == "int8"


def test_the_computers_own_memory_counts_beside_a_card(large):
    plan = plan_for(large, card(8, host=12), "streamed")
    assert not plan.fits and not plan.missing
    assert plan.missing_beside == plan.beside - 12 * GIB
    assert any("of the computer's own memory" in note and "more than is free" in note for note in plan.notes)
    assert "of which" not in plan.words
    # Where nothing fits, what lacks least is taken.
    assert plan_for(large, card(8, host=2)).key == "int8"
    assert plan_for(large, card(16, host=1)).key == "balanced"


def test_the_best_plan_is_the_one_that_is_chosen(large, small):
    for manifest in (large, small):
        for device in (card(24), card(12), card(8, host=12), card(8, host=30), processor(16), processor(24)):
            assert best_plan(all_plans(manifest, device)) == plan_for(manifest, device)


def test_plans_that_would_save_nothing_are_not_offered(small):
    keys = [plan.key for plan in all_plans(small, card(24))]
    assert keys[:2] == ["resident", "balanced"]
    assert "low" not in keys and "int8" not in keys
    assert plan_for(small, card(24), "low").key == "balanced"
    assert plan_for(small, card(24), "int8").key == "balanced"


def test_memory_others_use_is_not_counted_on(large):
    plan = plan_for(large, card(24, free=13.5))
    assert plan.key == "low"
    asked = plan_for(large, card(24, free=13.5), "resident")
    assert not asked.fits
    assert "of which 13.5 GB is free" in asked.words
    assert any("Memory may run out" in note for note in asked.notes)


def test_unequal_strengths_cost_more_and_say_so(large):
    plan = plan_for(large, card(24, free=24), "balanced")
    assert 2 < plan.unequal / GIB < 4
    assert any(f"take {plan.unequal / GIB:.1f} GB more" in note for note in plan.notes)
    tight = plan_for(large, card(16, free=16))
    assert tight.key == "balanced"
    assert not tight.fits_unequal
    assert any("the same strength" in note for note in tight.notes)


def test_a_smaller_picture_needs_less(large):
    small_picture = published_schedule("1.0", "0.06M")
    assert plan_for(large, card(16), schedule=small_picture).needed < plan_for(large, card(16), "balanced").needed


def test_the_cache_holds_at_least_one_subject_with_all_its_branches(large, small):
    for manifest in (large, small):
        for plan in all_plans(manifest, card(24)):
            keys = 2 * manifest.transformer.width * manifest.transformer.blocks * (2 if plan.dtype == "bfloat16" else 4)
            content = manifest.transformer.content_tokens * keys
            assert plan.cache_bytes > 3 * content


def test_stepping_down_goes_through_all_plans_once_and_says_so(large):
    plan = plan_for(large, card(24))
    keys = [plan.key]
    while (below := step_down(large, card(24), plan)) is not None:
        assert below.notes[-1] == f"Memory ran out with the plan “{plan.title}”; “{below.title}” is used now."
        plan = below
        keys.append(plan.key)
    assert keys == ["resident", "balanced", "low", "streamed"]


def test_eight_bits_come_last_when_memory_runs_out(large):
    resident = plan_for(large, processor(24), "resident")
    low = step_down(large, processor(24), resident)
    assert low is not None and low.key == "low"
    assert low.notes[-1].endswith("“Low memory” is used now, whose pictures differ a little.")
    below = step_down(large, processor(24), low)
    assert below is not None and below.key == "int8"
    assert step_down(large, processor(24), below) is None
    compact = plan_for(large, card(8), "int8")
    below = step_down(large, card(8), compact)
    assert below is not None and below.key == "streamed"


def test_a_plan_that_the_device_does_not_have_comes_down_to_one_it_has(large):
    assert plan_for(large, processor(64), "balanced").key == "resident"
    assert plan_for(large, processor(64), "streamed").key == "low"
    assert plan_for(large, processor(64), "int8").key == "int8"
    with pytest.raises(InputError, match="no memory plan"):
        plan_for(large, card(24), "tiny")


def test_far_too_little_memory_is_refused_in_numbers(large):
    with pytest.raises(NotEnoughMemory, match=r"needs at least .* GB of memory, and Card, 2 GB has 2\.5 GB"):
        plan_for(large, card(2.5))
    error = out_of_memory(plan_for(large, card(8)), card(8), 2 * GIB)
    assert "2.0 GB of Card, 8 GB is free" in error.fact
    assert error.step


def test_half_of_the_content_is_offloaded_in_one_way_only(large):
    for plan in all_plans(large, card(24)):
        assert not (plan.offload_content and plan.stream_content)
    assert replace(plan, key="resident").title == plan.title


def test_plans_need_no_torch():
    code = "import sys, engine.planning.plans, engine.bundle.published; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
