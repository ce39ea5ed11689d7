"""A child's failures as messages to its parent, in the same way in every child."""

from __future__ import annotations

import contextlib
import logging
import traceback
from collections.abc import Callable, Iterator

from engine.errors import EchoGenError
from engine.process.messages import Failed
from engine.sentence import Sentence

log = logging.getLogger(__name__)


@contextlib.contextmanager
def failures_told(
    send: Callable[[Failed], None], in_words: Callable[[str], Sentence], job: int | None = None
) -> Iterator[None]:
    """Send a ``Failed`` for what is raised within. A parent that is gone still ends the child.

    Args:
        in_words: the sentence for an error that is none of ours, from its text without a full stop at the end.
        job: of the generation that is under way.
    """
    try:
        yield
    except EchoGenError as error:
        send(Failed(job, error, traceback.format_exc()))
    except ConnectionError:
        raise
    except Exception as error:
        log.exception("a command failed")
        step = Sentence("The details say where; copy them into a report.")
        fault = EchoGenError(in_words(str(error).rstrip(".")), step)
        send(Failed(job, fault, traceback.format_exc()))
