"""Published scale schedules, and the rotary positions of their grids.

The table ``scale_schedules.json`` holds 15 height/width templates × 4 pixel budgets. Rotary positions are integers on the
last grid of a template's full schedule, whatever the pixel budget.
"""

from __future__ import annotations

import json
from fractions import Fraction
from functools import cache
from pathlib import Path

from engine.model.config import ScaleSchedule

BUDGETS = ("0.06M", "0.25M", "0.60M", "1M")


@cache
def _table() -> dict:
    path = Path(__file__).with_name("scale_schedules.json")
    return json.loads(path.read_text(encoding="utf-8"))["templates"]


def published_ratios() -> tuple[str, ...]:
    """Names of the height/width templates, square first."""
    return tuple(_table())


def published_schedule(ratio: str = "1.0", budget: str = "1M") -> ScaleSchedule:
    """One schedule of the published table.

    Args:
        ratio: a height/width template, for example "1.333".
        budget: one of ``BUDGETS``.
    """
    template = _table()[ratio]
    entry = template[budget]
    height, width = entry["pixels"]
    full = template["1M"]["scales"]
    return ScaleSchedule(
        size=(width, height),
        grids=tuple((h, w) for h, w in entry["scales"]),
        rotary_grid=(full[-1][0], full[-1][1]),
        ratio=ratio,
    )


def published_schedules(budget: str) -> tuple[ScaleSchedule, ...]:
    """All aspect ratios of one pixel budget, square first."""
    return tuple(published_schedule(ratio, budget) for ratio in published_ratios())


def axis_positions(cells: int, frame: int) -> list[int]:
    """Positions of ``cells`` cells on an axis of ``frame`` positions: round(i · frame / cells), half to even.

    Exact fractions: in floating point one published position (index 27 of 54 cells on 111) falls on the wrong side.
    """
    return [round(Fraction(index * frame, cells)) for index in range(cells)]


def grid_positions(grid: tuple[int, int], frame: tuple[int, int]) -> list[tuple[int, int]]:
    """(row, column) positions of a grid's cells, row-major."""
    rows, columns = axis_positions(grid[0], frame[0]), axis_positions(grid[1], frame[1])
    return [(row, column) for row in rows for column in columns]
