"""The bars around the editor's canvas: tools at the left, options above, hints below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.editor.overlay import OVERLAYS
from app.editor.tools import BRUSHES, Tool
from app.language.say import say
from app.look import type as type_
from app.look.controls import Divider, IconButton, Segmented, Slider, clear, label
from app.look.glyphs import Glyph
from app.look.key_cap import KeyCap
from app.look.theme import size
from app.mask.brush import MAX_SIZE, MIN_SIZE
from app.shortcuts import keymap, tooltip

TOOL_ICONS: dict[Tool, str] = {
    "select": "mouse-pointer-click",
    "brush": "brush",
    "eraser": "eraser",
    "box": "square-dashed",
    "lasso": "lasso",
    "hand": "hand",
}
_SLIDER_STEPS = 200
_TIGHT = 480


class ToolRail(QWidget):
    """The tools, one of them in hand, and what acts at once.

    Signals:
        toolChosen(str): a tool.
        triggered(str): "invert", "undo", "redo", "zoom_in", "fit" or "help".
    """

    toolChosen = Signal(str)
    triggered = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedWidth(size("tool-column"))
        self.tools: dict[Tool, IconButton] = {}
        self.acts: dict[str, IconButton] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 12, 8, 12)
        column.setSpacing(4)
        for tool in ("select", "brush", "eraser", "box", "lasso"):
            self._add_tool(column, tool)
        self._divide(column)
        self._add_act(column, "invert", "contrast")
        self._add_act(column, "undo", "undo-2")
        self._add_act(column, "redo", "redo-2")
        self._divide(column)
        self._add_tool(column, "hand")
        self._add_act(column, "zoom_in", "zoom-in")
        self._add_act(column, "fit", "maximize")
        column.addStretch(1)
        self._add_act(column, "help", "circle-question-mark")
        self.retranslate()

    def show_tool(self, tool: Tool) -> None:
        """Mark the tool in hand."""
        for name, button in self.tools.items():
            button.setChecked(name == tool)

    def show_undo(self, undo: str, redo: str) -> None:
        """Name the steps that can be undone and redone; "" for none."""
        for name, what in (("undo", undo), ("redo", redo)):
            button = self.acts[name]
            button.setEnabled(bool(what))
            words = tooltip(name)
            button.setToolTip(f"{words} – {what}" if what else words)

    def retranslate(self) -> None:
        for name, button in (*self.tools.items(), *self.acts.items()):
            button.setToolTip(tooltip(name))
            button.setAccessibleName(tooltip(name).partition(" (")[0])

    def _add_tool(self, column: QVBoxLayout, tool: Tool) -> None:
        button = IconButton(TOOL_ICONS[tool], "", checkable=True, side=size("tool-rail"), parent=self)
        button.setObjectName(f"tool_{tool}")
        button.clicked.connect(self._tool_clicked)
        self.tools[tool] = button
        column.addWidget(button)

    def _add_act(self, column: QVBoxLayout, act: str, icon: str) -> None:
        button = IconButton(icon, "", side=size("tool-rail"), parent=self)
        button.setObjectName(f"act_{act}")
        button.clicked.connect(self._act_clicked)
        self.acts[act] = button
        column.addWidget(button)

    @Slot()
    def _tool_clicked(self) -> None:
        tool = next(name for name, button in self.tools.items() if button is self.sender())
        self.show_tool(tool)  # a click on the tool in hand must not take its mark away
        self.toolChosen.emit(tool)

    @Slot()
    def _act_clicked(self) -> None:
        self.triggered.emit(next(name for name, button in self.acts.items() if button is self.sender()))

    def _divide(self, column: QVBoxLayout) -> None:
        column.addSpacing(4)
        column.addWidget(Divider(self))
        column.addSpacing(4)


class OptionBar(QWidget):
    """The tool in hand, its options, and the overlay.

    Args:
        overlays: those that can be chosen.
        white: the one on white is no model's view of its subject.

    Signals:
        sizeChanged(float): brush diameter in pixels of the photo.
        hardnessChanged(float): 0 … 1.
        overlayChanged(object): one of ``OVERLAYS``.
    """

    sizeChanged = Signal(float)
    hardnessChanged = Signal(float)
    overlayChanged = Signal(object)

    def __init__(
        self, overlays: Sequence[str] = OVERLAYS, parent: QWidget | None = None, *, white: bool = False
    ) -> None:
        super().__init__(parent)
        self._overlays, self._white = overlays, white
        self.setFixedHeight(size("option-bar"))
        self._tool: Tool = "select"
        self.icon = Glyph("brush", "text", 18, parent=self)
        self.name = label("", "section")
        self.brush_options = QWidget(self)
        self.size_label, self.hardness_label = label("", "body", "muted"), label("", "body", "muted")
        self.size_slider, self.hardness_slider = Slider(), Slider()
        self.size_slider.setRange(0, _SLIDER_STEPS)
        self.hardness_slider.setRange(0, 100)
        self.size_value, self.hardness_value = _value_label("1000 px"), _value_label("100 %")
        options = QHBoxLayout(self.brush_options)
        options.setContentsMargins(14, 0, 0, 0)
        options.setSpacing(10)
        for widget in (self.size_label, self.size_slider, self.size_value):
            options.addWidget(widget)
        options.addSpacing(8)
        for widget in (self.hardness_label, self.hardness_slider, self.hardness_value):
            options.addWidget(widget)
        self.size_slider.setMaximumWidth(128)
        self.hardness_slider.setMaximumWidth(96)
        self.overlay_label = label("", "body", "muted")
        self.overlay = Segmented([(name, "") for name in overlays], parent=self)
        self.overlay.setFixedHeight(size("control"))
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 16, 0)
        row.setSpacing(10)
        row.addWidget(self.icon)
        row.addWidget(self.name)
        row.addWidget(self.brush_options)
        row.addStretch(1)
        row.addWidget(self.overlay_label)
        row.addWidget(self.overlay)
        self.size_slider.valueChanged.connect(self._size_moved)
        self.hardness_slider.valueChanged.connect(self._hardness_moved)
        self.overlay.valueChanged.connect(self.overlayChanged)
        self.retranslate()

    def show_tool(self, tool: Tool, brush_size: float, hardness: float) -> None:
        """Show the options of a tool; brush size in pixels of the photo, hardness 0 … 1."""
        self._tool = tool
        self.icon.set_icon(TOOL_ICONS[tool], "text")
        self.name.setText(tool_name(tool))
        self.brush_options.setVisible(tool in BRUSHES)
        for slider, value in (
            (self.size_slider, _to_slider(brush_size)),
            (self.hardness_slider, round(100 * hardness)),
        ):
            slider.blockSignals(True)
            slider.setValue(value)
            slider.blockSignals(False)
            slider.update()
        self.size_value.setText(f"{brush_size:g}\u00a0px" if brush_size < 10 else f"{brush_size:.0f}\u00a0px")
        self.hardness_value.setText(f"{100 * hardness:.0f}\u00a0%")

    def set_narrow(self, narrow: bool) -> None:
        """Little room: the labels give way, their names stay."""
        for text in (self.overlay_label, self.size_label, self.hardness_label):
            text.setVisible(not narrow)

    def resizeEvent(self, event) -> None:
        """Hardly any room: the icon is the tool's name, and the outline of the brush its size."""
        tight = self.width() < type_.scaled(_TIGHT)
        for text in (self.name, self.size_value, self.hardness_value):
            text.setVisible(not tight)
        super().resizeEvent(event)

    def retranslate(self) -> None:
        self.size_label.setText(self.tr("Size"))
        self.hardness_label.setText(self.tr("Hardness"))
        self.size_slider.setAccessibleName(self.tr("Brush size"))
        self.size_slider.setToolTip(self.tr("Brush size") + f" ({keymap.shown('smaller')} {keymap.shown('larger')})")
        self.hardness_slider.setAccessibleName(self.tr("Brush hardness"))
        self.hardness_slider.setToolTip(
            self.tr("Brush hardness") + f" ({keymap.shown('softer')} {keymap.shown('harder')})"
        )
        self.overlay_label.setText(self.tr("Overlay"))
        on_white = self.tr("On white") if self._white else self.tr("What the model sees")
        words = {"tint": self.tr("Tint"), "outline": self.tr("Outline"), "model": on_white}
        self.overlay.setLabels([words[name] for name in self._overlays])
        self.overlay.setAccessibleName(self.tr("Overlay"))
        self.overlay.setToolTip(tooltip("overlay"))
        self.name.setText(tool_name(self._tool))

    @Slot(int)
    def _size_moved(self, step: int) -> None:
        self.sizeChanged.emit(_from_slider(step))

    @Slot(int)
    def _hardness_moved(self, value: int) -> None:
        self.hardnessChanged.emit(value / 100)


By = Literal["mouse", "cross-hair", "placing", "placing keys"]
"""What acts: the mouse with a tool; the keys with its cross-hair; the mouse on a subject that is placed, and the keys with it."""


class HintBar(QWidget):
    """Hints for mouse and keys with the tool in hand, and the zoom. ``region``: a region is marked, not a subject."""

    def __init__(self, parent: QWidget | None = None, *, region: bool = False) -> None:
        super().__init__(parent)
        self._region = region
        self.setFixedHeight(size("hint-bar"))
        self._hints = QWidget(self)
        self._shown: tuple[Tool, By] | None = None
        self._groups: list[QWidget] = []
        self._hints.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._row = QHBoxLayout(self._hints)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(18)
        self.zoom = label("", "value")
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 16, 0)
        row.addWidget(self._hints, 1)
        row.addWidget(self.zoom)

    def show_zoom(self, percent: int) -> None:
        name, text = self.tr("Zoom"), f"{percent}\u00a0%"
        self.zoom.setText(text)
        self.zoom.setAccessibleName(f"{name}, {text}")

    def forget(self) -> None:
        """Language or keys are others: the next hints are made anew."""
        self._shown = None

    def show_hints(self, tool: Tool, by: By) -> None:
        """Show the hints of a tool, or of the subject that is placed."""
        if self._shown == (tool, by):
            return
        self._shown = tool, by
        clear(self._row)
        if by == "cross-hair":
            hints = self._key_hints_of(tool)
        elif by == "mouse":
            hints = self._hints_of(tool)
        else:
            hints = self._place_hints(keys=by == "placing keys")
        self._groups = [_hint(*hint) for hint in hints]
        for group in self._groups:
            self._row.addWidget(group)
        self._row.addStretch(1)
        self._fit()

    def _fit(self) -> None:
        """Hints that find no room are left out, the last ones first; none is cut off."""
        free = self._hints.width()
        for group in self._groups:
            free -= group.sizeHint().width() + self._row.spacing()
            group.setVisible(free + self._row.spacing() >= 0)

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self._fit()

    def _key_hints_of(self, tool: Tool) -> list[tuple[tuple[str, ...], str]]:
        enter, shift_enter = (self.tr("Enter"),), (self.tr("Shift+Enter"),)
        arrows = ("← ↑ ↓ →",), self.tr("move")
        away = (self.tr("Esc"),), self.tr("put away")
        sizes = (keymap.shown("smaller"), keymap.shown("larger")), self.tr("size")
        lower = enter, self.tr("set down, lift")
        hints: dict[Tool, list] = {
            "select": [arrows, (enter, self.tr("belongs")), (shift_enter, self.tr("does not")), away],
            "brush": [arrows, lower, sizes, away],
            "eraser": [arrows, lower, sizes, away],
            "box": [arrows, (enter, self.tr("begin, end")), away],
            "lasso": [arrows, (enter, self.tr("begin, end")), (shift_enter, self.tr("begin to take away")), away],
            "hand": [arrows],
        }
        return hints[tool]

    def _place_hints(self, *, keys: bool) -> list[tuple[tuple[str, ...], str]]:
        if not keys:
            return [((), self.tr("Drag the subject to its place, or paint where it goes."))]
        size = keymap.shown("place_smaller"), keymap.shown("place_larger")
        turn = keymap.shown("place_turn_left"), keymap.shown("place_turn_right")
        return [
            ((), self.tr("Drag the subject, a corner or its handle.")),
            (("← ↑ ↓ →",), self.tr("move")),
            (size, self.tr("size")),
            (turn, self.tr("turn")),
            ((keymap.shown("place_mirror"),), self.tr("mirror")),
            ((keymap.shown("place_automatic"),), self.tr("start again")),
        ]

    def _hints_of(self, tool: Tool) -> list[tuple[tuple[str, ...], str]]:
        sizes = (keymap.shown("smaller"), keymap.shown("larger"))
        move = (self.tr("Space"),), self.tr("drag to move")
        overlay = (keymap.shown("overlay"),), self.tr("overlay")
        brush = [(sizes, self.tr("size")), ((keymap.shown("swap"),), self.tr("swap")), move]
        hints: dict[Tool, list] = {
            "select": [
                ((), self.tr("Click what belongs. Shift-click what does not. Drag a box.")),
                overlay,
                move,
            ],
            "brush": [((), self.tr("Paint to add")), (("Ctrl",), self.tr("hold to erase")), *brush],
            "eraser": [((), self.tr("Paint to take away")), (("Ctrl",), self.tr("hold to add")), *brush],
            "box": [((), self.tr("Drag a box around the subject.")), overlay, move],
            "lasso": [((), self.tr("Draw around what belongs.")), (("Ctrl",), self.tr("hold to take away")), move],
            "hand": [((), self.tr("Drag to move the photo.")), ((self.tr("Ctrl+wheel"),), self.tr("zoom"))],
        }
        if self._region:
            hints |= {
                "select": [((), self.tr("Click a thing to mark it. Shift-click takes away.")), overlay, move],
                "box": [((), self.tr("Drag a box: all of it is marked.")), overlay, move],
                "lasso": [((), self.tr("Draw around the region.")), (("Ctrl",), self.tr("hold to take away")), move],
                "hand": [((), self.tr("Drag to move the picture.")), ((self.tr("Ctrl+wheel"),), self.tr("zoom"))],
            }
        return hints[tool]


def _hint(keys: tuple[str, ...], words: str) -> QWidget:
    """Keys, and what they do."""
    group = QWidget()
    row = QHBoxLayout(group)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(8)
    for key in keys:
        row.addWidget(KeyCap(key, quiet=True))
    row.addWidget(label(words, "help", "muted"))
    return group


def tool_name(tool: Tool) -> str:
    """A tool's short name."""
    return {
        "select": say("Select"),
        "brush": say("Brush"),
        "eraser": say("Eraser"),
        "box": say("Box"),
        "lasso": say("Lasso"),
        "hand": say("Move"),
    }[tool]


def _value_label(widest: str) -> QLabel:
    result = label("", "value")
    type_.set_width(result, round(result.fontMetrics().horizontalAdvance(widest) / type_.text_scale()) + 2)
    return result


def _to_slider(brush_size: float) -> int:
    """Small brushes get more of the slider than large ones: its middle is a tenth of the largest."""
    share = (brush_size - MIN_SIZE) / (MAX_SIZE - MIN_SIZE)
    return round(share ** (1 / 3) * _SLIDER_STEPS)


def _from_slider(step: int) -> float:
    value = MIN_SIZE + (step / _SLIDER_STEPS) ** 3 * (MAX_SIZE - MIN_SIZE)
    return round(value) if value >= 3 else round(value, 1)
