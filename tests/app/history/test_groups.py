"""Pictures of one request stand together."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from app.history.groups import group_pictures, narrower_titles, short_prompt, spoken_name, spoken_time
from app.store.history_store import Picture

NOON = datetime(2026, 3, 10, 12, 0).timestamp()
DAY = 86400


def a_picture(number: int, key: str, created: float, **changes) -> Picture:
    values = {"prompt": f"a {key} robot", "starred": False, **changes}
    return Picture(
        number,
        Path(f"{number}.png"),
        created,
        values["prompt"],
        "robot",
        number,
        64,
        64,
        "mini@0",
        key,
        0,
        1.0,
        values["starred"],
    )


def test_pictures_of_one_request_join_even_when_others_came_between():
    pictures = [
        a_picture(5, "snow", NOON + 50),
        a_picture(4, "beach", NOON + 40),
        a_picture(3, "snow", NOON + 30),
        a_picture(2, "beach", NOON + 20),
    ]
    groups = group_pictures(pictures)
    assert [[picture.id for picture in group.pictures] for group in groups] == [[5, 3], [4, 2]]
    assert groups[0].title == "snow robot"
    assert groups[0].created == NOON + 50


def test_a_group_never_reaches_over_days():
    pictures = [a_picture(3, "snow", NOON), a_picture(2, "snow", NOON - DAY), a_picture(1, "snow", NOON - DAY - 5)]
    groups = group_pictures(pictures)
    assert [[picture.id for picture in group.pictures] for group in groups] == [[3], [2, 1]]


def test_no_picture_is_lost():
    pictures = [a_picture(n, "abc"[n % 3], NOON - n * 7000) for n in range(200)]
    grouped = [picture.id for group in group_pictures(pictures) for picture in group.pictures]
    assert sorted(grouped) == list(range(200))
    assert group_pictures([]) == []


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (5, "now"),
        (3600, "11:00"),
        (DAY, "yesterday"),
        (3 * DAY, "Sat"),
        (20 * DAY, "18 Feb"),
        (300 * DAY, "14 May 2025"),
        (-90, "12:01"),
    ],
)
def test_times_are_said_as_one_says_them(ago: float, words: str):
    assert spoken_time(NOON - ago, NOON) == words


def test_titles_begin_with_what_it_is_about():
    assert short_prompt("A toy\nrobot") == "toy robot"
    assert short_prompt("another robot") == "another robot"
    assert short_prompt("the") == "the"
    assert short_prompt("") == "no prompt"


@pytest.mark.parametrize(
    ("prompt", "subject", "titles"),
    [
        ("a toy robot in the snow", "toy robot", ["toy robot in the snow", "in the snow", "snow"]),
        (
            "A Toy robot, on top of the roof",
            "toy robot",
            ["Toy robot, on top of the roof", "on top of the roof", "roof"],
        ),
        ("a toy robot", "toy robot", ["toy robot"]),
        ("雪地里的玩具", "", ["雪地里的玩具"]),
        ("on the moon", "", ["on the moon", "moon"]),
        ("", "toy", ["no prompt"]),
    ],
)
def test_a_title_without_room_says_where_it_is(prompt: str, subject: str, titles: list[str]):
    assert narrower_titles(prompt, subject) == titles


def test_a_screen_reader_says_place_star_and_subject():
    picture = a_picture(1, "snow", NOON, prompt="a toy robot in the snow", starred=True)
    assert spoken_name(picture, 1, 4) == "Picture 1 of 4, starred, toy robot in the snow"
    assert spoken_name(picture, 2, 4, missing=True) == "Picture 2 of 4, starred, file is missing, toy robot in the snow"
