"""All controls of the look under one roof: ``from app.look.controls import PrimaryButton, Segmented, …``."""

from __future__ import annotations

from app.look.buttons import (
    Button,
    Chip,
    DangerButton,
    IconButton,
    OutlinedButton,
    PlainButton,
    PrimaryButton,
    TonalButton,
)
from app.look.inputs import CheckBox, ComboBox, NumberField, SearchField
from app.look.layout import (
    Card,
    Disclosure,
    Divider,
    ElidedLabel,
    Spinner,
    at_line_start,
    clear,
    heading,
    label,
    reading_pane,
)
from app.look.segmented import Segmented
from app.look.sliders import LabelledSlider, Slider

__all__ = [
    "Button",
    "Card",
    "CheckBox",
    "Chip",
    "ComboBox",
    "DangerButton",
    "Disclosure",
    "Divider",
    "ElidedLabel",
    "IconButton",
    "LabelledSlider",
    "NumberField",
    "OutlinedButton",
    "PlainButton",
    "PrimaryButton",
    "SearchField",
    "Segmented",
    "Slider",
    "Spinner",
    "TonalButton",
    "at_line_start",
    "clear",
    "heading",
    "label",
    "reading_pane",
]
