"""What failed, as an error that can be shown."""

from __future__ import annotations

import logging

from app.system.failures import in_words
from engine import EchoGenError, PhotoError, Sentence


def test_an_error_of_ours_stays_and_any_other_gets_words_and_goes_to_the_log(caplog):
    ours = PhotoError(Sentence("It is no photo."))
    other = ZeroDivisionError("by design")
    fact = Sentence("It could not be opened: {error}", error=other)
    with caplog.at_level(logging.ERROR):
        assert in_words(ours, fact) is ours and not caplog.records
        made = in_words(other, fact, Sentence("Choose another one."))
    assert type(made) is EchoGenError and str(made) == "It could not be opened: by design Choose another one."
    assert caplog.records[0].exc_info[1] is other
    assert not in_words(other, fact).step
