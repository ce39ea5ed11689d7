"""A link without an engine: writes down what is asked, and the test answers."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject, Signal

from engine.process.messages import Prepare, ScalesPainted
from engine.request import CutOut, GenerationRequest, ScaleBits


class FakeLink(QObject):
    """In the place of ``EngineLink``."""

    loading, opened, replanned, prepared = Signal(object), Signal(object), Signal(object), Signal(object)
    started, preview, previewSkipped = Signal(int, object), Signal(int, object), Signal(int, object)
    finished, failed = Signal(int, object, object), Signal(object, object)
    ended, scalesPainted = Signal(object), Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[ScaleBits, GenerationRequest]] = []
        self.drawn: list[GenerationRequest] = []
        self.contests: list[int | None] = []

    def generate(self, request: GenerationRequest, until_scale: int | None = None, contest: int | None = None) -> int:
        self.drawn.append(request)
        self.contests.append(contest)
        return len(self.drawn)

    def prepare(
        self, prompt: str, negative_prompt: str, subject: CutOut | None, views: tuple[CutOut, ...] = ()
    ) -> Prepare:
        """Asked for, and never answered: encoding ahead is a courtesy."""
        return Prepare(prompt, negative_prompt, subject, views)

    def paint_scales(self, bits: ScaleBits, request: GenerationRequest) -> int:
        self.asked.append((bits, request))
        return len(self.asked)

    def answer(self, number: int, *values: int) -> None:
        """Plain grey pictures."""
        images = tuple(np.full((32, 32, 3), value, np.uint8) for value in values)
        self.scalesPainted.emit(ScalesPainted(number, images))
