"""How far a picture is, on the terminal's line of progress."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli.terminal import progress
from engine.events import Finished, ScalePreview, Started
from engine.request import GenerationRequest

if TYPE_CHECKING:
    from engine.engine import Engine


def show_loading(fraction: float, text: str) -> None:
    progress.show(f"{text}, {fraction:.0%}")


def follow(
    engine: Engine,
    request: GenerationRequest,
    cancel: threading.Event,
    previews: Path | None,
    stem: str,
    which: str = "",
) -> Finished:
    """Draw a picture and show how far it is.

    Args:
        previews: folder for the picture after each scale, as STEM-scale-NN.png.
        which: what the line begins with, "Picture 2 of 4, ".
    """
    left, first = RemainingTime(()), 0
    # The picture after each scale costs a tenth of a second: it is made where somebody sees how far it is, or keeps it.
    for event in engine.generate(request, cancel=cancel, previews=progress.watched or previews is not None):
        match event:
            case Started():
                for note in event.notes:
                    progress.note(note)
                left, first = RemainingTime(event.costs, event.expected_seconds), event.first_scale
                progress.show(f"{which}preparing")
            case ScalePreview():
                if event.scale < first:
                    left.begin(event.scale)
                words = ", kept" if event.scale < first else left.words(event.scale)
                scale = f"scale {event.scale + 1} of {event.scale_count}"
                line = f"{which}{scale}{words}"
                progress.show(line[:1].upper() + line[1:])
                if previews is not None:
                    from engine.photo.picture_file import save_plain

                    save_plain(previews / f"{stem}-scale-{event.scale + 1:02d}.png", event.image)
            case Finished():
                return event
    raise AssertionError("a generation ends with Finished or an error")


class RemainingTime:
    """How long a picture still takes, said only when it can be known.

    The shares of the scales are counted work. Before a picture was measured here, the coarse scales, which are hardly any work,
    say nothing about the speed: what they take is mostly the beginning. From a fifth of the work on, the pace is known.

    Args:
        costs: share of every scale in the drawing, summing to 1.
        expected: measured seconds of such a picture, or None.
    """

    ENOUGH = 0.2

    def __init__(self, costs: tuple[float, ...], expected: float | None = None) -> None:
        self._costs, self._expected = costs, expected
        self._start: tuple[float, float] | None = None

    def begin(self, scale: int, now: float | None = None) -> None:
        """The pace is measured from the end of this scale on."""
        self._start = sum(self._costs[: scale + 1]), time.monotonic() if now is None else now

    def words(self, scale: int, now: float | None = None) -> str:
        """ ", about 4 s left" after a scale (from 0), or "" while that is not known, and at the end.

        Args:
            now: ``time.monotonic``, for tests.
        """
        now = time.monotonic() if now is None else now
        share = sum(self._costs[: scale + 1])
        if self._start is None:  # the first one also pays for what was prepared
            self.begin(scale, now)
        assert self._start is not None
        done, left = share - self._start[0], max(1.0 - share, 0.0)
        if done >= self.ENOUGH:
            seconds = (now - self._start[1]) / done * left
        elif self._expected is not None:
            seconds = self._expected * left
        else:
            return ""
        return f", about {seconds:.0f} s left" if seconds >= 0.5 else ""
