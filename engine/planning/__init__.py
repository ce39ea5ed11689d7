"""Memory plans, expected times, words for faults. The face; every name is loaded on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.faces import face

SLOW_IMPORTS = ("psutil", "engine.device.devices", "engine.planning.footprint", "engine.planning.plans")
"""Modules that the names below load, in an order in which each import is a short one: for a window that paints between two."""

if TYPE_CHECKING:
    from engine.planning.plans import MEANINGS as MEANINGS
    from engine.planning.plans import MemoryPlan as MemoryPlan
    from engine.planning.plans import all_plans as all_plans
    from engine.planning.plans import best_plan as best_plan
else:
    __getattr__, __dir__, __all__ = face(
        __name__,
        {
            "engine.planning.plans": ("MEANINGS", "MemoryPlan", "all_plans", "best_plan"),
        },
    )
