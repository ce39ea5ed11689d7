"""Between bits and pixels."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from engine import painting
from engine.bundle.loader import load_bundle, load_tokenizer_encoder
from engine.device.devices import processor
from engine.errors import Cancelled
from engine.painting import Painter
from engine.request import ScaleBits
from engine.tokenizer.encoder_decoder import Level
from engine.tokenizer.quantizer import MultiScaleQuantizer


class Shown(Exception):
    """The encoder was shown pixels."""


def test_half_precision_takes_no_more_of_a_photo_than_it_must(tiny_bundle, monkeypatch):
    """The shades of a photo were divided in bfloat16 and rounded a second time: bright ones fell together."""
    bundle = load_bundle(tiny_bundle)
    bundle.tokenizer.decoder.bfloat16()
    shown = []

    def encoder(pixels: torch.Tensor) -> torch.Tensor:
        shown.append(pixels)
        raise Shown

    monkeypatch.setattr(painting, "load_tokenizer_encoder", lambda bundle: encoder)
    shades = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, 2)
    with pytest.raises(Shown):
        Painter(bundle, processor(), None).bits_of(shades, [(1, 1)], None)
    exact = torch.arange(256) / 127.5 - 1
    assert torch.equal(shown[0][0, 0].flatten(), exact.bfloat16())


class OnCard:
    """Features on a graphics card: all that can be done with them here is to fetch them."""

    def __init__(self, features: torch.Tensor) -> None:
        self._features = features

    def float(self) -> OnCard:
        return self

    def cpu(self) -> torch.Tensor:
        return self._features


def test_a_photo_s_bits_are_told_on_the_processor(tiny_bundle, monkeypatch):
    """Apple's GPUs refuse to average 8 × 8 codes to 3 × 3: no photo could be taken up there."""
    bundle = load_bundle(tiny_bundle)
    config = bundle.manifest.tokenizer
    features = torch.randn(1, config.bits, 8, 8, generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(painting, "load_tokenizer_encoder", lambda bundle: lambda pixels: OnCard(features))
    grids = [(1, 1), (3, 3), (8, 8)]
    bits = Painter(bundle, processor(), None).bits_of(np.zeros((64, 64, 3), np.uint8), grids, None)
    expected = MultiScaleQuantizer(config).encode(features, grids)
    assert bits == ScaleBits(tuple(labels[0].numpy() for labels in expected))


def test_the_look_at_a_photo_can_be_stopped_between_two_layers(tiny_bundle, monkeypatch):
    """On a processor the encoder of a large model takes as long as a picture, and a stop came after it."""
    bundle = load_bundle(tiny_bundle)
    encoder = load_tokenizer_encoder(bundle)
    cancel = threading.Event()
    ran: list[str] = []

    def level_done(*_: object) -> None:
        ran.append("level")
        cancel.set()

    levels = [module for module in encoder.modules() if isinstance(module, Level)]
    for level in levels:
        level.register_forward_hook(level_done)
    monkeypatch.setattr(painting, "load_tokenizer_encoder", lambda bundle: encoder)
    side = 8 * bundle.manifest.tokenizer.stride
    with pytest.raises(Cancelled):
        Painter(bundle, processor(), None).bits_of(np.zeros((side, side, 3), np.uint8), [(1, 1), (8, 8)], cancel)
    assert len(ran) == 1 < len(levels)
