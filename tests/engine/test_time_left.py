"""How long something still takes, in words and numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.time_left import TimeLeft, time_left_words


def test_time_is_told_from_the_third_scale_on():
    left = TimeLeft([0.25] * 4)
    assert left.words(0) is None
    left.drawn(0, 2.0)
    left.drawn(1, 12.0)
    assert left.words(12.0) is None
    assert left.fraction(12.0) == 0.5
    left.drawn(2, 22.0)
    assert left.words(22.0) == "about 10 s left"
    assert left.words(25.0) == "about 7 s left"


def test_progress_moves_linearly_and_never_past_the_scale_that_is_drawn():
    left = TimeLeft([0.25] * 4)
    left.drawn(0, 1.0)
    left.drawn(1, 2.0)
    assert left.fraction(2.5) == pytest.approx(0.625)
    assert left.fraction(3.0) == pytest.approx(0.75)
    assert left.fraction(60.0) == pytest.approx(0.75)


def test_a_kept_scale_is_no_work_and_moves_nothing():
    left = TimeLeft([0.25] * 4, first_scale=2)
    left.drawn(1, 1.0)  # the last kept one
    assert left.fraction(1.5) == 0.0
    left.drawn(2, 2.0)
    assert left.fraction(2.5) == pytest.approx(0.75)
    left = TimeLeft([0.25] * 8, first_scale=2)
    for scale in range(1, 4):
        left.drawn(scale, float(scale))
    assert left.fraction(60.0) == pytest.approx(0.5)


def test_time_left_never_jumps_up_by_more_than_one_step():
    left = TimeLeft([0.1] * 10)
    for scale in range(3):
        left.drawn(scale, scale * 1.0)
    assert left.words(2.0) == "about 7 s left"
    left.drawn(3, 40.0)  # the computer was busy
    assert left.words(40.0) == "about 8 s left"


def test_long_times_are_rounded_to_five_seconds_and_minutes():
    left = TimeLeft([0.1] * 10)
    for scale in range(3):
        left.drawn(scale, scale * 9.4)
    assert left.words(18.8) == "about 65 s left"
    slow = TimeLeft([0.1] * 10)
    for scale in range(3):
        slow.drawn(scale, scale * 20.0)
    assert slow.words(40.0) == "about 2 min left"


def test_kept_scales_count_for_nothing():
    left = TimeLeft([0.4, 0.2, 0.2, 0.2], first_scale=2)
    left.drawn(2, 1.0)
    assert left.fraction(1.0) == pytest.approx(0.5)
    left.drawn(3, 2.0)
    assert left.fraction(2.0) == pytest.approx(1.0)


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=13),
    st.lists(st.floats(0, 100), min_size=0, max_size=13),
)
def test_any_times_give_a_fraction_that_never_falls(costs: list[float], waits: list[float]):
    left = TimeLeft(costs)
    now, before = 0.0, 0.0
    for scale, wait in enumerate(waits[: len(costs)]):
        for _ in range(3):
            now += wait / 3
            fraction = left.fraction(now)
            assert before - 1e-9 <= fraction <= 1 + 1e-9
            before = fraction
        left.drawn(scale, now)
        left.words(now)


def test_costs_that_promise_eternity_tell_no_time():
    left = TimeLeft([0.0, 5e-324, 5e-324, 1.0])
    for scale in range(3):
        left.drawn(scale, scale + 1.0)
    assert left.seconds_left(3.0) is None and left.words(3.0) is None


def test_counted_costs_tell_no_time_before_half_of_the_work():
    counted, measured = TimeLeft([0.1] * 10, measured=False), TimeLeft([0.1] * 10)
    for scale in range(3):
        counted.drawn(scale, float(scale + 1))
        measured.drawn(scale, float(scale + 1))
    assert counted.words(3.0) is None and measured.words(3.0) is not None
    for scale in range(3, 6):
        counted.drawn(scale, float(scale + 1))
    assert counted.words(6.0) == "about 4 s left"


def test_the_bar_is_full_with_the_picture_and_not_before():
    left = TimeLeft([0.5, 0.3, 0.2])
    left.drawn(0, 1.0)
    left.drawn(1, 2.0)
    assert left.fraction(60.0) < 1.0
    left.drawn(2, 3.0)
    assert left.fraction(60.0) == 1.0

    assert left.words(3.0) is None, "nothing is left"


COSTS = (0.002, 0.008, 0.04, 0.15, 0.3, 0.5)


def test_a_cold_start_tells_no_time_that_is_not_known():
    left, now, told = TimeLeft(COSTS, measured=False), 100.0, []
    for scale, cost in enumerate(COSTS):
        now += (20.0 if scale == 0 else 0.3) + 10 * cost  # a cold start, something for every scale, and 10 s of work
        left.drawn(scale, now)
        told.append(left.seconds_left(now))
    assert told[:4] == [None] * 4
    assert told[4] == pytest.approx(5.3, abs=2.5)


def test_what_such_a_picture_took_before_is_told_from_the_first_scale_on():
    left = TimeLeft(COSTS, expected=10.0)
    left.drawn(0, 1.0)
    assert left.words(1.0) == "about 10 s left"
    assert left.words(4.0) == "about 7 s left"


def test_several_kept_scales_are_no_pace():
    left = TimeLeft([0.1] * 10, first_scale=5)
    for scale in range(6):
        left.drawn(scale, 0.1 * scale)
    assert left.words(0.6) is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "about 1 s left"),
        (13, "about 13 s left"),
        (38, "about 40 s left"),
        (89, "about 2 min left"),
        (3000, "about 50 min left"),
        (8000, "about 2.2 h left"),
        (40_000, "about 11 h left"),
    ],
)
def test_one_wording_for_everything(seconds: float, words: str):
    assert time_left_words(seconds) == words


def test_scales_that_are_only_shown_take_no_time_and_are_no_progress():
    left = TimeLeft([0.25] * 4, first_scale=2)
    left.drawn(0, 0.1)
    assert left.fraction(5.0) == 0.0
    left.drawn(1, 0.2)
    left.drawn(2, 1.2)
    assert left.fraction(1.2) == pytest.approx(0.5)


@pytest.mark.parametrize("dropped", [(), (1, 2), (0, 1, 2, 3)])
def test_scales_that_took_no_time_say_nothing_about_the_pace(dropped):
    """Ten equal scales, the first four remembered; a window that is busy misses some of the previews."""
    left = TimeLeft([0.1] * 10, expected=100.0)
    for scale, seconds in enumerate((1.0, 1.0, 1.0, 1.0, 11.0, 21.0, 31.0)):
        if scale not in dropped:
            left.drawn(scale, seconds, min(scale + 1, 4))
        if scale == 3 and not dropped:
            assert left.seconds_left(1.0) == pytest.approx(60.0), "what such a picture took before"
    assert left.seconds_left(31.0) == pytest.approx(30.0)
