"""A link whose engine does what a walk says: begin, a preview, done, stopped, failed, gone."""

from __future__ import annotations

import numpy as np

from engine.errors import Cancelled, EchoGenError, NotEnoughMemory
from engine.events import EngineInfo, Finished, ScalePreview, Started, Timing
from engine.process.messages import Ended, Failed, Opened
from engine.request import GenerationRequest, ScaleBits
from engine.sentence import Sentence
from tests.app.fake_link import FakeLink

GRIDS = ((1, 1), (2, 2), (3, 3), (4, 4))
SIDE = 32


class Previews:
    """The pictures after each scale, as the link hands them over."""

    def __init__(self, images: tuple[np.ndarray | None, ...] = ()) -> None:
        self.images = images


def picture_of(request: GenerationRequest, scale: int = len(GRIDS)) -> np.ndarray:
    """RGB uint8: another one for every seed and scale."""
    chance = np.random.default_rng([request.seed, scale, len(request.prompt)])
    return chance.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


def bits_of(request: GenerationRequest) -> ScaleBits:
    chance = np.random.default_rng([request.seed, len(request.prompt)])
    return ScaleBits(tuple(chance.integers(0, 2, (h, w, 4), dtype=np.uint8) for h, w in GRIDS))


class ScriptedLink(FakeLink):
    """One job at a time; ``step`` lets it go on."""

    def __init__(self, *_: object) -> None:
        super().__init__()
        self.job: tuple[int, GenerationRequest, int] | None = None
        self.place = -1
        self.cancelled = False

    def import_libraries(self) -> None:
        """There are none."""

    def open(self, *_: object) -> None:
        self.job = None
        self.opened.emit(Opened(EngineInfo("paper@000000000000", "/paper", "CPU")))

    def shutdown(self, timeout: float = 0.0) -> bool:
        self.job = None
        return True

    def generate(self, request: GenerationRequest, until_scale: int | None = None, contest: int | None = None) -> int:
        number = super().generate(request, until_scale, contest)
        last = min(until_scale or len(GRIDS), len(GRIDS))  # the window may know a model of more scales
        self.job, self.place, self.cancelled = (number, request, last), -1, False
        return number

    def cancel(self, job: int) -> None:
        if self.job is not None and self.job[0] == job:
            self.cancelled = True

    def step(self) -> None:
        """The next thing an engine would tell; nothing when it has nothing to do."""
        if self.job is None:
            return
        number, request, last = self.job
        if self.cancelled:
            self.fail(Cancelled())
        elif self.place < 0:
            self.place = 0
            costs = tuple(1 / len(GRIDS) for _ in GRIDS)
            self.started.emit(number, Started(request, GRIDS, costs, len(request.kept or ())))
        elif self.place < last:
            self.place += 1
            image = picture_of(request, self.place)
            self.preview.emit(number, ScalePreview(self.place - 1, len(GRIDS), GRIDS[self.place - 1], image, 0.1))
        else:
            self.job = None
            event = Finished(request, picture_of(request), bits_of(request), Timing((0.1,), total=0.1))
            self.finished.emit(number, event, Previews(self._images(request, len(GRIDS))))

    def _images(self, request: GenerationRequest, count: int) -> tuple[np.ndarray | None, ...]:
        return tuple(picture_of(request, scale + 1) if scale < count else None for scale in range(len(GRIDS)))

    def fail(self, error: EchoGenError | None = None) -> None:
        """What is drawn fails."""
        if self.job is not None:
            (number, request, _), self.job = self.job, None
            error = error or NotEnoughMemory(
                Sentence.row("This picture needs more memory."), Sentence.row("Use the low-memory plan.")
            )
            self.failed.emit(Failed(number, error, ""), Previews(self._images(request, max(self.place, 0))))

    def die(self) -> None:
        """The child is gone."""
        self.job = None
        self.ended.emit(Ended(9))
