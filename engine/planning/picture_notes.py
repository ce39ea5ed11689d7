"""Notes beside a picture: words that the model does not read, and the device where there is no card."""

from __future__ import annotations

from collections.abc import Callable

from engine.bundle.manifest import BundleManifest
from engine.planning.time_estimate import Task, about, guess_seconds, multiply_rate
from engine.request import GenerationRequest
from engine.sentence import Sentence

_LONGEST = 60
"""Characters of the user's own words in a note."""


def prompt_notes(request: GenerationRequest, fit: Callable[[str], tuple[str, tuple[str, ...]]]) -> tuple[str, ...]:
    """Sentences on the words of a request.

    Args:
        fit: of a text: the words behind the model's limit, and the words it does not know.
    """
    notes = []
    for what, text in (
        (Sentence("prompt"), request.prompt),
        (Sentence("negative prompt"), request.negative_prompt),
    ):
        dropped, unknown = fit(text) if text else ("", ())
        if dropped:
            notes.append(
                Sentence(
                    "The {what} is longer than this model reads; it stops before “{dropped}”.",
                    what=what,
                    dropped=_short(dropped),
                )
            )
        # The subject's own name need not be known: the photo says what it is.
        named = request.subject_name.lower().split()
        words = [word for word in unknown if word.lower() not in named]
        if words:
            listed = ", ".join(f"“{word}”" for word in words)
            notes.append(
                Sentence(
                    "This model does not know {listed}; {they} will not show.",
                    listed=listed,
                    they=Sentence("it") if len(words) == 1 else Sentence("they"),
                )
            )
    return tuple(notes)


def without_a_card(manifest: BundleManifest) -> str:
    """A sentence: what will draw, and for how long."""
    task = Task(manifest.schedules[0], branches=2, streams=2, text_tokens=16)
    seconds = guess_seconds(manifest.transformer, manifest.tokenizer, task, multiply_rate())
    return Sentence(
        "There is no graphics card that can be used: the processor draws, {seconds} a picture.",
        seconds=about(seconds),
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST].rsplit(" ", 1)[0] + " …"
