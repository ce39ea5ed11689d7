"""Shows the progress of a picture on the terminal's line of progress."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli.terminal import progress
from engine.events import Finished, ScalePreview, Started
from engine.request import GenerationRequest
from engine.time_left import TimeLeft

if TYPE_CHECKING:
    from engine.engine import Engine


def show_loading(fraction: float, text: str) -> None:
    progress.show(f"{text}, {fraction:.0%}")


def preview_file(previews: Path, stem: str, scale: int) -> Path:
    """The file of the picture after one scale, counted from 0."""
    return previews / f"{stem}-scale-{scale + 1:02d}.png"


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
        previews: folder for the picture after each scale, see ``preview_file``.
        which: what the line begins with, "Picture 2 of 4, ".
    """
    left, first = TimeLeft(()), 0
    # The picture after each scale costs a tenth of a second: it is made where somebody sees how far it is, or keeps it.
    for event in engine.generate(request, cancel=cancel, previews=progress.watched or previews is not None):
        match event:
            case Started():
                for note in event.notes:
                    progress.note(note)
                first, expected = event.first_scale, event.expected_seconds
                left = TimeLeft(event.costs, first, expected is not None, expected)
                progress.show(f"{which}preparing")
            case ScalePreview():
                left.drawn(event.scale, event.seconds, event.remembered)
                words = "kept" if event.scale < first else left.words(event.seconds)
                scale = f"scale {event.scale + 1} of {event.scale_count}"
                line = f"{which}{scale}" + (f", {words}" if words else "")
                progress.show(line[:1].upper() + line[1:])
                if previews is not None:
                    from engine.photo.picture_file import save_plain

                    save_plain(preview_file(previews, stem, event.scale), event.image)
            case Finished():
                return event
    raise AssertionError("a generation ends with Finished or an error")
