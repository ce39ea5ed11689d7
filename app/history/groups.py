"""Pictures of one request stand together under one title. Free of Qt."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from app.language.say import say

if TYPE_CHECKING:
    from app.store.history_store import Picture


class Group(Struct, frozen=True):
    """Pictures that follow each other and differ in seed and kept scales only, newest first."""

    key: str
    pictures: tuple[Picture, ...]

    @property
    def title(self) -> str:
        return short_prompt(self.pictures[0].prompt)

    @property
    def created(self) -> float:
        """Time of the newest picture."""
        return self.pictures[0].created


def group_pictures(pictures: Iterable[Picture]) -> list[Group]:
    """Groups in the order of their newest pictures (``pictures`` come newest first).

    A request that is drawn again after other ones joins its first group only while that one is from the same day: the row
    stays a story in time, and a group never tears pictures out of it that are weeks apart.
    """
    groups: list[tuple[str, list[Picture]]] = []
    latest: dict[str, int] = {}
    for picture in pictures:
        place = latest.get(picture.group_key)
        if place is not None:
            newest = groups[place][1][0]
            if _day(newest.created) == _day(picture.created):
                groups[place][1].append(picture)
                continue
        latest[picture.group_key] = len(groups)
        groups.append((picture.group_key, [picture]))
    return [Group(key, tuple(members)) for key, members in groups]


def spoken_time(created: float, now: float) -> str:
    """ "now", "21:14", "yesterday", "Mon", "3 Nov", "3 Nov 2024"."""
    then, today = datetime.fromtimestamp(created), datetime.fromtimestamp(now)
    if 0 <= now - created < 60:
        return say("now")
    if then.date() == today.date():
        return f"{then:%H:%M}"
    if then.date() == today.date() - timedelta(days=1):
        return say("yesterday")
    if timedelta() < today.date() - then.date() < timedelta(days=7):
        return _weekday(then.weekday())
    if then.year == today.year:
        return say("{0} {1}", then.day, _month(then.month))
    return say("{0} {1} {2}", then.day, _month(then.month), then.year)


def _weekday(day: int) -> str:
    return (say("Mon"), say("Tue"), say("Wed"), say("Thu"), say("Fri"), say("Sat"), say("Sun"))[day]


def _month(month: int) -> str:
    names = (say("Jan"), say("Feb"), say("Mar"), say("Apr"), say("May"), say("Jun"))
    return (*names, say("Jul"), say("Aug"), say("Sep"), say("Oct"), say("Nov"), say("Dec"))[month - 1]


def short_prompt(prompt: str) -> str:
    """The prompt without a leading article: it begins with what it is about."""
    words = " ".join(prompt.split())
    for article in ("a ", "an ", "the "):
        if words.lower().startswith(article):
            return words[len(article) :]
    return words or say("no prompt")


_PLACE = re.compile(r"\b(in|on top of|on|at|under|beside|with) ", re.IGNORECASE)


def narrower_titles(prompt: str, subject: str) -> list[str]:
    """The title in ever fewer words, for a group with little room: without the subject, which the picture shows, then
    without the word that only joins ("toy robot in the snow", "in the snow", "snow").

    Args:
        subject: its name, or "": then what comes before the first place is taken for it.
    """
    title = short_prompt(prompt)
    found, rest = [title], title
    if subject and title.lower().startswith(subject.lower()):
        rest = title[len(subject) :].strip(" ,")
    elif place := _PLACE.search(title):
        rest = title[place.start() :]
    joined = _PLACE.match(rest)
    for shorter in (rest, short_prompt(rest[joined.end() :]) if joined else ""):
        if shorter and shorter != found[-1]:
            found.append(shorter)
    return found


def spoken_name(picture: Picture, place: int, count: int, *, missing: bool = False) -> str:
    """ "Picture 1 of 4, starred, toy robot in the snow": what a screen reader says."""
    parts = [say("Picture {0} of {1}", place, count)]
    if picture.starred:
        parts.append(say("starred"))
    if missing:
        parts.append(say("file is missing"))
    parts.append(short_prompt(picture.prompt))
    return ", ".join(parts)


def _day(created: float) -> object:
    return datetime.fromtimestamp(created).date()
