"""Bytes and seconds in words."""

from __future__ import annotations

import pytest

from app.language.amounts import amount, measured_seconds, rough_seconds, size


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1\u00a0s"), (4.4, "4\u00a0s"), (33, "35\u00a0s"), (100, "2\u00a0min")]
)
def test_expected_seconds_are_rounded_as_one_says_them(seconds: float, text: str):
    assert rough_seconds(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.84, "0.8\u00a0s"), (38.4, "38\u00a0s"), (119.7, "2\u00a0min"), (125, "2\u00a0min\u00a05\u00a0s")],
)
def test_measured_seconds_are_told_in_full(seconds: float, text: str):
    assert measured_seconds(seconds) == text


def test_bytes_are_counted_as_file_managers_do():
    assert size(14_200_000_000) == "14.2\u00a0GB" and size(345_600_000) == "346\u00a0MB"
    assert amount(6_100_000_000, 14_200_000_000) == "6.1 of 14.2\u00a0GB", "the unit is said once"
    assert amount(340_000_000, 14_200_000_000) == "340\u00a0MB of 14.2\u00a0GB"
