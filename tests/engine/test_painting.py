"""Between bits and pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine import painting
from engine.bundle.loader import load_bundle
from engine.device.devices import processor
from engine.painting import Painter


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
        Painter(bundle, processor(), None).bits_of(shades, [(1, 1)])
    exact = torch.arange(256) / 127.5 - 1
    assert torch.equal(shown[0][0, 0].flatten(), exact.bfloat16())
