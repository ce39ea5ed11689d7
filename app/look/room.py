"""When a window is too small for everything (ui.md, Layout). Larger text needs more room, so it counts as a smaller window."""

from __future__ import annotations

from app.look.type import scaled

NARROW, RAIL, LOW = 1120, 1280, 760


def is_narrow(width: int) -> bool:
    """Smaller panels; less in the top bar."""
    return width < scaled(NARROW)


def needs_rail(width: int) -> bool:
    """The subject panel makes way for a rail."""
    return width < scaled(RAIL)


def is_low(height: int) -> bool:
    """Fewer lines in the history and the prompt panel."""
    return height < scaled(LOW)
