"""Finds the files that ship with the program."""

from __future__ import annotations

from pathlib import Path

RESOURCES = Path(__file__).resolve().parent.parent / "resources"


def resource(*parts: str) -> Path:
    """A path below ``resources/``."""
    return RESOURCES.joinpath(*parts)
