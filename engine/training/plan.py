"""All stages one after the other, in slices: one command for a night on a processor or for ten minutes on a rented card.

The training file's ``[[plan]]`` entries say which stage is trained how long. What has been done is kept beside the
checkpoints, so that every call goes on where the last one ended, however it ended.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, Struct

from engine.errors import InputError
from engine.files import write_json
from engine.sentence import Sentence
from engine.training import loop
from engine.training.config import STAGES, TrainingConfig
from engine.training.team import ALONE, Team
from engine.validation import Damage, Natural, read_json

FILE = "plan.json"
_LARGEST = 2**16
SHORTEST = 0.3
"""A rest shorter than this share of a slice joins the slice before it: its warm-up and decay would take it all."""


@dataclass(frozen=True)
class Entry:
    """One entry of the plan: a stage, how many minutes in all, and settings that replace those of its training table."""

    stage: str
    minutes: float
    settings: dict[str, Any]


class _Kept(Struct):
    """The file that says how far a plan has come: entries that are done, and minutes done of the next one."""

    done: Natural
    minutes: Annotated[float, Meta(ge=0, le=2**53)]


def read_plan(config: TrainingConfig) -> tuple[Entry, ...]:
    """The plan of a training file. Raises ``InputError`` where it has none or one that cannot be."""
    entries = []
    for table in config.values.get("plan", ()):
        settings = {name: value for name, value in table.items() if name not in ("stage", "minutes")}
        try:
            entry = Entry(str(table["stage"]), float(table["minutes"]), settings)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(Sentence("An entry of the plan has no proper {error}.", error=error)) from error
        if entry.stage not in STAGES or not entry.minutes > 0:
            raise InputError(
                Sentence(
                    "The plan has an entry of stage “{stage}” and {minutes:g} minutes.",
                    stage=entry.stage,
                    minutes=entry.minutes,
                )
            )
        entries.append(entry)
    if not entries:
        raise InputError(
            Sentence("The training file has no plan."), Sentence("Add [[plan]] entries, or name a --stage.")
        )
    return tuple(entries)


def follow(
    plan: tuple[Entry, ...],
    runs: Path,
    minutes: float,
    build: Callable[[Entry], Any],
    *,
    scale: float = 1.0,
    slice_minutes: float = 60.0,
    team: Team = ALONE,
) -> tuple[int, float]:
    """Go on with a plan for some minutes.

    Args:
        build: makes the stage of an entry, with its settings.
        scale: multiplies the plan's minutes: about 0.02 on a data-centre card.
        slice_minutes: after so long a stage is saved, sampled and built anew, so that no slice is lost whole.
        team: the processes that train together.

    Returns:
        How many entries are done, and minutes done of the next one.

    Raises:
        Cancelled: a stop signal; everything is saved. CannotWrite, InputError: as the stages raise them.
    """
    left = minutes
    done, spent = _read(runs)
    while done < len(plan) and left > 0:
        entry = plan[done]
        rest = entry.minutes * scale - spent
        piece = min(rest, left, slice_minutes)
        if rest - piece < SHORTEST * piece:
            piece = min(rest, left)
        last = piece >= rest - 1e-9
        stage = build(entry)
        before = loop.seconds_of(runs, stage)
        try:
            loop.train(stage, runs, piece, decay=last, team=team)
        finally:
            # A slice that was stopped counts for as long as it ran.
            spent += (loop.seconds_of(runs, stage) - before) / 60
            if not last and team.writes:
                _write(runs, done, spent)
        left -= piece
        if last:
            done, spent = done + 1, 0.0
        if team.writes:
            _write(runs, done, spent)
    return done, spent


def _read(runs: Path) -> tuple[int, float]:
    try:
        kept = read_json(runs / FILE, _Kept, _LARGEST)
    except FileNotFoundError:
        return 0, 0.0
    except (OSError, Damage) as error:
        raise InputError(
            Sentence("{runs} is damaged.", runs=runs / FILE), Sentence("Delete it to follow the plan from the start.")
        ) from error
    return kept.done, kept.minutes


def _write(runs: Path, done: int, minutes: float) -> None:
    write_json(runs / FILE, {"done": done, "minutes": round(minutes, 3)})
