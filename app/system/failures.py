"""Makes an error that can be shown of whatever was raised."""

from __future__ import annotations

import logging

from engine import EchoGenError, Sentence

log = logging.getLogger(__name__)


def in_words(error: BaseException, fact: Sentence, *step: Sentence) -> EchoGenError:
    """Return an error that says what is the matter, as it is. Of any other these sentences are said, as ``EchoGenError`` takes
    them, and it goes to the log."""
    if isinstance(error, EchoGenError):
        return error
    log.error("%s", fact, exc_info=error)
    return EchoGenError(fact, *step)
