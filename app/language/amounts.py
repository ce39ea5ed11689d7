"""Bytes and seconds in words, in the user's language, with spaces that do not break."""

from __future__ import annotations

from app.language.say import say


def size(count: int) -> str:
    """ "14.2 GB", "346 MB": bytes as file managers count them."""
    from engine import readable

    return readable(count).replace(" ", "\u00a0")


def amount(done: int, total: int) -> str:
    """ "6.1 of 14.2 GB"; with both units where they differ."""
    here, all_of_it = size(done), size(total)
    number, _, unit = here.partition("\u00a0")
    return say("{0} of {1}").format(number if all_of_it.endswith(f"\u00a0{unit}") else here, all_of_it)


def measured_seconds(seconds: float) -> str:
    """ "0.8 s", "38 s", "2 min 5 s": a time that was measured."""
    if seconds < 9.95:
        tenths = f"{seconds:.1f}"  # lupdate takes a literal behind another one for a comment
        return say("{0}\u00a0s", tenths)
    if seconds < 90:
        return say("{0}\u00a0s", round(seconds))
    minutes, rest = divmod(round(seconds), 60)
    words = (say("{0}\u00a0min", minutes), say("{0}\u00a0s", rest) if rest else "")
    return "\u00a0".join(filter(None, words))


def rough_seconds(seconds: float) -> str:
    """ "4 s", "35 s", "2 min": a time that is expected, rounded as one says it."""
    if seconds < 20:
        return say("{0}\u00a0s", max(1, round(seconds)))
    if seconds < 90:
        return say("{0}\u00a0s", 5 * round(seconds / 5))
    return say("{0}\u00a0min", round(seconds / 60))
