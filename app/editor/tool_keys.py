"""The keys of the tools, for whatever holds a canvas."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.editor.mask_canvas import MaskCanvas
from app.editor.tools import TOOLS
from app.shortcuts import bind

BRUSH_KEYS = ("swap", "smaller", "larger")
HARDNESS_KEYS = ("softer", "harder")
_HARDNESS_STEP = 0.1


class ToolKeys(QObject):
    """Actions of the table that act on a canvas while ``owner`` or something in it has the focus.

    Args:
        actions: names of tools, of ``BRUSH_KEYS`` and of ``HARDNESS_KEYS``.
    """

    def __init__(self, owner: QWidget, canvas: MaskCanvas, actions: Iterable[str]) -> None:
        super().__init__(owner)
        self._canvas = canvas
        for action in actions:
            bind(owner, action, partial(self._act, action))

    def _act(self, action: str) -> None:
        canvas = self._canvas
        match action:
            case "swap":
                canvas.swap()
            case "smaller":
                canvas.step_brush(-1)
            case "larger":
                canvas.step_brush(1)
            case "softer":
                canvas.set_hardness(canvas.hardness() - _HARDNESS_STEP)
            case "harder":
                canvas.set_hardness(canvas.hardness() + _HARDNESS_STEP)
            case tool:
                canvas.set_tool(next(known for known in TOOLS if known == tool))
