"""What the banner's Details say."""

from __future__ import annotations

import traceback
from datetime import datetime

from app.window.banner import in_short
from engine.errors import NotEnoughMemory

WHEN = datetime(2026, 5, 4, 21, 14, 7)


def raised(message: str) -> str:
    try:
        try:
            raise RuntimeError(message)
        except RuntimeError as error:
            raise NotEnoughMemory("Too little.", "Use less.") from error
    except NotEnoughMemory:
        return traceback.format_exc()


def test_errors_come_newest_first_with_their_places_and_the_log():
    lines = in_short(raised("CUDA out of memory"), WHEN).splitlines()
    assert lines[0] == "NotEnoughMemory: Too little. Use less."
    assert lines[1].startswith("  test_banner.py, line ") and lines[1].endswith(", in raised")
    assert lines[2] == "RuntimeError: CUDA out of memory" and lines[4] == "echogen.log, 21:14:07"

    assert in_short(raised("x"), WHEN, "Too little. Use less.").startswith("NotEnoughMemory\n")


def test_long_messages_are_cut_and_further_lines_of_one_are_left_out():
    lines = in_short(raised("x" * 500 + "\nTip: set a variable"), WHEN).splitlines()
    assert len(lines) == 5 and len(lines[2]) == 120 and lines[2].endswith("x…")


def test_what_is_no_traceback_is_said_as_it_is():
    assert (
        in_short("the child process ended with code 9\n", WHEN)
        == "the child process ended with code 9\nechogen.log, 21:14:07"
    )
