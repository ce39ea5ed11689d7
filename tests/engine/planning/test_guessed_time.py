"""A first idea of how long a picture takes."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from engine.bundle import published
from engine.model.schedules import published_schedule
from engine.planning.time_estimate import Task, about, decode_work, guess_seconds, multiply_rate
from engine.tokenizer.autoencoder import Autoencoder
from engine.tokenizer.config import TokenizerConfig


def test_a_rate_is_measured_and_the_threads_are_left_as_they_were():
    threads = torch.get_num_threads()
    assert multiply_rate() > 1e8
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("config", [TokenizerConfig(16, 32, (1, 2, 4), 2), TokenizerConfig(8, 16, (1, 2), 1, patch=4)])
def test_the_decoders_work_is_counted_as_it_is(config):
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        Autoencoder(config).decoder(torch.empty(1, config.bits, 8, 8))
    side = 8 * config.stride
    assert decode_work(config, (side, side)) == pytest.approx(counter.get_total_flops() / 2, rel=1e-6)


def test_a_guess():
    task = Task(published_schedule("1.0", "0.06M"), branches=2, streams=2, text_tokens=20)
    seconds = guess_seconds(published.ECHOGEN_125M, published.TOKENIZER_D16, task, 165e9)
    assert 5 < seconds < 10, "the plain program takes 9 to 10 s on such a processor"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "a few seconds"),
        (4.9, "a few seconds"),
        (7.6, "about 8 seconds"),
        (43, "about 45 seconds"),
        (99, "about 100 seconds"),
        (110, "about 2 minutes"),
        (1234, "about 20 minutes"),
        (9000, "about 2 hours"),
    ],
)
def test_rough_words(seconds, words):
    assert about(seconds) == words
