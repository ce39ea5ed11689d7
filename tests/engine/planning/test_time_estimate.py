"""How long a picture will take: counted first, then measured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.bundle.published import ECHOGEN_125M
from engine.model.schedules import published_schedule
from engine.planning.time_estimate import Task, TimeEstimate, content_work, scale_work

TASK = Task(published_schedule("1.0", "0.06M"), branches=2, streams=2, text_tokens=20)


def test_counted_work_is_that_of_the_published_table():
    """flops.json: two branches without dead work take 379 G multiply-adds, of which a re-roll does 143 G."""
    drawing = sum(scale_work(ECHOGEN_125M, TASK))
    assert drawing == pytest.approx(143e9, rel=0.02)
    # The rest of the 379 G are the content streams; what is dead in the last block is counted here too, 7 % of them.
    assert drawing + content_work(ECHOGEN_125M, TASK) == pytest.approx(379e9, rel=0.06)
    assert content_work(ECHOGEN_125M, replace(TASK, streams=0)) == 0


def test_costs_before_and_after_measuring():
    expectation = TimeEstimate(ECHOGEN_125M)
    costs = expectation.costs(TASK)
    assert sum(costs) == pytest.approx(1) and len(costs) == 7
    assert costs[0] > 0.5, "the content streams come before the first scale"
    reroll = expectation.costs(replace(TASK, streams=0))
    assert list(reroll) == sorted(reroll)
    expectation.learn(TASK, [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 4.0], before=0.0, rest=1.0)
    assert expectation.costs(replace(TASK, streams=0))[-1] == pytest.approx(0.4)


def test_seconds_follow_what_was_measured():
    expectation = TimeEstimate(ECHOGEN_125M)
    assert expectation.seconds(TASK) is None
    expectation.learn(TASK, [0.1] * 7, before=2.0, rest=0.5)
    assert expectation.seconds(TASK) == pytest.approx(0.7 + 2.0 + 0.5)
    assert expectation.seconds(replace(TASK, streams=0)) == pytest.approx(1.2)
    assert expectation.seconds(replace(TASK, streams=1)) == pytest.approx(2.2)
    expectation.learn(TASK, [0.3] * 7, before=2.0, rest=0.5)
    assert expectation.seconds(replace(TASK, streams=0)) == pytest.approx(0.2 * 7 + 0.5), "the average moves half way"


def test_scales_that_were_remembered_do_not_make_the_next_picture_look_quick():
    expectation, reroll = TimeEstimate(ECHOGEN_125M), replace(TASK, streams=0)
    expectation.learn(reroll, [0.2] * 7, before=0.0, rest=0.5)
    whole, costs = expectation.seconds(reroll), expectation.costs(reroll)
    for _ in range(8):
        expectation.learn(reroll, [0.0] * 4 + [0.2] * 3, before=0.0, rest=0.5, remembered=4)
    assert expectation.seconds(reroll) == pytest.approx(whole) and expectation.costs(reroll) == pytest.approx(costs)
    expectation.learn(reroll, [0.0] * 4 + [0.4] * 3, before=0.0, rest=0.5, remembered=4)
    assert expectation.seconds(reroll) == pytest.approx(0.2 * 4 + 0.3 * 3 + 0.5), "what was measured is learnt"
    fresh = TimeEstimate(ECHOGEN_125M)
    fresh.learn(reroll, [0.0] * 4 + [0.2] * 3, before=0.0, rest=0.5, remembered=4)
    work = scale_work(ECHOGEN_125M, reroll)
    assert fresh.seconds(reroll) == pytest.approx(0.6 * sum(work) / sum(work[4:]) + 0.5), "and what was not is counted"


def test_another_size_is_told_from_the_work():
    expectation = TimeEstimate(ECHOGEN_125M)
    expectation.learn(TASK, [0.1] * 7, before=2.0, rest=0.5)
    larger = Task(published_schedule("1.0", "0.25M"), branches=2, streams=0, text_tokens=20)
    work = sum(scale_work(ECHOGEN_125M, larger)) / sum(scale_work(ECHOGEN_125M, TASK))
    assert expectation.seconds(larger) == pytest.approx(0.7 * work + 0.5 * 4)
    three = replace(TASK, branches=3, streams=0)
    assert expectation.seconds(three) == pytest.approx(0.7 * 1.5 + 0.5)
