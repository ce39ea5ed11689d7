"""The keys of the tools, for whatever holds a canvas."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.editor.tools import TOOLS
from app.shortcuts import bind

if TYPE_CHECKING:
    from app.editor.tools import Tools

BRUSH_KEYS = ("swap", "smaller", "larger")
HARDNESS_KEYS = ("softer", "harder")
_HARDNESS_STEP = 0.1


class ToolKeys(QObject):
    """Actions of the table that act on a canvas's tools while ``owner`` or something in it has the focus.

    Args:
        actions: names of tools, of ``BRUSH_KEYS`` and of ``HARDNESS_KEYS``.
    """

    def __init__(self, owner: QWidget, tools: Tools, actions: Iterable[str]) -> None:
        super().__init__(owner)
        self._tools = tools
        for action in actions:
            bind(owner, action, partial(self._act, action))

    def _act(self, action: str) -> None:
        tools = self._tools
        match action:
            case "swap":
                tools.swap()
            case "smaller":
                tools.step_brush(-1)
            case "larger":
                tools.step_brush(1)
            case "softer":
                tools.set_hardness(tools.hardness() - _HARDNESS_STEP)
            case "harder":
                tools.set_hardness(tools.hardness() + _HARDNESS_STEP)
            case tool:
                tools.set_tool(next(known for known in TOOLS if known == tool))
